"""The greedy decoder: repeatedly merges the best-scoring pair of neighbours, in all sentences of a batch at once.

A merge changes only the pairs on its two sides, so a sentence of n words needs fewer than 3 n compositions. Nodes are
numbered across the batch: first its N words, then every scored pair, in the order of scoring.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.parsing.decoding import Decoding, Encoded, Floats, Merges
from seqtree.parsing.network import ParserNetwork
from seqtree.parsing.spans import Pairs, Spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids


class Forests:
    """The decoding state of a batch: sentences are rows, longest first; a node is identified by its first word.

    ``node`` (B, W) is the number of the node that begins at each word, ``end`` (B, W) where it ends, ``before`` (B, W)
    where the node before it begins. ``pair`` (B, W) is the number of the pair of this node and the next one, ``score``
    (B, W) its score, -inf if there is no such pair, and ``pair_end`` (B, W) where it ends.
    """

    def __init__(self, batch: SentenceBatch) -> None:
        rows, width = len(batch.lengths), int(batch.lengths[0])
        place = np.arange(width)
        self.lengths, self.words, self.scored = batch.lengths, int(batch.lengths.sum()), 0
        self.node = batch.offsets[:, None] + place
        self.end = np.tile(place + 1, (rows, 1))
        self.before = np.tile(place - 1, (rows, 1))
        self.pair = np.zeros((rows, width), dtype=np.int64)
        self.pair_end = np.zeros((rows, width), dtype=np.int64)
        self.score = np.full((rows, width), -np.inf, dtype=np.float32)

    def pairs(self, row: Ids, start: Ids) -> Pairs:
        """The pairs of the nodes that begin at ``start`` in ``row`` with the nodes after them."""
        middle = self.end[row, start]
        return Pairs(self.node[row, start], self.node[row, middle], Spans(row, start, self.end[row, middle]))

    def all_pairs(self) -> Pairs:
        """The pairs of all neighbouring words."""
        row = np.repeat(np.arange(len(self.lengths)), self.lengths - 1)
        first = np.cumsum(self.lengths - 1) - (self.lengths - 1)
        return self.pairs(row, np.arange(len(row)) - first[row])

    def add(self, pairs: Pairs, scores: Floats) -> None:
        """Store the scores of new pairs, which get the next numbers."""
        at = pairs.spans.sentence, pairs.spans.start
        self.pair[at] = self.scored + np.arange(len(scores))
        self.pair_end[at] = pairs.spans.end
        self.score[at] = scores
        self.scored += len(scores)

    def merge(self, start: Ids) -> Pairs:
        """Merge the pair at ``start`` in each of the first ``len(start)`` rows; returns the resulting new pairs."""
        row = np.arange(len(start))
        middle, end = self.end[row, start], self.pair_end[row, start]
        self.node[row, start] = self.words + self.pair[row, start]
        self.end[row, start] = end
        self.score[row, start] = self.score[row, middle] = -np.inf
        after, preceded = end < self.lengths[: len(start)], start > 0
        self.before[row[after], end[after]] = start[after]
        return self.pairs(
            np.concatenate([row[preceded], row[after]]),
            np.concatenate([self.before[row, start][preceded], start[after]]),
        )


Choose = Callable[[Forests, int], Ids]
Bonus = Callable[[Spans], Floats]


def best(forests: Forests, active: int) -> Ids:
    """The start of the best-scoring pair in each of the first ``active`` rows (the leftmost in case of a tie)."""
    start: Ids = forests.score[:active].argmax(axis=1)
    return start


@torch.no_grad()
def decode(
    network: ParserNetwork,
    batch: SentenceBatch,
    encoded: Encoded[Tensor],
    choose: Choose = best,
    bonus: Bonus | None = None,
) -> Decoding[Tensor]:
    """Merge every sentence of a batch into one node.

    ``choose`` picks the merges (the best-scoring ones by default); ``bonus`` is added to the scores of new pairs.
    """
    forests, words = Forests(batch), len(encoded.leaves)
    nodes = encoded.leaves.new_empty(4 * words, encoded.leaves.shape[1])  # room for as many as there can be
    nodes[:words] = encoded.leaves
    seen: list[Pairs] = []

    def score(pairs: Pairs) -> None:
        new = network.composition(nodes[pairs.left], nodes[pairs.right])
        first = words + forests.scored
        nodes[first : first + len(new)] = new
        scores: Floats = network.score_merges(encoded, batch, new, pairs.spans).numpy(force=True)
        forests.add(pairs, scores if bonus is None else scores + bonus(pairs.spans))
        seen.append(pairs)

    score(forests.all_pairs())
    steps = np.arange(1, int(batch.lengths[0]))
    merges = []
    for active in np.searchsorted(-batch.lengths, -steps):  # the number of sentences with more words than steps
        start = choose(forests, int(active))
        merges.append(_merge(forests, start))
        score(forests.merge(start))
    return Decoding(Pairs.concatenated(seen), nodes[: words + forests.scored], _by_sentence(merges))


def _merge(forests: Forests, start: Ids) -> tuple[npt.NDArray[np.generic], ...]:
    """The columns of ``Merges`` for one step."""
    row = np.arange(len(start))
    at = row, start
    score = forests.score[at]
    forests.score[at] = -np.inf
    margin = score - forests.score[: len(start)].max(axis=1)
    forests.score[at] = score
    return row, start, forests.end[at], forests.pair_end[at], forests.pair[at], score, margin


def _by_sentence(merges: list[tuple[npt.NDArray[np.generic], ...]]) -> Merges:
    if not merges:
        none = np.zeros(0, dtype=np.int64)
        return Merges(none, none, none, none, none, none.astype(np.float32), none.astype(np.float32))
    columns = [np.concatenate(column) for column in zip(*merges, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Merges(*(column[order] for column in columns))
