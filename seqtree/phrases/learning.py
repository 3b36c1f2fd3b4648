"""Vectors of words from plain text alone: counts of the words next to them, made narrow. No network is trained.

Words that occur between the same words get similar vectors: verbs beside verbs, names of months beside names of months.
A word's counts are of the words one and two places before and after it, each place by itself, as Schütze (1993) counts
them for parts of speech. They are weighted by positive pointwise mutual information with smoothed counts of the
neighbours (Levy, Goldberg and Dagan 2015), and a truncated singular value decomposition makes them narrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from seqtree.errors import InputError
from seqtree.nn.randomness import seeded
from seqtree.phrases.readers import Vector
from seqtree.text.lexicon import Ids
from seqtree.treebank.plain import NumberedText

PLACES = (-2, -1, 1, 2)  # where the neighbours stand
SMOOTHING = 0.75  # the power of the neighbours' counts
SPREAD = 0.5  # the standard deviation of the vectors' numbers, that of random word vectors at the start of a training
ROUNDS, MORE = 4, 10  # power iterations of the decomposition, and how many more directions it looks at
AT_ONCE = 1 << 22  # places of the text that are counted at once


class LearnedVectors(NamedTuple):
    """The vectors (V, width) of ``words``, the most frequent first; ``tokens``: how many words the text has in all."""

    words: tuple[str, ...]
    table: Vector
    tokens: int


def learn_vectors(
    sentences: Iterable[Sequence[str]], width: int = 100, min_count: int = 3, neighbours: int = 6000
) -> LearnedVectors:
    """Vectors of the words that occur ``min_count`` times or more, from sentences of words.

    neighbours: how many of the most frequent words are counted as neighbours. The text is kept as numbers, twelve bytes
    a word; words with white space in them are left out. Raises InputError if there are fewer words than ``width``, or
    too few neighbours for it.
    """
    read = NumberedText.of(sentences)
    names, text = read.names, _surrounded(read)
    counts = np.bincount(text, minlength=len(names) + 1)
    counts[0] = 0  # what stands around sentences
    order = np.argsort(-counts, kind="stable")
    frequent = order[: int((counts >= max(1, min_count)).sum())]
    known = frequent[[names[i - 1].split() == [names[i - 1]] for i in frequent]]
    if len(known) < width:
        raise InputError(
            f"{len(known):,} words occur {min_count:,} times or more; vectors of {width:,} numbers need as many words"
        )
    if (most := len(PLACES) * (min(neighbours, len(names)) + 1)) < width:
        raise InputError(f"width {width}: {neighbours:,} neighbours are enough for vectors of {most:,} numbers")
    rows, columns = (np.full(len(names) + 1, -1) for _ in range(2))
    rows[known] = np.arange(len(known))
    near = order[: min(neighbours, len(names))]
    columns[near] = np.arange(1, len(near) + 1)
    columns[0] = 0  # a sentence's start and end are neighbours, too
    table = _narrow(*_weights(*_pairs(text, rows, columns)), (len(known), len(PLACES) * (len(near) + 1)), width)
    return LearnedVectors(tuple(names[i - 1] for i in known), table, int(counts.sum()))


def _surrounded(text: NumberedText) -> Ids:
    """A text in the numbers of its words from 1, with 0s around every sentence."""
    around = max(PLACES)
    found = np.zeros(len(text.numbers) + around * len(text.starts), np.int64)
    sentence = np.repeat(np.arange(1, len(text.starts)), text.lengths)
    found[np.arange(len(text.numbers)) + around * sentence] = text.numbers + 1
    return found


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


def _weights(rows: Ids, columns: Ids, counts: Ids) -> tuple[Ids, Ids, Vector]:
    """The pairs that occur more often than chance, with log p(word, neighbour) / (p(word) p(neighbour)).

    A pair that was seen n times counts n / (n + 1) of that, for rare pairs say little.
    """
    of_words = np.bincount(rows, counts)
    of_neighbours = np.bincount(columns, counts) ** SMOOTHING
    expected = of_words[rows] * of_neighbours[columns] / of_neighbours.sum()
    weights = np.log(counts / expected) * (counts / (counts + 1))
    kept = weights > 0
    return rows[kept], columns[kept], weights[kept].astype(np.float32)


def _narrow(rows: Ids, columns: Ids, weights: Vector, shape: tuple[int, int], width: int) -> Vector:
    """U S^(1/2) of the largest ``width`` directions of a matrix that is given by its entries."""
    places = torch.from_numpy(np.stack([rows, columns]))
    matrix = torch.sparse_coo_tensor(places, torch.from_numpy(weights), shape, check_invariants=True).coalesce()
    with seeded(0):
        left, sizes, _ = torch.svd_lowrank(matrix, min(width + MORE, *shape), ROUNDS)
    table: Vector = (left * sizes.sqrt())[:, :width].numpy()
    return table * np.float32(SPREAD / max(float(table.std()), 1e-12))
