"""The greedy merger over a graph: merges the best-scoring pair of neighbours again and again, in many scenes at once.

It is the parser's decoder (``parsing/greedy.py``) with the neighbours of a graph in the place of those of a row. A node
that is made has the neighbours of both its parts; only its pairs with these are new. Nodes are numbered across the
batch: first its N segments, then every scored pair, in the order of scoring. A pair's left node is the one whose first
segment has the lower number: segments are numbered from the top of the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.scenes.batches import Floats, Ids, SceneBatch

Flags = npt.NDArray[np.bool_]


class Merger(Protocol):
    """What composes and scores nodes: a ``SceneNetwork``."""

    def compose(self, left: Tensor, right: Tensor) -> Tensor:
        """The vectors (k, D) of nodes from those of their parts (k, D)."""

    def score_merges(self, vectors: Tensor) -> Tensor:
        """The scores (k,) of making nodes with these vectors (k, D)."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of neighbouring nodes: the scenes they are in and the nodes' numbers, (k,) each."""

    row: Ids
    left: Ids
    right: Ids

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def concatenated(cls, parts: list[Pairs]) -> Pairs:
        """All pairs of some, in their order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "left", "right")))


@dataclass(frozen=True)
class Merging:
    """What the merger did: every pair it scored, the vectors (N + pairs, D) of all nodes, and the merges it made.

    ``made`` (S,) are the numbers of the merged pairs, scene by scene in the order in which they were made; ``scores``
    (S,) are those by which they were chosen.
    """

    pairs: Pairs
    vectors: Tensor
    made: Ids
    scores: Floats


class Graphs:
    """The state of a batch: scenes are rows, most segments first; each has places for its pairs, dead ones included.

    ``pair`` (B, W) is the number of the pair at each place, ``left`` and ``right`` (B, W) its nodes, and ``score``
    (B, W) its score, -inf where there is no pair any more. ``first`` has the lowest segment of each of the
    ``nodes``, and room for more.
    """

    def __init__(self, batch: SceneBatch) -> None:
        rows = len(batch.lengths)
        self.segments = int(batch.lengths.sum())
        self.used = np.zeros(rows, dtype=np.int64)  # places of each row
        self.nodes, self.first = self.segments, np.arange(self.segments)
        self.pair, self.left, self.right = (np.zeros((rows, 0), dtype=np.int64) for _ in range(3))
        self.score = np.zeros((rows, 0), dtype=np.float32)

    def add(self, pairs: Pairs, scores: Floats) -> None:
        """Store new pairs (their rows sorted) and their scores; they get the next numbers."""
        counts = np.bincount(pairs.row, minlength=len(self.used))
        place = np.arange(len(pairs)) - (np.cumsum(counts) - counts)[pairs.row] + self.used[pairs.row]
        self.used += counts
        self._make_room(int(self.used.max(initial=0)), self.nodes + len(pairs))
        at = pairs.row, place
        self.pair[at] = self.nodes - self.segments + np.arange(len(pairs))
        self.left[at], self.right[at], self.score[at] = pairs.left, pairs.right, scores
        self.first[self.nodes : self.nodes + len(pairs)] = self.first[pairs.left]
        self.nodes += len(pairs)

    def merge(self, place: Ids) -> Pairs:
        """Merge the pair at ``place`` in each of the first ``len(place)`` rows; returns the resulting new pairs."""
        row = np.arange(len(place))
        at = row, place
        one, other, made = self.left[at][:, None], self.right[at][:, None], self.segments + self.pair[at]
        self.score[at] = -np.inf
        live, left, right = (array[: len(place)] for array in (self.score, self.left, self.right))
        inner = (left == one) | (left == other)  # the left node of a pair is one of the merged
        rows, places = np.nonzero(np.isfinite(live) & (inner | (right == one) | (right == other)))
        self.score[rows, places] = -np.inf
        outside = np.where(inner[rows, places], right[rows, places], left[rows, places])
        key = np.unique(rows * self.nodes + outside)  # a common neighbour of both has one pair only
        rows, outside = np.divmod(key, self.nodes)
        return self.ordered(rows, made[rows], outside)

    def ordered(self, row: Ids, one: Ids, other: Ids) -> Pairs:
        """Pairs of nodes, the one that begins further up on the left."""
        before = self.first[one] < self.first[other]
        return Pairs(row, np.where(before, one, other), np.where(before, other, one))

    def _make_room(self, width: int, nodes: int) -> None:
        if nodes > len(self.first):
            self.first = np.pad(self.first, (0, nodes))
        more = width - self.score.shape[1]
        if more > 0:
            more += width // 2
            self.pair, self.left, self.right = (
                np.pad(array, ((0, 0), (0, more))) for array in (self.pair, self.left, self.right)
            )
            self.score = np.pad(self.score, ((0, 0), (0, more)), constant_values=-np.inf)


Choose = Callable[[Graphs, int], Ids]


def best(graphs: Graphs, active: int) -> Ids:
    """The place of the best-scoring pair in each of the first ``active`` rows (the oldest in case of a tie)."""
    place: Ids = graphs.score[:active].argmax(axis=1)
    return place


@torch.no_grad()
def merge_scenes(network: Merger, batch: SceneBatch, leaves: Tensor, choose: Choose = best) -> Merging:
    """Merge every scene of a batch into one node, from the vectors of its segments, ``leaves`` (N, D).

    ``choose`` picks the merges (the best-scoring ones by default). Raises ValueError for a scene that is not connected.
    """
    graphs, seen = Graphs(batch), list[Pairs]()
    room, count = leaves.new_empty(8 * len(leaves) + 8, leaves.shape[1]), len(leaves)
    room[:count] = leaves

    def score(pairs: Pairs) -> None:
        nonlocal room, count
        while count + len(pairs) > len(room):
            room = torch.cat([room, torch.empty_like(room)])
        left, right = (torch.from_numpy(side).to(leaves.device) for side in (pairs.left, pairs.right))
        vectors = network.compose(room[left], room[right])
        room[count : count + len(pairs)] = vectors
        count += len(pairs)
        graphs.add(pairs, network.score_merges(vectors).numpy(force=True))
        seen.append(pairs)

    score(Pairs(batch.row, batch.first, batch.second))
    made = []
    for active in np.searchsorted(-batch.lengths, -np.arange(1, int(batch.lengths[0]))):  # with more segments than that
        place = choose(graphs, int(active))
        at = np.arange(active), place
        if not np.isfinite(graphs.score[at]).all():
            raise ValueError("a scene whose segments are not all connected")
        made.append((at[0], graphs.pair[at], graphs.score[at]))
        score(graphs.merge(place))
    return Merging(Pairs.concatenated(seen), room[:count], *_by_scene(made))


def _by_scene(made: list[tuple[Ids, Ids, Floats]]) -> tuple[Ids, Floats]:
    """The pairs and the scores of all merges, scene by scene."""
    if not made:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    rows, pairs, scores = (np.concatenate(column) for column in zip(*made, strict=True))
    order = np.argsort(rows, kind="stable")
    return pairs[order], scores[order]
