"""The perceptron, which learns any linearly separable classes (chapter 1; Rosenblatt 1958)."""

from __future__ import annotations

import numpy as np

from seqtree.reference.network import Array, array


class Perceptron:
    """y = 1 if w.x + b > 0 else 0; all weights are initially 0. The step function has no gradient: it has its own rule.

    >>> unit = Perceptron(2)
    >>> unit.train(np.array([[1, 1], [0, 0], [1, 0], [0, 1]]), np.array([1, 0, 0, 0]), epochs=10, rate=0.1)
    >>> [unit.forward(np.array(x)) for x in ([0, 0], [0, 1], [1, 0], [1, 1])]
    [0, 0, 0, 1]
    """

    def __init__(self, inputs: int) -> None:
        self.parameters: dict[str, Array] = {"w": np.zeros(inputs), "b": np.zeros(1)}

    def forward(self, x: Array) -> int:
        """The class, 0 or 1, of one input x (inputs,)."""
        return int(array("x", x, len(self.parameters["w"])) @ self.parameters["w"] + self.parameters["b"][0] > 0)

    def update(self, x: Array, t: float, rate: float) -> None:
        """The perceptron rule for one input x (inputs,) of class t: w += rate (t - y) x, b += rate (t - y)."""
        error = t - self.forward(x)
        self.parameters["w"] += rate * error * array("x", x, len(self.parameters["w"]))
        self.parameters["b"] += rate * error

    def train(self, x: Array, t: Array, epochs: int, rate: float) -> None:
        """Train on the inputs x (N, inputs) and their classes t (N,), in order, ``epochs`` times."""
        x = array("x", x, "N", len(self.parameters["w"]))
        t = array("t", t, len(x))
        for _ in range(epochs):
            for example, target in zip(x, t, strict=True):
                self.update(example, target, rate)
