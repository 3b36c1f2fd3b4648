"""The recurrent language model: embedding or one-hot input, recurrent layers, softmax over the vocabulary.

Formulas: chapter 5, s_t = f(U x_t + W s_{t-1} + b), o_t = softmax(V s_t + c); chapter 6 for LSTM and GRU. The tied
output layer (V = embedding) is Press and Wolf 2017; a last layer as wide as the embedding, dropout and weight-drop are
Merity, Keskar and Socher 2018.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.language.condition import Classes, Condition
from seqtree.language.config import MANY_TOKENS, LanguageNetworkConfig
from seqtree.nn.dropout import sequence_dropout, token_dropout
from seqtree.nn.losses import linear_cross_entropy, sampled_cross_entropy
from seqtree.nn.network import Network
from seqtree.nn.recurrent import Recurrent, State, reverse, reversed_order


class RecurrentLanguageModel(Network):
    """Predicts every next token; with ``bidirectional``, every token from those before and those after it.

    In training the larger products run in ``products``; otherwise everything runs in the type of the weights.
    """

    config: LanguageNetworkConfig

    def __init__(
        self,
        vocabulary_size: int,
        config: LanguageNetworkConfig,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        classes: Classes | None = None,
    ) -> None:
        super().__init__()
        self.vocabulary_size, self.config, self.classes = vocabulary_size, config, classes
        c = config
        if not c.one_hot:
            self.embedding = nn.Embedding(vocabulary_size, c.embedding, device=device, dtype=dtype)
            nn.init.normal_(self.embedding.weight, std=0.1 if c.tied else 0.7)  # wide inputs learn much faster

        inputs = vocabulary_size if c.one_hot else c.embedding
        self.recurrent = _stack(c, inputs, device, dtype)
        if c.bidirectional:
            self.backward_recurrent = _stack(c, inputs, device, dtype)
        width = c.output_size * (2 if c.bidirectional else 1)
        self.decoder = nn.Linear(width, vocabulary_size, device=device, dtype=dtype)
        nn.init.normal_(self.decoder.weight, std=0.4 / math.sqrt(width))
        nn.init.zeros_(self.decoder.bias)
        if c.tied:
            self.decoder.weight = self.embedding.weight
        if classes is not None:
            state = (2 if c.cell == "lstm" else 1, c.layers, c.hidden)
            self.condition = Condition(classes, inputs, state, device, dtype)

    def embed(self, ids: Tensor) -> Tensor:
        """Input vectors of ``ids`` (T, B): embeddings (T, B, E), or one-hot vectors (T, B, V)."""
        if self.config.one_hot:
            return F.one_hot(ids, self.vocabulary_size).to(self.decoder.weight.dtype)
        vectors, rate = self.embedding(ids), self.config.dropout_embedding
        return token_dropout(vectors, ids, self.vocabulary_size, rate, self.training)

    def hidden_states(
        self, ids: Tensor, state: State | None = None, classes: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """What the output layer sees: ``ids`` (T, B) -> ((T, B, H), state); ``classes`` (B,), -1 for none."""
        input = self._input(ids)
        if classes is not None:
            input, state = self.condition(classes, input, state)
        output, state = self.recurrent(input, state)
        return self._drop(output, self.config.dropout_output), state

    def surrounded_states(self, ids: Tensor, lengths: Tensor | None = None) -> Tensor:
        """For a bidirectional network, ``ids`` (T + 2, B) -> (T, B, 2 H), for the T tokens that have two neighbours.

        Position t sees ids[:t] through the forward layers and ids[t+1:] through the backward ones, never itself.
        ``lengths`` (B,) of those T are no padding.
        """
        input = self._input(ids)  # (T + 2, B, E)
        order = reversed_order(input[2:], lengths)
        before, _ = self.recurrent(input[:-2])
        after, _ = self.backward_recurrent(reverse(input[2:], order))
        both = torch.cat([before, reverse(after, order)], dim=2)
        return self._drop(both, self.config.dropout_output)

    def _input(self, ids: Tensor) -> Tensor:
        input = self.embed(ids)
        if self.training and self.config.cell == "lstm":  # torch's other cells gain nothing from bfloat16 on CPUs
            input = input.to(self.products)
        return self._drop(input, self.config.dropout_input)

    def _drop(self, sequence: Tensor, share: float) -> Tensor:
        return sequence_dropout(sequence, share, self.training, self.config.dropout_locked)

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits of every next token: ``ids`` (T, B) -> ((T, B, V), state)."""
        output, state = self.hidden_states(ids, state)
        return self.decoder(output.to(self.decoder.weight.dtype)), state

    def loss(
        self, ids: Tensor, targets: Tensor, state: State | None, classes: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Mean cross-entropy in nats of ``targets`` (T, B) after ``ids`` (T, B), and the state after them.

        Negative targets are padding; ``classes`` (B,), -1 for none.
        """
        output, state = self.hidden_states(ids, state, classes)
        return self.output_loss(output, targets), state

    @property
    def samples_softmax(self) -> bool:
        """Whether it is trained by sampled softmax."""
        asked = self.config.sampled_softmax
        return self.vocabulary_size >= MANY_TOKENS if asked is None else asked

    def versions(self) -> tuple[tuple[int, int], ...]:
        """Where each parameter lies and how often torch changed it: another value after every step of an optimiser."""
        return tuple((p.data_ptr(), 0 if p.is_inference() else p._version) for p in self.parameters())

    def mark(self) -> tuple[Any, ...]:
        """``versions`` with the sum of each parameter's bits, which also tells changes that torch does not count.

        It takes as long as reading all weights once.
        """
        numbers = {2: torch.int16, 4: torch.int32, 8: torch.int64}
        sums = (p.detach().view(numbers[p.element_size()]).sum() for p in self.parameters())
        return self.versions(), tuple(int(total) for total in sums)

    def output_loss(self, output: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats of ``targets`` (T, B), of which negative ones are padding, given the hidden states
        ``output`` (T, B, H). In training it may be that of sampled softmax.
        """
        weight, bias = self.decoder.weight, self.decoder.bias
        dtype = self.products if self.training else None
        loss = sampled_cross_entropy if self.training and self.samples_softmax else linear_cross_entropy
        output, targets = output.flatten(0, 1), targets.flatten()
        real = (targets >= 0).nonzero()[:, 0]
        if len(real) < len(targets):
            output, targets = output[real], targets[real]
        return loss(output, weight, bias, targets, dtype or weight.dtype)


def _stack(
    config: LanguageNetworkConfig, inputs: int, device: torch.device | None, dtype: torch.dtype | None
) -> Recurrent:
    return Recurrent(
        config.cell,
        inputs,
        config.hidden,
        config.layers,
        nonlinearity=config.nonlinearity,
        dropout=config.dropout_hidden,
        locked=config.dropout_locked,
        last_size=config.output_size,
        weight_drop=config.weight_drop,
        device=device,
        dtype=dtype,
    )
