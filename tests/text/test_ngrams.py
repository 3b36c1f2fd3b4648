"""N-grams as hashes."""

from __future__ import annotations

import pickle

import numpy as np

from seqtree.text.ngrams import NGrams, frequent


def _all(grams: NGrams, text: list[str]) -> set[int]:
    return {number for group in grams.hashes(text) for number in group.tolist()}


def test_one_hash_for_each_ngram() -> None:
    assert len(NGrams(2, 0).hashes(["a", "b", "c"])[0]) == 7  # a b c <a ab bc c>
    assert len(NGrams(0, 3).hashes(["ab"])[1]) == 5  # <a ab b> <ab ab>
    assert sum(map(len, NGrams(0, 0).hashes(["a"]))) == 0
    assert len(NGrams(4, 0).hashes(["a"])[0]) == 4  # a <a a> <a>: the text is shorter than the longest n-gram
    assert sum(map(len, NGrams(0, 3).hashes([]))) == 0


def test_long_words_are_not_remembered_and_copies_have_none() -> None:
    grams = NGrams(2, 3)
    grams.hashes(["abc" * 10_000, "abc"])
    assert [*grams._known] == ["abc"]
    assert len(pickle.dumps(grams)) == len(pickle.dumps(NGrams(2, 3)))


def test_the_same_ngram_has_the_same_hash_wherever_it_stands() -> None:
    grams = NGrams(3, 4)
    first, second = (_all(grams, text) for text in (["x", "a", "b", "c", "z"], ["y", "a", "b", "c", "y"]))
    inside = _all(grams, ["a", "b", "c"]) & _all(grams, ["x", "a", "b", "c"]) & _all(grams, ["a", "b", "c", "x"])
    assert inside <= first & second
    assert _all(grams, ["ab", "c"]) != _all(grams, ["a", "bc"])
    assert _all(grams, ["a", "b"]) != _all(grams, ["b", "a"])


def test_where_a_text_begins_and_ends_is_part_of_its_ngrams() -> None:
    grams = NGrams(2, 0)
    begins, ends = (_all(grams, text) for text in (["who", "b"], ["b", "who"]))
    shared = {int(hash) for word in ("who", "b") for hash in grams.hashes([word])[0][:1]}
    assert begins & ends == shared


def test_hashes_are_the_same_on_every_machine() -> None:
    words, characters = NGrams(2, 2).hashes(["NÉ", "b"])
    assert [number % 65536 for number in (*words.tolist(), *characters.tolist())] == [
        37840,
        29026,
        15748,
        42943,
        53769,
        28616,
        51214,
        6696,
        15092,
        498,
    ]


def test_the_most_frequent_and_their_counts(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    texts = [np.array(numbers) for numbers in ([5, 3, 9], [3, 9], [9, 7], [3], [8, 5])]
    for at_once in (1, 3, 1 << 20):
        monkeypatch.setattr("seqtree.text.ngrams._AT_ONCE", at_once)
        for most, expected in ((10, ([3, 5, 9], [3, 2, 3])), (2, ([3, 9], [3, 3])), (1, ([3], [3]))):
            hashes, counts = frequent(texts, most)
            assert (hashes.tolist(), counts.tolist()) == expected
    assert [part.tolist() for part in frequent(texts[:1], 10)] == [[3, 5, 9], [1, 1, 1]]  # none is found twice
    assert [part.tolist() for part in frequent([], 10)] == [[], []]
    assert [part.tolist() for part in frequent([], 10, [9, 2])] == [[2, 9], [0, 0]]
    assert [part.tolist() for part in frequent(texts, 1, [9, 2])] == [[2, 3, 9], [0, 3, 3]]
    assert [part.tolist() for part in frequent(texts[:1], 1, [4])] == [[3, 4], [1, 0]]
