"""The network of a masked language model: a word encoder, and a guess of every hidden word from what it makes of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.masked.config import MaskedNetworkConfig
from seqtree.nn.casting import filled, product
from seqtree.nn.network import Network
from seqtree.nn.words import WordEncoder, rows
from seqtree.text.batches import SentenceBatch
from seqtree.text.config import SPECIALS
from seqtree.text.lexicon import Lexicon

FIRST = len(SPECIALS["word"])  # the most frequent words stand after the special ones


def guessed_words(lexicon: Lexicon, config: MaskedNetworkConfig) -> int:
    """How many words are guessed: those that were counted, at most ``targets``; never the special ones."""
    return min(config.targets, sum(count > 0 for count in lexicon.counts[FIRST:]))


class MaskedNetwork(Network):
    """A batch of N words, of which some are hidden -> logits of the most frequent K words for each hidden one.

    The logits are those of the words' own input vectors E (Press and Wolf 2017): E n(W h + b) / sqrt(size) + c, where h
    is what the encoder makes of the place of the hidden word, and n is layer normalisation.
    """

    config: MaskedNetworkConfig

    def __init__(self, lexicon: Lexicon, config: MaskedNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.words = WordEncoder(lexicon, config)
        self.guess = nn.Linear(config.output_size, config.words)
        self.norm = nn.LayerNorm(config.words)
        self.bias = nn.Parameter(torch.zeros(guessed_words(lexicon, config)))

    def forward(self, batch: SentenceBatch, hidden: Tensor, guessed: Tensor) -> Tensor:
        """The logits (M, K) for the words ``guessed`` (M,), numbers of words; those ``hidden`` (N,) are not seen."""
        states = rows(self.words(batch, self.products, hidden).words, guessed)
        vectors = self.norm(product(self.guess, states, self.products)) * self.config.words**-0.5
        table = self.words.embedding.weight[FIRST : FIRST + len(self.bias)]
        dtype = self.products or vectors.dtype
        logits = F.linear(filled(vectors.to(dtype)), table.to(dtype))[: len(vectors)]
        return logits.to(vectors.dtype) + self.bias
