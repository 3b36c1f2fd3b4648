"""Hashed n-grams."""

from __future__ import annotations

from seqtree.text.ngrams import NGrams


def _all(grams: NGrams, text: list[str]) -> set[int]:
    return {number for group in grams.features(text) for number in group.tolist()}


def test_one_number_for_each_ngram() -> None:
    assert len(NGrams(2, 0, 1 << 40).features(["a", "b", "c"])[0]) == 5  # a b c ab bc
    assert len(NGrams(0, 3, 1 << 40).features(["ab"])[1]) == 5  # <a ab b> <ab ab>
    assert sum(map(len, NGrams(0, 0, 8).features(["a"]))) == 0
    assert len(NGrams(3, 0, 8).features(["a"])[0]) == 1  # shorter than the longest n-gram
    assert sum(map(len, NGrams(3, 3, 8).features([]))) == 0


def test_the_same_ngram_has_the_same_number_wherever_it_stands() -> None:
    grams = NGrams(3, 4, 1 << 40)
    first, second = (_all(grams, text) for text in (["x", "a", "b", "c"], ["a", "b", "c", "y"]))
    shared = _all(grams, ["a", "b", "c"])
    assert shared <= first & second
    assert _all(grams, ["ab", "c"]) != _all(grams, ["a", "bc"])
    assert _all(grams, ["a", "b"]) != _all(grams, ["b", "a"])


def test_numbers_are_the_same_on_every_machine() -> None:
    words, characters = NGrams(2, 2, 65536).features(["NÉ", "b"])
    assert [*words.tolist(), *characters.tolist()] == [37840, 29026, 42943, 28616, 51214, 6696, 15092, 498]
