"""The tree classifier's network: words, the recursive composition, and a softmax at every node.

Chapter 7; Socher et al. 2013 (a class for each phrase of a tree); Tai, Socher and Manning 2015 (the leaves and nodes of
a tree LSTM).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.network import Network
from seqtree.nn.recursive import Composition, bound, compose_forest
from seqtree.nn.words import WordEncoder
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.trees.batches import TreeBatch
from seqtree.trees.config import TreeNetworkConfig


class Leaves(nn.Module):
    """The vectors of words as nodes: (N, inputs) -> (N, D), within the bounds of the composition's own vectors.

    f(U x + b), with the f of the composition; for a tree LSTM [h; c] with c = sigmoid(i) tanh(g) and
    h = sigmoid(o) tanh(c).
    """

    def __init__(self, inputs: int, kind: str, size: int) -> None:
        super().__init__()
        self.kind = kind
        self.linear = nn.Linear(inputs, 3 * (size // 2) if kind == "lstm" else size)

    def forward(self, words: Tensor) -> Tensor:
        net = self.linear(words)
        if self.kind == "lstm":
            i, o, g = net.chunk(3, dim=1)
            c = i.sigmoid() * g.tanh()
            return torch.cat([o.sigmoid() * c.tanh(), c], dim=1)
        return bound(net, self.kind)


class TreeNetwork(Network):
    """A batch of trees -> logits of the classes (N + M, classes) of all nodes, in the batch's numbering."""

    config: TreeNetworkConfig

    def __init__(self, lexicon: Lexicon, classes: int, config: TreeNetworkConfig) -> None:
        super().__init__()
        self.config = c = config
        self.words = WordEncoder(lexicon, config)
        self.leaves = Leaves(c.output_size, c.composition, c.vector)
        self.composition = Composition(c.composition, c.vector, c.update_dropout)
        self.output = nn.Linear(self.composition.output_size, classes)

    def forward(self, batch: TreeBatch) -> Tensor:
        words = self.words(batch.sentences, self.products).words  # (N, inputs)
        words = F.dropout(words, self.config.input_dropout, self.training)
        return self.scores(self.leaves(words), batch.left, batch.right)

    def scores(self, leaves: Tensor, left: Ids, right: Ids) -> Tensor:
        """The logits (N + M, classes) of a forest of leaves (N, D) and phrases with these children (M,)."""
        nodes = self.composition.output(compose_forest(self.composition, leaves, left, right))
        logits: Tensor = self.output(F.dropout(nodes, self.config.output_dropout, self.training))
        return logits

    def loss(self, batch: TreeBatch, labels: Ids) -> Tensor:
        """-log p of the labels of the nodes in ``batch.nodes``' order (N + M,), -1 left out; summed over nodes."""
        logits = self(batch).index_select(0, self.words.ids(batch.nodes))
        return F.cross_entropy(logits, self.words.ids(labels), ignore_index=-1, reduction="sum")
