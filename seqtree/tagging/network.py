"""The tagger's network: words in their sentence, a score for every tag of every word, and paths through them."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.nn.crf import CRF
from seqtree.nn.network import Network
from seqtree.nn.pooling import Pooling
from seqtree.nn.words import WordEncoder
from seqtree.tagging.config import TaggerNetworkConfig
from seqtree.text.batches import SentenceBatch
from seqtree.text.chunks import may_follow
from seqtree.text.lexicon import Ids, LabelSet, Lexicon


class TagScores(NamedTuple):
    """``emissions`` (T, B, K): scores of tags at each place. ``intents`` (B, I): logits; None without intents."""

    emissions: Tensor
    intents: Tensor | None


class TaggerNetwork(Network):
    """A batch of B sentences -> ``TagScores``.

    With intents, a sentence's intent is predicted from the mean and the maximum of its words' states, and a vector of
    it, weighted by its probabilities, joins every word's state (after Qin et al. 2019).
    Paths of tags that are chunk tags in BIOES (``chunks``) never break that scheme.
    """

    config: TaggerNetworkConfig

    def __init__(
        self, lexicon: Lexicon, tags: LabelSet[str], intents: int, chunks: bool, config: TaggerNetworkConfig
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
        names = tags.names
        may = may_follow if chunks else lambda before, tag: True
        self.constrained = chunks
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
        return TagScores(self.words.padded(self.output(states), batch), intents)

    def loss(self, batch: SentenceBatch, tags: Ids, intents: Ids) -> Tensor:
        """-log p of tags (N,) and, with intents, of these (B,), -1 left out; summed over sentences."""
        scores = self(batch)
        lengths, gold = self.words.ids(batch.lengths), self.words.padded(self.words.ids(tags), batch)  # (B,), (T, B)
        if self.config.crf:
            loss = self.paths.loss(scores.emissions, lengths, gold)
        else:
            gold[torch.arange(len(gold), device=gold.device)[:, None] >= lengths] = -1
            loss = F.cross_entropy(scores.emissions.flatten(0, 1), gold.flatten(), ignore_index=-1, reduction="sum")
        if scores.intents is not None:
            loss = loss + F.cross_entropy(scores.intents, self.words.ids(intents), ignore_index=-1, reduction="sum")
        return loss
