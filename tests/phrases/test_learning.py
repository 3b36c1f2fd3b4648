"""Vectors of words from plain text: what is alike, what is read, what is refused."""

from __future__ import annotations

import random

import numpy as np
import pytest

from seqtree.errors import InputError
from seqtree.phrases import cosine, learn_vectors

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


def test_the_same_text_gives_the_same_vectors() -> None:
    np.testing.assert_array_equal(learn_vectors(_sentences(), 6).table, learn_vectors(_sentences(), 6).table)


def test_words_with_white_space_are_left_out() -> None:
    """In files of vectors, white space stands between a word and its numbers."""
    text = [["a", "b", "a\u00a0b", "\u00a0"]] * 5
    assert learn_vectors(text, width=2).words == ("a", "b")


def test_too_few_words() -> None:
    with pytest.raises(InputError, match="width 20: 1 neighbours are enough for vectors of 8 numbers"):
        learn_vectors([[str(i) for i in range(30)]] * 3, width=20, neighbours=1)
    with pytest.raises(
        InputError, match="2 words occur 3 times or more; vectors of 100 numbers need as many words: lower"
    ):
        learn_vectors([["a", "b"]] * 3)
    with pytest.raises(InputError, match="0 words occur"):
        learn_vectors([])
