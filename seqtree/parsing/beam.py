"""The beam decoder: several forests of one sentence side by side, for the k best trees.

A forest's score is the sum of its merges' scores: as they are for a parser whose trees compete as wholes, and otherwise
log-softmax over the merges that were possible, so that the sum is the logarithm of a probability. Forests that are
reached in several orders are one: their probabilities add.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.parsing.batch import SentenceBatch
from seqtree.parsing.greedy import Decoding, Floats, Merges
from seqtree.parsing.network import Encoded, ParserNetwork
from seqtree.parsing.spans import Ids, Pairs, Spans

Step = tuple[int, int, int, int, float, float]  # start, middle, end, pair, score, margin


@dataclass(frozen=True, eq=False)
class Forest:
    """A forest of one sentence: n nodes from left to right, and how it was made.

    ``nodes`` (n,) are their numbers, ``bounds`` (n + 1,) where they begin and the sentence's end, ``pairs`` (n - 1,)
    the numbers of the pairs of neighbours. ``key`` is the same for the same nodes. ``score`` is the sum over the
    merges, the last of which was ``step``, in the forest ``before``.
    """

    nodes: Ids
    bounds: Ids
    pairs: Ids
    key: int
    score: float
    step: Step | None = None
    before: Forest | None = None

    @property
    def steps(self) -> list[Step]:
        """The merges in their order."""
        found = []
        forest: Forest | None = self
        while forest is not None and forest.step is not None:
            found.append(forest.step)
            forest = forest.before
        return found[::-1]


@dataclass(frozen=True)
class _Merge:
    """What may follow a forest: its neighbours ``place`` and the next one become a node."""

    forest: Forest
    place: int
    key: int
    score: float  # of the forest that this makes
    raw: float
    margin: float


class BeamDecoder:
    """Decodes one sentence, the only one of its batch. ``total``: scores as they are, not their log-softmax.

    Each merge takes time in proportion to ``width`` times the nodes that are left.
    """

    def __init__(self, network: ParserNetwork, batch: SentenceBatch, encoded: Encoded, total: bool) -> None:
        self.network, self.batch, self.encoded, self.total = network, batch, encoded, total
        self.words = len(encoded.leaves)
        self._nodes, self._vectors = self.words, encoded.leaves  # rows beyond the nodes are room for more
        self._scores = np.zeros(self.words)
        self._parts: list[Pairs] = []
        self._number: dict[tuple[int, int], int] = {}
        self._random = random.Random(0)
        self._keys = [self._random.getrandbits(64) for _ in range(self.words)]  # a forest's are combined by xor

    @torch.no_grad()
    def decode(self, width: int) -> list[Forest]:
        """The ``width`` best forests of a single node, best first."""
        nodes, bounds = np.arange(self.words), np.arange(self.words + 1)
        pairs = self._pairs([(i, i + 1, i, i + 2) for i in range(self.words - 1)])
        key = 0
        for own in self._keys:
            key ^= own
        beam = [Forest(nodes, bounds, pairs, key, 0.0)]
        for _ in range(self.words - 1):
            beam = self._merged(self._best(beam, width))
        self._all_pairs = Pairs.concatenated(self._parts)
        return beam

    def decoding(self, forest: Forest) -> Decoding:
        """How a forest that ``decode`` found was made, as the greedy decoder has it."""
        columns = [np.array(column) for column in zip(*forest.steps, strict=True)] or [np.zeros(0, dtype=np.int64)] * 6
        merges = Merges(np.zeros(len(columns[0]), dtype=np.int64), *columns)
        return Decoding(self._all_pairs, self._vectors[: self._nodes], merges)

    def _best(self, beam: Sequence[Forest], width: int) -> list[_Merge]:
        """The best forests that one merge more makes of these, not yet made."""
        found: dict[int, _Merge] = {}
        for forest in beam:
            raw = self._scores[forest.pairs]
            gains = raw if self.total else raw - np.logaddexp.reduce(raw)
            order = _largest(raw, max(2, 2 * width))
            for i in order[: 2 * width].tolist():
                others = [j for j in order[:2].tolist() if j != i]
                margin = raw[i] - raw[others[0]] if len(others) else np.inf
                key = forest.key ^ self._key(int(forest.pairs[i]), int(forest.nodes[i]), int(forest.nodes[i + 1]))
                merge = _Merge(forest, i, key, forest.score + float(gains[i]), float(raw[i]), float(margin))
                same = found.get(key)
                found[key] = merge if same is None else self._joined(same, merge)
        return sorted(found.values(), key=lambda merge: -merge.score)[:width]

    def _joined(self, one: _Merge, other: _Merge) -> _Merge:
        """The same forest reached in two ways: the better way, with both probabilities (sums are equal anyway)."""
        best = one if one.score >= other.score else other
        score = best.score if self.total else float(np.logaddexp(one.score, other.score))
        return _Merge(best.forest, best.place, best.key, score, best.raw, best.margin)

    def _merged(self, merges: Sequence[_Merge]) -> list[Forest]:
        """The forests that merges make; their new pairs of neighbours are scored together."""
        made, neighbours = [], []
        for merge in merges:
            forest, i = merge.forest, merge.place
            number = int(forest.pairs[i])
            nodes = np.concatenate([forest.nodes[:i], [self.words + number], forest.nodes[i + 2 :]])
            bounds = np.concatenate([forest.bounds[: i + 1], forest.bounds[i + 2 :]])
            start, middle, end = forest.bounds[i : i + 3].tolist()
            made.append((nodes, bounds, merge, (start, middle, end, number, merge.raw, merge.margin)))
            for place in range(max(0, i - 1), min(i + 1, len(nodes) - 1)):
                left, right = nodes[place : place + 2].tolist()
                neighbours.append((left, right, int(bounds[place]), int(bounds[place + 2])))
        numbers = iter(self._pairs(neighbours).tolist())
        beam = []
        for nodes, bounds, merge, step in made:
            i, old = merge.place, merge.forest.pairs
            new = [next(numbers) for _ in range(max(0, i - 1), min(i + 1, len(nodes) - 1))]
            pairs = np.concatenate([old[: max(0, i - 1)], np.array(new, dtype=np.int64), old[i + 2 :]])
            beam.append(Forest(nodes, bounds, pairs, merge.key, merge.score, step, merge.forest))
        return beam

    def _pairs(self, wanted: Sequence[tuple[int, int, int, int]]) -> Ids:
        """The numbers of pairs (left node, right node, start, end); the new ones are composed and scored."""
        fresh = {both[:2]: both for both in wanted if both[:2] not in self._number}
        if fresh:
            left, right, start, end = np.array(list(fresh.values())).T
            pairs = Pairs(left, right, Spans(np.zeros_like(start), start, end))
            at = (self.network.ids(side) for side in (left, right))
            new = self.network.composition(*(self._vectors[rows] for rows in at))
            scores = self.network.score_merges(self.encoded, self.batch, new, pairs.spans).numpy(force=True)
            first = self._nodes - self.words
            self._add(new, scores)
            self._parts.append(pairs)
            self._number.update((both, first + i) for i, both in enumerate(fresh))
        return np.array([self._number[left, right] for left, right, *_ in wanted], dtype=np.int64)

    def _add(self, vectors: Tensor, scores: Floats) -> None:
        """Take in new nodes with the scores of their pairs; room is doubled when it is wanting."""
        first, last = self._nodes, self._nodes + len(vectors)
        if last > len(self._vectors):
            room = self._vectors.new_empty(2 * last, vectors.shape[1])
            room[:first] = self._vectors[:first]
            self._vectors = room
        if last - self.words > len(self._scores):
            self._scores = np.concatenate([self._scores, np.zeros(last)])
        self._vectors[first:last] = vectors
        self._scores[first - self.words : last - self.words] = scores
        self._keys += [self._random.getrandbits(64) for _ in range(len(vectors))]
        self._nodes = last

    def _key(self, pair: int, left: int, right: int) -> int:
        """What a merge changes in a forest's key."""
        return self._keys[self.words + pair] ^ self._keys[left] ^ self._keys[right]


def _largest(values: npt.NDArray[np.float64], most: int) -> Ids:
    """Where the largest of some values are, ``most`` at most, largest first (the leftmost of equals)."""
    some = np.arange(len(values))
    if most < len(values):
        some = np.sort(np.argpartition(-values, most)[:most])
    order: Ids = some[np.argsort(-values[some], kind="stable")]
    return order
