"""Words in their sentence: vectors of words and of their characters, read by a bidirectional recurrent network.

The parser's leaves are made of these, and what a tagger or classifier predicts. Word dropout is that of Kiperwasser and
Goldberg 2016; the character encoder is that of dos Santos and Zadrozny 2014.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.config import WordEncoderConfig
from seqtree.nn.dropout import sequence_dropout
from seqtree.nn.recurrent import Recurrent
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids, Lexicon


def rows(matrix: Tensor, numbers: Tensor) -> Tensor:
    """Rows of a matrix; unlike that of indexing, the gradient is fast."""
    return matrix.index_select(0, numbers)


def product(layer: nn.Linear, input: Tensor, dtype: torch.dtype | None) -> Tensor:
    """``layer(input)``, the product taken in ``dtype``; for many rows, because the weights are cast each time."""
    if dtype is None:
        result: Tensor = layer(input)
        return result
    bias = None if layer.bias is None else layer.bias.to(dtype)
    return F.linear(input.to(dtype), layer.weight.to(dtype), bias).to(input.dtype)


class CharacterEncoder(nn.Module):
    """A word's vector from its characters: a convolution of width 3 and the maximum over places.

    Spellings (U, C), padded by -1 -> (U, size).
    """

    def __init__(self, characters: int, embedding: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters + 1, embedding, padding_idx=characters)
        self.convolution = nn.Conv1d(embedding, size, 3, padding=1)

    def forward(self, spellings: Tensor) -> Tensor:
        ids = torch.where(spellings < 0, self.embedding.num_embeddings - 1, spellings)
        features = self.convolution(self.embedding(ids).transpose(1, 2))  # (U, size, C)
        vectors: Tensor = features.masked_fill((spellings < 0)[:, None], -torch.inf).amax(dim=2).relu()
        return vectors


class EncodedWords(NamedTuple):
    """``words`` (N, D): what is known of each word in its sentence.

    ``states`` ((T + 2) B, 2 H) are those of the encoder at every place of every sentence, its start and end included;
    None without an encoder.
    """

    words: Tensor
    states: Tensor | None


class WordEncoder(nn.Module):
    """A batch of N words in B sentences -> ``EncodedWords``, by the encoder that the configuration describes."""

    word_dropout: Tensor  # the probability with which each word is read as unknown in training

    def __init__(self, lexicon: Lexicon, config: WordEncoderConfig) -> None:
        super().__init__()
        self.config = c = config
        if c.words:
            self.embedding = nn.Embedding(len(lexicon.words), c.words)
            nn.init.normal_(self.embedding.weight, std=0.5)
        if c.characters:
            self.spelling = CharacterEncoder(len(lexicon.characters), c.character_embedding, c.characters)
        if c.encoder != "none":
            self.encoder = Recurrent(
                c.encoder,
                c.input_size,
                c.hidden,
                c.layers,
                dropout=c.dropout,
                weight_drop=c.weight_drop,
                bidirectional=True,
            )
        counts = torch.tensor(lexicon.counts, dtype=torch.float32, device="cpu")
        dropped = c.word_dropout / (c.word_dropout + counts) if c.word_dropout else torch.zeros_like(counts)
        dropped[[lexicon.words.start, lexicon.words.end]] = 0.0
        self.register_buffer("word_dropout", dropped, persistent=False)
        self.unknown = lexicon.words.unknown

    def forward(self, batch: SentenceBatch, products: torch.dtype | None = None) -> EncodedWords:
        inside = self.ids((batch.place + 1) * len(batch.lengths) + batch.sentence)  # words in (T + 2) B
        vectors = self._word_vectors(batch, inside)  # (T + 2, B, words + characters)
        if self.config.encoder == "none":
            return EncodedWords(rows(vectors.flatten(0, 1), inside), None)
        vectors = sequence_dropout(vectors, self.config.dropout, self.training)
        states, _ = self.encoder(vectors.to(products or vectors.dtype), lengths=self.ids(batch.lengths + 2))
        states = sequence_dropout(states.to(vectors.dtype), self.config.dropout, self.training)  # (T + 2, B, 2 H)
        states = states.flatten(0, 1)
        return EncodedWords(rows(states, inside), states)

    def ids(self, numbers: Ids) -> Tensor:
        """Numbers as a tensor on the encoder's device."""
        return torch.from_numpy(np.ascontiguousarray(numbers)).to(self.word_dropout.device)

    def _word_vectors(self, batch: SentenceBatch, inside: Tensor) -> Tensor:
        parts = []
        if self.config.words:
            ids = self.ids(batch.words)
            if self.training:
                dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout[ids]
                ids = torch.where(dropped, self.unknown, ids)
            parts.append(self.embedding(ids))
        if self.config.characters:
            vectors = rows(self.spelling(self.ids(batch.spellings)), self.ids(batch.spelled))  # (N, characters)
            spread = vectors.new_zeros(batch.words.size, vectors.shape[1]).index_copy(0, inside, vectors)
            parts.append(spread.view(*batch.words.shape, -1))
        return torch.cat(parts, dim=2)
