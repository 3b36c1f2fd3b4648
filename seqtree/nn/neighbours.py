"""A linear model of words by their neighbours: what conditional random fields read before there were networks.

Every n-gram of words near a word, at its distance, has a weight of its own for each output (the templates of Kudo's
CRF++).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

DESCENT = 30_000.0  # weights are learned by gradient descent at so many times the learning rate: training/optimizer.py
REACH = 2  # words before and after
_FACTOR, _MIX, _MASK = 1_000_003, 0x2C1B3C6D, (1 << 32) - 1


class Neighbours(nn.Module):
    """Words (T + 2, B) in numbers, a sentence's start and end around it -> scores (T, B, outputs).

    Of word t, these are the sums of the weights of all n-grams of up to ``most`` words within two words of it, those
    beyond a sentence's ends being its start and end. Only the ``grams`` whose hashes are in ``known`` have weights.
    """

    known: Tensor

    def __init__(self, most: int, grams: int, outputs: int) -> None:
        super().__init__()
        self.most = most
        self.register_buffer("known", torch.zeros(grams, dtype=torch.long))
        self.weights = nn.EmbeddingBag(grams + 1, outputs, mode="sum", padding_idx=grams)
        nn.init.zeros_(self.weights.weight)
        self.weights.weight.descent = DESCENT  # type: ignore[attr-defined]

    def forward(self, words: Tensor) -> Tensor:
        found = hashes(words, self.most)
        places = torch.searchsorted(self.known, found).clamp(max=max(0, len(self.known) - 1))
        unknown = len(self.known)
        places = torch.where(self.known[places] == found, places, unknown) if unknown else torch.zeros_like(found)
        scores: Tensor = self.weights(places.flatten(0, 1))
        return scores.view(*words[2:].shape, -1)


def hashes(words: Tensor, most: int) -> Tensor:
    """The hashes (T, B, n) of the n-grams near each word of sentences (T + 2, B), their start and end included."""
    around = torch.cat([words[:1], words, words[-1:]])  # (T + 4, B); word t is at t + REACH
    return torch.stack(list(_hashes(around, most)), dim=2)


def _hashes(around: Tensor, most: int) -> Iterator[Tensor]:
    count, template = len(around) - 2 * REACH, 0
    for length in range(1, most + 1):
        for first in range(2 * REACH + 2 - length):
            template += 1
            number = torch.full_like(around[:count], template)
            for place in range(first, first + length):
                number = (number * _FACTOR + around[place : place + count]) & _MASK
                number = ((number ^ (number >> 15)) * _MIX) & _MASK
            yield number ^ (number >> 17)
