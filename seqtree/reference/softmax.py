"""Softmax with cross-entropy (chapter 5)."""

from __future__ import annotations

import numpy as np

from seqtree.reference.network import Array, Network, array
from seqtree.reference.squared_error import ONE


def softmax(z: Array) -> Array:
    """o_i = exp(z_i) / sum_k exp(z_k) along the last axis; subtracting the largest z first only prevents overflow.

    >>> softmax(np.array([1.0, 2.0, 3.0, 4.0])).round(2).tolist()
    [0.03, 0.09, 0.24, 0.64]
    """
    z = array("z", z, "...", "classes")
    weights = np.exp(z - z.max(axis=-1, keepdims=True))
    shares: Array = weights / weights.sum(axis=-1, keepdims=True)
    return shares


def cross_entropy(o: Array, y: Array) -> Array:
    """L = -1/N sum y log o in nats, shape (), for N rows of probabilities o (..., classes) and targets y of that shape.

    Classes with y = 0 are left out, so that o = 0 does no harm there.
    """
    o = array("o", o, "...", "classes")
    y = array("y", y, *o.shape)
    target = y > 0
    return np.array(-np.sum(y[target] * np.log(o[target])) * o.shape[-1] / o.size)


class SoftmaxCrossEntropy(Network):
    """L = -1/N sum y log o, o = softmax(z), so that dL/dz = (o - y) / N if the rows of y sum to 1, as one-hot rows do.

    Sampled softmax: o_i = w_i exp(z_i) / sum_k w_k exp(z_k), where a class that is not in the sample has the weight 0,
    and one that stands for m classes the weight m.
    """

    def forward(self, z: Array, y: Array, weights: Array | None = None) -> Array:
        """L in nats, shape (), for z (N, classes), or (classes,) if N = 1, and targets y of that shape.

        ``weights`` (classes,) of sampled softmax: at least 0, and 1 for the classes that are targets.
        """
        z = array("z", z, "...", "classes")
        y = array("y", y, *z.shape)
        if weights is not None:
            with np.errstate(divide="ignore"):
                z = z + np.log(array("weights", weights, z.shape[-1]))
        shifted = z - z.max(axis=-1, keepdims=True)
        log_o = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        self.rows = z.size / z.shape[-1]
        self.o, self.y = np.exp(log_o), y
        return np.array(-np.sum(y[y > 0] * log_o[y > 0]) / self.rows)

    def backward(self, dL: Array = ONE) -> Array:
        """dE/dz, in the shape of z, from dE/dL, shape ()."""
        gradient: Array = array("dL", dL) * (self.o - self.y) / self.rows
        return gradient
