"""Texts coloured by surprisal: where each item stands, its colour, how much is drawn; as SVG and PNG."""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ElementTree

import pytest
from picture_helpers import SVG, texts_of

from seqtree.drawing.colours import ink_on, ramp
from seqtree.drawing.surprisals import BOX, COLOURS, COLUMN, COLUMNS, ROW, ROWS, ColouredText


def _boxes(drawn: ColouredText) -> list[tuple[int, int, int, str, str]]:
    """Column, row, width in columns, colour and what is said, of each box of an item."""
    root = ElementTree.fromstring(drawn.svg())
    found = []
    for box in root.iter(f"{SVG}rect"):
        about = box.findtext(f"{SVG}title")
        if about:
            x, y, width = (int(box.attrib[name]) for name in ("x", "y", "width"))
            found.append((x // COLUMN, y // ROW, width // COLUMN, box.attrib["fill"], about))
    left, top = min(one[0] for one in found), min(one[1] for one in found)
    return [(x - left, y - top, wide, *rest) for x, y, wide, *rest in found]


def _characters(text: str, surprisal: float = 1.0) -> ColouredText:
    drawn, line = ColouredText("characters"), 1
    for character in text:
        drawn.add(line, character, surprisal, False)
        line += character == "\n"
    return drawn


def test_words_stand_as_in_the_text_and_are_the_darker_the_more_surprising() -> None:
    drawn = ColouredText("words", "a.txt")
    for line, word, bits, gap in ((1, "the", 0.0, 2), (1, "<cat>", 4.0, 1), (3, "é中", 8.0, 0)):
        drawn.add(line, word, bits, word == "<cat>", gap)
    dark = COLOURS[-1]
    assert _boxes(drawn) == [
        (2, 0, 3, "#ffffff", "the: 0.00 bits"),
        (6, 0, 5, ramp(COLOURS, 0.5), "<cat>: 4.00 bits, not in the vocabulary"),
        (0, 1, 3, dark, "é中: 8.00 bits"),
    ]
    texts = texts_of(drawn.svg())
    assert texts[0] == "a.txt: 3 words; underlined: not in the vocabulary"
    assert texts[1:10] == ["0 bits", "1", "2", "3", "4", "5", "6", "7", "≥ 8"]
    assert texts[10:] == ["1", "3", "the", "<cat>", "é中"]  # lines have their numbers
    assert drawn.caption == "a.txt: 3 words"


def test_rows_end_between_words() -> None:
    drawn = _characters("ab " * 31 + "abcdef gh\n\nx" + "y" * 200)
    rows: dict[int, str] = {}
    for _, row, _, _, about in _boxes(drawn):
        rows[row] = rows.get(row, "") + about[0]
    first = ("ab " * 31).replace(" ", "␣")
    assert [row.replace(" ", "␣") for row in rows.values()][:3] == [first, "abcdef␣gh↵", "↵"]
    assert [len(row) for row in rows.values()][3:] == [COLUMNS, COLUMNS, 201 - 2 * COLUMNS]


def test_only_the_first_rows_are_drawn_and_all_is_counted() -> None:
    drawn = _characters("a\n" * 500)
    assert (drawn.drawn, drawn.total) == (2 * ROWS, 1000)
    assert texts_of(drawn.svg())[0] == drawn.caption == f"the first {2 * ROWS} of 1,000 characters"
    assert max(row for _, row, *_ in _boxes(drawn)) == ROWS - 1
    assert ColouredText().caption == "0 tokens"
    assert ElementTree.fromstring(ColouredText().svg()) is not None
    assert _characters("a").caption == "1 character"


def test_a_long_item_takes_several_rows() -> None:
    drawn = ColouredText()
    drawn.add(1, "a", 1.0, False)
    drawn.add(1, "x" * (COLUMNS + 5), 2.0, False, gap=1)
    drawn.add(1, "b", 1.0, False, gap=1)
    assert [one[:3] for one in _boxes(drawn)] == [(0, 0, 1), (0, 1, COLUMNS), (0, 2, 5), (6, 2, 1)]


def test_lines_from_the_right() -> None:
    drawn = _characters("שב, a\nab\n")
    places = [one[:2] for one in _boxes(drawn)]
    columns = [x for x, row in places if row == 0]
    assert columns == sorted(columns, reverse=True) and columns[0] > columns[-1]
    assert [x for x, row in places if row == 1] == sorted(x for x, row in places if row == 1)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("one two three", "one two three"),
        ("אחת שתיים שלוש", "שלוש שתיים אחת"),
        ("אחת one 2 two שתיים", "שתיים one 2 two אחת"),
        ("one אחת 2 שתיים two", "one שתיים 2 אחת two"),
        ("one אחת 2", "one אחת 2"),
    ],
)
def test_words_against_the_direction_of_a_line_keep_their_own_order(line: str, read: str) -> None:
    drawn = ColouredText("words")
    for number, word in enumerate(line.split()):
        drawn.add(1, word, 1.0, False, gap=int(number > 0))
    boxes = sorted(_boxes(drawn))
    assert " ".join(about.partition(":")[0] for *_, about in boxes) == read
    assert [x for x, *_ in boxes] == [0, *(x + wide + 1 for x, _, wide, *_ in boxes[:-1])]


def test_what_is_not_in_the_vocabulary_is_underlined_within_its_box() -> None:
    drawn = ColouredText("words")
    drawn.add(1, "known", 20.0, False)
    drawn.add(1, "unknown", 20.0, True, gap=1)
    rectangles = [box.attrib for box in ElementTree.fromstring(drawn.svg()).iter(f"{SVG}rect")]
    box, line = rectangles[-2:]
    assert (box["x"], box["width"], box["height"]) == (line["x"], line["width"], str(BOX))
    assert int(box["y"]) < int(line["y"]) < int(line["y"]) + int(line["height"]) < int(box["y"]) + BOX
    assert box["fill"] != line["fill"] == ink_on(box["fill"])


def test_outliers_and_what_is_infinite_do_not_stretch_the_scale() -> None:
    drawn = ColouredText()
    for number in range(200):
        drawn.add(1, "a", math.inf if number == 0 else 500.0 if number == 1 else number % 4, False)
    colours = [colour for *_, colour, _ in _boxes(drawn)]
    assert "≥ 4" in texts_of(drawn.svg())
    assert colours[0] == colours[1] == COLOURS[-1]
    assert colours[3] == ramp(COLOURS, 3 / 4)


def test_ink_is_read_on_every_colour() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    grounds = [ramp(COLOURS, number / 200) for number in range(201)]
    lights = [light(ground) for ground in grounds]
    assert lights == sorted(lights, reverse=True)  # told apart without colours
    for ground in grounds:
        low, high = sorted((light(ground), light(ink_on(ground))))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_picture_is_xml_whatever_the_text() -> None:
    drawn = _characters("a\x00\x1b\t\ud800\uffff<&>\"'\u202e🙂")
    assert "\ufffd" in texts_of(drawn.svg()) and "🙂" in texts_of(drawn.svg())
    assert not any("\u202e" in text for text in texts_of(drawn.svg()))


def test_png() -> None:
    image = pytest.importorskip("PIL.Image")
    drawn = ColouredText("words")
    drawn.add(1, "the", 1.0, False)
    drawn.add(1, "кот中", 8.0, True, gap=1)
    with image.open(io.BytesIO(drawn.png())) as opened:
        root = ElementTree.fromstring(drawn.svg())
        assert opened.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
        for box in root.iter(f"{SVG}rect"):
            if box.attrib["height"] == f"{BOX}" and "x" in box.attrib:
                pixel = opened.getpixel((2 * int(box.attrib["x"]) + 1, 2 * int(box.attrib["y"]) + 1))
                assert "#{:02x}{:02x}{:02x}".format(*pixel) == box.attrib["fill"]
