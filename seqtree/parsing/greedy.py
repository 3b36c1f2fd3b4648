"""The greedy decoder: repeatedly merges the best-scoring pair of neighbours, in all sentences of a batch at once.

A merge changes only the pairs on its two sides, so a sentence of n words needs fewer than 3 n compositions. Nodes are
numbered across the batch: first its N words, then every scored pair, in the order of scoring.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.nn.recursive import ArrayComposition, weights
from seqtree.parsing.network import Encoded, ParserNetwork
from seqtree.parsing.spans import Pairs, Spans, fence_numbers
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids

Floats = npt.NDArray[np.float32]
FEW = 4  # sentences
ZERO = np.array(0.0, np.float32)


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


@dataclass(frozen=True)
class Merges:
    """All merges of a batch, sentence by sentence in the order they were made; (S,) each.

    ``pair`` is the number of the merged pair, ``score`` the score by which it was chosen, and ``margin`` the difference
    to the best other pair (infinite if there was none).
    """

    row: Ids
    start: Ids
    middle: Ids
    end: Ids
    pair: Ids
    score: Floats
    margin: Floats


@dataclass(frozen=True)
class Decoding:
    """The result of decoding a batch: every scored pair, the vectors (N + pairs, V) of all nodes, and the merges."""

    pairs: Pairs
    vectors: Tensor
    merges: Merges


class Nodes:
    """The vectors of a batch's nodes, its words first, while they are made: room for as many as there can be."""

    def __init__(self, network: ParserNetwork, batch: SentenceBatch, encoded: Encoded) -> None:
        self.network, self.batch, self.encoded = network, batch, encoded
        self.count = len(encoded.leaves)
        self.room = encoded.leaves.new_empty(4 * self.count, encoded.leaves.shape[1])
        self.room[: self.count] = encoded.leaves

    def add(self, pairs: Pairs) -> Floats:
        """Compose pairs, whose nodes get the next numbers; the scores (k,) of merging them."""
        new = self.network.composition(self.room[pairs.left], self.room[pairs.right])
        self.room[self.count : self.count + len(new)] = new
        self.count += len(new)
        scores: Floats = self.network.score_merges(self.encoded, self.batch, new, pairs.spans).numpy(force=True)
        return scores

    @property
    def vectors(self) -> Tensor:
        """The vectors (N + pairs, V) of all nodes so far."""
        return self.room[: self.count]


class ArrayNodes(Nodes):
    """The same in NumPy, on the memory of the same weights: for few pairs, a tensor library is mostly overhead."""

    def __init__(self, network: ParserNetwork, batch: SentenceBatch, encoded: Encoded) -> None:
        super().__init__(network, batch, encoded)
        self.array = self.room.numpy()
        self.fences = None if encoded.merges is None else encoded.merges.numpy()
        self.compose = ArrayComposition(network.composition)
        scorer = network.merge_scorer
        self.hidden = None if scorer.hidden is None else weights(scorer.hidden)
        self.output = weights(scorer.output)

    def add(self, pairs: Pairs) -> Floats:
        new = self.compose(self.array[pairs.left], self.array[pairs.right])
        self.array[self.count : self.count + len(new)] = new
        self.count += len(new)
        seen, spans = new[:, : self.compose.output_size], pairs.spans
        if self.hidden is not None and self.fences is not None:
            start, end = (fence_numbers(self.batch, spans.sentence, place) for place in (spans.start, spans.end))
            seen = seen @ self.hidden[0]
            seen += self.hidden[1]
            seen += self.fences[end]
            seen -= self.fences[start]
            np.maximum(seen, ZERO, out=seen)
        scores: Floats = (seen @ self.output[0] + self.output[1])[:, 0]
        return scores


def nodes_of(network: ParserNetwork, batch: SentenceBatch, encoded: Encoded) -> Nodes:
    """The words of a batch, to go on from: in NumPy on a CPU where sentences are few and the network does not learn."""
    few = len(batch.lengths) <= FEW and not network.training
    return (ArrayNodes if few and network.device.type == "cpu" else Nodes)(network, batch, encoded)


Choose = Callable[[Forests, int], Ids]
Bonus = Callable[[Spans], Floats]


def best(forests: Forests, active: int) -> Ids:
    """The start of the best-scoring pair in each of the first ``active`` rows (the leftmost in case of a tie)."""
    start: Ids = forests.score[:active].argmax(axis=1)
    return start


@torch.no_grad()
def decode(
    network: ParserNetwork, batch: SentenceBatch, encoded: Encoded, choose: Choose = best, bonus: Bonus | None = None
) -> Decoding:
    """Merge every sentence of a batch into one node.

    ``choose`` picks the merges (the best-scoring ones by default); ``bonus`` is added to the scores of new pairs.
    """
    forests = Forests(batch)
    nodes = nodes_of(network, batch, encoded)
    seen: list[Pairs] = []

    def score(pairs: Pairs) -> None:
        scores = nodes.add(pairs)
        forests.add(pairs, scores if bonus is None else scores + bonus(pairs.spans))
        seen.append(pairs)

    score(forests.all_pairs())
    steps = np.arange(1, int(batch.lengths[0]))
    merges = []
    for active in np.searchsorted(-batch.lengths, -steps):  # the number of sentences with more words than steps
        start = choose(forests, int(active))
        merges.append(_merge(forests, start))
        score(forests.merge(start))
    return Decoding(Pairs.concatenated(seen), nodes.vectors, _by_sentence(merges))


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
