"""The encoder-decoder: one recurrent network reads a sequence, another one writes the other sequence (chapter 8).

Cho et al. 2014, Sutskever, Vinyals and Le 2014; with attention: Bahdanau et al. 2015, Luong et al. 2015.
"""

from __future__ import annotations

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.activations import LINEAR, TANH
from seqtree.reference.attention import AdditiveScore, Attention, MultiplicativeScore
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.network import Array, Composite, Network, array
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.softmax import SoftmaxCrossEntropy
from seqtree.reference.squared_error import ONE

CONTEXTS = ("first", "every", "additive", "multiplicative")


class EncoderDecoder(Composite):
    """Sources x (S, inputs) to targets y (T, outputs), one-hot; the context is one of ``CONTEXTS``:

    encoder   h_i = tanh(U x_i + W h_{i-1} + b)
    bridge    s_0 = tanh(B h_S + d)                         the encoder's end becomes the decoder's first state
    decoder   s_t = tanh(U' [y_{t-1}, c_t] + W' s_{t-1} + b')     c_t = h_S for "every", else left out
    combine   a_t = tanh(C [s_t, c_t] + e)                  c_t from attention, or h_S; for "first" left out
    output    o_t = softmax(V a_t + f)                      L = -1/T sum_t y_t log o_t
    """

    def __init__(self, inputs: int, outputs: int, units: int, context: str, rng: np.random.Generator) -> None:
        if context not in CONTEXTS:
            raise InputError(f"context {context!r}: expected one of {', '.join(CONTEXTS)}")
        self.context, self.inputs, self.units, self.outputs = context, inputs, units, outputs
        given = units if context == "every" else 0
        self.encoder = Recurrent(inputs, units, rng)
        self.bridge = FullyConnected(units, units, rng, TANH)
        self.decoder = Recurrent(outputs + given, units, rng)
        parts: dict[str, Network] = {"encoder": self.encoder, "bridge": self.bridge, "decoder": self.decoder}
        if context == "additive":
            parts["attention"] = self.attention = Attention(AdditiveScore(units, units, units, rng))
        elif context == "multiplicative":
            parts["attention"] = self.attention = Attention(MultiplicativeScore(units, units, rng))
        self.combine = FullyConnected(units if context == "first" else 2 * units, units, rng, TANH)
        self.output = FullyConnected(units, outputs, rng, LINEAR)
        self.loss = SoftmaxCrossEntropy()
        super().__init__({**parts, "combine": self.combine, "output": self.output, "loss": self.loss})

    def forward(self, x: Array, before: Array, y: Array) -> Array:
        """L in nats, shape (), for sources x (S, inputs), targets y (T, outputs), and what precedes each of these.

        That is, ``before`` (T, outputs) begins with the start of a target, and lacks its end.
        """
        x, before = array("x", x, "S", self.inputs), array("before", before, "T", self.outputs)
        y = array("y", y, *before.shape)
        if not len(x) or not len(y):
            raise InputError(f"a source and a target have at least one step, x has {len(x)}, y {len(y)}")
        h = self.encoder.forward(x)
        end = np.tile(h[-1], (len(y), 1))  # (T, units): the same at every step
        s0 = self.bridge.forward(h[-1])
        s = self.decoder.forward(np.concatenate([before, end], axis=1) if self.context == "every" else before, s0)
        if self.context != "first":
            s = np.concatenate([s, end if self.context == "every" else self.attention.forward(s, h)], axis=1)
        return self.loss.forward(self.output.forward(self.combine.forward(s)), y)

    def backward(self, dL: Array = ONE) -> Array:
        """dE/dx (S, inputs) from dE/dL, shape (), going through the parts from last to first."""
        units = self.units
        joined = self.combine.backward(self.output.backward(self.loss.backward(dL)))
        ds, dc = joined[:, :units], joined[:, units:]  # of the state and of its context
        dh = np.zeros_like(self.encoder.s[1:])
        if self.context in ("additive", "multiplicative"):
            ds = ds + self.attention.backward(dc)
            dh += self.attention.dh
        dinputs = self.decoder.backward(ds)
        dh[-1] += self.bridge.backward(self.decoder.ds0)
        if self.context == "every":
            dh[-1] += dc.sum(axis=0) + dinputs[:, -units:].sum(axis=0)
        dx = self.encoder.backward(dh)
        self.gather_gradients()
        return dx
