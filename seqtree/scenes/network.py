"""The scenes' network: segments as leaves, the recursive composition, scores of merges, a softmax at every node.

Socher, Lin, Ng and Manning 2011, "Parsing natural scenes and natural language with recursive neural networks". The
class of a segment is read from its vector, which the tree has shaped in training, and from the hidden layer below it;
``model.py`` mixes it with those of the nodes above.
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
from seqtree.scenes.batches import Floats
from seqtree.scenes.config import SceneNetworkConfig, SegmentSettings
from seqtree.scenes.features import CELLS, DIRECTIONS, RESPONSES, Textons, feature_count

CLIP = 3.0  # deviations
LEAST = 1e-4  # of a deviation


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

    def leaf_logits(self, hidden: Tensor, leaves: Tensor) -> Tensor:
        """The logits (N, classes) of segments, from their hidden units (N, hidden) and their vectors (N, D)."""
        logits: Tensor = self.node_logits(leaves) + self.alone(hidden)
        return logits
