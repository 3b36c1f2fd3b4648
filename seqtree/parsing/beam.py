"""The beam decoder: several forests of one sentence side by side, for the k best trees.

A forest's score is the sum of its merges' scores: as they are for a parser whose trees compete as wholes, and otherwise
log-softmax over the merges that were possible, so that the sum is the logarithm of a probability. Forests that are
reached in several orders are one: their probabilities add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from seqtree.parsing.batch import SentenceBatch
from seqtree.parsing.greedy import Decoding, Merges
from seqtree.parsing.network import Encoded, ParserNetwork
from seqtree.parsing.spans import Pairs, Spans

Step = tuple[int, int, int, int, float, float]  # start, middle, end, pair, score, margin


@dataclass(frozen=True)
class Forest:
    """A forest of one sentence: its nodes from left to right, how it was made, and the sum of its scores."""

    nodes: tuple[int, ...]
    bounds: tuple[int, ...]  # where the nodes begin, and the sentence's end
    steps: tuple[Step, ...]
    score: float


class BeamDecoder:
    """Decodes one sentence, the only one of its batch. ``total``: scores as they are, not their log-softmax."""

    def __init__(self, network: ParserNetwork, batch: SentenceBatch, encoded: Encoded, total: bool) -> None:
        self.network, self.batch, self.encoded, self.total = network, batch, encoded, total
        self.vectors = encoded.leaves
        self.words = len(encoded.leaves)
        self.scores: list[float] = []
        self.pairs: list[Pairs] = []
        self._number: dict[tuple[int, int], int] = {}

    @torch.no_grad()
    def decode(self, width: int) -> list[Forest]:
        """The ``width`` best forests of a single node, best first."""
        beam = [Forest(tuple(range(self.words)), tuple(range(self.words + 1)), (), 0.0)]
        for _ in range(self.words - 1):
            self._score(beam)
            beam = self._best(beam, width)
        return beam

    def decoding(self, forest: Forest) -> Decoding:
        """How a forest was made, as the greedy decoder has it."""
        columns = [np.array(column) for column in zip(*forest.steps, strict=True)] or [np.zeros(0, dtype=np.int64)] * 6
        merges = Merges(np.zeros(len(columns[0]), dtype=np.int64), *columns)
        return Decoding(Pairs.concatenated(self.pairs), self.vectors, merges)

    def _score(self, beam: Sequence[Forest]) -> None:
        """Compose and score the pairs of neighbours that are new."""
        fresh: dict[tuple[int, int], tuple[int, int]] = {}
        for forest in beam:
            for i, both in enumerate(pairwise(forest.nodes)):
                if both not in self._number:
                    fresh[both] = forest.bounds[i], forest.bounds[i + 2]
        if not fresh:
            return
        (left, right), (start, end) = np.array(list(fresh)).T, np.array(list(fresh.values())).T
        pairs = Pairs(left, right, Spans(np.zeros_like(start), start, end))
        new = self.network.composition(self.vectors[self.network.ids(left)], self.vectors[self.network.ids(right)])
        self.vectors = torch.cat([self.vectors, new])
        self._number.update({both: len(self.scores) + i for i, both in enumerate(fresh)})
        self.scores += self.network.score_merges(self.encoded, self.batch, new, pairs.spans).tolist()
        self.pairs.append(pairs)

    def _best(self, beam: Sequence[Forest], width: int) -> list[Forest]:
        """The best forests that one merge more makes of these."""
        found: dict[tuple[int, ...], Forest] = {}
        for forest in beam:
            numbers = [self._number[both] for both in pairwise(forest.nodes)]
            raw = np.array([self.scores[number] for number in numbers])
            gains = raw if self.total else raw - np.logaddexp.reduce(raw)
            for i in np.argsort(-gains, kind="stable")[: 2 * width]:
                other = np.delete(raw, i).max(initial=-np.inf)
                merged = self._merged(forest, int(i), numbers[i], raw[i], raw[i] - other, forest.score + gains[i])
                same = found.get(merged.nodes)
                found[merged.nodes] = merged if same is None else self._joined(same, merged)
        return sorted(found.values(), key=lambda forest: -forest.score)[:width]

    def _merged(self, forest: Forest, i: int, number: int, score: float, margin: float, total: float) -> Forest:
        start, middle, end = forest.bounds[i : i + 3]
        step = start, middle, end, number, float(score), float(margin)
        nodes = (*forest.nodes[:i], self.words + number, *forest.nodes[i + 2 :])
        return Forest(nodes, forest.bounds[: i + 1] + forest.bounds[i + 2 :], (*forest.steps, step), float(total))

    def _joined(self, one: Forest, other: Forest) -> Forest:
        """The same forest reached in two ways: the better way, with both probabilities (sums are equal anyway)."""
        better = one if one.score >= other.score else other
        if self.total:
            return better
        return Forest(better.nodes, better.bounds, better.steps, float(np.logaddexp(one.score, other.score)))
