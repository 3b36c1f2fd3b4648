"""The squared error (chapters 2 and 3)."""

from __future__ import annotations

import numpy as np

from seqtree.reference.network import Array, Network, array

ONE = np.ones(())


class SquaredError(Network):
    """E = 1/2 sum (t - y)^2, so that dE/dy = y - t."""

    def forward(self, y: Array, t: Array) -> Array:
        """E, shape (), for outputs y and targets t of the same shape."""
        y = array("y", y, "...")
        self.difference = y - array("t", t, *y.shape)
        return np.array(0.5 * np.sum(self.difference**2))

    def backward(self, dE: Array = ONE) -> Array:
        """dE/dy, in the shape of y."""
        return array("dE", dE) * self.difference
