"""Recurrent layers of any depth: simple RNN (tanh or ReLU), LSTM and GRU.

Formulas: chapters 5 and 6, in torch's form. The GRU applies its reset gate after the product (W_hn h + b_hn), as torch
and cuDNN do. Parameters have torch's names and shapes (``weight_ih_l0`` (G*H, E), ``weight_hh_l0`` (G*H, H), and two
biases per layer, with G = 1, 4 or 3 gates; those of the backward direction end in ``_reverse``), so state dicts are
interchangeable with those of ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.casting import cast
from seqtree.nn.dropout import sequence_dropout, weight_dropout
from seqtree.nn.lstm import can_be_packed, lstm_layer, packed_lstm_layer

State = tuple[Tensor, ...]
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def _large(weights: list[Tensor]) -> bool:
    """Whether a layer's weights are too large for the cores' caches, so that our own LSTM layer is the faster one."""
    most = 1_800_000 if torch.get_num_threads() == 1 else 2_400_000
    return weights[0].numel() + weights[1].numel() > most


def _whole(input: Tensor, lengths: Tensor | None) -> bool:
    """Whether there is no padding in a batch (T, B, E)."""
    return lengths is None or int(lengths.min()) == len(input)


def reversed_order(input: Tensor, lengths: Tensor | None) -> Tensor:
    """Indices (T B,) into the flattened steps that reverse every sequence of a batch; padding stays in its place."""
    steps = torch.arange(input.shape[0], device=input.device)[:, None]
    rows = torch.arange(input.shape[1], device=input.device)
    ends = torch.full_like(rows, len(input)) if lengths is None else lengths.to(input.device)
    return (torch.where(steps < ends, ends - 1 - steps, steps) * len(rows) + rows).flatten()


class _Reverse(torch.autograd.Function):
    """Reorders the steps of sequences (T, B, E) by an order that is its own inverse, so it also reorders gradients."""

    @staticmethod
    def forward(ctx: Any, sequence: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return sequence.flatten(0, 1).index_select(0, order).view_as(sequence)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        return gradient.flatten(0, 1).index_select(0, *ctx.saved_tensors).view_as(gradient), None


def reverse(sequence: Tensor, order: Tensor) -> Tensor:
    """A sequence (T, B, E) with its steps in this order (``reversed_order``); twice gives the sequence again."""
    result: Tensor = _Reverse.apply(sequence, order)  # type: ignore[no-untyped-call]
    return result


class Recurrent(nn.Module):
    """A stack of recurrent layers with dropout between them (see ``sequence_dropout``) and on the recurrent weights.

    ``forward(input (T, B, E), state)`` returns ``(output (T, B, D H), state)`` with D = 2 directions if
    ``bidirectional``, else 1; the state is a tuple of (layers D, B, H) tensors: (h,), or (h, c) for an LSTM. A call
    computes in the type of its input, to which the weights are cast.

    ``lengths`` (B,) are the lengths of the sequences without padding: the backward direction starts at each one's own
    end. The output at padding is undefined, and so is the final state of a padded sequence.

    The last layer may have fewer units than the others, ``last_size``: the output is then (T, B, last_size), and the
    rest of its state is 0.
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
        locked: bool = True,
        bidirectional: bool = False,
        last_size: int | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell, self.nonlinearity = cell, nonlinearity
        self.directions = ("", "_reverse") if bidirectional else ("",)
        self.input_size, self.hidden_size, self.layers = input_size, hidden_size, layers
        self.dropout, self.weight_drop, self.locked = dropout, weight_drop, locked
        self.sizes = [hidden_size] * (layers - 1) + [last_size or hidden_size]  # units of each layer
        for layer, size in enumerate(self.sizes):
            rows, width = GATES[cell] * size, input_size if layer == 0 else hidden_size * len(self.directions)
            for direction in self.directions:
                for name, shape in (
                    ("weight_ih", (rows, width)),
                    ("weight_hh", (rows, size)),
                    ("bias_ih", (rows,)),
                    ("bias_hh", (rows,)),
                ):
                    parameter = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(f"{name}_l{layer}{direction}", parameter)
        self.reset_parameters()

    def extra_repr(self) -> str:
        return f"{self.cell}, {self.input_size}, {self.hidden_size}, layers={self.layers}"

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Input weights uniform in +-1/sqrt(H), recurrent ones orthogonal per gate, biases 0 (forget gate: 1)."""
        for layer, direction in product(range(self.layers), self.directions):
            weight_ih, weight_hh, bias_ih, bias_hh = self._weights(layer, direction)
            size = self.sizes[layer]
            bound = 1.0 / math.sqrt(size)
            nn.init.uniform_(weight_ih, -bound, bound)
            for gate in weight_hh.split(size):
                nn.init.orthogonal_(gate)
            nn.init.zeros_(bias_ih)
            nn.init.zeros_(bias_hh)
            if self.cell == "lstm":
                bias_ih[size : 2 * size] = 1.0

    def _weights(self, layer: int, direction: str) -> list[Tensor]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [getattr(self, f"{name}_l{layer}{direction}") for name in names]

    def zero_state(self, batch: int, like: Tensor) -> State:
        """The initial state: a tuple of zeros (layers D, batch, H), h or h and c."""
        shape = (self.layers * len(self.directions), batch, self.hidden_size)
        return tuple(torch.zeros(shape, dtype=like.dtype, device=like.device) for _ in range(2 - (self.cell != "lstm")))

    def forward(self, input: Tensor, state: State | None = None, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        state = self.zero_state(input.shape[1], input) if state is None else state
        order = None
        if len(self.directions) == 2 and not (self._packed(input) and _whole(input, lengths)):
            order = reversed_order(input, lengths)
        output = input  # (T, B, E)
        ends: list[tuple[Tensor, ...]] = []
        for layer, size in enumerate(self.sizes):
            if layer:
                output = sequence_dropout(output, self.dropout, self.training, self.locked)
            outputs = []
            for direction in self.directions:
                weights = self._weights(layer, direction)
                weights[1] = weight_dropout(weights[1], self.weight_drop, self.training)
                before = [part[len(ends) : len(ends) + 1, :, :size].contiguous() for part in state]
                turned = order if direction else None
                read = output if turned is None else reverse(output, turned)
                read, *end = self._run(read, before, weights, bool(direction) and turned is None)  # (T, B, H)
                outputs.append(read if turned is None else reverse(read, turned))
                narrower = self.hidden_size - size
                ends.append(tuple(F.pad(part, (0, narrower)) if narrower else part for part in end))
            output = torch.cat(outputs, dim=2) if len(outputs) == 2 else outputs[0]  # (T, B, D H)
        return output, tuple(torch.cat(parts) for parts in zip(*ends, strict=True))

    def _packed(self, input: Tensor) -> bool:
        """Whether layers are those of ``packed_lstm_layer``."""
        return self.cell == "lstm" and not self.training and can_be_packed(input)

    def _own(self, input: Tensor, weights: list[Tensor]) -> bool:
        """Whether a layer is one for ``lstm_layer``."""
        return self.cell == "lstm" and input.dtype == torch.bfloat16 and input.device.type == "cpu" and _large(weights)

    def _run(self, input: Tensor, state: list[Tensor], weights: list[Tensor], backward: bool) -> tuple[Tensor, ...]:
        """One layer in one direction; only a packed one reads from the end by itself."""
        if self._packed(input):
            return packed_lstm_layer(input, state[0], state[1], weights, backward)
        if self._own(input, weights):
            w_ih, w_hh, b_ih, b_hh = weights
            output, h, c = lstm_layer(input, state[0][0], state[1][0], w_ih, w_hh, b_ih + b_hh)
            return output, h[None], c[None]
        dtype = input.dtype
        state, weights = [part.to(dtype) for part in state], [cast(weight, dtype) for weight in weights]
        options = (True, 1, 0.0, self.training, False, False)  # biases, layers, dropout, -, both ways, batch first
        if self.cell == "lstm":
            return torch.lstm(input, state, weights, *options)
        if self.cell == "gru":
            return torch.gru(input, state[0], weights, *options)
        run = torch.rnn_relu if self.nonlinearity == "relu" else torch.rnn_tanh
        return run(input, state[0], weights, *options)
