"""The linear unit, trained by stochastic and by batch gradient descent (chapter 2; Widrow and Hoff 1960)."""

from __future__ import annotations

import numpy as np

from seqtree.reference.network import Array, Network, array
from seqtree.reference.squared_error import SquaredError


class LinearUnit(Network):
    """y = w.x + b for each row of x; all weights are initially 0."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.parameters = {"w": np.zeros(inputs), "b": np.zeros(1)}

    def forward(self, x: Array) -> Array:
        """y (N,) for x (N, inputs)."""
        self.x = x = array("x", x, "N", len(self.parameters["w"]))
        return x @ self.parameters["w"] + self.parameters["b"]

    def backward(self, dy: Array) -> Array:
        """dE/dx (N, inputs) from dE/dy (N,)."""
        dy = array("dy", dy, len(self.x))
        self.gradients = {"w": dy @ self.x, "b": dy.sum(keepdims=True)}
        return np.outer(dy, self.parameters["w"])


def batch_epoch(unit: LinearUnit, x: Array, t: Array, rate: float) -> float:
    """One step on all examples x (N, inputs), t (N,): w += rate sum (t - y) x; returns E before the step."""
    loss = SquaredError()
    error = float(loss.forward(unit.forward(x), t))
    unit.backward(loss.backward())
    unit.update(rate)
    return error


def stochastic_epoch(unit: LinearUnit, x: Array, t: Array, rate: float) -> float:
    """A step after each example of x (N, inputs), t (N,); returns the sum of their errors, each before its step."""
    return sum(batch_epoch(unit, x[n : n + 1], t[n : n + 1], rate) for n in range(len(x)))
