"""Vectors of words from plain text: what is counted by hand, what is alike, what is read, what is refused."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from seqtree.errors import InputError
from seqtree.phrases import cosine, learn_vectors, learning
from seqtree.treebank.plain import NumberedText

ANIMALS, FOODS = ("cat", "dog", "fox", "owl"), ("bread", "rice", "soup", "cake")


def _sentences(count: int = 600, seed: int = 1) -> list[list[str]]:
    pick = random.Random(seed)
    made = []
    for _ in range(count):
        one, other = pick.choice(ANIMALS), pick.choice(FOODS)
        made.append(
            pick.choice(
                [f"the {one} ran away", f"we ate {other} today", f"a {one} slept", f"hot {other} burns"]
            ).split()
        )
    return made


def test_words_in_like_places_are_alike() -> None:
    found = learn_vectors(_sentences(), width=6)
    vector = dict(zip(found.words, found.table, strict=True))
    assert found.tokens == sum(map(len, _sentences()))
    for alike, others in ((ANIMALS, FOODS), (FOODS, ANIMALS)):
        for word in alike:
            near = min(cosine(vector[word], vector[one]) for one in alike)
            assert near > max(cosine(vector[word], vector[one]) for one in others) + 0.3
    assert found.table.std() == pytest.approx(0.5, rel=1e-4)


def test_the_most_frequent_come_first_and_rare_ones_are_left_out() -> None:
    text = [["a", "b"]] * 5 + [["b", "c"]] * 3 + [["d", "b"]]
    found = learn_vectors(text, width=2, min_count=3)
    assert found.words == ("b", "a", "c")
    assert found.table.shape == (3, 2)


def test_pairs_and_their_places_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a slow count, in pieces of some places as well."""
    read = NumberedText.of(_sentences(40))
    names, text = read.names, learning._surrounded(read)
    numbers = np.arange(len(names) + 1)
    width = len(names) + 1
    slow: dict[tuple[int, int], int] = {}
    for sentence in _sentences(40):
        padded = [0, 0, *(names.index(word) + 1 for word in sentence), 0, 0]
        for i in range(2, len(padded) - 2):
            for place, offset in enumerate((-2, -1, 1, 2)):
                key = (padded[i], place * width + padded[i + offset])
                slow[key] = slow.get(key, 0) + 1
    rows = np.where(numbers > 0, numbers, -1)
    for piece in (1 << 22, 17):
        monkeypatch.setattr(learning, "AT_ONCE", piece)
        found = learning._pairs(text, rows, numbers)
        assert {(a, b): n for a, b, n in zip(*(part.tolist() for part in found), strict=True)} == slow


def test_weights_by_hand() -> None:
    rows, columns, counts = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([6, 2, 1, 7])
    _, _, weights = learning._weights(rows, columns, counts)
    smooth = (7**0.75, 9**0.75)
    first = math.log(6 / (8 * smooth[0] / sum(smooth))) * 6 / 7
    last = math.log(7 / (8 * smooth[1] / sum(smooth))) * 7 / 8
    np.testing.assert_allclose(weights, [first, last], rtol=1e-6)


def test_the_directions_are_those_of_the_exact_decomposition() -> None:
    generator = np.random.default_rng(0)
    rows, columns = np.divmod(np.flatnonzero(generator.random(30 * 40) < 0.3), 40)
    weights = generator.random(len(rows)).astype(np.float32)
    table = learning._narrow(rows, columns, weights, (30, 40), 5)
    dense = np.zeros((30, 40))
    dense[rows, columns] = weights
    left, sizes, _ = np.linalg.svd(dense)
    exact = left[:, :5] * np.sqrt(sizes[:5])
    exact *= 0.5 / exact.std()
    np.testing.assert_allclose(np.abs(table), np.abs(exact), atol=0.02)


def test_the_same_text_gives_the_same_vectors() -> None:
    np.testing.assert_array_equal(learn_vectors(_sentences(), 6).table, learn_vectors(_sentences(), 6).table)


def test_words_with_white_space_are_left_out() -> None:
    """In files of vectors, white space stands between a word and its numbers."""
    text = [["a", "b", "a\u00a0b", "\u00a0"]] * 5
    assert learn_vectors(text, width=2).words == ("a", "b")


def test_too_few_words() -> None:
    with pytest.raises(InputError, match="width 20: 1 neighbours are enough for vectors of 8 numbers"):
        learn_vectors([[str(i) for i in range(30)]] * 3, width=20, neighbours=1)
    with pytest.raises(InputError, match="2 words occur 3 times or more; vectors of 100 numbers need as many words"):
        learn_vectors([["a", "b"]] * 3)
    with pytest.raises(InputError, match="0 words occur"):
        learn_vectors([])
