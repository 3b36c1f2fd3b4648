"""The activation functions of the chapters, each with its derivative as a function of its output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqtree.reference.network import Array

LEAK = 0.01


@dataclass(frozen=True)
class Activation:
    """y = f(net), elementwise; ``slope(y)`` is f'(net), which for each of these functions depends only on y."""

    name: str
    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]

    def __call__(self, net: Array) -> Array:
        """f(net), in the shape of ``net``."""
        return self.function(net)


def sigmoid(net: Array) -> Array:
    """1 / (1 + exp(-net)), computed by tanh, which never overflows (chapter 3)."""
    return 0.5 * (1.0 + np.tanh(0.5 * net))


SIGMOID = Activation("sigmoid", sigmoid, lambda y: y * (1.0 - y))
TANH = Activation("tanh", np.tanh, lambda y: 1.0 - y**2)
RELU = Activation("relu", lambda net: np.maximum(net, 0.0), lambda y: np.where(y > 0, 1.0, 0.0))
LEAKY_RELU = Activation(
    "leaky-relu", lambda net: np.where(net > 0, net, LEAK * net), lambda y: np.where(y > 0, 1.0, LEAK)
)
LINEAR = Activation("linear", lambda net: net, np.ones_like)
