"""The dynamic oracle of scenes: which merges cross no region, a connected set of segments of one class.

As for the parser (``parsing/oracle.py``), a region that a merge has crossed is lost and no longer considered, so that
there is always a correct merge. Segments that are void belong to no region and may be merged with anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from seqtree.scenes.batches import Ids, SceneBatch, SceneGraph, labelled
from seqtree.scenes.merging import Flags, Graphs, best

WHOLE, VOID = -1, -2  # of a node: it is no part of a region that is larger; it has nothing but void segments


def classes_of(pixels: Ids) -> Ids:
    """The class of each segment by most of its pixels (n, 1 + C), from 0; -1 where most are void."""
    found: Ids = pixels[:, 1:].argmax(axis=1)
    return np.where(pixels[:, 1:].sum(axis=1) > pixels[:, 0], found, -1)


def regions_of(classes: Ids, first: Ids, second: Ids) -> Ids:
    """The region of each segment (N,): the lowest number of a segment in it; -1 for void.

    ``first`` and ``second`` (E,) are neighbours; those of the same class are in the same region.

    >>> regions_of(np.array([0, 0, 1, -1, 0]), np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4])).tolist()
    [0, 0, 2, -1, 4]
    """
    same = (classes[first] == classes[second]) & (classes[first] >= 0)
    one, other = first[same], second[same]
    region = np.arange(len(classes))
    while True:
        lowest = np.minimum(region[one], region[other])
        before = region.copy()
        np.minimum.at(region, one, lowest)
        np.minimum.at(region, other, lowest)
        region = region[region]
        if np.array_equal(region, before):
            return np.where(classes >= 0, region, -1)


class RegionOracle:
    """The oracle of a batch. For each node it knows the region that it is a part of: ``part``, or WHOLE or VOID."""

    def __init__(self, batch: SceneBatch, scenes: Sequence[SceneGraph]) -> None:
        classes = np.concatenate([classes_of(labelled(scene.pixels)) for scene in scenes])
        regions = regions_of(classes, batch.first, batch.second)
        self.sizes = np.bincount(regions[regions >= 0], minlength=len(classes))
        self.held = np.where(regions >= 0, 1, 0)  # of each node: segments of its region that it has
        self.part = np.where(regions < 0, VOID, np.where(self.sizes[regions] == 1, WHOLE, regions))

    def correct(self, graphs: Graphs, active: int) -> Flags:
        """Which of the pairs in the first ``active`` rows are correct merges: (active, W)."""
        if len(self.part) < graphs.nodes:  # nodes that were scored since; they are judged when they are merged
            self.part, self.held = (np.pad(array, (0, graphs.nodes)) for array in (self.part, self.held))
        live = np.isfinite(graphs.score[:active])
        return live & ~self._crossing(graphs.left[:active], graphs.right[:active])

    def merged(self, graphs: Graphs, place: Ids) -> None:
        """Record the merges at ``place`` in the first ``len(place)`` rows: regions that they cross are lost."""
        at = np.arange(len(place)), place
        left, right, made = graphs.left[at], graphs.right[at], graphs.segments + graphs.pair[at]
        wrong = self._crossing(left, right)
        lost = np.concatenate([self.part[left[wrong]], self.part[right[wrong]]])
        part = np.maximum(self.part[left], self.part[right])  # WHOLE is more than VOID, and a region more than both
        held = self.held[left] + self.held[right]
        whole = (part >= 0) & (held == self.sizes[part])
        self.part[made], self.held[made] = np.where(wrong | whole, WHOLE, part), held
        self.part[np.isin(self.part, lost[lost >= 0])] = WHOLE

    def _crossing(self, left: Ids, right: Ids) -> Flags:
        one, other = self.part[left], self.part[right]
        found: Flags = (one != other) & (one != VOID) & (other != VOID)
        return found


class Walk:
    """Chooses merges for training, and keeps what there was to choose from, and what was chosen, at every decision.

    ``explore``: the share of decisions at which the merger's own best merge is taken, right or wrong; at the others it
    is the best correct one. With ``kappa``, it always is the best one where wrong ones score so much more.
    """

    def __init__(self, oracle: RegionOracle, explore: float = 0.0, kappa: float | None = None) -> None:
        self.oracle, self.explore, self.kappa = oracle, explore, kappa
        self._pairs: list[Ids] = []
        self._correct: list[Flags] = []
        self._wrong: list[tuple[Ids, Flags]] = []

    def __call__(self, graphs: Graphs, active: int) -> Ids:
        score, row = graphs.score[:active], np.arange(active)
        correct = self.oracle.correct(graphs, active)
        if self.kappa is not None:
            place: Ids = np.where(correct, score, score + np.float32(self.kappa)).argmax(axis=1)
        else:
            own = torch.rand(active).numpy() < self.explore
            place = np.where(own, best(graphs, active), np.where(correct, score, -np.inf).argmax(axis=1))
            self._pairs.append(np.where(np.isfinite(score), graphs.pair[:active], -1))
            self._correct.append(correct)
        self._wrong.append((row, ~correct[row, place]))
        self.oracle.merged(graphs, place)
        return place

    @property
    def steps(self) -> int:
        """How many decisions there were, at most, in a scene."""
        return len(self._wrong)

    def decisions(self) -> tuple[Ids, Flags]:
        """The pairs (S, W) that there were at each decision, -1 for none, and which of them were correct merges."""
        width = max((pairs.shape[1] for pairs in self._pairs), default=0)
        pairs = [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=-1) for part in self._pairs]
        correct = [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in self._correct]
        none = np.zeros((0, width), dtype=np.int64)
        return np.concatenate([none, *pairs]), np.concatenate([none.astype(np.bool_), *correct])

    def wrong(self) -> Flags:
        """Which of the merges were wrong (S,), scene by scene in the order in which they were made."""
        if not self._wrong:
            return np.zeros(0, dtype=np.bool_)
        rows, wrong = (np.concatenate(column) for column in zip(*self._wrong, strict=True))
        found: Flags = wrong[np.argsort(rows, kind="stable")]
        return found
