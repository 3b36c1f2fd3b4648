"""The beam decoder: keeps several forests of one sentence, to find the k best trees.

A forest's score is the sum over its merges: of their raw scores for a parser trained to compare whole trees, otherwise
of their log-softmax over the possible merges, so that the sum is a log-probability. Forests with the same nodes,
reached by different orders of merges, are combined: their probabilities are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.parsing.decoding import Decoding, Encoded, Merges
from seqtree.parsing.network import ParserNetwork
from seqtree.parsing.spans import Pairs, Spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids

Doubles = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Beam:
    """F forests of one sentence, best first, each of m nodes from left to right.

    ``nodes`` (F, m) are node numbers, ``bounds`` (F, m + 1) the start of each node and the end of the sentence,
    ``pairs`` (F, m - 1) the numbers of the pairs of neighbours. ``keys`` (F,) are equal for forests of the same nodes,
    ``scores`` (F,) are the forests' scores.
    """

    nodes: Ids
    bounds: Ids
    pairs: Ids
    keys: Keys
    scores: Doubles


@dataclass(frozen=True)
class _Step:
    """The merge that made each of W forests: the forest before it (``before``), and its columns for ``Merges``."""

    before: Ids
    start: Ids
    middle: Ids
    end: Ids
    pair: Ids
    score: Doubles
    margin: Doubles


@torch.no_grad()
def beam_search(
    network: ParserNetwork, batch: SentenceBatch, encoded: Encoded[Tensor], width: int, whole_trees: bool
) -> list[tuple[float, Decoding[Tensor]]]:
    """The up to ``width`` best trees of one sentence, the only one of its batch: scores and decodings, best first.

    The decodings share pairs and vectors. ``whole_trees``: sum raw merge scores, not their log-softmax. The time of
    each merge is proportional to ``width`` times the number of nodes left.
    """
    nodes = _Nodes(network, batch, encoded)
    beam, steps = nodes.leaves(), []
    for _ in range(nodes.words - 1):
        beam, step = _merged(beam, nodes, *_best(beam, nodes, width, whole_trees))
        steps.append(step)
    pairs, vectors = nodes.composed()
    return [
        (score, Decoding(pairs, vectors, merges))
        for score, merges in zip(beam.scores.tolist(), _merges(steps, len(beam.scores)), strict=True)
    ]


def _best(beam: _Beam, nodes: _Nodes, width: int, whole_trees: bool) -> tuple[Ids, Ids, Keys, Doubles]:
    """The best forests after one more merge: the forest it is made in, its position there, and new keys and scores.

    Of several ways to reach the same forest the best is kept, with their total probability (sums of raw scores are
    equal anyway). At most 2 ``width`` merges per forest are considered (chosen arbitrarily among equals).
    """
    raw = nodes.scores[beam.pairs]
    gains = raw if whole_trees else raw - np.logaddexp.reduce(raw, axis=1, keepdims=True)
    if raw.shape[1] > 2 * width:
        places = np.sort(np.argpartition(-raw, 2 * width, axis=1)[:, : 2 * width], axis=1)
    else:
        places = np.tile(np.arange(raw.shape[1]), (len(raw), 1))
    forest, place = np.repeat(np.arange(len(raw)), places.shape[1]), places.ravel()
    scores = beam.scores[forest] + gains[forest, place]
    left, right, pair = beam.nodes[forest, place], beam.nodes[forest, place + 1], beam.pairs[forest, place]
    keys = beam.keys[forest] ^ nodes.keys[left] ^ nodes.keys[right] ^ nodes.keys[nodes.words + pair]
    order = np.lexsort((-scores, keys))  # groups the ways to each forest, the best first
    first = np.flatnonzero(np.append(True, np.diff(keys[order]) != 0))
    way = order[first]
    sums = scores[way] if whole_trees else np.logaddexp.reduceat(scores[order], first)
    kept = np.lexsort((way, -sums))[:width]  # ties: the leftmost merge in the best forest
    way = way[kept]
    return forest[way], place[way], keys[way], sums[kept]


def _merged(beam: _Beam, nodes: _Nodes, forest: Ids, place: Ids, keys: Keys, scores: Doubles) -> tuple[_Beam, _Step]:
    """Merge the node at ``place`` with the next one in each ``forest``, and score the new pairs of neighbours."""
    row, size = np.arange(len(forest)), beam.nodes.shape[1]
    pair, start, middle, end = (beam.pairs[forest, place], *(beam.bounds[forest, place + i] for i in range(3)))
    raw = nodes.scores[beam.pairs]
    step = _Step(forest, start, middle, end, pair, raw[forest, place], _margins(raw, forest, place))
    made = _without(beam.nodes[forest], place + 1)
    made[row, place] = nodes.words + pair
    bounds, pairs = _without(beam.bounds[forest], place + 1), _without(beam.pairs[forest], place)
    preceded, followed = np.flatnonzero(place > 0), np.flatnonzero(place < size - 2)
    row, at = np.concatenate([preceded, followed]), np.concatenate([place[preceded] - 1, place[followed]])
    pairs[row, at] = nodes.pairs(made[row, at], made[row, at + 1], bounds[row, at], bounds[row, at + 2])
    return _Beam(made, bounds, pairs, keys, scores), step


def _margins(raw: Doubles, forest: Ids, place: Ids) -> Doubles:
    """The score margins of these merges over the best others of their forests; infinite if there is no other."""
    if raw.shape[1] == 1:
        return np.full(len(forest), np.inf)
    second, best = np.partition(raw, -2, axis=1)[forest, -2:].T
    chosen = raw[forest, place]
    margins: Doubles = chosen - np.where(chosen == best, second, best)
    return margins


def _without(rows: Ids, place: Ids) -> Ids:
    """The rows (W, m) without the element at ``place`` (W,) of each: (W, m - 1)."""
    kept: Ids = rows[np.arange(rows.shape[1]) != place[:, None]].reshape(len(rows), -1)
    return kept


def _merges(steps: Sequence[_Step], forests: int) -> list[Merges]:
    """The merges of each forest of the last step, in the order in which they were made."""
    row = np.arange(forests)
    columns: list[tuple[npt.NDArray[np.generic], ...]] = []
    for step in reversed(steps):
        parts = (step.start, step.middle, step.end, step.pair, step.score, step.margin)
        columns.append(tuple(part[row] for part in parts))
        row = step.before[row]
    none = np.zeros((0, forests), dtype=np.int64)
    made = [np.stack(column) for column in zip(*reversed(columns), strict=True)] or [none] * 6  # (merges, forests)
    return [Merges(np.zeros(len(steps), dtype=np.int64), *(column[:, i] for column in made)) for i in range(forests)]


class _Nodes:
    """The nodes of all forests, and the pairs of neighbours composed and scored so far, without duplicates.

    A node has a ``key`` of 64 random bits; a forest's key is the exclusive or of its nodes' keys.
    """

    def __init__(self, network: ParserNetwork, batch: SentenceBatch, encoded: Encoded[Tensor]) -> None:
        self.network, self.batch, self.encoded = network, batch, encoded
        self.words = len(encoded.leaves)
        self.scores: Doubles = np.zeros(0)  # of pairs, with spare capacity at the end
        self.keys: Keys = np.zeros(0, dtype=np.uint64)  # of nodes, with spare capacity at the end
        self._vectors, self._parts, self._number = encoded.leaves, list[Pairs](), dict[tuple[int, int], int]()
        self._random = np.random.default_rng(0)
        self._grow(self.words)

    def leaves(self) -> _Beam:
        """The forest of the words alone."""
        nodes, bounds = np.arange(self.words), np.arange(self.words + 1)
        pairs = self.pairs(nodes[:-1], nodes[1:], bounds[:-2], bounds[2:])
        key = np.bitwise_xor.reduce(self.keys[: self.words], keepdims=True)
        return _Beam(nodes[None], bounds[None], pairs[None], key, np.zeros(1))

    def pairs(self, left: Ids, right: Ids, start: Ids, end: Ids) -> Ids:
        """The numbers of pairs of nodes; new pairs are composed and scored."""
        both = list(zip(left.tolist(), right.tolist(), strict=True))
        fresh = {pair: i for i, pair in enumerate(both) if pair not in self._number}
        if fresh:
            new = np.array(list(fresh.values()))
            self._add(Pairs(left[new], right[new], Spans(np.zeros_like(new), start[new], end[new])))
            first = len(self._number)
            self._number.update((pair, first + i) for i, pair in enumerate(fresh))
        return np.array([self._number[pair] for pair in both], dtype=np.int64)

    def composed(self) -> tuple[Pairs, Tensor]:
        """All pairs in the order of their numbers, and the vectors of the words and pairs."""
        return Pairs.concatenated(self._parts), self._vectors[: self.words + len(self._number)]

    def _add(self, pairs: Pairs) -> None:
        left, right = (self._vectors[self.network.ids(side)] for side in (pairs.left, pairs.right))
        vectors = self.network.composition(left, right)
        scores = self.network.score_merges(self.encoded, self.batch, vectors, pairs.spans).numpy(force=True)
        first = len(self._number)
        last = first + len(pairs)
        if last > len(self.scores):
            self._grow(self.words + 2 * last)
        self._vectors[self.words + first : self.words + last] = vectors
        self.scores[first:last] = scores
        self._parts.append(pairs)

    def _grow(self, capacity: int) -> None:
        """Make room for ``capacity`` nodes."""
        vectors = self._vectors.new_empty(capacity, self._vectors.shape[1])
        vectors[: len(self._vectors)] = self._vectors
        self._vectors = vectors
        self.scores = np.append(self.scores, np.zeros(capacity - self.words - len(self.scores)))
        self.keys = np.append(self.keys, self._random.integers(2**64, size=capacity - len(self.keys), dtype=np.uint64))
