"""The recurrent layer and backpropagation through time (chapter 5; Elman 1990, Werbos 1990)."""

from __future__ import annotations

import numpy as np

from seqtree.reference.activations import TANH, Activation
from seqtree.reference.network import Array, Network, array, initial


class Recurrent(Network):
    """s_t = f(U x_t + W s_{t-1} + b), with U (units, inputs), W (units, units) and b (units,).

    BPTT: delta_t = f'(net_t) (dE/ds_t + W^T delta_{t+1}), where dE/ds_t comes from the output at t alone; then
    dU = sum_t delta_t x_t^T, dW = sum_t delta_t s_{t-1}^T, db = sum_t delta_t.
    """

    def __init__(self, inputs: int, units: int, rng: np.random.Generator, f: Activation = TANH) -> None:
        super().__init__()
        self.f = f
        self.parameters = {"U": initial(rng, units, inputs), "W": initial(rng, units, units), "b": np.zeros(units)}

    def forward(self, x: Array, s0: Array | None = None) -> Array:
        """The states s_1 .. s_T (T, units) for x (T, inputs); s_0 (units,) is zeros if not given."""
        U, W, b = (self.parameters[name] for name in ("U", "W", "b"))
        self.x = x = array("x", x, "T", U.shape[1])
        self.s = np.zeros((len(x) + 1, len(b)))
        if s0 is not None:
            self.s[0] = array("s0", s0, len(b))
        for t in range(len(x)):
            self.s[t + 1] = self.f(U @ x[t] + W @ self.s[t] + b)
        return self.s[1:].copy()

    def backward(self, ds: Array) -> Array:
        """dE/dx (T, inputs) from dE/ds (T, units); dE/ds_0 (units,) is then in ``ds0``."""
        W, slope = self.parameters["W"], self.f.slope(self.s[1:])
        ds = array("ds", ds, *slope.shape)
        delta = np.zeros(ds.shape)
        from_later = np.zeros(len(W))
        for t in reversed(range(len(ds))):
            delta[t] = slope[t] * (ds[t] + from_later)
            from_later = W.T @ delta[t]
        self.ds0 = from_later
        self.gradients = {"U": delta.T @ self.x, "W": delta.T @ self.s[:-1], "b": delta.sum(axis=0)}
        return delta @ self.parameters["U"]
