"""Recurrent layers of any depth: the simple network (tanh or ReLU), LSTM and GRU.

Formulas: chapters 5 and 6, in torch's form. The GRU applies its reset gate after the product (W_hn h + b_hn), as torch
and cuDNN do. Parameters have torch's names and shapes (``weight_ih_l0`` (G*H, E), ``weight_hh_l0`` (G*H, H), and two
biases a layer, with G = 1, 4 or 3 gates), so state dicts interchange with ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.dropout import locked_dropout
from seqtree.nn.lstm import lstm_layer

State = tuple[Tensor, ...]
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def _large(weights: list[Tensor]) -> bool:
    """Whether a layer's weights do not stay in a core's cache: from there on our own LSTM layer is the faster one."""
    return weights[0].numel() + weights[1].numel() > 2_400_000


class Recurrent(nn.Module):
    """A stack of recurrent layers with dropout between them and on the recurrent weights (weight-drop).

    ``forward(input (T, B, E), state)`` returns ``(output (T, B, H), state)``; the state is a tuple of (layers, B, H)
    tensors: (h,), and (h, c) for an LSTM. ``dtype`` of a call is that of its input; the weights are cast to it.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell, self.nonlinearity = cell, nonlinearity
        self.input_size, self.hidden_size, self.layers = input_size, hidden_size, layers
        self.dropout, self.weight_drop = dropout, weight_drop
        rows = GATES[cell] * hidden_size
        for layer in range(layers):
            width = input_size if layer == 0 else hidden_size
            for name, shape in (("weight_ih", (rows, width)), ("weight_hh", (rows, hidden_size)),
                                ("bias_ih", (rows,)), ("bias_hh", (rows,))):  # fmt: skip
                parameter = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                self.register_parameter(f"{name}_l{layer}", parameter)
        self.reset_parameters()

    def extra_repr(self) -> str:
        return f"{self.cell}, {self.input_size}, {self.hidden_size}, layers={self.layers}"

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Input weights uniform in +-1/sqrt(H), recurrent ones orthogonal by gate, the forget gate open (b = 1)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for layer in range(self.layers):
            weight_ih, weight_hh, bias_ih, bias_hh = self._weights(layer)
            nn.init.uniform_(weight_ih, -bound, bound)
            for gate in weight_hh.split(self.hidden_size):
                nn.init.orthogonal_(gate)
            nn.init.zeros_(bias_ih)
            nn.init.zeros_(bias_hh)
            if self.cell == "lstm":
                bias_ih[self.hidden_size : 2 * self.hidden_size] = 1.0

    def _weights(self, layer: int) -> list[Tensor]:
        return [getattr(self, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def zero_state(self, batch: int, like: Tensor) -> State:
        """The state before the first token: zeros of shape (layers, batch, H), one tensor or two."""
        shape = (self.layers, batch, self.hidden_size)
        return tuple(torch.zeros(shape, dtype=like.dtype, device=like.device) for _ in range(2 - (self.cell != "lstm")))

    def forward(self, input: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        state = self.zero_state(input.shape[1], input) if state is None else state
        output = input  # (T, B, E)
        ends: list[tuple[Tensor, ...]] = []
        for layer in range(self.layers):
            if layer:
                output = locked_dropout(output, self.dropout, self.training)
            weights = self._weights(layer)
            if self.training and self.weight_drop:
                weights[1] = F.dropout(weights[1], self.weight_drop)
            before = [part[layer : layer + 1] for part in state]
            output, *end = self._run(output, before, weights)  # (T, B, H)
            ends.append(tuple(end))
        return output, tuple(torch.cat(parts) for parts in zip(*ends, strict=True))

    def _run(self, input: Tensor, state: list[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
        dtype = input.dtype
        if self.cell == "lstm" and dtype == torch.bfloat16 and input.device.type == "cpu" and _large(weights):
            w_ih, w_hh, b_ih, b_hh = weights
            output, h, c = lstm_layer(input, state[0][0], state[1][0], w_ih, w_hh, b_ih + b_hh)
            return output, h[None], c[None]
        state, weights = [part.to(dtype) for part in state], [weight.to(dtype) for weight in weights]
        options = (True, 1, 0.0, self.training, False, False)  # biases, layers, dropout, -, bidirectional, batch first
        if self.cell == "lstm":
            return torch.lstm(input, state, weights, *options)
        if self.cell == "gru":
            return torch.gru(input, state[0], weights, *options)
        run = torch.rnn_relu if self.nonlinearity == "relu" else torch.rnn_tanh
        return run(input, state[0], weights, *options)
