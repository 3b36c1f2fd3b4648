"""The gated recurrent unit in two forms (chapter 6; Cho et al. 2014): the chapter's, and that of torch and cuDNN.

The reset gate r acts before or after the product with the recurrent weights, which makes them different models. The
update gate z of one is 1 - z of the other, which is only a matter of notation.
"""

from __future__ import annotations

import numpy as np

from seqtree.reference.activations import SIGMOID, TANH
from seqtree.reference.network import Array, Network, array, initial


class GRU(Network):
    """The chapter's form: r acts on h_{t-1} before the product. W_z, W_r, W (units, units + inputs), biases (units,):

    z_t = sigmoid(W_z [h_{t-1}, x_t] + b_z)       r_t = sigmoid(W_r [h_{t-1}, x_t] + b_r)
    n_t = tanh(W [r_t h_{t-1}, x_t] + b)          h_t = (1 - z_t) h_{t-1} + z_t n_t
    """

    def __init__(self, inputs: int, units: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.inputs, self.units = inputs, units
        for weight, bias in (("W_z", "b_z"), ("W_r", "b_r"), ("W", "b")):
            self.parameters |= {weight: initial(rng, units, units + inputs), bias: np.zeros(units)}

    def forward(self, x: Array, h0: Array | None = None) -> Array:
        """The outputs h_1 .. h_T (T, units) for x (T, inputs); h_0 (units,) is zeros if not given."""
        W_z, b_z, W_r, b_r, W, b = self.parameters.values()
        x = array("x", x, "T", self.inputs)
        steps, units = len(x), self.units
        self.z, self.r, self.n = (np.zeros((steps, units)) for _ in range(3))
        self.hx = np.concatenate([np.zeros((steps, units)), x], axis=1)  # [h_{t-1}, x_t] for each t
        self.rhx = self.hx.copy()  # [r_t h_{t-1}, x_t]
        h = np.zeros(units) if h0 is None else array("h0", h0, units)
        outputs = np.zeros((steps, units))
        for t in range(steps):
            self.hx[t, :units] = h
            self.z[t] = SIGMOID(W_z @ self.hx[t] + b_z)
            self.r[t] = SIGMOID(W_r @ self.hx[t] + b_r)
            self.rhx[t, :units] = self.r[t] * h
            self.n[t] = TANH(W @ self.rhx[t] + b)
            h = outputs[t] = (1 - self.z[t]) * h + self.z[t] * self.n[t]
        return outputs

    def backward(self, dh: Array) -> Array:
        """dE/dx (T, inputs) from dE/dh (T, units); dE/dh_0 (units,) is then in ``dh0``."""
        W_z, _, W_r, _, W, _ = self.parameters.values()
        units = self.units
        dh = array("dh", dh, len(self.hx), units)
        delta_z, delta_r, delta_n = (np.zeros(dh.shape) for _ in range(3))
        dx = np.zeros((len(dh), self.hx.shape[1] - units))
        self.dh0 = np.zeros(units)  # the gradient that comes from step t + 1
        for t in reversed(range(len(dh))):
            h, z, r, n = self.hx[t, :units], self.z[t], self.r[t], self.n[t]
            dh_t = dh[t] + self.dh0
            delta_n[t] = dh_t * z * TANH.slope(n)
            drhx = W.T @ delta_n[t]
            delta_z[t] = dh_t * (n - h) * SIGMOID.slope(z)
            delta_r[t] = drhx[:units] * h * SIGMOID.slope(r)
            dhx = W_z.T @ delta_z[t] + W_r.T @ delta_r[t]
            self.dh0 = dh_t * (1 - z) + drhx[:units] * r + dhx[:units]
            dx[t] = drhx[units:] + dhx[units:]
        for end, delta, inputs in (("_z", delta_z, self.hx), ("_r", delta_r, self.hx), ("", delta_n, self.rhx)):
            self.gradients |= {f"W{end}": delta.T @ inputs, f"b{end}": delta.sum(axis=0)}
        return dx


class TorchGRU(Network):
    """torch's form: r acts after the product. W_z, W_r (units, units + inputs), U (units, inputs), W (units, units):

    z_t = sigmoid(W_z [h_{t-1}, x_t] + b_z)               r_t = sigmoid(W_r [h_{t-1}, x_t] + b_r)
    n_t = tanh(U x_t + b + r_t (W h_{t-1} + d))           h_t = (1 - z_t) n_t + z_t h_{t-1}
    """

    def __init__(self, inputs: int, units: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.inputs, self.units = inputs, units
        self.parameters = {
            "W_z": initial(rng, units, units + inputs),
            "b_z": np.zeros(units),
            "W_r": initial(rng, units, units + inputs),
            "b_r": np.zeros(units),
            "U": initial(rng, units, inputs),
            "b": np.zeros(units),
            "W": initial(rng, units, units),
            "d": np.zeros(units),
        }

    def forward(self, x: Array, h0: Array | None = None) -> Array:
        """The outputs h_1 .. h_T (T, units) for x (T, inputs); h_0 (units,) is zeros if not given."""
        W_z, b_z, W_r, b_r, U, b, W, d = self.parameters.values()
        x = array("x", x, "T", self.inputs)
        steps, units = len(x), self.units
        self.z, self.r, self.n, self.Wh = (np.zeros((steps, units)) for _ in range(4))
        self.hx = np.concatenate([np.zeros((steps, units)), x], axis=1)  # [h_{t-1}, x_t] for each t
        h = np.zeros(units) if h0 is None else array("h0", h0, units)
        outputs = np.zeros((steps, units))
        for t in range(steps):
            self.hx[t, :units] = h
            self.z[t] = SIGMOID(W_z @ self.hx[t] + b_z)
            self.r[t] = SIGMOID(W_r @ self.hx[t] + b_r)
            self.Wh[t] = W @ h + d
            self.n[t] = TANH(U @ x[t] + b + self.r[t] * self.Wh[t])
            h = outputs[t] = (1 - self.z[t]) * self.n[t] + self.z[t] * h
        return outputs

    def backward(self, dh: Array) -> Array:
        """dE/dx (T, inputs) from dE/dh (T, units); dE/dh_0 (units,) is then in ``dh0``."""
        W_z, _, W_r, _, U, _, W, _ = self.parameters.values()
        units = self.units
        dh = array("dh", dh, len(self.hx), units)
        delta_z, delta_r, delta_n, delta_Wh = (np.zeros(dh.shape) for _ in range(4))
        dx = np.zeros((len(dh), U.shape[1]))
        self.dh0 = np.zeros(units)  # the gradient that comes from step t + 1
        for t in reversed(range(len(dh))):
            h, z, r, n = self.hx[t, :units], self.z[t], self.r[t], self.n[t]
            dh_t = dh[t] + self.dh0
            delta_n[t] = dh_t * (1 - z) * TANH.slope(n)
            delta_Wh[t] = delta_n[t] * r
            delta_z[t] = dh_t * (h - n) * SIGMOID.slope(z)
            delta_r[t] = delta_n[t] * self.Wh[t] * SIGMOID.slope(r)
            dhx = W_z.T @ delta_z[t] + W_r.T @ delta_r[t]
            self.dh0 = dh_t * z + W.T @ delta_Wh[t] + dhx[:units]
            dx[t] = U.T @ delta_n[t] + dhx[units:]
        h, x = self.hx[:, :units], self.hx[:, units:]
        self.gradients = {
            "W_z": delta_z.T @ self.hx,
            "b_z": delta_z.sum(axis=0),
            "W_r": delta_r.T @ self.hx,
            "b_r": delta_r.sum(axis=0),
            "U": delta_n.T @ x,
            "b": delta_n.sum(axis=0),
            "W": delta_Wh.T @ h,
            "d": delta_Wh.sum(axis=0),
        }
        return dx
