"""The parser's network: leaves that see their sentence, the recursive composition, scores of merges and labels.

The chapters' parser (chapter 7; Socher, Lin, Ng and Manning 2011) is ``encoder="none"``: a leaf is its word's vector
and a merge scores s = u . p. With a recurrent encoder each leaf sees its whole sentence, and a merge is scored from its
composed vector and its span's difference of encoder states (Stern, Andreas and Klein 2017) together.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.errors import InputError
from seqtree.nn.dropout import dropout_mask, sequence_dropout
from seqtree.nn.recurrent import GATES, Recurrent
from seqtree.nn.recursive import COMPOSITIONS, Composition
from seqtree.parsing.spans import Ids, Spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Lexicon

ENCODERS = ("none", *GATES)


@dataclass(frozen=True)
class ParserConfig:
    """The shape of a parser's network; checked on construction (InputError).

    ``vector`` is the width of a tree node, ``scorer`` that of the hidden layers which score merges and labels (none of
    them where there is no encoder); ``words`` and ``characters`` are the widths of a word's two vectors (0: left out).
    A word that was seen n times is dropped with the probability w / (w + n), w the ``word_dropout``. ``whole_trees``:
    the scores were trained to be summed over a tree, not to be compared at one decision.
    """

    encoder: str = "lstm"
    composition: str = "relu"
    words: int = 100
    characters: int = 100
    character_embedding: int = 32
    layers: int = 2
    hidden: int = 250
    vector: int = 200
    scorer: int = 250
    dropout: float = 0.35
    weight_drop: float = 0.0
    word_dropout: float = 0.8
    whole_trees: bool = False

    def __post_init__(self) -> None:
        if self.encoder not in ENCODERS:
            raise InputError(f"encoder {self.encoder!r}: expected one of {', '.join(ENCODERS)}")
        if self.composition not in COMPOSITIONS:
            raise InputError(f"composition {self.composition!r}: expected one of {', '.join(COMPOSITIONS)}")
        for name in ("character_embedding", "layers", "hidden", "vector", "scorer"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: expected at least 1")
        if min(self.words, self.characters) < 0 or self.words + self.characters < 1:
            raise InputError(f"words {self.words}, characters {self.characters}: expected 0 or more, and one of both")
        if self.composition == "lstm" and self.vector % 2:
            raise InputError(f"vector {self.vector}: a tree LSTM needs an even width")
        for name in ("dropout", "weight_drop"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} {getattr(self, name)}: expected a share from 0 to below 1")
        if not 0.0 <= self.word_dropout < math.inf:
            raise InputError(f"word_dropout {self.word_dropout}: expected 0 or more")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ParserConfig:
        """From the JSON form in a model file; raises InputError on unknown or missing fields."""
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"parser config: {error}") from error

    to_json = asdict


@dataclass(frozen=True)
class Encoded:
    """What the encoder makes of a batch of N words in B sentences.

    ``leaves`` (N, vector): the leaves of the trees. ``merges`` and ``labels`` (N + B, scorer): the part that each fence
    has in the scores of a span that begins or ends there; None without an encoder. ``tags`` (N, tags): logits.
    """

    leaves: Tensor
    merges: Tensor | None
    labels: Tensor | None
    tags: Tensor


def _rows(matrix: Tensor, numbers: Tensor) -> Tensor:
    """Rows of a matrix; unlike that of indexing, the gradient is fast."""
    return matrix.index_select(0, numbers)


def _product(layer: nn.Linear, input: Tensor, dtype: torch.dtype | None) -> Tensor:
    """``layer(input)``, the product taken in ``dtype``; many rows only, for the weights are cast each time."""
    if dtype is None:
        result: Tensor = layer(input)
        return result
    bias = None if layer.bias is None else layer.bias.to(dtype)
    return F.linear(input.to(dtype), layer.weight.to(dtype), bias).to(input.dtype)


class SpanScorer(nn.Module):
    """Scores of spans from their vectors (M, V) and their fences: (M, outputs).

    With a hidden layer: U relu(W p + F[end] - F[start] + b) + c, where F are the fences' parts; without, U p + c. All
    spans of a sentence have the same hidden units dropped, so that their scores compare.
    """

    def __init__(self, vector: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.hidden = nn.Linear(vector, hidden) if hidden else None
        self.output = nn.Linear(hidden or vector, outputs)

    def forward(
        self,
        vectors: Tensor,
        fences: Tensor | None,
        start: Tensor,
        end: Tensor,
        sentence: Tensor,
        sentences: int,
        dtype: torch.dtype | None,
    ) -> Tensor:
        if self.hidden is not None and fences is not None:
            vectors = F.relu(_product(self.hidden, vectors, dtype) + _rows(fences, end) - _rows(fences, start))
            if self.training and self.dropout:
                masks = dropout_mask((sentences, vectors.shape[1]), self.dropout, vectors)
                vectors = vectors * _rows(masks, sentence)
        scores: Tensor = self.output(vectors)  # (M, outputs)
        return scores


class CharacterEncoder(nn.Module):
    """A word's vector from its characters: a convolution of width 3 and the maximum over places (U, C) -> (U, size).

    dos Santos and Zadrozny 2014.
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


class ParserNetwork(nn.Module):
    """Encodes sentences; composes and scores spans. The decoders and the objectives say which.

    ``products`` is the type in which the encoder and the larger products compute (None: that of the weights).
    """

    products: torch.dtype | None = None
    forgetting: Tensor  # how likely each word is dropped in training

    def __init__(self, lexicon: Lexicon, config: ParserConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        inputs = c.words + c.characters
        if c.words:
            self.embedding = nn.Embedding(len(lexicon.words), c.words)
            nn.init.normal_(self.embedding.weight, std=0.5)
        if c.characters:
            self.spelling = CharacterEncoder(len(lexicon.characters), c.character_embedding, c.characters)
        hidden = 0
        if c.encoder != "none":
            hidden, inputs = c.scorer, 2 * c.hidden
            self.encoder = Recurrent(
                c.encoder,
                c.words + c.characters,
                c.hidden,
                c.layers,
                dropout=c.dropout,
                weight_drop=c.weight_drop,
                bidirectional=True,
            )
            self.fences = nn.Linear(inputs, 2 * c.scorer, bias=False)
        self.leaf = nn.Linear(inputs, c.vector)
        self.composition = Composition(c.composition, c.vector)
        seen = self.composition.output_size
        self.merge_scorer = SpanScorer(seen, hidden, 1, c.dropout)
        self.label_scorer = SpanScorer(seen, hidden, len(lexicon.labels), c.dropout)
        self.tagger = nn.Linear(inputs, max(1, len(lexicon.tags)))
        lost = c.word_dropout / (c.word_dropout + torch.tensor(lexicon.counts, dtype=torch.float32))
        lost[[lexicon.words.start, lexicon.words.end]] = 0.0
        self.register_buffer("forgetting", lost if c.word_dropout else torch.zeros_like(lost), persistent=False)
        self.unknown = lexicon.words.unknown

    def encode(self, batch: SentenceBatch) -> Encoded:
        """Leaves, fences and tags of a batch."""
        c = self.config
        words, fences = batch.single_words, batch.all_fences
        rows = len(batch.lengths)
        inside = self.ids(words.end * rows + words.sentence)  # words in (T + 2) B; the start token is at place 0
        vectors = self._word_vectors(batch, inside)  # (T + 2, B, words + characters)
        if c.encoder == "none":
            inner = _rows(vectors.flatten(0, 1), inside)
            return Encoded(self._leaves(inner), None, None, self.tagger(inner))
        vectors = sequence_dropout(vectors, c.dropout, self.training)
        lengths = self.ids(batch.lengths + 2)
        states, _ = self.encoder(vectors.to(self.products or vectors.dtype), lengths=lengths)
        states = sequence_dropout(states.to(vectors.dtype), c.dropout, self.training)  # (T + 2, B, 2 H)
        states = states.flatten(0, 1)
        inner = _rows(states, inside)
        before = self.ids(fences.start * rows + fences.sentence)  # the word before each fence; rows on is the next one
        seen = torch.cat([_rows(states[:, : c.hidden], before), _rows(states[:, c.hidden :], before + rows)], dim=1)
        merges, labels = _product(self.fences, seen, self.products).split(c.scorer, dim=1)
        return Encoded(self._leaves(inner), merges, labels, self.tagger(inner))

    def score_merges(self, encoded: Encoded, batch: SentenceBatch, vectors: Tensor, spans: Spans) -> Tensor:
        """The scores (k,) of making nodes of these spans, whose vectors (k, V) are composed."""
        return self._score(self.merge_scorer, encoded.merges, batch, vectors, spans)[:, 0]

    def score_labels(self, encoded: Encoded, batch: SentenceBatch, vectors: Tensor, spans: Spans) -> Tensor:
        """The logits (k, labels) of the labels of spans with vectors (k, V)."""
        return self._score(self.label_scorer, encoded.labels, batch, vectors, spans)

    def ids(self, numbers: Ids) -> Tensor:
        """Numbers as a tensor on the network's device."""
        return torch.from_numpy(numbers).to(self.leaf.weight.device)

    def _score(
        self, scorer: SpanScorer, fences: Tensor | None, batch: SentenceBatch, vectors: Tensor, spans: Spans
    ) -> Tensor:
        start, end = (self.ids(batch.fences(spans.sentence, place)) for place in (spans.start, spans.end))
        dtype = self.products if self.training else None
        seen = self.composition.output(vectors)
        sentence = self.ids(spans.sentence)
        scores: Tensor = scorer(seen, fences, start, end, sentence, len(batch.lengths), dtype)
        return scores

    def _word_vectors(self, batch: SentenceBatch, inside: Tensor) -> Tensor:
        parts = []
        if self.config.words:
            ids = self.ids(batch.words)
            if self.training:
                lost = torch.rand(ids.shape, device=ids.device) < self.forgetting[ids]
                ids = torch.where(lost, self.unknown, ids)
            parts.append(self.embedding(ids))
        if self.config.characters:
            vectors = _rows(self.spelling(self.ids(batch.spellings)), self.ids(batch.spelled))  # (N, characters)
            spread = vectors.new_zeros(batch.words.size, vectors.shape[1]).index_copy(0, inside, vectors)
            parts.append(spread.view(*batch.words.shape, -1))
        return torch.cat(parts, dim=2)

    def _leaves(self, inner: Tensor) -> Tensor:
        leaves = _product(self.leaf, inner, self.products)
        return leaves.tanh() if self.config.composition in ("tanh", "lstm") else leaves.relu()
