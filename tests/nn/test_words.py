"""Vectors of words from their characters, against torch's convolution over each word by itself."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from seqtree.nn.words import CharacterEncoder

WORDS = [[3, 1, 4, 1], [5], [2, 2, 2, 2, 2, 2, 0], [], [6, 5]]


def _alone(encoder: CharacterEncoder, word: list[int]) -> Tensor:
    """The vector of one word."""
    vectors = encoder.embedding(torch.tensor(word))
    return encoder.convolution(vectors.t()[None])[0].amax(dim=1).relu()


@pytest.mark.parametrize("characters", [7, 300])  # fewer than there are places, and more
def test_words_are_spelled_as_if_each_were_alone(characters: int) -> None:
    torch.manual_seed(0)
    encoder = CharacterEncoder(characters, 3, 5).double()
    flat = [-1, *itertools.chain.from_iterable([*word, -1] for word in WORDS)]
    together = encoder(torch.tensor(flat), len(WORDS))
    nothing = torch.zeros(5, dtype=torch.float64)
    alone = torch.stack([_alone(encoder, word) if word else nothing for word in WORDS])
    torch.testing.assert_close(together, alone)
    weights, parameters = torch.randn_like(alone), list(encoder.parameters())
    mine, theirs = (torch.autograd.grad((made * weights).sum(), parameters) for made in (together, alone))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_what_characters_add_is_computed_anew_when_weights_have_changed() -> None:
    encoder, word = CharacterEncoder(7, 3, 5), [3, 1, 4]
    for parameter in encoder.parameters():
        with torch.no_grad():
            encoder(torch.tensor([-1, *word, -1]), 1)
            parameter[:3] += 1.0
            vectors = encoder(torch.tensor([-1, *word, -1]), 1)
            torch.testing.assert_close(vectors[0], _alone(encoder, word))
