"""The tagger's network: words in their sentence, a score for every tag of every word, and paths through them."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.crf import CRF
from seqtree.nn.neighbours import Neighbours
from seqtree.nn.network import Network
from seqtree.nn.padding import outside
from seqtree.nn.pooling import Pooling
from seqtree.nn.words import WordEncoder
from seqtree.tagging.config import TaggerNetworkConfig
from seqtree.text.batches import SentenceBatch
from seqtree.text.chunks import may_follow
from seqtree.text.lexicon import Ids, LabelSet, Lexicon


class TagScores(NamedTuple):
    """Scores of tags at each place (T, B, K), by the words in their sentence and by n-grams; and logits of intents.

    ``grams`` is None for a network without, and ``intents`` (B, I), too.
    """

    words: Tensor
    grams: Tensor | None
    intents: Tensor | None

    @property
    def emissions(self) -> Tensor:
        """The mean of both (T, B, K)."""
        return self.words if self.grams is None else (self.words + self.grams) / 2


class TaggerNetwork(Network):
    """A batch of B sentences -> ``TagScores``.

    With intents, a sentence's intent is predicted from the mean and the maximum of its words' states, and a vector of
    it, weighted by its probabilities, joins every word's state (after Qin et al. 2019).
    Paths of tags that are chunk tags in BIOES (``chunks``) never break that scheme.
    """

    config: TaggerNetworkConfig

    def __init__(
        self, lexicon: Lexicon, tags: LabelSet[str], intents: int, chunks: bool, grams: int, config: TaggerNetworkConfig
    ) -> None:
        super().__init__()
        self.config = config
        self.words = WordEncoder(lexicon, config)
        width = config.output_size
        if intents:
            self.sentence = Pooling("mean+max", width)
            self.intent = nn.Linear(self.sentence.output_size, intents)
            self.intent_vector = nn.Linear(intents, config.intent_vector, bias=False)
            width += config.intent_vector
        self.output = nn.Linear(width, len(tags))
        if config.ngrams:
            self.grams = Neighbours(config.ngrams, grams, len(tags))
        names = tags.names
        may = may_follow if chunks else lambda before, tag: True
        self.paths = CRF(
            (
                [may(None, tag) for tag in names],
                [[may(before, tag) for tag in names] for before in names],
                [may(tag, None) for tag in names],
            ),
            learned=config.crf,
        )

    def forward(self, batch: SentenceBatch) -> TagScores:
        states = self.words(batch, self.products).words  # (N, D)
        intents = None
        if hasattr(self, "intent"):
            padded = self.words.padded(states, batch)
            intents = self.intent(self.sentence(padded, self.words.ids(batch.lengths)))  # (B, I)
            vectors = self.intent_vector(intents.softmax(dim=1))  # (B, V)
            states = torch.cat([states, vectors[self.words.ids(batch.sentence)]], dim=1)
        scores = self.words.padded(self.output(states), batch)
        grams = self.grams(self.words.ids(batch.words)) if self.config.ngrams else None
        return TagScores(scores, grams, intents)

    def loss(self, batch: SentenceBatch, tags: Ids, intents: Ids) -> Tensor:
        """-log p of tags (N,) and, with intents, of these (B,), -1 left out; summed over sentences.

        Words and n-grams are each trained by themselves, as in a classifier, and the mean of both losses is given.
        """
        scores = self(batch)
        lengths, gold = self.words.ids(batch.lengths), self.words.padded(self.words.ids(tags), batch)  # (B,), (T, B)
        losses = [self._tag_loss(part, lengths, gold) for part in (scores.words, scores.grams) if part is not None]
        loss = sum(losses[1:], losses[0]) / len(losses)
        if scores.intents is not None:
            loss = loss + F.cross_entropy(scores.intents, self.words.ids(intents), ignore_index=-1, reduction="sum")
        return loss

    def _tag_loss(self, emissions: Tensor, lengths: Tensor, gold: Tensor) -> Tensor:
        if self.config.crf:
            return self.paths.loss(emissions, lengths, gold)
        wanted = gold.masked_fill(outside(len(gold), lengths), -1).flatten()
        return F.cross_entropy(emissions.flatten(0, 1), wanted, ignore_index=-1, reduction="sum")
