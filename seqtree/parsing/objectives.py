"""What the parser minimises: a margin at every greedy decision, or the chapters' margin between whole trees.

``stepwise`` and ``softmax``: the decoder walks through the batch, sometimes by its own choice and sometimes by the
oracle's; wherever it stands, the best correct merge is to beat the best wrong one by 1 (``stepwise``), or all correct
merges together are to have the probability (``softmax``).

``structured`` (chapter 7; Socher, Lin, Ng and Manning 2011): the best correct tree is to beat every tree by kappa for
each of its wrong spans; the best offender is found by the decoder with that loss added. The margins are those of
``nn/margins.py``, which scenes share.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.nn.margins import decision_loss, largest_violations, merged_alone, without_dropout
from seqtree.nn.recursive import compose_forest
from seqtree.parsing.config import ObjectiveSettings
from seqtree.parsing.decoding import Decoding, Encoded, Floats
from seqtree.parsing.gold import GoldTree
from seqtree.parsing.greedy import Forests, best, decode
from seqtree.parsing.network import ParserNetwork
from seqtree.parsing.oracle import Flags, Oracle
from seqtree.parsing.spans import Pairs, Spans, SpanTable, word_spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids


def parser_loss(
    network: ParserNetwork, batch: SentenceBatch, trees: Sequence[GoldTree], settings: ObjectiveSettings
) -> Tensor:
    """The loss of a batch and its gold trees (in the batch's order), summed over its words."""
    encoded = network.encode(batch)
    if settings.objective == "structured":
        margins, labels = _structured(network, batch, encoded, trees, settings.kappa)
    else:
        margins, labels = _stepwise(network, batch, encoded, trees, settings)
    tags = _tag_loss(network, encoded, [tree.tags for tree in trees], settings)
    return margins + settings.label_weight * labels + tags


def tag_loss(network: ParserNetwork, batch: SentenceBatch, tags: Sequence[Ids], settings: ObjectiveSettings) -> Tensor:
    """The part of the loss that sentences without trees have: that of the tags (n,) of each, in the batch's order."""
    return _tag_loss(network, network.encode(batch), tags, settings)


def _tag_loss(
    network: ParserNetwork, encoded: Encoded[Tensor], tags: Sequence[Ids], settings: ObjectiveSettings
) -> Tensor:
    gold = network.ids(np.concatenate(tags))
    return settings.tag_weight * F.cross_entropy(encoded.tags, gold, ignore_index=-1, reduction="sum")


def _stepwise(
    network: ParserNetwork,
    batch: SentenceBatch,
    encoded: Encoded[Tensor],
    trees: Sequence[GoldTree],
    settings: ObjectiveSettings,
) -> tuple[Tensor, Tensor]:
    walk = _Walk(Oracle(trees), settings.explore)
    with without_dropout(network):
        pairs = decode(network, batch, encoded, walk).pairs
    vectors = compose_forest(network.composition, encoded.leaves, pairs.left, pairs.right)
    scores = network.score_merges(encoded, batch, vectors[len(encoded.leaves) :], pairs.spans)
    labels = _label_loss(network, batch, encoded, vectors, word_spans(batch) + pairs.spans, trees)
    return walk.loss(scores, settings.objective), labels


class _Walk:
    """Chooses merges for training, and keeps what there was to choose from at every decision."""

    def __init__(self, oracle: Oracle, explore: float) -> None:
        self.oracle, self.explore = oracle, explore
        self._pairs: list[Ids] = []
        self._correct: list[Flags] = []

    def __call__(self, forests: Forests, active: int) -> Ids:
        score = forests.score[:active]
        correct = self.oracle.correct(forests, active)
        self._pairs.append(np.where(np.isfinite(score), forests.pair[:active], -1))
        self._correct.append(correct)
        advised = np.where(correct, score, -np.inf).argmax(axis=1)
        own = torch.rand(active).numpy() < self.explore
        start: Ids = np.where(own, best(forests, active), advised)
        self.oracle.merged(start, forests.pair_end[np.arange(active), start])
        return start

    def loss(self, scores: Tensor, objective: str) -> Tensor:
        """The sum over all decisions, given the scores of all pairs (k,)."""
        if not self._pairs:
            return scores.sum()
        return decision_loss(scores, np.concatenate(self._pairs), np.concatenate(self._correct), objective)


def _structured(
    network: ParserNetwork, batch: SentenceBatch, encoded: Encoded[Tensor], trees: Sequence[GoldTree], kappa: float
) -> tuple[Tensor, Tensor]:
    oracle, words = Oracle(trees), len(encoded.leaves)

    def wrong(spans: Spans) -> Floats:
        return np.float32(kappa) * oracle.crossing(spans)

    with without_dropout(network):
        correct = decode(network, batch, encoded, _Walk(oracle, explore=0.0))
        offender = decode(network, batch, encoded, bonus=wrong)
    pairs, made_correct, made_offender = _merged(correct, offender, words)
    vectors = compose_forest(network.composition, encoded.leaves, pairs.left, pairs.right)
    scores = network.score_merges(encoded, batch, vectors[words:], pairs.spans)
    loss = torch.from_numpy(wrong(pairs.spans)).to(scores.device)  # none for the correct ones
    ahead = (scores + loss)[made_offender] - scores[made_correct]
    violations = largest_violations(ahead, batch.lengths - 1)
    labels = _label_loss(network, batch, encoded, vectors, word_spans(batch) + pairs.spans, trees)
    return violations, labels


def _merged(one: Decoding[Tensor], other: Decoding[Tensor], words: int) -> tuple[Pairs, Tensor, Tensor]:
    """The pairs that two decodings merged, as one forest over N words; and which of them each of their merges made."""
    forests, made, first = [], [], 0
    for decoding in (one, other):
        pairs = decoding.pairs
        left, right, kept, own = merged_alone(words, pairs.left, pairs.right, decoding.merges.pair, first)
        forests.append(Pairs(left, right, pairs.spans[kept]))
        made.append(torch.from_numpy(own))
        first += len(kept)
    return Pairs.concatenated(forests), made[0], made[1]


def _label_loss(
    network: ParserNetwork,
    batch: SentenceBatch,
    encoded: Encoded[Tensor],
    vectors: Tensor,
    spans: Spans,
    trees: Sequence[GoldTree],
) -> Tensor:
    """The summed cross-entropy of the labels of ``spans`` (most of them empty), whose nodes have ``vectors``."""
    sizes = np.array([len(tree.starts) for tree in trees])
    gold = Spans(
        np.repeat(np.arange(len(trees)), sizes),
        np.concatenate([tree.starts for tree in trees]),
        np.concatenate([tree.ends for tree in trees]),
    )
    table = SpanTable(gold, np.concatenate([tree.labels for tree in trees]))
    logits = network.score_labels(encoded, batch, vectors, spans)
    return F.cross_entropy(logits, network.ids(table.look_up(spans)), ignore_index=-1, reduction="sum")
