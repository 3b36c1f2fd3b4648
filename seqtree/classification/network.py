"""The classifier's network: words in their text, one vector of all, a score for every class; and weights of n-grams."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.classification.batches import Grams, TextBatch
from seqtree.classification.config import ClassifierNetworkConfig
from seqtree.nn.dropout import sequence_dropout
from seqtree.nn.network import Network
from seqtree.nn.pooling import Pooling
from seqtree.nn.words import WordEncoder
from seqtree.text.lexicon import Lexicon

SCALE = 4.0  # the length of the vector of a text's n-grams
DESCENT = 3000.0  # n-grams' weights are learned by gradient descent at so many times the learning rate


class ClassScores(NamedTuple):
    """Scores (B, classes) by the words in their text and by n-grams, and the attention (T, W) of each window's words.

    ``grams`` and ``attention`` are None for a network without.
    """

    words: Tensor
    grams: Tensor | None
    attention: Tensor | None

    @property
    def parts(self) -> list[Tensor]:
        """The scores there are: by words and, if the network has any, by n-grams."""
        return [self.words] if self.grams is None else [self.words, self.grams]


class ClassifierNetwork(Network):
    """A batch of B texts -> ``ClassScores``: U v + sum of the weights of its n-grams.

    v is the mean of the vectors of a text's windows. An n-gram that occurs c times counts (1 + log c) idf, divided by
    the length of the vector of all of words, or of all of characters, in the text (tf-idf). The training texts give
    ``idf`` (F,) and ``known`` (F,), the hashes of the n-grams that have weights.
    """

    config: ClassifierNetworkConfig
    idf: Tensor
    known: Tensor

    def __init__(self, lexicon: Lexicon, classes: int, grams: int, config: ClassifierNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.words = WordEncoder(lexicon, config)
        self.pooling = Pooling(config.pooling, config.output_size, config.directions)
        self.output = nn.Linear(self.pooling.output_size, classes)
        if config.has_ngrams:
            self.grams = nn.Parameter(torch.zeros(grams, classes))
            self.grams.descent = DESCENT  # type: ignore[attr-defined]  # see training/optimizer.py
            self.register_buffer("idf", torch.ones(grams))
            self.register_buffer("known", torch.zeros(grams, dtype=torch.long))

    def forward(self, batch: TextBatch) -> ClassScores:
        windows = batch.windows
        states = self.words.padded(self.words(windows, self.products).words, windows)  # (T, W, D)
        lengths, text = self.words.ids(windows.lengths), self.words.ids(batch.text)
        attention = self.pooling.weights(states, lengths) if self.config.pooling == "attention" else None
        vectors = self.pooling(states, lengths)  # (W, P)
        counts = torch.bincount(text, minlength=len(batch)).to(vectors.dtype)
        means = vectors.new_zeros(len(batch), vectors.shape[1]).index_add(0, text, vectors) / counts[:, None]
        scores = self.output(sequence_dropout(means[None], self.config.output_dropout, self.training)[0])
        return ClassScores(scores, self._grams(batch.grams) if hasattr(self, "grams") else None, attention)

    def loss(self, batch: TextBatch, labels: Tensor, weights: Tensor | None) -> Tensor:
        """-log p of the labels (B,), times the weight of each label's class (classes,), summed over the texts.

        Words and n-grams are each trained by themselves, and the mean of both losses is given: trained as a sum, what
        learns faster would leave the other nothing to learn.
        """
        scores = self(batch)
        weights = None if weights is None else weights.to(scores.words)
        losses = [F.cross_entropy(logits, labels, weights, reduction="sum") for logits in scores.parts]
        return sum(losses[1:], losses[0]) / len(losses)

    def _grams(self, grams: Grams) -> Tensor:
        """The sums (B, classes) of the weights of n-grams."""
        numbers, offsets = self.words.ids(grams.numbers), self.words.ids(grams.offsets)
        counts = torch.from_numpy(grams.counts).to(numbers.device)
        values = (1.0 + counts.log()) * self.idf[numbers]
        sizes = torch.diff(offsets, append=offsets.new_tensor([len(numbers)]))
        group = torch.repeat_interleave(torch.arange(len(offsets), device=numbers.device), sizes)
        lengths = values.new_zeros(len(offsets)).index_add(0, group, values.square()).sqrt()
        values = SCALE / math.sqrt(2.0) * values / lengths[group]
        sums: Tensor = F.embedding_bag(numbers, self.grams, offsets, mode="sum", per_sample_weights=values)
        return sums.view(-1, 2, sums.shape[1]).sum(dim=1)
