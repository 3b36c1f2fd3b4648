"""Hashed n-grams."""

from __future__ import annotations

from seqtree.text.ngrams import NGrams


def test_one_number_for_each_ngram() -> None:
    assert len(NGrams(2, 0, 1 << 40).features(["a", "b", "c"])) == 5  # a b c ab bc
    assert len(NGrams(0, 3, 1 << 40).features(["ab"])) == 5  # <a ab b> <ab ab>
    assert len(NGrams(0, 0, 8).features(["a"])) == 0
    assert len(NGrams(3, 0, 8).features(["a"])) == 1  # shorter than the longest n-gram
    assert len(NGrams(3, 3, 8).features([])) == 0


def test_the_same_ngram_has_the_same_number_wherever_it_stands() -> None:
    grams = NGrams(3, 4, 1 << 40)
    first, second = (set(grams.features(text).tolist()) for text in (["x", "a", "b", "c"], ["a", "b", "c", "y"]))
    shared = set(grams.features(["a", "b", "c"]).tolist())
    assert shared <= first & second
    assert grams.features(["ab", "c"]).tolist() != grams.features(["a", "bc"]).tolist()
    assert set(grams.features(["a", "b"]).tolist()) != set(grams.features(["b", "a"]).tolist())


def test_numbers_are_the_same_on_every_machine() -> None:
    found = NGrams(2, 2, 65536).features(["né", "b"])
    assert found.tolist() == [28616, 51214, 6696, 15092, 498, 37840, 29026, 42943]
