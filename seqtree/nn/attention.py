"""Attention: what a decoder's state takes from all states of an encoder.

Formulas: the chapters' encoder-decoder; Bahdanau, Cho and Bengio 2015 (additive), Luong, Pham and Manning 2015
(multiplicative, their "general" score).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Scores e of states h for a query s, weights a = softmax(e), and the context c = sum a h.

    additive: e = v tanh(Q s + K h + b); multiplicative: e = s W h. ``query`` and ``memory`` are the widths of s and h.
    """

    def __init__(self, kind: str, query: int, memory: int) -> None:
        super().__init__()
        self.additive = kind == "additive"
        self.key = nn.Linear(memory, query, bias=self.additive)
        if self.additive:
            self.query = nn.Linear(query, query, bias=False)
            self.score = nn.Parameter(torch.empty(query))
            nn.init.uniform_(self.score, -1.0 / math.sqrt(query), 1.0 / math.sqrt(query))

    def keys(self, states: Tensor) -> Tensor:
        """What is computed once for the states (B, S, W): K h + b, or W h; (B, S, A)."""
        keys: Tensor = self.key(states)
        return keys

    def forward(self, queries: Tensor, states: Tensor, keys: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Queries (T, B K, A), K rows for each of the B sources -> contexts (T, B K, W) and weights (T, B K, S).

        ``padding`` (B, S) is true for states that are not there: their weight is 0.
        """
        steps, rows, width = queries.shape
        count = len(states)
        asked = queries.view(steps, count, -1, width).transpose(0, 1).flatten(1, 2)  # (B, T K, A)
        if self.additive:
            sums = self.query(asked)[:, :, None] + keys[:, None]  # (B, T K, S, A)
            scores = sums.tanh() @ self.score
        else:
            scores = asked @ keys.transpose(1, 2)  # (B, T K, S)
        weights = scores.masked_fill(padding[:, None], -torch.inf).softmax(dim=2)
        contexts = weights @ states  # (B, T K, W)
        back = [
            x.view(count, steps, rows // count, -1).transpose(0, 1).reshape(steps, rows, -1)
            for x in (contexts, weights)
        ]
        return back[0], back[1]
