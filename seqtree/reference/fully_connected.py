"""Fully connected layers with matrices (chapter 3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from seqtree.reference.activations import SIGMOID, Activation
from seqtree.reference.network import Array, Chain, Network, array, initial


class FullyConnected(Network):
    """a = f(W x + b), with W (outputs, inputs) and b (outputs,); delta = dE/da f'(net), dW = delta x^T, db = delta.

    x is one vector, or several as rows that share the weights (the steps of a sequence); dW and db are then the sums
    over the rows.
    """

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator, f: Activation = SIGMOID) -> None:
        super().__init__()
        self.f = f
        self.parameters = {"W": initial(rng, outputs, inputs), "b": np.zeros(outputs)}

    def forward(self, x: Array) -> Array:
        """a (..., outputs) for x (..., inputs)."""
        self.x = array("x", x, "...", self.parameters["W"].shape[1])
        self.a = self.f(self.x @ self.parameters["W"].T + self.parameters["b"])
        return self.a.copy()

    def backward(self, da: Array) -> Array:
        """dE/dx = W^T delta (..., inputs) from dE/da (..., outputs)."""
        delta = array("da", da, *self.a.shape) * self.f.slope(self.a)
        rows, inputs = delta.reshape(-1, delta.shape[-1]), self.x.reshape(-1, self.x.shape[-1])
        self.gradients = {"W": rows.T @ inputs, "b": rows.sum(axis=0)}
        return delta @ self.parameters["W"]


def feedforward(widths: Sequence[int], rng: np.random.Generator, f: Activation = SIGMOID) -> Chain:
    """Fully connected layers in sequence, numbered from 1; ``widths``: the units of each layer, the input first."""
    return Chain({str(n): FullyConnected(*pair, rng, f) for n, pair in enumerate(pairwise(widths), start=1)})
