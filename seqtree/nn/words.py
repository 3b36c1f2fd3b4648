"""Words in their sentence: vectors of words and of their characters, read by a bidirectional recurrent network.

The parser's leaves are made of these, and what a tagger or classifier predicts. Word dropout is that of Kiperwasser and
Goldberg 2016; the character encoder is that of dos Santos and Zadrozny 2014.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.casting import cast, kept
from seqtree.nn.config import WordEncoderConfig
from seqtree.nn.dropout import sequence_dropout
from seqtree.nn.padding import outside
from seqtree.nn.recurrent import Recurrent
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.text.ngrams import NGrams

SUBWORD, SUBWORDS = 5, 1 << 16  # characters of the longest n-gram, and vectors of all
PAIRS = 1 << 17  # vectors of all pairs of neighbours
PAIR_DROPOUT = 0.2  # with which a pair is left out in training, as one that was never seen would be


def rows(matrix: Tensor, numbers: Tensor) -> Tensor:
    """Rows of a matrix; unlike that of indexing, the gradient is fast."""
    return matrix.index_select(0, numbers)


class CharacterEncoder(nn.Module):
    """A word's vector from its characters: a convolution of width 3, the maximum over places, and ReLU.

    ``spellings`` (S + 2,) are the characters of U words one after another, -1 before, between and after them
    -> (U, size). There are fewer characters than places in a batch: what each adds to its own place and to its two
    neighbours' is computed once, and a place's value is a sum of three of these.
    """

    def __init__(self, characters: int, embedding: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters + 1, embedding, padding_idx=characters)
        self.convolution = nn.Conv1d(embedding, size, 3, padding=1)

    def forward(self, spellings: Tensor, words: int) -> Tensor:
        """``words`` is U, the number of the words."""
        weight, bias = self.convolution.parameters()
        ids = torch.where(spellings < 0, self.embedding.num_embeddings - 1, spellings)
        if torch.is_grad_enabled() and len(ids) < self.embedding.num_embeddings:
            parts, ids = self._parts(ids), torch.arange(len(ids), device=ids.device)
        else:
            characters = torch.arange(self.embedding.num_embeddings, device=ids.device)
            parts = kept((self.embedding.weight, weight), "parts", lambda: self._parts(characters))
        near = 3 * ids.unfold(0, 3, 1) + torch.arange(3, device=ids.device)  # (S, 3)
        between = spellings[1:-1] < 0
        places = F.embedding_bag(near, parts, mode="sum").masked_fill(between[:, None], -torch.inf)  # (S, size)
        word = between.cumsum(0)[:, None].expand_as(places)
        highest = places.new_full((words, len(bias)), -torch.inf).scatter_reduce(0, word, places, "amax")
        return (highest + bias).relu()

    def _parts(self, characters: Tensor) -> Tensor:
        """What characters (C,) add to the place after them, to their own and to the one before: (3 C, size)."""
        kernel = self.convolution.weight.permute(1, 2, 0).flatten(1)  # (embedding, 3 size)
        parts: Tensor = self.embedding(characters) @ kernel
        return parts.view(3 * len(characters), -1)


class _Convolution(nn.Conv1d):
    """Computes in the type of its input."""

    def forward(self, input: Tensor) -> Tensor:
        bias = None if self.bias is None else cast(self.bias, input.dtype)
        return F.conv1d(input, cast(self.weight, input.dtype), bias, padding=1)


class Convolutions(nn.Module):
    """Layers of convolutions of width 3 with ReLU: (T, B, E) -> (T, B, ``size``); called as a ``Recurrent`` is.

    Each has the layer before added to it, where it is as wide (He et al. 2016).
    """

    def __init__(self, input_size: int, size: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        widths = [input_size, *[size] * layers]
        self.layers = nn.ModuleList(_Convolution(a, b, 3, padding=1) for a, b in pairwise(widths))

    def forward(self, input: Tensor, *, lengths: Tensor) -> tuple[Tensor, None]:
        padding = outside(len(input), lengths)[:, :, None]
        output = input
        for number, layer in enumerate(self.layers):
            if number:
                output = sequence_dropout(output, self.dropout, self.training)
            read = output.masked_fill(padding, 0.0).permute(1, 2, 0)  # (B, E, T)
            made = layer(read).relu().permute(2, 0, 1)
            output = output + made if made.shape == output.shape else made
        return output, None


class EncodedWords(NamedTuple):
    """``words`` (N, D): what is known of each word in its sentence.

    ``states`` ((T + 2) B, 2 H) are those of the encoder at every place of every sentence, its start and end included,
    as they were computed; None without an encoder.
    """

    words: Tensor
    states: Tensor | None


class WordEncoder(nn.Module):
    """A batch of N words in B sentences -> ``EncodedWords``, by the encoder that the configuration describes.

    Widths: D words, H units in each of two directions (or one).
    """

    word_dropout: Tensor  # the probability with which each word is read as unknown in training

    def __init__(self, lexicon: Lexicon, config: WordEncoderConfig) -> None:
        super().__init__()
        self.config = c = config
        if c.words:
            self.embedding = nn.Embedding(len(lexicon.words), c.words)
            nn.init.normal_(self.embedding.weight, std=0.5)
        if c.characters:
            self.spelling = CharacterEncoder(len(lexicon.characters), c.character_embedding, c.characters)
        if c.subwords:
            self.ngrams = NGrams(0, SUBWORD)
            self.subwords = nn.EmbeddingBag(SUBWORDS, c.subwords, mode="mean")
            nn.init.zeros_(self.subwords.weight)  # what training never meets says nothing
        if c.pairs:
            self.pairs = nn.Embedding(PAIRS, c.pairs)
            nn.init.zeros_(self.pairs.weight)
        if c.encoder == "cnn":
            self.encoder: nn.Module = Convolutions(c.input_size, c.directions * c.hidden, c.layers, c.dropout)
        elif c.encoder != "none":
            self.encoder = Recurrent(
                c.encoder,
                c.input_size,
                c.hidden,
                c.layers,
                dropout=c.dropout,
                weight_drop=c.weight_drop,
                bidirectional=c.directions == 2,
            )
        counts = torch.tensor(lexicon.counts, dtype=torch.float32, device="cpu")
        dropped = c.word_dropout / (c.word_dropout + counts) if c.word_dropout else torch.zeros_like(counts)
        dropped[[lexicon.words.start, lexicon.words.end]] = 0.0
        self.register_buffer("word_dropout", dropped, persistent=False)
        self.unknown = lexicon.words.unknown

    def forward(
        self, batch: SentenceBatch, products: torch.dtype | None = None, hidden: Tensor | None = None
    ) -> EncodedWords:
        """``hidden`` (N,) says which words are read as unknown, and without their spelling."""
        inside = self.ids((batch.place + 1) * len(batch.lengths) + batch.sentence)  # words in (T + 2) B
        vectors = self._word_vectors(batch, inside, hidden)  # (T + 2, B, words + characters)
        if self.config.encoder == "none":
            return EncodedWords(rows(vectors.flatten(0, 1), inside), None)
        vectors = sequence_dropout(vectors, self.config.dropout, self.training)
        states, _ = self.encoder(vectors.to(products or vectors.dtype), lengths=self.ids(batch.lengths + 2))
        if self.training:
            states = sequence_dropout(states.to(vectors.dtype), self.config.dropout, True)
        states = states.flatten(0, 1)  # ((T + 2) B, 2 H)
        return EncodedWords(rows(states, inside).to(vectors.dtype), states)

    def padded(self, values: Tensor, batch: SentenceBatch) -> Tensor:
        """Values (N, ...) of words at their places in their sentences, 0 at padding: (T, B, ...)."""
        size = (int(batch.lengths[0]), len(batch.lengths))
        places = self.ids(batch.place * size[1] + batch.sentence)
        flat = values.new_zeros(size[0] * size[1], *values.shape[1:]).index_copy(0, places, values)
        return flat.view(*size, *values.shape[1:])

    def ids(self, numbers: Ids) -> Tensor:
        """Numbers as a tensor on the encoder's device."""
        return torch.from_numpy(np.ascontiguousarray(numbers)).to(self.word_dropout.device)

    def _word_vectors(self, batch: SentenceBatch, inside: Tensor, hidden: Tensor | None) -> Tensor:
        parts = []
        known = self.ids(batch.words)
        if hidden is not None:
            known = known.flatten().index_fill(0, inside[hidden], self.unknown).view(known.shape)
        if self.config.words:
            ids = known
            if self.training:
                dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout[ids]
                ids = torch.where(dropped, self.unknown, ids)
            parts.append(self.embedding(ids))
        if self.config.characters:
            spelled = self.spelling(self.ids(batch.spellings), len(batch.distinct))  # (U, characters)
            parts.append(self._spread(rows(spelled, self.ids(batch.spelled)), batch, inside, hidden))
        if self.config.subwords:
            found = [self.ngrams.hashes([word])[1] for word in batch.distinct]
            offsets = self.ids(np.cumsum([0, *map(len, found[:-1])]))
            places = self.ids(np.concatenate(found) % SUBWORDS)
            vectors = rows(self.subwords(places, offsets), self.ids(batch.spelled))
            parts.append(self._spread(vectors, batch, inside, hidden))
        if self.config.pairs:
            parts += self._pairs(known, self.ids(batch.lengths))
        return torch.cat(parts, dim=2)

    def _pairs(self, ids: Tensor, lengths: Tensor) -> list[Tensor]:
        """The vectors (T + 2, B, pairs) of each word (T + 2, B) with the one before, and with the one after it.

        Nothing comes after the end of a sentence, padding neither: it would be read as the sentence alone never is.
        """
        vectors = self.pairs((ids[:-1] * 1_000_003 + ids[1:]) % PAIRS)  # (T + 1, B, pairs)
        vectors = vectors.masked_fill(outside(len(vectors), lengths + 1)[:, :, None], 0.0)
        if self.training:
            vectors = vectors * (torch.rand(vectors.shape[:2], device=vectors.device) >= PAIR_DROPOUT)[:, :, None]
        none = vectors.new_zeros(1, *vectors.shape[1:])
        return [torch.cat([none, vectors]), torch.cat([vectors, none])]

    def _spread(self, vectors: Tensor, batch: SentenceBatch, inside: Tensor, hidden: Tensor | None) -> Tensor:
        """Vectors (N, C) of words at their places among all, 0 elsewhere and where they are hidden: (T + 2, B, C)."""
        if hidden is not None:
            vectors = vectors * ~hidden[:, None]
        spread = vectors.new_zeros(batch.words.size, vectors.shape[1]).index_copy(0, inside, vectors)
        return spread.view(*batch.words.shape, -1)
