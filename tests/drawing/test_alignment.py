"""Alignments drawn: characters for the terminal, squares in a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from seqtree.drawing import matrix, matrix_svg
from seqtree.drawing.characters import columns

SOURCE, TARGET = ["ein", "alter", "Hund", "\x1b日"], ["an", "old", "dog", "</s>"]
WEIGHTS = np.array([[1, 0, 0, 0], [0.1, 0.8, 0.1, 0], [0, 0.25, 0.5, 0.25], [0, 0, 0, 1]], dtype=np.float32)


def test_shades_stand_below_the_numbers_of_the_source() -> None:
    numbers, *rows, legend = matrix(SOURCE, TARGET, WEIGHTS).splitlines()
    assert numbers == "      1 2 3 4"
    assert rows == ["an    █", "old     ▓", "dog     ░ ▒ ░", "</s>        █"]
    assert legend == "      1 ein  2 alter  3 Hund  4 \ufffd日"


def test_many_and_wide_tokens_stay_in_their_columns() -> None:
    source, target = list("abcdefghijk"), ["日本", "x"]
    weights = np.zeros((2, 11), dtype=np.float32)
    weights[0, 10] = weights[1, 8] = 1
    numbers, first, second, _ = matrix(source, target, weights).splitlines()
    end = columns(numbers)
    assert numbers.endswith("9 10 11")
    assert columns(first) == end and first.endswith("██")
    assert columns(second) == end - 6 and second.endswith("██")


def test_the_picture_has_a_square_for_each_pair_and_no_text_escapes() -> None:
    svg = matrix_svg(SOURCE, ["<b>", *TARGET[1:]], WEIGHTS, "a & b")
    root = ET.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    squares = root.findall(f"{space}rect")[1:]
    shades = np.array([float(square.get("fill-opacity", "")) for square in squares]).reshape(4, 4)
    np.testing.assert_allclose(shades, WEIGHTS, atol=1e-3)
    places = np.array([[float(square.get(side, "")) for side in ("x", "y")] for square in squares]).reshape(4, 4, 2)
    assert (np.diff(places[:, :, 0], axis=1) > 0).all() and (np.diff(places[:, :, 1], axis=0) > 0).all()
    assert [text.text for text in root.findall(f"{space}text")] == [*SOURCE[:3], "\ufffd日", "<b>", *TARGET[1:]]
    last = squares[-1]
    assert float(last.get("x", "")) + float(last.get("width", "")) < float(root.get("width", ""))
