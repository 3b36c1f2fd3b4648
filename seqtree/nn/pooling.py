"""A sentence's vector from those of its words: the last ones, their mean, their maximum, or a mean by attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtree.nn.padding import outside


class Pooling(nn.Module):
    """States (T, B, D), sentences of ``lengths`` (B,) -> vectors (B, ``output_size``).

    ``last`` is the last word's state; of two directions, the forward half of that and the backward half of the first
    word's. ``attention`` is the mean weighted by softmax(v . tanh(W h_t + b)) (Yang et al. 2016); ``weights`` gives the
    weights.
    """

    def __init__(self, kind: str, width: int, directions: int = 2) -> None:
        super().__init__()
        self.kind, self.directions = kind, directions
        self.output_size = 2 * width if kind == "mean+max" else width
        if kind == "attention":
            self.hidden = nn.Linear(width, width)
            self.score = nn.Linear(width, 1, bias=False)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        if self.kind == "last":
            half = states.shape[2] // self.directions
            last = states[lengths - 1, torch.arange(len(lengths), device=states.device)]
            return torch.cat([last[:, :half], states[0, :, half:]], dim=1)
        if self.kind == "attention":
            return (states * self.weights(states, lengths)[:, :, None]).sum(dim=0)
        padding = outside(len(states), lengths)[:, :, None]
        found = []
        if "mean" in self.kind:
            found.append(states.masked_fill(padding, 0.0).sum(dim=0) / lengths[:, None])
        if "max" in self.kind:
            found.append(states.masked_fill(padding, -torch.inf).amax(dim=0))
        return torch.cat(found, dim=1)

    def weights(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The weight of each word (T, B) by attention; 0 at padding."""
        scores: Tensor = self.score(self.hidden(states).tanh())[:, :, 0]
        return scores.masked_fill(outside(len(states), lengths), -torch.inf).softmax(dim=0)
