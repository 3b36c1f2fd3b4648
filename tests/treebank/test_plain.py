"""Sentences of words from texts and treebanks, and as numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqtree.treebank.plain import NumberedText, read_words


def test_texts_and_treebanks_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "t.mrg").write_text("(S (NP (-NONE- *)) (VP (VBZ is) (PRN (-LRB- -LRB-) (NN it) (-RRB- -RRB-))))\n")
    (tmp_path / "a.txt").write_text("Is it? It isn't (now).\n\nNo\n")
    assert list(read_words([str(tmp_path / "t.mrg")])) == [["is", "-LRB-", "it", "-RRB-"]]
    read = list(read_words([str(tmp_path / "a.txt")]))
    assert read == [["Is", "it", "?"], ["It", "is", "n't", "-LRB-", "now", "-RRB-", "."], ["No"]]
    read = list(read_words([str(tmp_path)], tokenized=True))  # of a folder, the texts
    assert read == [["Is", "it?", "It", "isn't", "-LRB-now-RRB-."], ["No"]]


def test_trees_in_a_file_of_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n(S (NP (PRP it)) (VP (VBZ works)))\n")
    (tmp_path / "b.txt").write_text("(It) works\n(S (NP x))\n")
    said: list[str] = []
    assert list(read_words([str(tmp_path / "b.txt")], warn=said.append)) and not said
    assert list(read_words([str(tmp_path / "a.txt")], warn=said.append))
    assert said == [
        f"{tmp_path / 'a.txt'}: begins with a tree in brackets, but is read as text, by its name: trees end in .mrg"
    ]


def test_a_text_in_numbers() -> None:
    text = NumberedText.of([["a", "b", "a"], [], ["c"]])
    assert text.names == ["a", "b", "c"]
    assert text.numbers.tolist() == [0, 1, 0, 2]
    assert text.lengths.tolist() == [3, 1]
    assert [text.words(i) for i in range(2)] == [["a", "b", "a"], ["c"]]
    assert text.counts() == {"a": 2, "b": 1, "c": 1}
    assert NumberedText.of([]).lengths.shape == (0,)
    assert text.numbers.dtype == np.int32
