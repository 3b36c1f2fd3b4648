"""The recurrent network one token at a time, in NumPy: sampling without a tensor library's cost per call.

Same numbers as the torch module up to float32 rounding (tested). For each layer the products with the input and with
the previous state are one matrix-vector product over both; the first layer's product with the input is a table look-up
where the table is small. Sigmoids come from tanh: sig(x) = (1 + tanh(x / 2)) / 2, the halves folded into the weights.
"""

from __future__ import annotations

import numpy as np

from seqtree.language.network import RecurrentLanguageModel

LARGEST_TABLE = 1 << 24  # numbers
StepState = list[np.ndarray]
_NOTHING = np.empty(0, np.float32)


class Stepper:
    """``logits = step(token, state)``; the state (a list of arrays from ``zero_state``) is changed in place."""

    def __init__(self, network: RecurrentLanguageModel) -> None:
        config = network.config
        self.cell, self.hidden, self.layers = config.cell, config.hidden, config.layers
        self.relu = config.nonlinearity == "relu"
        weights = {name: p.detach().float().cpu().numpy() for name, p in network.named_parameters()}
        embedding = None if config.one_hot else weights["embedding.weight"]
        output = weights["embedding.weight"] if config.tied else weights["decoder.weight"]
        self.output, self.output_bias = np.ascontiguousarray(output), weights["decoder.bias"]
        self._prepare([[weights[f"recurrent.{name}_l{layer}"] for name in
                        ("weight_ih", "weight_hh", "bias_ih", "bias_hh")] for layer in range(config.layers)],
                      embedding)  # fmt: skip
        self.logits = np.empty(len(self.output), np.float32)

    def _prepare(self, layers: list[list[np.ndarray]], embedding: np.ndarray | None) -> None:
        """Fold scales and biases; keep W_hh and (as a table or a matrix) W_ih of every layer."""
        h = self.hidden
        scale = np.ones((len(layers[0][2]), 1), np.float32)
        if self.cell == "lstm":
            scale[: 2 * h] = scale[3 * h :] = 0.5
        elif self.cell == "gru":
            scale[: 2 * h] = 0.5
        self.matrices: list[tuple[np.ndarray | None, np.ndarray]] = []  # (W_ih or None, W_hh or [W_ih W_hh])
        self.biases: list[np.ndarray] = []
        self.candidate_biases: list[np.ndarray] = []
        self.table: np.ndarray | None = None
        self.embedding = embedding
        for index, (w_ih, w_hh, b_ih, b_hh) in enumerate(layers):
            w_ih, w_hh, b_ih, b_hh = w_ih * scale, w_hh * scale, b_ih * scale[:, 0], b_hh * scale[:, 0]
            bias = b_ih + b_hh
            if self.cell == "gru":  # its reset gate multiplies W_hn h + b_hn
                bias[2 * h :] = b_ih[2 * h :]
                self.candidate_biases.append(b_hh[2 * h :].copy())
            vocabulary = w_ih.shape[1] if embedding is None else len(embedding)
            if index == 0 and (embedding is None or vocabulary * len(bias) <= LARGEST_TABLE):
                inputs = w_ih.T if embedding is None else embedding @ w_ih.T
                self.table = np.ascontiguousarray(inputs + bias, dtype=np.float32)
                self.matrices.append((None, np.ascontiguousarray(w_hh)))
            elif self.cell == "gru":
                self.matrices.append((np.ascontiguousarray(w_ih), np.ascontiguousarray(w_hh)))
            else:
                self.matrices.append((None, np.ascontiguousarray(np.concatenate([w_ih, w_hh], axis=1))))
            self.biases.append(bias)
        self.rows = len(scale)
        self._gates, self._other = np.empty(self.rows, np.float32), np.empty(self.rows, np.float32)

    def zero_state(self) -> StepState:
        """h (and c for an LSTM) of every layer: 1 or 2 arrays (H,) a layer."""
        return [np.zeros(self.hidden, np.float32) for _ in range(self.layers * (2 if self.cell == "lstm" else 1))]

    def step(self, token: int, state: StepState) -> np.ndarray:
        """Logits (V,) of the token after ``token``; the array is reused by the next call."""
        x = _NOTHING if self.embedding is None or self.table is not None else self.embedding[token]
        per_layer = 2 if self.cell == "lstm" else 1
        for layer in range(self.layers):
            own = state[layer * per_layer : (layer + 1) * per_layer]
            bias = self.table[token] if layer == 0 and self.table is not None else self.biases[layer]
            if self.cell == "lstm":
                self._lstm(layer, x, bias, *own)
            elif self.cell == "gru":
                self._gru(layer, x, bias, own[0])
            else:
                self._simple(layer, x, bias, own[0])
            x = own[0]
        np.dot(self.output, x, out=self.logits)
        self.logits += self.output_bias
        return self.logits

    def _product(self, layer: int, x: np.ndarray, h: np.ndarray) -> np.ndarray:
        inputs = h if layer == 0 and self.table is not None else np.concatenate((x, h))
        return np.dot(self.matrices[layer][1], inputs, out=self._gates)

    def _lstm(self, layer: int, x: np.ndarray, bias: np.ndarray, h: np.ndarray, c: np.ndarray) -> None:
        gates, n = self._product(layer, x, h), self.hidden
        gates += bias
        np.tanh(gates, out=gates)
        gates[: 2 * n] += 1.0  # twice the input and forget gates
        c *= gates[n : 2 * n]
        gates[:n] *= gates[2 * n : 3 * n]
        c += gates[:n]
        c *= 0.5
        np.tanh(c, out=h)
        output = gates[3 * n :]
        output += 1.0
        h *= output
        h *= 0.5

    def _gru(self, layer: int, x: np.ndarray, bias: np.ndarray, h: np.ndarray) -> None:
        n = self.hidden
        w_ih, w_hh = self.matrices[layer]
        inputs = bias if w_ih is None else np.dot(w_ih, x, out=self._other) + bias
        product = np.dot(w_hh, h, out=self._gates)
        gates = 0.5 + 0.5 * np.tanh(product[: 2 * n] + inputs[: 2 * n])  # r, z
        candidate = np.tanh(inputs[2 * n :] + gates[:n] * (product[2 * n :] + self.candidate_biases[layer]))
        h += (1.0 - gates[n:]) * (candidate - h)

    def _simple(self, layer: int, x: np.ndarray, bias: np.ndarray, h: np.ndarray) -> None:
        net = self._product(layer, x, h)
        net += bias
        if self.relu:
            np.maximum(net, 0.0, out=h)
        else:
            np.tanh(net, out=h)
