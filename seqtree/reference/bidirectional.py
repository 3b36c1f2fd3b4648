"""Bidirectional and deep recurrent networks (chapter 5; Schuster and Paliwal 1997)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtree.reference.network import Array, Chain, Composite, Network, array


class Bidirectional(Composite):
    """One layer reads the sequence forwards and another one backwards; they share no weights.

    ``forwards`` and ``backwards`` are recurrent layers of any kind. Their outputs at each step are concatenated, or
    ``summed``.
    """

    def __init__(self, forwards: Network, backwards: Network, summed: bool = False) -> None:
        super().__init__({"forwards": forwards, "backwards": backwards})
        self.forwards, self.backwards, self.summed = forwards, backwards, summed

    def forward(self, x: Array) -> Array:
        """(T, 2 units), or (T, units) if summed, for x (T, inputs)."""
        forwards, backwards = self.forwards.forward(x), self.backwards.forward(x[::-1])[::-1]
        y = forwards + backwards if self.summed else np.concatenate([forwards, backwards], axis=1)
        self.shape = y.shape
        return y

    def backward(self, dy: Array) -> Array:
        """dE/dx (T, inputs) from dE/dy, in the shape of the output."""
        dy = array("dy", dy, *self.shape)
        d_forwards, d_backwards = (dy, dy) if self.summed else np.split(dy, 2, axis=1)
        dx = self.forwards.backward(d_forwards) + self.backwards.backward(d_backwards[::-1])[::-1]
        self.gather_gradients()
        return dx


def deep(layers: Sequence[Network]) -> Chain:
    """A deep recurrent network: the states of layer i are the inputs of layer i + 1; layers are numbered from 1."""
    return Chain({str(n): layer for n, layer in enumerate(layers, start=1)})
