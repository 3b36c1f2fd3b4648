"""The recurrent language model: embedding or one-hot input, recurrent layers, softmax over the vocabulary.

Formulas: chapter 5, s_t = f(U x_t + W s_{t-1} + b), o_t = softmax(V s_t + c); chapter 6 for LSTM and GRU. The tied
output layer (V = embedding) is Press and Wolf 2017; dropout and weight-drop are Merity, Keskar and Socher 2018.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.errors import InputError
from seqtree.nn import Recurrent, linear_cross_entropy
from seqtree.nn.dropout import row_dropout, sequence_dropout
from seqtree.nn.recurrent import GATES, State

DROPOUTS = ("dropout_embedding", "dropout_input", "dropout_hidden", "dropout_output", "weight_drop")
TRAINING_ONLY = (*DROPOUTS, "dropout_locked")  # may change when training goes on from a model


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a language model; checked on construction (InputError)."""

    cell: str = "lstm"
    nonlinearity: str = "tanh"
    layers: int = 1
    hidden: int = 512
    embedding: int = 64
    one_hot: bool = False
    tied: bool = False
    bidirectional: bool = False
    dropout_embedding: float = 0.0
    dropout_input: float = 0.0
    dropout_hidden: float = 0.0
    dropout_output: float = 0.0
    weight_drop: float = 0.0
    dropout_locked: bool = True

    def __post_init__(self) -> None:
        if self.cell not in GATES:
            raise InputError(f"cell {self.cell!r}: expected one of {', '.join(GATES)}")
        if self.nonlinearity not in ("tanh", "relu"):
            raise InputError(f"nonlinearity {self.nonlinearity!r}: expected tanh or relu")
        for name in ("layers", "hidden", "embedding"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: expected at least 1")
        for name in DROPOUTS:
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} {getattr(self, name)}: expected a share from 0 to below 1")
        if self.tied and (self.one_hot or self.bidirectional or self.embedding != self.hidden):
            raise InputError("a tied output needs embedding = hidden, no one-hot input and no bidirectional network")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> NetworkConfig:
        """From the JSON form in a model file; raises InputError on unknown or missing fields."""
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"network config: {error}") from error

    to_json = asdict


class RecurrentLanguageModel(nn.Module):
    """Predicts every next token; with ``bidirectional``, every token from those before and those after it."""

    def __init__(
        self,
        vocabulary_size: int,
        config: NetworkConfig,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.vocabulary_size, self.config = vocabulary_size, config
        c = config
        if not c.one_hot:
            self.embedding = nn.Embedding(vocabulary_size, c.embedding, device=device, dtype=dtype)
            nn.init.normal_(self.embedding.weight, std=0.1 if c.tied else 0.7)  # wide inputs learn much faster

        def stack() -> Recurrent:
            width = vocabulary_size if c.one_hot else c.embedding
            return Recurrent(
                c.cell,
                width,
                c.hidden,
                c.layers,
                nonlinearity=c.nonlinearity,
                dropout=c.dropout_hidden,
                locked=c.dropout_locked,
                weight_drop=c.weight_drop,
                device=device,
                dtype=dtype,
            )

        self.recurrent = stack()
        if c.bidirectional:
            self.backward_recurrent = stack()
        width = c.hidden * (2 if c.bidirectional else 1)
        self.decoder = nn.Linear(width, vocabulary_size, device=device, dtype=dtype)
        nn.init.normal_(self.decoder.weight, std=0.4 / math.sqrt(width))
        nn.init.zeros_(self.decoder.bias)
        if c.tied:
            self.decoder.weight = self.embedding.weight

    def embed(self, ids: Tensor) -> Tensor:
        """Input vectors of ``ids`` (T, B): embeddings (T, B, E), or one-hot vectors (T, B, V)."""
        if self.config.one_hot:
            return F.one_hot(ids, self.vocabulary_size).to(self.decoder.weight.dtype)
        weight = row_dropout(self.embedding.weight, self.config.dropout_embedding, self.training)
        return F.embedding(ids, weight)

    def hidden_states(
        self, ids: Tensor, state: State | None = None, dtype: torch.dtype | None = None
    ) -> tuple[Tensor, State]:
        """What the output layer sees: ``ids`` (T, B) -> ((T, B, H), state), computed in ``dtype``."""
        input = self._input(ids, dtype)
        output, state = self.recurrent(input, state)
        return self._drop(output, self.config.dropout_output), state

    def surrounded_states(self, ids: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """For a bidirectional network, ``ids`` (T + 2, B) -> (T, B, 2 H), for the T tokens that have two neighbours.

        Position t sees ids[:t] through the forward layers and ids[t+1:] through the backward ones, never itself.
        """
        input = self._input(ids, dtype)  # (T + 2, B, E)
        before, _ = self.recurrent(input[:-2])
        after, _ = self.backward_recurrent(input[2:].flip(0))
        both = torch.cat([before, after.flip(0)], dim=2)
        return self._drop(both, self.config.dropout_output)

    def _input(self, ids: Tensor, dtype: torch.dtype | None) -> Tensor:
        input = self.embed(ids)
        if dtype is not None and self.config.cell == "lstm":  # torch's other cells gain nothing from bfloat16 on CPUs
            input = input.to(dtype)
        return self._drop(input, self.config.dropout_input)

    def _drop(self, sequence: Tensor, share: float) -> Tensor:
        return sequence_dropout(sequence, share, self.training, self.config.dropout_locked)

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits of every next token: ``ids`` (T, B) -> ((T, B, V), state)."""
        output, state = self.hidden_states(ids, state)
        return self.decoder(output), state

    def loss(
        self, ids: Tensor, targets: Tensor, state: State | None, dtype: torch.dtype | None = None
    ) -> tuple[Tensor, State]:
        """Mean cross-entropy in nats of ``targets`` (T, B) after ``ids`` (T, B), and the state after them."""
        output, state = self.hidden_states(ids, state, dtype)
        return self.output_loss(output, targets, dtype), state

    def output_loss(self, output: Tensor, targets: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Mean cross-entropy in nats of ``targets`` (T, B) given the hidden states ``output`` (T, B, H)."""
        weight, bias = self.decoder.weight, self.decoder.bias
        return linear_cross_entropy(output.flatten(0, 1), weight, bias, targets.flatten(), dtype or weight.dtype)
