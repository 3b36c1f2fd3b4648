"""Encoder and decoder: from a source to the probability of its target, token by token.

Chapter 5 and the chapters' encoder-decoder; Cho et al. 2014 (a context at every step), Bahdanau et al. 2015 (additive
attention), Luong et al. 2015 (multiplicative attention, and the state joined with its context before the output). The
attention asks with the first decoder layer's state of the same step, so that training computes all steps at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqtree.nn.attention import Attention
from seqtree.nn.dropout import sequence_dropout
from seqtree.nn.losses import linear_cross_entropy
from seqtree.nn.network import Network
from seqtree.nn.padding import outside
from seqtree.nn.recurrent import Recurrent, State
from seqtree.translation.config import TranslatorConfig

UNKNOWN, START, END = 0, 1, 2  # the tokens every vocabulary begins with


@dataclass(frozen=True)
class Memory:
    """What the decoder knows of B sources of at most S tokens.

    ``states`` (B, S, W) and ``keys`` (B, S, A) are those of attention, ``padding`` (B, S) is true where there is no
    token, ``end`` (B, W) is the encoder's end, ``first`` the decoder's first state, parts of (layers, B, H).
    """

    states: Tensor
    keys: Tensor
    padding: Tensor
    end: Tensor
    first: State

    def __len__(self) -> int:
        return len(self.end)

    def __getitem__(self, rows: Tensor) -> Memory:
        first = tuple(part[:, rows] for part in self.first)
        return Memory(self.states[rows], self.keys[rows], self.padding[rows], self.end[rows], first)


class TranslatorNetwork(Network):
    """Sources (S, B) and targets (T, B) in numbers -> logits, by the shape that the configuration describes.

    ``products`` is the type in which the recurrent layers and the output layer compute (None: the weights').
    """

    config: TranslatorConfig

    def __init__(self, source: int, target: int, config: TranslatorConfig) -> None:
        super().__init__()
        self.config = c = config
        width = c.hidden * (1 + c.bidirectional)
        context = width if c.context != "first" else 0
        self.source, self.target = nn.Embedding(source, c.embedding), nn.Embedding(target, c.embedding)
        for table in (self.source, self.target):
            nn.init.normal_(table.weight, std=c.embedding**-0.5)
        self.encoder = Recurrent(
            c.cell, c.embedding, c.hidden, c.layers, dropout=c.dropout, bidirectional=c.bidirectional
        )
        parts = 2 if c.cell == "lstm" else 1
        self.bridge = nn.Linear(width, parts * c.decoder_layers * c.hidden)
        below = 1 if c.attends else c.decoder_layers
        given = width if c.context == "every" else 0
        self.decoder = Recurrent(c.cell, c.embedding + given, c.hidden, below, dropout=c.dropout)
        if c.attends:
            self.attention = Attention(c.attention, c.hidden, width)
        if c.decoder_layers > below:
            self.upper = Recurrent(c.cell, c.hidden + width, c.hidden, c.decoder_layers - 1, dropout=c.dropout)
        self.combine = nn.Linear(c.hidden + context, c.embedding if c.tied else c.hidden)
        self.output = nn.Linear(self.combine.out_features, target)
        if c.tied:
            self.output.weight = self.target.weight
        nn.init.zeros_(self.output.bias)

    def encode(self, sources: Tensor, lengths: Tensor) -> Memory:
        """The memory of sources (S, B) of these lengths (B,), padded by anything."""
        c, rows = self.config, torch.arange(len(lengths), device=sources.device)
        vectors = sequence_dropout(self.source(self._dropped(sources)), c.dropout, self.training)  # (S, B, E)
        states, _ = self.encoder(vectors.to(self.products or vectors.dtype), lengths=lengths)
        states = sequence_dropout(states.to(vectors.dtype), c.dropout, self.training)  # (S, B, W)
        ends = [states[lengths - 1, rows, : c.hidden], *([states[0, :, c.hidden :]] if c.bidirectional else [])]
        end = torch.cat(ends, dim=1)  # (B, W)
        padding = outside(len(sources), lengths).t()  # (B, S)
        states = states.masked_fill(padding.t()[:, :, None], 0.0).transpose(0, 1)
        keys = self.attention.keys(states) if c.attends else states
        first = self.bridge(end).tanh().view(len(end), -1, c.decoder_layers, c.hidden)
        parts = tuple(part.transpose(0, 1).contiguous() for part in first.unbind(dim=1))
        return Memory(states, keys, padding, end, parts)

    def decode(self, memory: Memory, tokens: Tensor, state: State) -> tuple[Tensor, State, Tensor | None]:
        """One or more steps: after ``tokens`` (T, B K), K rows for each source, from ``state`` (layers, B K, H).

        Returns what the output layer reads (T, B K, D), the state, and the weights of attention (T, B K, S), or None.
        """
        c, count = self.config, len(memory)
        vectors = sequence_dropout(self.target(self._dropped(tokens)), c.dropout, self.training)  # (T, B K, E)
        if c.context == "every":
            context = memory.end.repeat_interleave(tokens.shape[1] // count, dim=0).expand(len(tokens), -1, -1)
            vectors = torch.cat([vectors, context], dim=2)
        dtype = vectors.dtype
        below = tuple(part[: self.decoder.layers] for part in state)
        output, below = self.decoder(vectors.to(self.products or dtype), below)
        output, weights, ends = output.to(dtype), None, [below]
        if c.attends:
            context, weights = self.attention(output, memory.states, memory.keys, memory.padding)
            if c.decoder_layers > 1:
                above = tuple(part[1:] for part in state)
                joined = sequence_dropout(torch.cat([output, context], dim=2), c.dropout, self.training)
                output, above = self.upper(joined.to(self.products or dtype), above)
                output = output.to(dtype)
                ends.append(above)
        if c.context != "first":
            output = torch.cat([output, context], dim=2)
        output = sequence_dropout(output, c.dropout, self.training)
        output = sequence_dropout(self.combine(output).tanh(), c.dropout, self.training)
        after = tuple(torch.cat([part.to(dtype) for part in parts]) for parts in zip(*ends, strict=True))
        return output, after, weights

    def teacher_forced(self, memory: Memory, targets: Tensor) -> tuple[Tensor, Tensor | None]:
        """All steps of targets (T, B) at once, each after the targets' tokens before it, whatever the model expected.

        Returns what the output layer reads (T, B, D) and the weights of attention (T, B, S), or None.
        """
        before = torch.cat([torch.full_like(targets[:1], START), targets[:-1]])
        output, _, weights = self.decode(memory, before, memory.first)
        return output, weights

    def loss(self, memory: Memory, targets: Tensor, lengths: Tensor) -> Tensor:
        """The mean cross-entropy (nats) of the tokens of targets (T, B), their ends included, of these lengths (B,).

        ``lengths`` include the end, which stands in ``targets``; what follows it is padding.
        """
        output, _ = self.teacher_forced(memory, targets)
        inside = ~outside(len(targets), lengths)
        smoothing = self.config.smoothing if self.training else 0.0
        dtype = self.products or torch.float32
        read, layer = output[inside], self.output
        return linear_cross_entropy(read, layer.weight, layer.bias, targets[inside], dtype, smoothing)

    def _dropped(self, tokens: Tensor) -> Tensor:
        """The tokens with some of them, in training, unknown."""
        rate = self.config.word_dropout
        if not self.training or rate == 0.0:
            return tokens
        dropped = (torch.rand(tokens.shape, device=tokens.device) < rate) & (tokens != START)
        return torch.where(dropped, UNKNOWN, tokens)
