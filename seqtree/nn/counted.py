"""Vectors of words from counts of the words next to them, made narrow. No network is trained.

Words that occur between the same words get similar vectors: verbs beside verbs, names of months beside names of months.
A word's counts are of the words one and two places before and after it, each place by itself, as Schütze (1993) counts
them for parts of speech. They are weighted by positive pointwise mutual information with smoothed counts of the
neighbours (Levy, Goldberg and Dagan 2015), and a truncated singular value decomposition makes them narrow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from seqtree.nn.randomness import seeded
from seqtree.text.lexicon import Ids

Table = npt.NDArray[np.float32]
PLACES = (-2, -1, 1, 2)  # where the neighbours stand
SMOOTHING = 0.75  # the power of the neighbours' counts
MORE = 10  # how many more directions than are kept the decomposition looks at
AT_ONCE = 1 << 22  # places of the text that are counted at once


def counted_vectors(text: Ids, words: Ids, neighbours: Ids, width: int, rounds: int) -> Table:
    """Vectors (R, width) of standard deviation 1 of ``words`` (R,), from a text (N,) in the numbers of its tokens.

    neighbours (C,): the tokens that are counted beside them. rounds: power iterations of the decomposition. ``width``
    is at most R, and at most four times C.
    """
    size = 1 + max(int(numbers.max()) for numbers in (text, words, neighbours))
    rows, columns = _places(words, size), _places(neighbours, size)
    return _narrow(*_weights(*_pairs(text, rows, columns)), (len(words), len(PLACES) * len(neighbours)), width, rounds)


def _places(chosen: Ids, size: int) -> Ids:
    """Where each number below ``size`` stands in ``chosen``; -1 for none."""
    places = np.full(size, -1)
    places[chosen] = np.arange(len(chosen))
    return places


def _pairs(text: Ids, rows: Ids, columns: Ids) -> tuple[Ids, Ids, Ids]:
    """Every pair of a word and a neighbour at a place: its row, its column (by place), and how often it occurs."""
    width = int(columns.max()) + 1
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for place, offset in enumerate(PLACES):
        for some in _pieces(text, offset):
            words, near = rows[text[some]], columns[text[some + offset]]
            kept = (words >= 0) & (near >= 0)
            found = np.unique((words[kept] * len(PLACES) + place) * width + near[kept], return_counts=True)
            keys, counts = _added((keys, counts), found)
    return keys // (len(PLACES) * width), keys % (len(PLACES) * width), counts


def _pieces(text: Ids, offset: int) -> Iterator[Ids]:
    """All places of a text that have a neighbour ``offset`` places on, some at a time."""
    first, last = max(0, -offset), len(text) - max(0, offset)
    for start in range(first, last, AT_ONCE):
        yield np.arange(start, min(start + AT_ONCE, last))


def _added(one: tuple[Ids, Ids], other: tuple[Ids, Ids]) -> tuple[Ids, Ids]:
    """The sums of counts by their keys."""
    keys, where = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    sums = np.zeros(len(keys), np.int64)
    np.add.at(sums, where, np.concatenate([one[1], other[1]]))
    return keys, sums


def _weights(rows: Ids, columns: Ids, counts: Ids) -> tuple[Ids, Ids, Table]:
    """The pairs that occur more often than chance, with log p(word, neighbour) / (p(word) p(neighbour)).

    A pair that was seen n times counts n / (n + 1) of that, for rare pairs say little.
    """
    of_words = np.bincount(rows, counts)
    of_neighbours = np.bincount(columns, counts) ** SMOOTHING
    expected = of_words[rows] * of_neighbours[columns] / of_neighbours.sum()
    weights = np.log(counts / expected) * (counts / (counts + 1))
    kept = weights > 0
    return rows[kept], columns[kept], weights[kept].astype(np.float32)


def _narrow(rows: Ids, columns: Ids, weights: Table, shape: tuple[int, int], width: int, rounds: int) -> Table:
    """U S^(1/2) of the largest ``width`` directions of a matrix that is given by its entries."""
    places = torch.from_numpy(np.stack([rows, columns]))
    matrix = torch.sparse_coo_tensor(places, torch.from_numpy(weights), shape, check_invariants=True).coalesce()
    with seeded(0):
        left, sizes, _ = torch.svd_lowrank(matrix, min(width + MORE, *shape), rounds)
    table: Table = (left * sizes.sqrt())[:, :width].numpy()
    size = float(np.sqrt(np.mean(table**2)))
    return table / np.float32(max(float(table.std()), 0.3 * size) or 1.0)  # a few equal numbers have no spread
