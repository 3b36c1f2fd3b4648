"""A softmax at every node of a tree: the sentiment of each phrase (chapter 7; Socher et al. 2013)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.activations import LINEAR
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.network import Array, Composite
from seqtree.reference.recursive import Merge, Recursive
from seqtree.reference.softmax import SoftmaxCrossEntropy
from seqtree.reference.squared_error import ONE


class LabelledNodes(Composite):
    """J = -1/N sum over the N labelled nodes of log softmax(W_s a + b_s)_y, where a is the node's vector, y its label.

    The 2 n - 1 nodes of a tree over n words are the words, then the phrases in the order of the merges. ``layer`` makes
    the phrases' vectors; W_s (classes, width) and b_s (classes,) are ``output.W`` and ``output.b``.
    """

    def __init__(self, layer: Recursive, classes: int, rng: np.random.Generator) -> None:
        self.layer = layer
        self.output = FullyConnected(len(layer.parameters["b"]), classes, rng, LINEAR)
        self.loss = SoftmaxCrossEntropy()
        super().__init__({"layer": layer, "output": self.output})

    def scores(self, x: Array, merges: Sequence[Merge]) -> Array:
        """z = W_s a + b_s of every node (2 n - 1, classes), for the words x (n, width)."""
        return self.output.forward(np.concatenate([x, self.layer.forward(x, merges)]))

    def forward(self, x: Array, merges: Sequence[Merge], labels: Sequence[int]) -> Array:
        """J, shape (), for the words x (n, width), and the class of every node (2 n - 1), -1 for none.

        Raises InputError for more labels or fewer than nodes, for labels that are no classes, and if all are -1.
        """
        y, classes = np.array(labels), len(self.output.parameters["b"])
        if len(y) != len(x) + len(merges):
            raise InputError(f"expected a label for each of {len(x)} words and {len(merges)} phrases, found {len(y)}")
        if not np.isin(y, range(-1, classes)).all() or (y == -1).all():
            raise InputError(f"expected labels from 0 to {classes - 1}, or -1 for none, found {y.tolist()}")
        self.labelled = np.flatnonzero(y >= 0)
        z = self.scores(x, merges)
        return self.loss.forward(z[self.labelled], np.eye(z.shape[1])[y[self.labelled]])

    def backward(self, dJ: Array = ONE) -> Array:
        """dE/dx (n, width) from dE/dJ: each node's own error, and what its parents send it."""
        dz = np.zeros_like(self.output.a)
        dz[self.labelled] = self.loss.backward(dJ)
        da = self.output.backward(dz)
        n = self.layer.count
        dx = da[:n] + self.layer.backward(da[n:])
        self.gather_gradients()
        return dx
