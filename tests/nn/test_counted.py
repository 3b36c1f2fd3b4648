"""Vectors from counts of neighbours, each step against a slow or an exact one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqtree.nn import counted

TEXT = np.random.default_rng(1).integers(0, 9, 300)


@pytest.mark.parametrize("piece", [1 << 22, 17])
def test_pairs_and_their_places_are_counted(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, columns = np.arange(9) - 1, np.where(np.arange(9) < 7, np.arange(9), -1)
    slow: dict[tuple[int, int], int] = {}
    for i in range(len(TEXT)):
        for place, offset in enumerate((-2, -1, 1, 2)):
            if 0 <= i + offset < len(TEXT) and rows[TEXT[i]] >= 0 and columns[TEXT[i + offset]] >= 0:
                key = (int(rows[TEXT[i]]), place * 7 + int(columns[TEXT[i + offset]]))
                slow[key] = slow.get(key, 0) + 1
    monkeypatch.setattr(counted, "AT_ONCE", piece)
    found = counted._pairs(TEXT, rows, columns)
    assert {(a, b): n for a, b, n in zip(*(part.tolist() for part in found), strict=True)} == slow


def test_weights_by_hand() -> None:
    rows, columns, counts = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([6, 2, 1, 7])
    _, _, weights = counted._weights(rows, columns, counts)
    smooth = (7**0.75, 9**0.75)
    first = math.log(6 / (8 * smooth[0] / sum(smooth))) * 6 / 7
    last = math.log(7 / (8 * smooth[1] / sum(smooth))) * 7 / 8
    np.testing.assert_allclose(weights, [first, last], rtol=1e-6)


def test_the_directions_are_those_of_the_exact_decomposition() -> None:
    generator = np.random.default_rng(0)
    rows, columns = np.divmod(np.flatnonzero(generator.random(30 * 40) < 0.3), 40)
    weights = generator.random(len(rows)).astype(np.float32)
    table = counted._narrow(rows, columns, weights, (30, 40), 5, 4)
    dense = np.zeros((30, 40))
    dense[rows, columns] = weights
    left, sizes, _ = np.linalg.svd(dense)
    exact = left[:, :5] * np.sqrt(sizes[:5])
    np.testing.assert_allclose(np.abs(table), np.abs(exact / exact.std()), atol=0.04)


@pytest.mark.parametrize("text", [[0], [0, 0, 0, 0], [0, 1] * 9, [0, 1, 2]])
def test_texts_with_next_to_nothing_to_count(text: list[int]) -> None:
    """What has no spread is not made to have one."""
    tokens = len(set(text))
    table = counted.counted_vectors(np.array(text), np.arange(tokens), np.arange(tokens), tokens, 2)
    assert table.shape == (tokens, tokens)
    assert np.abs(table).max() <= 4
