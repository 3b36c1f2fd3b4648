"""Backpropagation node by node and connection by connection (chapter 3; Rumelhart, Hinton and Williams 1986).

For reading: :mod:`seqtree.reference.fully_connected` is the same network with matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seqtree.reference.activations import sigmoid
from seqtree.reference.network import Array, Network, array


class Node:
    """A unit: its output a, its delta = dE/dnet, and its connections to the layers before and after."""

    def __init__(self, output: float = 0.0) -> None:
        self.output, self.delta = output, 0.0
        self.incoming: list[Connection] = []
        self.outgoing: list[Connection] = []


@dataclass(frozen=True)
class Connection:
    """A connection from one node to another; ``index`` is that of its weight among all weights."""

    source: Node
    target: Node
    index: int


class NodeNetwork(Network):
    """Layers of sigmoid units, each connected to all units of the layer before, and to a node that is always 1.

    The one parameter, ``w`` (connections,), is ordered by layer, then by node, then by the nodes of the layer before,
    with the constant 1, whose weight is the bias, last. ``widths``: units of each layer, input first.
    """

    def __init__(self, widths: Sequence[int], rng: np.random.Generator) -> None:
        super().__init__()
        self.layers = [[Node() for _ in range(width)] for width in widths]
        self.connections: list[Connection] = []
        for before, layer in pairwise(self.layers):
            one = Node(output=1.0)
            for target in layer:
                for source in [*before, one]:
                    self._connect(source, target)
        self.parameters = {"w": rng.uniform(-0.5, 0.5, len(self.connections))}

    def _connect(self, source: Node, target: Node) -> None:
        connection = Connection(source, target, index=len(self.connections))
        self.connections.append(connection)
        source.outgoing.append(connection)
        target.incoming.append(connection)

    def forward(self, x: Array) -> Array:
        """a_j = sigmoid(sum_i w_ji a_i), layer by layer: x (inputs,) -> y (outputs,)."""
        w = self.parameters["w"]
        for node, value in zip(self.layers[0], array("x", x, len(self.layers[0])), strict=True):
            node.output = value
        for layer in self.layers[1:]:
            for node in layer:
                node.output = float(sigmoid(sum(w[c.index] * c.source.output for c in node.incoming)))
        return np.array([node.output for node in self.layers[-1]])

    def backward(self, dy: Array) -> Array:
        """dE/dx (inputs,) from dE/dy (outputs,).

        delta_k = dE/dy_k a_k (1 - a_k) for an output, delta_j = a_j (1 - a_j) sum_k w_kj delta_k for a hidden unit, and
        dE/dw_ji = delta_j a_i.
        """
        for node, error in zip(self.layers[-1], array("dy", dy, len(self.layers[-1])), strict=True):
            node.delta = error * node.output * (1 - node.output)
        for layer in reversed(self.layers[1:-1]):
            for node in layer:
                node.delta = self._error(node) * node.output * (1 - node.output)
        self.gradients = {"w": np.array([c.target.delta * c.source.output for c in self.connections])}
        return np.array([self._error(node) for node in self.layers[0]])

    def _error(self, node: Node) -> float:
        """dE/da of a node from the deltas of the layer after it."""
        w = self.parameters["w"]
        return float(sum(w[c.index] * c.target.delta for c in node.outgoing))
