"""The long short-term memory, with the gradients of every gate through time.

Chapter 6; Hochreiter and Schmidhuber 1997, the forget gate Gers et al. 2000.
"""

from __future__ import annotations

import numpy as np

from seqtree.reference.activations import SIGMOID, TANH
from seqtree.reference.network import Array, Network, array, initial

GATES = {"f": SIGMOID, "i": SIGMOID, "c": TANH, "o": SIGMOID}  # forget, input, candidate, output


class LSTM(Network):
    """Gates control what a cell forgets, stores and outputs. For each gate, W (units, units + inputs), b (units,):

    f_t = sigmoid(W_f [h_{t-1}, x_t] + b_f)       i_t = sigmoid(W_i [h_{t-1}, x_t] + b_i)
    g_t = tanh(W_c [h_{t-1}, x_t] + b_c)          o_t = sigmoid(W_o [h_{t-1}, x_t] + b_o)
    c_t = f_t c_{t-1} + i_t g_t                   h_t = o_t tanh(c_t)
    """

    def __init__(self, inputs: int, units: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.inputs, self.units = inputs, units
        for gate in GATES:
            self.parameters |= {f"W_{gate}": initial(rng, units, units + inputs), f"b_{gate}": np.zeros(units)}

    def forward(self, x: Array, h0: Array | None = None, c0: Array | None = None) -> Array:
        """The outputs h_1 .. h_T (T, units) for x (T, inputs); h_0 and c_0 (units,) are zeros if not given."""
        x = array("x", x, "T", self.inputs)
        steps, units = len(x), self.units
        self.hx = np.concatenate([np.zeros((steps, units)), x], axis=1)  # [h_{t-1}, x_t] for each t
        self.gates = {gate: np.zeros((steps, units)) for gate in GATES}
        self.c = np.zeros((steps + 1, units))
        starts = {"h0": h0, "c0": c0}
        h, self.c[0] = (np.zeros(units) if s is None else array(name, s, units) for name, s in starts.items())
        outputs = np.zeros((steps, units))
        for t in range(steps):
            self.hx[t, :units] = h
            for gate, f in GATES.items():
                self.gates[gate][t] = f(self.parameters[f"W_{gate}"] @ self.hx[t] + self.parameters[f"b_{gate}"])
            f_t, i_t, g_t, o_t = (self.gates[gate][t] for gate in GATES)
            self.c[t + 1] = f_t * self.c[t] + i_t * g_t
            h = outputs[t] = o_t * np.tanh(self.c[t + 1])
        return outputs

    def backward(self, dh: Array) -> Array:
        """dE/dx (T, inputs) from dE/dh (T, units); dE/dh_0 and dE/dc_0 (units,) are then in ``dh0`` and ``dc0``.

        The error at step t comes from its own output and, through h_t and c_t, from step t + 1. The delta of a gate is
        its dE/dnet; the gradient of its W is the sum over all steps of delta [h_{t-1}, x_t]^T, of its b of delta.
        """
        dh = array("dh", dh, len(self.hx), self.units)
        dhx = np.zeros_like(self.hx)
        self.deltas = {gate: np.zeros(dh.shape) for gate in GATES}
        self.dh0, self.dc0 = np.zeros(self.units), np.zeros(self.units)  # gradients that come from step t + 1
        for t in reversed(range(len(dh))):
            f, i, g, o = (self.gates[gate][t] for gate in GATES)
            tanh_c = np.tanh(self.c[t + 1])
            dh_t = dh[t] + self.dh0
            dc_t = dh_t * o * (1 - tanh_c**2) + self.dc0
            errors = {"f": dc_t * self.c[t], "i": dc_t * g, "c": dc_t * i, "o": dh_t * tanh_c}
            for gate, function in GATES.items():
                self.deltas[gate][t] = errors[gate] * function.slope(self.gates[gate][t])
                dhx[t] += self.parameters[f"W_{gate}"].T @ self.deltas[gate][t]
            self.dh0, self.dc0 = dhx[t, : self.units], dc_t * f
        for gate, delta in self.deltas.items():
            self.gradients |= {f"W_{gate}": delta.T @ self.hx, f"b_{gate}": delta.sum(axis=0)}
        return dhx[:, self.units :]
