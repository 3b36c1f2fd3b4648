"""Vectors of words from their characters, and in their sentence, against those of each word or sentence by itself."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from seqtree.nn.config import WordEncoderConfig
from seqtree.nn.words import CharacterEncoder, WordEncoder
from seqtree.text.batches import make_batch
from seqtree.text.lexicon import Lexicon

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


@pytest.mark.parametrize("encoder", ["none", "lstm", "gru", "cnn"])
def test_a_sentence_is_read_as_if_it_were_alone(encoder: str) -> None:
    sentences = [list("abcabc"), list("cab"), list("bb"), ["a"]]
    lexicon = Lexicon.build(Counter(itertools.chain(*sentences)), 1)
    torch.manual_seed(0)
    words = WordEncoder(lexicon, WordEncoderConfig(encoder, 3, 4, 2, subwords=3, pairs=3, hidden=4)).double().eval()
    for parameter in words.parameters():
        torch.nn.init.normal_(parameter)

    def read(some: Sequence[list[str]]) -> Tensor:
        vectors: Tensor = words(make_batch(some, [lexicon.encode(one) for one in some], lexicon)).words
        return vectors

    torch.testing.assert_close(read(sentences), torch.cat([read([one]) for one in sentences]))
