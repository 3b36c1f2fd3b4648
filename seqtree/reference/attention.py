"""Attention: what a decoder's states take from all states of an encoder (chapter 8).

Additive scores: Bahdanau, Cho and Bengio 2015; multiplicative ones: Luong, Pham and Manning 2015.
"""

from __future__ import annotations

import numpy as np

from seqtree.reference.network import Array, Composite, Network, array, initial
from seqtree.reference.softmax import softmax


class AdditiveScore(Network):
    """e_ti = v . tanh(Q s_t + K h_i + b), with Q (units, n), K (units, m), b and v (units,)."""

    def __init__(self, n: int, m: int, units: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters = {
            "Q": initial(rng, units, n),
            "K": initial(rng, units, m),
            "b": np.zeros(units),
            "v": initial(rng, 1, units)[0],
        }

    def forward(self, s: Array, h: Array) -> Array:
        """Scores e (T, S) for states s (T, n) and h (S, m)."""
        Q, K, b, v = self.parameters.values()
        self.s, self.h = s, h = array("s", s, "T", Q.shape[1]), array("h", h, "S", K.shape[1])
        self.u = np.tanh((s @ Q.T)[:, None] + (h @ K.T + b)[None])  # (T, S, units)
        scores: Array = self.u @ v
        return scores

    def backward(self, de: Array) -> Array:
        """dE/ds (T, n) from dE/de (T, S); dE/dh (S, m) is then in ``dh``."""
        Q, K, _, v = self.parameters.values()
        de = array("de", de, len(self.s), len(self.h))
        delta = de[:, :, None] * v * (1 - self.u**2)
        of_s, of_h = delta.sum(axis=1), delta.sum(axis=0)  # of Q s_t, a sum over all i; of K h_i, over all t
        self.dh = of_h @ K
        self.gradients = {
            "Q": of_s.T @ self.s,
            "K": of_h.T @ self.h,
            "b": of_h.sum(axis=0),
            "v": np.tensordot(de, self.u, 2),
        }
        ds: Array = of_s @ Q
        return ds


class MultiplicativeScore(Network):
    """e_ti = s_t . W h_i, with W (n, m)."""

    def __init__(self, n: int, m: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters = {"W": initial(rng, n, m)}

    def forward(self, s: Array, h: Array) -> Array:
        """Scores e (T, S) for states s (T, n) and h (S, m)."""
        W = self.parameters["W"]
        self.s, self.h = s, h = array("s", s, "T", W.shape[0]), array("h", h, "S", W.shape[1])
        return s @ W @ h.T

    def backward(self, de: Array) -> Array:
        """dE/ds (T, n) from dE/de (T, S); dE/dh (S, m) is then in ``dh``."""
        W, de = self.parameters["W"], array("de", de, len(self.s), len(self.h))
        self.dh = de.T @ self.s @ W
        self.gradients = {"W": self.s.T @ de @ self.h}
        return de @ self.h @ W.T


class Attention(Composite):
    """a_t = softmax(e_t), c_t = sum_i a_ti h_i, for the scores e of a part called "score"."""

    def __init__(self, score: AdditiveScore | MultiplicativeScore) -> None:
        super().__init__({"score": score})
        self.score = score

    def forward(self, s: Array, h: Array) -> Array:
        """Contexts c (T, m) for states s (T, n) and h (S, m); the weights a (T, S) are then in ``a``."""
        self.h = h = array("h", h, "S", "m")
        self.a = softmax(self.score.forward(s, h))
        return self.a @ h

    def backward(self, dc: Array) -> Array:
        """dE/ds (T, n) from dE/dc (T, m); dE/dh (S, m) is then in ``dh``.

        h_i acts on the contexts themselves, and on their weights through the scores.
        """
        dc = array("dc", dc, len(self.a), self.h.shape[1])
        da = dc @ self.h.T
        de = self.a * (da - (self.a * da).sum(axis=1, keepdims=True))
        ds = self.score.backward(de)
        self.dh = self.a.T @ dc + self.score.dh
        self.gather_gradients()
        return ds
