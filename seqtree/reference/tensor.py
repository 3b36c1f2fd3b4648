"""The recursive neural tensor network (chapter 7; Socher et al. 2013)."""

from __future__ import annotations

import numpy as np

from seqtree.reference.activations import TANH, Activation
from seqtree.reference.network import Array
from seqtree.reference.recursive import Recursive


class TensorRecursive(Recursive):
    """p_k = f(x^T V_k x + W_k x + b_k) with x = [c1; c2]: every unit k has a matrix V_k of its own, a slice of V.

    V (width, 2 width, 2 width); W and b as in :class:`Recursive`. So the children act on each other, entry by entry,
    where a sum W x only adds what each of them brings.
    """

    def __init__(self, width: int, rng: np.random.Generator, f: Activation = TANH) -> None:
        super().__init__(width, rng, f)
        self.parameters["V"] = rng.uniform(-0.25, 0.25, (width, 2 * width, 2 * width)) / width

    def compose(self, children: Array) -> Array:
        """The parents p (..., width) of pairs of children [c1; c2] (..., 2 width)."""
        W, b, V = (self.parameters[name] for name in "WbV")
        bilinear: Array = np.einsum("...i,kij,...j->...k", children, V, children)
        return self.f(bilinear + children @ W.T + b)

    def passed_down(self, delta: Array, children: Array) -> Array:
        """[e1; e2] = W^T delta + sum_k delta_k (V_k + V_k^T) [c1; c2] (2 width,)."""
        V = self.parameters["V"]
        through_tensor: Array = np.einsum("k,kij,j->i", delta, V + V.transpose(0, 2, 1), children)
        return super().passed_down(delta, children) + through_tensor

    def weight_slopes(self, delta: Array) -> dict[str, Array]:
        """As for :class:`Recursive`, and dV_k = sum over nodes of delta_k [c1; c2] [c1; c2]^T."""
        dV = np.einsum("nk,ni,nj->kij", delta, self.children, self.children)
        return {**super().weight_slopes(delta), "V": dV}
