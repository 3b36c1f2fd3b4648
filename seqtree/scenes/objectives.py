"""What the scenes' network minimises: margins between merges, and labels at every node.

First stage, on neighbouring pairs alone: a pair of segments of the same class is to score above 1, one of different
classes below -1. Second stage, on whole trees, as for the parser (``nn/margins.py``): the best correct tree is to beat
every tree by kappa for each of its wrong merges (``structured``; Socher, Lin, Ng and Manning 2011), or the best correct
merge the best wrong one at every decision.

The target of a node's label is how its labelled pixels are distributed over the classes, so that a mixed node has that
of its segments; void pixels count nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.nn.margins import decision_loss, largest_violations, merged_alone
from seqtree.nn.recursive import compose_forest, levels
from seqtree.scenes.batches import Ids, SceneGraph, labelled, make_scene_batch
from seqtree.scenes.config import SceneObjective
from seqtree.scenes.merging import merge_scenes
from seqtree.scenes.network import SceneNetwork
from seqtree.scenes.regions import RegionOracle, Walk, classes_of


class Weights(NamedTuple):
    """How much pixels count, by the training scenes: ``rarity`` (C,) of the classes, ``pixels`` of a usual segment."""

    rarity: Tensor
    pixels: float


class SceneLoss:
    """The loss of a batch of scenes with labels, the largest first, summed over segments."""

    def __init__(
        self, network: SceneNetwork, scenes: Sequence[SceneGraph], settings: SceneObjective, weights: Weights
    ) -> None:
        self.network, self.scenes, self.settings, self.weights = network, scenes, settings, weights
        self.batch = make_scene_batch(scenes)
        self.pixels = np.concatenate([labelled(scene.pixels) for scene in scenes])
        self.hidden = network.hidden_units(self.batch.features)

    def of_leaves(self) -> Tensor:
        """The loss without a tree."""
        return self._labels(self.network.alone(self.hidden), self.pixels[:, 1:], self.settings.size_power)

    def of_pairs(self) -> Tensor:
        """The loss of the first stage."""
        batch, network = self.batch, self.network
        leaves = network.leaves(self.hidden)
        vectors = network.compose(leaves[self._ids(batch.first)], leaves[self._ids(batch.second)])
        classes = classes_of(self.pixels)
        one, other = classes[batch.first], classes[batch.second]
        sign = torch.from_numpy(np.where(one == other, 1.0, -1.0) * ((one >= 0) & (other >= 0)))
        hinge = (1 - sign.to(vectors.device, vectors.dtype) * network.score_merges(vectors)).relu()
        margins = (hinge * sign.abs().to(hinge)).sum()
        pixels = self.pixels[batch.first, 1:] + self.pixels[batch.second, 1:]
        return self._together(margins, leaves, self._labels(network.node_logits(vectors), pixels))

    def of_trees(self) -> Tensor:
        """The loss of the second stage."""
        leaves = self.network.leaves(self.hidden)
        if self.settings.objective == "structured":
            return self._structured(leaves)
        walk = Walk(RegionOracle(self.batch, self.scenes), self.settings.explore)
        merging = merge_scenes(self.network, self.batch, leaves, walk)
        pairs = merging.pairs
        nodes = compose_forest(self.network.composition, leaves, pairs.left, pairs.right)
        scores = self.network.score_merges(nodes[len(leaves) :])
        margins = decision_loss(scores, *walk.decisions(), self.settings.objective) if walk.steps else scores.sum()
        left, right, kept, _ = merged_alone(len(leaves), pairs.left, pairs.right, merging.made)
        inner = self._inner_labels(nodes[self._ids(len(leaves) + kept)], left, right)
        return self._together(margins, leaves, inner)

    def _structured(self, leaves: Tensor) -> Tensor:
        kappa, count = self.settings.kappa, len(leaves)
        right_walk = Walk(RegionOracle(self.batch, self.scenes))
        wrong_walk = Walk(RegionOracle(self.batch, self.scenes), kappa=kappa)
        trees, made, first = [], [], 0
        for walk in (right_walk, wrong_walk):
            merging = merge_scenes(self.network, self.batch, leaves, walk)
            left, right, _, own = merged_alone(count, merging.pairs.left, merging.pairs.right, merging.made, first)
            trees.append((left, right))
            made.append(self._ids(own))
            first += len(left)
        left, right = (np.concatenate(side) for side in zip(*trees, strict=True))
        nodes = compose_forest(self.network.composition, leaves, left, right)
        scores = self.network.score_merges(nodes[count:])
        loss = torch.from_numpy(np.float32(kappa) * wrong_walk.wrong()).to(scores)
        margins = largest_violations(scores[made[1]] + loss - scores[made[0]], self.batch.lengths - 1)
        return self._together(margins, leaves, 0.5 * self._inner_labels(nodes[count:], left, right))

    def _inner_labels(self, vectors: Tensor, left: Ids, right: Ids) -> Tensor:
        """The loss of the labels of inner nodes (M, D), whose children are these."""
        pixels = summed(self.pixels[:, 1:], left, right)
        return self._labels(self.network.node_logits(vectors), pixels[len(self.pixels) :])

    def _labels(self, logits: Tensor, pixels: Ids, power: float = 0.0) -> Tensor:
        """The summed cross-entropy of nodes that have these labelled pixels (k, C), each by its size to that power."""
        counts = torch.from_numpy(pixels).to(logits)
        total = counts.sum(dim=1)
        weight = (total / self.weights.pixels) ** power * (total > 0)
        targets = counts / total.clamp(min=1)[:, None] * self.weights.rarity
        return -(F.log_softmax(logits, dim=1) * targets).sum(dim=1).mul(weight).sum()

    def _together(self, margins: Tensor, leaves: Tensor, inner: Tensor) -> Tensor:
        """All losses: those of merges and of inner nodes, and that of the segments with these vectors (N, D)."""
        s = self.settings
        segments = self._labels(self.network.leaf_logits(self.hidden, leaves), self.pixels[:, 1:], s.size_power)
        return s.merge_weight * margins + segments + s.node_weight * inner

    def _ids(self, numbers: Ids) -> Tensor:
        return torch.from_numpy(numbers).to(self.hidden.device)


def summed(pixels: Ids, left: Ids, right: Ids) -> Ids:
    """The pixels by class of all nodes of a forest (N + M, C), from those of its N leaves."""
    found = np.concatenate([pixels, np.zeros((len(left), pixels.shape[1]), dtype=pixels.dtype)])
    for group in levels(len(pixels), left, right):
        found[len(pixels) + group] = found[left[group]] + found[right[group]]
    return found
