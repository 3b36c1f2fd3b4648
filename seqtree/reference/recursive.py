"""The recursive layer and backpropagation through structure (BPTS).

Chapter 7; Goller and Kuechler 1996; Socher, Lin, Ng and Manning 2011.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.activations import TANH, Activation
from seqtree.reference.network import Array, Network, array, initial

Merge = tuple[int, int, int]  # (start, split, end): words[start:split] and words[split:end] become one phrase


class Recursive(Network):
    """p = f(W [c1; c2] + b): two children become a parent of the same width, with the same W and b at every node.

    W (width, 2 width), b (width,). A tree over n words is a list of n - 1 merges, children before parents, as in
    ``seqtree.treebank``: any binary tree gets a vector, and so does every phrase in it.
    """

    def __init__(self, width: int, rng: np.random.Generator, f: Activation = TANH) -> None:
        super().__init__()
        self.f = f
        self.parameters = {"W": initial(rng, width, 2 * width), "b": np.zeros(width)}

    def compose(self, children: Array) -> Array:
        """The parents p (..., width) of pairs of children [c1; c2] (..., 2 width)."""
        return self.f(children @ self.parameters["W"].T + self.parameters["b"])

    def forward(self, x: Array, merges: Sequence[Merge]) -> Array:
        """The phrase vectors (merges, width), in the order of the merges, for the words x (n, width).

        The merges may stop before the root. Raises InputError for a merge of a span that is not yet a word or phrase,
        or that already has a parent.
        """
        x = array("x", x, "n", len(self.parameters["b"]))
        self.count, self.merges = len(x), list(merges)
        vectors = {(i, i + 1): vector for i, vector in enumerate(x)}  # of words and phrases without a parent so far
        self.children = np.zeros((len(self.merges), 2 * x.shape[1]))
        self.p = np.zeros((len(self.merges), x.shape[1]))
        for k, (start, split, end) in enumerate(self.merges):
            try:
                self.children[k] = np.concatenate([vectors.pop((start, split)), vectors.pop((split, end))])
            except KeyError as error:
                raise InputError(
                    f"merge {k} {(start, split, end)}: {error} is not a word or phrase without a parent, "
                    f"in a tree over {len(x)} words"
                ) from None
            self.p[k] = vectors[start, end] = self.compose(self.children[k])
        return self.p.copy()

    def backward(self, dp: Array) -> Array:
        """dE/dx (n, width) from dE/dp (merges, width), parents before children.

        BPTS: delta = f'(net) (dE/dp + the error from the parent), W^T delta is the error passed to the two children,
        and dW = sum over nodes of delta [c1; c2]^T, db = sum of delta.
        """
        dp = array("dp", dp, *self.p.shape)
        width = dp.shape[1]
        sent = {(i, i + 1): np.zeros(width) for i in range(self.count)}
        sent |= {(start, end): np.zeros(width) for start, _, end in self.merges}
        delta = np.zeros(dp.shape)
        for k, (start, split, end) in reversed(list(enumerate(self.merges))):
            delta[k] = (dp[k] + sent[start, end]) * self.f.slope(self.p[k])
            sent[start, split], sent[split, end] = np.split(self.passed_down(delta[k], self.children[k]), 2)
        self.gradients = self.weight_slopes(delta)
        return np.array([sent[i, i + 1] for i in range(self.count)])

    def passed_down(self, delta: Array, children: Array) -> Array:
        """The error [e1; e2] = W^T delta (2 width,) that a node with delta (width,) sends to its ``children``."""
        return self.parameters["W"].T @ delta

    def weight_slopes(self, delta: Array) -> dict[str, Array]:
        """The gradients of the parameters from delta (merges, width)."""
        return {"W": delta.T @ self.children, "b": delta.sum(axis=0)}
