"""The scenes' network: segments as leaves, the recursive composition, scores of merges, a softmax at every node.

Socher, Lin, Ng and Manning 2011, "Parsing natural scenes and natural language with recursive neural networks". Beyond
it, a segment may see its ancestors: a second recursion goes down the tree, and its state at each segment is read beside
the segment's own vector.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.network import Network
from seqtree.nn.recursive import Composition, bound
from seqtree.scenes.batches import Floats, Ids
from seqtree.scenes.config import SceneNetworkConfig, SegmentSettings
from seqtree.scenes.features import CELLS, DIRECTIONS, RESPONSES, Textons, feature_count

CLIP = 3.0  # deviations
LEAST = 1e-4  # of a deviation


class Ancestors(nn.Module):
    """From the root down: what the nodes above each node say, c = o * c' + (1 - o) * tanh(U p + V c' + b).

    p is the node's own vector, c' is its parent's c (0 above the root), and o = sigmoid(...) of the same, so that what
    is far up can reach far down.
    """

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.own = nn.Linear(inputs, 2 * size)
        self.above = nn.Linear(size, 2 * size, bias=False)

    def forward(self, nodes: Tensor, left: Ids, right: Ids) -> Tensor:
        """States (N + M, size) of all nodes, in the order of ``compose_forest``, from their vectors (N + M, inputs)."""
        levels, above = _from_the_top(len(nodes) - len(left), left, right)
        own = self.own(nodes)
        states = [own.new_zeros(1, self.size)]
        for level, parents in zip(levels, above, strict=True):
            before = states[-1].index_select(0, torch.from_numpy(parents).to(own.device))
            keep, new = (own[torch.from_numpy(level).to(own.device)] + self.above(before)).chunk(2, dim=1)
            keep = keep.sigmoid()
            states.append(keep * before + (1 - keep) * new.tanh())
        order = np.argsort(np.concatenate(levels), kind="stable")
        return torch.cat(states[1:]).index_select(0, torch.from_numpy(order).to(own.device))


class TextonTable(nn.Module):
    """The textons of the training images, as a part of the model."""

    colours: Tensor
    responses: Tensor
    scale: Tensor
    gradients: Tensor

    def __init__(self, colours: int, textons: int) -> None:
        super().__init__()
        shapes = {
            "colours": (colours, 3),
            "responses": (textons, RESPONSES),
            "gradients": (textons, len(CELLS) * DIRECTIONS),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))
        self.register_buffer("scale", torch.ones(RESPONSES))

    @property
    def arrays(self) -> Textons:
        """The textons in NumPy."""
        return Textons(*(getattr(self, one.name).cpu().numpy() for one in fields(Textons)))

    def take(self, textons: Textons) -> None:
        """Take these textons."""
        for one in fields(Textons):
            getattr(self, one.name).copy_(torch.from_numpy(getattr(textons, one.name)))


class SceneNetwork(Network):
    """Features of segments in; composes and scores nodes. The merger and the objectives decide which.

    Features are whitened, clipped at three deviations and scaled to -1 to 1; ``mean`` and ``deviation`` (F,) are those
    of the training segments.
    """

    config: SceneNetworkConfig
    mean: Tensor
    deviation: Tensor

    def __init__(self, segments: SegmentSettings, classes: int, config: SceneNetworkConfig) -> None:
        super().__init__()
        self.config = c = config
        self.textons = TextonTable(segments.colours, segments.textons)
        features = 3 * feature_count(segments.colours, segments.textons)  # its own, and two means around it
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.hidden = nn.Linear(features, c.hidden)
        self.own = nn.Linear(c.hidden, classes)
        if c.leaves_only:
            return
        self.leaf = nn.Linear(c.hidden, c.vector)
        self.composition = Composition(c.composition, c.vector)
        seen = self.composition.output_size
        self.merge_scorer = nn.Linear(seen, 1)
        self.output = nn.Linear(seen, classes)
        if c.ancestors:
            self.above = Ancestors(seen, c.ancestors)
            self.context = nn.Linear(c.ancestors, classes, bias=False)

    def whiten(self, segments: Iterable[Floats]) -> None:
        """Take means and deviations from the features (n, F) of the segments of training scenes."""
        count, sums, squares = 0, 0.0, 0.0
        for features in segments:
            values = features.astype(np.float64)
            count += len(values)
            sums, squares = sums + values.sum(axis=0), squares + np.square(values).sum(axis=0)
        mean = sums / count
        spread = np.sqrt(np.maximum(squares / count - np.square(mean), 0))
        self.mean.copy_(torch.as_tensor(mean))
        self.deviation.copy_(torch.as_tensor(np.maximum(spread, LEAST)))

    def hidden_units(self, features: Floats) -> Tensor:
        """The hidden layer (N, hidden) over features (N, F)."""
        x = torch.from_numpy(features).to(self.device)
        x = ((x - self.mean) / self.deviation).clamp(-CLIP, CLIP) / CLIP
        x = F.dropout(x, self.config.input_dropout, self.training)
        return F.dropout(self.hidden(x).relu(), self.config.dropout, self.training)

    def alone(self, hidden: Tensor) -> Tensor:
        """The logits (N, classes) of segments without a tree, from their hidden units (N, hidden)."""
        logits: Tensor = self.own(hidden)
        return logits

    def leaves(self, hidden: Tensor) -> Tensor:
        """Segments as nodes: (N, hidden) -> (N, vector)."""
        return bound(self.leaf(hidden), self.config.composition)

    def compose(self, left: Tensor, right: Tensor) -> Tensor:
        """The vectors (k, D) of nodes from those of their parts (k, D)."""
        composed: Tensor = self.composition(left, right)
        return composed

    def score_merges(self, vectors: Tensor) -> Tensor:
        """The scores (k,) of making nodes with these vectors (k, D)."""
        scores: Tensor = self.merge_scorer(self.composition.output(vectors))[:, 0]
        return scores

    def node_logits(self, vectors: Tensor) -> Tensor:
        """The logits (k, classes) of nodes with these vectors (k, D)."""
        logits: Tensor = self.output(self.composition.output(vectors))
        return logits

    def leaf_logits(self, hidden: Tensor, nodes: Tensor, left: Ids, right: Ids) -> Tensor:
        """The logits (N, classes) of segments in their trees, ``nodes`` (N + M, D) of them; see ``compose_forest``."""
        logits = self.node_logits(nodes[: len(hidden)]) + self.alone(hidden)
        if self.config.ancestors and len(left):
            above = self.above(self.composition.output(nodes), left, right)[: len(hidden)]
            logits = logits + self.context(F.dropout(above, self.config.dropout, self.training))
        return logits


def _from_the_top(leaves: int, left: Ids, right: Ids) -> tuple[list[Ids], list[Ids]]:
    """The nodes of each level of a forest, roots first; and for each of them where its parent is in the level before.

    The roots' parent is node 0 of a level of its own.
    """
    parent = np.full(leaves + len(left), -1)
    numbers = leaves + np.arange(len(left))
    parent[left], parent[right] = numbers, numbers
    level, place = np.flatnonzero(parent < 0), np.zeros(len(parent), dtype=np.int64)
    levels, above = [], []
    parents = np.zeros(len(level), dtype=np.int64)
    while len(level):
        levels.append(level)
        above.append(parents)
        place[level] = np.arange(len(level))
        inner = level[level >= leaves] - leaves
        level = np.sort(np.concatenate([left[inner], right[inner]]))
        parents = place[parent[level]]
    return levels, above
