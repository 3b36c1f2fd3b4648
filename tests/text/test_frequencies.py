"""Frequencies of words, and lines of CSV."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from seqtree.errors import InputError
from seqtree.text.frequencies import Frequencies, counted_form
from seqtree.text.tables import csv_line


@pytest.mark.parametrize(
    ("word", "form"),
    [("The", "the"), ("“Don’t!”", "don’t"), ("(mat),", "mat"), ("--", "--"), ("1,000.", "1,000"), ("Ärger…", "ärger")],
)
def test_counted_forms(word: str, form: str) -> None:
    assert counted_form(word) == form


def test_the_zipf_scale(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text('The cat, the "Cat" and\nthe mat\n', encoding="utf-8")
    frequencies = Frequencies.of_files([tmp_path])
    total = 7 + 4  # words, and one more of each of four
    for word, count in (("the", 3), ("CAT!", 2), ("mat", 1), ("dog", 0), ("</s>", 0)):
        assert frequencies.zipf(word) == pytest.approx(math.log10((count + 1) / total * 1e9))


def test_no_word_to_count(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.txt: no word to count in it"):
        Frequencies.of_files([tmp_path / "a.txt"])


def test_csv_lines_are_read_back() -> None:
    fields = ["a", 'the "cat"', "two\nlines", "a,b", "", "tab\t"]
    assert next(csv.reader(csv_line(fields).splitlines(keepends=True))) == fields
