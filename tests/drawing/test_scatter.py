"""Pictures of points: labels that cover nothing, colours of kinds, SVG and PNG."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import numpy as np
import pytest

from seqtree.drawing.scatter import FONT, HIGHEST, LOWEST, RADIUS, WIDTH, Scatter, scatter
from seqtree.drawing.svg import text_width
from seqtree.errors import InputError

SVG = "{http://www.w3.org/2000/svg}"


def _picture(count: int = 60, kinds: int = 3) -> Scatter:
    points = np.random.default_rng(1).normal(size=(count, 2)) * [3, 1]
    texts = [f"phrase number {i}" for i in range(count)]
    return scatter(points, texts, [f"kind{i % kinds}" for i in range(count)], "a < b")


def _boxes(drawn: Scatter) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the labels, by the estimated width of their letters."""
    found = []
    for mark in drawn.marks:
        if mark.label:
            x, y, anchor = mark.label
            wide = text_width(mark.text) * FONT // 16
            left = x - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
            found.append((left, y - FONT + 2, left + wide, y + 2))
    return found


def test_labels_cover_neither_labels_nor_points() -> None:
    drawn = _picture()
    boxes = _boxes(drawn)
    assert len(boxes) > 20
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    for left, top, right, bottom in boxes:
        assert left >= 0 and right <= WIDTH and bottom <= drawn.height
        for mark in drawn.marks:
            dx, dy = max(left - mark.x, 0, mark.x - right), max(top - mark.y, 0, mark.y - bottom)
            assert dx * dx + dy * dy >= RADIUS * RADIUS
    assert LOWEST <= drawn.height <= HIGHEST + 4 * FONT
    assert all(0 < mark.x < WIDTH and 0 < mark.y < drawn.height for mark in drawn.marks)


def test_a_label_from_right_to_left_stands_where_others_do() -> None:
    drawn = scatter(np.array([[0.0, 0.0], [1.0, 1.0]]), ["smile", "קטן"], ["a", "b"], "")
    found = {one.text: one.attrib for one in ElementTree.fromstring(drawn.svg()).iter(f"{SVG}text")}
    anchors = {mark.text: mark.label[2] for mark in drawn.marks if mark.label}
    assert "direction" not in found["smile"] and found["smile"]["text-anchor"] == anchors["smile"]
    assert found["קטן"]["direction"] == "rtl"
    assert {found["קטן"]["text-anchor"], anchors["קטן"]} == {"start", "end"}  # SVG counts from where it is read


def test_both_axes_have_one_scale() -> None:
    drawn = scatter(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), ["a", "b", "c"], [""] * 3, "")
    a, b, c = drawn.marks
    assert abs((b.x - a.x) - 2 * (a.y - c.y)) <= 2 and a.y == b.y and a.x == c.x
    alike = scatter(np.zeros((3, 2)), ["a", "b", "c"], ["x", "y", "z"], "")
    assert len({(mark.x, mark.y) for mark in alike.marks}) == 1


def test_kinds_have_colours_and_a_legend() -> None:
    drawn = _picture(kinds=3)
    assert {kind for _, _, kind, _ in drawn.legend} == {"kind0", "kind1", "kind2"}
    colours = {kind: colour for _, _, kind, colour in drawn.legend}
    assert len(set(colours.values())) == 3
    assert [mark.colour for mark in drawn.marks[:3]] == [colours[f"kind{i}"] for i in range(3)]
    many = _picture(kinds=12)
    assert len(many.legend) == 8 and many.legend[-1][2] == "other"
    grades = scatter(np.eye(5)[:, :2], list("abcde"), list("40123"), "")
    assert [kind for _, _, kind, _ in grades.legend] == list("01234")
    assert grades.marks[0].colour == "#0b6e99" and grades.marks[1].colour == "#c0392b"
    assert scatter(np.eye(3)[:, :2], list("abc"), ["x"] * 3, "").legend == ()


def test_lists_are_points_and_what_is_none_is_refused() -> None:
    texts, kinds = ["a", "b"], ["x", "y"]
    assert scatter([[0, 0], [1, 1]], texts, kinds, "") == scatter(np.array([[0.0, 0], [1, 1]]), texts, kinds, "")
    for wrong in ([], [[0, 0, 0], [1, 1, 1]], [[0, float("nan")], [1, 1]]):
        with pytest.raises(InputError, match=r"expected finite numbers \(N, 2\), at least one point"):
            scatter(np.array(wrong), texts, kinds, "")
    with pytest.raises(InputError, match="1 texts for 2 points; expected one for each"):
        scatter(np.eye(2), texts[:1], kinds, "")
    with pytest.raises(InputError, match="3 kinds for 2 points; expected one for each"):
        scatter(np.eye(2), texts, ["x"] * 3, "")


def test_svg_is_whole_and_escaped() -> None:
    drawn = scatter(np.eye(3)[:, :2], ["<b>&", "a\x1b[5m b", "שלום"], ["<x>", "y", "y"], "<title>")
    root = ElementTree.fromstring(drawn.svg())
    assert len(root.findall(f".//{SVG}circle")) == 3 + 2
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"<b>&", "<x>", "y", "שלום"} <= texts and not any("\x1b" in (text or "") for text in texts)
    assert any(text and " b" in text for text in texts)  # spaces stay


def test_png_is_twice_as_sharp() -> None:
    image = pytest.importorskip("PIL.Image")
    drawn = _picture()
    opened = image.open(io.BytesIO(drawn.png()))
    assert opened.size == (2 * WIDTH, 2 * drawn.height)
    mark = drawn.marks[0]
    red, green, blue = opened.getpixel((2 * mark.x, 2 * mark.y))
    assert f"#{red:02x}{green:02x}{blue:02x}" in {one.colour for one in drawn.marks}
