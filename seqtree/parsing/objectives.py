"""What the parser minimises: a margin at every greedy decision, or the chapters' margin between whole trees.

``stepwise`` and ``softmax``: the decoder walks through the batch, sometimes by its own choice and sometimes by the
oracle's; wherever it stands, the best correct merge is to beat the best wrong one by 1 (``stepwise``), or all correct
merges together are to have the probability (``softmax``).

``structured`` (chapter 7; Socher, Lin, Ng and Manning 2011): the gold tree is to beat every tree by kappa for each of
its wrong spans; the best offender is found by the decoder with that loss added.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.errors import InputError
from seqtree.nn.recursive import compose_forest
from seqtree.parsing.batch import SentenceBatch
from seqtree.parsing.greedy import Floats, Forests, Merges, best, decode
from seqtree.parsing.lexicon import GoldTree
from seqtree.parsing.network import Encoded, ParserNetwork
from seqtree.parsing.oracle import Flags, Oracle
from seqtree.parsing.spans import Ids, Pairs, Spans, SpanTable

OBJECTIVES = ("stepwise", "softmax", "structured")


@dataclass(frozen=True)
class ObjectiveSettings:
    """The objective; ``explore``, the share of decisions at which training follows the parser's own choice; ``kappa``,
    the margin for each wrong span; the weights of the losses of labels and tags beside it."""

    objective: str = "stepwise"
    explore: float = 0.5
    kappa: float = 0.1
    label_weight: float = 1.0
    tag_weight: float = 0.5

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise InputError(f"objective {self.objective!r}: expected one of {', '.join(OBJECTIVES)}")
        if not 0.0 <= self.explore <= 1.0:
            raise InputError(f"explore {self.explore}: expected a share from 0 to 1")
        for name in ("kappa", "label_weight", "tag_weight"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} {getattr(self, name)}: expected 0 or more")


def parser_loss(network: ParserNetwork, batch: SentenceBatch, trees: Sequence[GoldTree], settings: ObjectiveSettings
                ) -> Tensor:  # fmt: skip
    """The loss of a batch and its gold trees (in the batch's order), summed over its words."""
    encoded = network.encode(batch)
    if settings.objective == "structured":
        margins, labels = _structured(network, batch, encoded, trees, settings.kappa)
    else:
        margins, labels = _stepwise(network, batch, encoded, trees, settings)
    tags = network.ids(np.concatenate([tree.tags for tree in trees]))
    tagging = F.cross_entropy(encoded.tags, tags, ignore_index=-1, reduction="sum")
    return margins + settings.label_weight * labels + settings.tag_weight * tagging


def _stepwise(network: ParserNetwork, batch: SentenceBatch, encoded: Encoded, trees: Sequence[GoldTree],
              settings: ObjectiveSettings) -> tuple[Tensor, Tensor]:  # fmt: skip
    walk = _Walk(Oracle(trees), settings.explore)
    with _without_dropout(network):
        pairs = decode(network, batch, encoded, walk).pairs
    vectors = compose_forest(network.composition, encoded.leaves, pairs.left, pairs.right)
    scores = network.score_merges(encoded, batch, vectors[len(encoded.leaves) :], pairs.spans)
    labels = _label_loss(network, batch, encoded, vectors, batch.single_words + pairs.spans, trees)
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
        candidates = torch.from_numpy(np.concatenate(self._pairs)).to(scores.device)  # (S, W)
        correct = torch.from_numpy(np.concatenate(self._correct)).to(scores.device)
        padded = F.pad(scores, (1, 0), value=-torch.inf)
        scores = padded.index_select(0, (candidates + 1).flatten()).view_as(candidates)
        right = scores.masked_fill(~correct, -torch.inf)
        if objective == "softmax":
            return (scores.logsumexp(dim=1) - right.logsumexp(dim=1)).sum()
        wrong = scores.masked_fill(correct, -torch.inf)
        return (1.0 + wrong.amax(dim=1) - right.amax(dim=1)).relu().sum()


def _structured(network: ParserNetwork, batch: SentenceBatch, encoded: Encoded, trees: Sequence[GoldTree],
                kappa: float) -> tuple[Tensor, Tensor]:  # fmt: skip
    words = len(encoded.leaves)
    gold = _gold_pairs(batch, trees)
    table = SpanTable(gold.spans, np.ones_like(gold.left))

    def wrong(spans: Spans) -> Floats:
        return np.float32(kappa) * (table.look_up(spans) == 0)

    with _without_dropout(network):
        decoding = decode(network, batch, encoded, bonus=wrong)
    offender = _merged(decoding.pairs, decoding.merges, words, words + len(gold))
    both = Pairs.concatenated([gold, offender])
    vectors = compose_forest(network.composition, encoded.leaves, both.left, both.right)
    scores = network.score_merges(encoded, batch, vectors[words:], both.spans)
    loss = torch.from_numpy(wrong(offender.spans)).to(scores.device)
    scores = torch.cat([-scores[: len(gold)], scores[len(gold) :] + loss])
    margins = scores.new_zeros(len(trees)).index_add(0, network.ids(both.spans.sentence), scores)
    return margins.relu().sum(), _label_loss(network, batch, encoded, vectors, batch.single_words + both.spans, trees)


def _gold_pairs(batch: SentenceBatch, trees: Sequence[GoldTree]) -> Pairs:
    """The merges of the gold trees, children before parents, as nodes numbered from N."""
    first = int(batch.lengths.sum())
    parts = []
    for row, (tree, offset) in enumerate(zip(trees, batch.offsets.tolist(), strict=True)):
        parts.append(_tree_pairs(tree, row, offset, first))
        first += len(parts[-1])
    return Pairs.concatenated(parts)


def _tree_pairs(tree: GoldTree, row: int, offset: int, first: int) -> Pairs:
    node = {(i, i + 1): offset + i for i in range(len(tree))}
    left, right = [], []
    for number, (start, middle, end) in enumerate(tree.binary.merges):
        left.append(node[start, middle])
        right.append(node[middle, end])
        node[start, end] = first + number
    merges = np.array(tree.binary.merges, dtype=np.int64).reshape(-1, 3)
    spans = Spans(np.full(len(merges), row), merges[:, 0], merges[:, 2])
    return Pairs(np.array(left, dtype=np.int64), np.array(right, dtype=np.int64), spans)


def _merged(pairs: Pairs, merges: Merges, words: int, first: int) -> Pairs:
    """Those pairs that were merged, their nodes numbered from ``first`` on, after N words."""
    kept = np.sort(merges.pair)
    number = np.arange(words + len(pairs))
    number[words + kept] = first + np.arange(len(kept))
    return Pairs(number[pairs.left[kept]], number[pairs.right[kept]], pairs.spans[kept])


def _label_loss(network: ParserNetwork, batch: SentenceBatch, encoded: Encoded, vectors: Tensor, spans: Spans,
                trees: Sequence[GoldTree]) -> Tensor:  # fmt: skip
    """The summed cross-entropy of the labels of ``spans`` (most of them empty), whose nodes have ``vectors``."""
    sizes = np.array([len(tree.starts) for tree in trees])
    gold = Spans(np.repeat(np.arange(len(trees)), sizes), np.concatenate([tree.starts for tree in trees]),
                 np.concatenate([tree.ends for tree in trees]))  # fmt: skip
    table = SpanTable(gold, np.concatenate([tree.labels for tree in trees]))
    logits = network.score_labels(encoded, batch, vectors, spans)
    return F.cross_entropy(logits, network.ids(table.look_up(spans)), ignore_index=-1, reduction="sum")


@contextmanager
def _without_dropout(network: ParserNetwork) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
