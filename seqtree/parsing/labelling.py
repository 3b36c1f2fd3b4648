"""The k best labellings of the spans of a tree, whose labels are independent of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqtree.parsing.spans import Spans
from seqtree.text.lexicon import Ids

Doubles = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Labellings:
    """K labellings of the M spans of one tree, best first.

    ``scores`` (K,) are sums of log-probabilities. ``keys`` (K,) are the exclusive or of the keys of their labelled
    spans. ``best`` (M,) are the labels of the first one; the others differ from it in the spans ``rows`` (R,) only,
    where they have the labels ``changed`` (K, R).
    """

    scores: Doubles
    keys: Keys
    best: Ids
    rows: Ids
    changed: npt.NDArray[np.int32]

    def labels(self, number: int) -> Ids:
        """The labels (M,) of one of the labellings."""
        chosen = self.best.copy()
        chosen[self.rows] = self.changed[number]
        return chosen


def best_labellings(scores: npt.NDArray[np.float32], k: int, keys: Keys) -> Labellings:
    """The ``k`` best labellings of M spans, or as many as there are.

    ``scores`` (M, L) are log-probabilities; a label whose score is -inf is never chosen. ``keys`` (M, L) are random
    numbers, one for each label of each span, and 0 for the empty label.
    """
    exact = scores.astype(np.float64)
    best, top = exact.argmax(axis=1), exact.max(axis=1, initial=-np.inf)
    possible = bool(np.isfinite(top).all())
    losses = np.where(possible, top, 0.0)[:, None] - exact
    losses[np.arange(len(best)), best] = np.inf
    options = _options(losses, k)
    lost, key = np.zeros(1), np.bitwise_xor.reduce(keys[np.arange(len(best)), best], keepdims=True)
    changed = np.zeros((1, 0), dtype=np.int32)
    for row, others in options.items():
        more = (lost[:, None] + losses[row, others]).ravel()
        order = np.argsort(np.concatenate([lost, more]), kind="stable")[:k]
        before = np.where(order < len(lost), order, (order - len(lost)) // len(others))
        label = np.where(order < len(lost), best[row], np.asarray(others)[(order - len(lost)) % len(others)])
        key = key[before] ^ keys[row, best[row]] ^ keys[row, label]
        changed = np.column_stack([changed[before], label.astype(np.int32)])
        lost = np.concatenate([lost, more])[order]
    found = len(lost) if possible else 0
    rows = np.array(list(options), dtype=np.int64)
    return Labellings((float(top.sum()) - lost)[:found], key[:found], best, rows, changed[:found])


def _options(losses: Doubles, k: int) -> dict[int, list[int]]:
    """By span, the labels of the k - 1 smallest finite losses (M, L).

    Each of them gives a labelling by itself, so that the k best labellings have no label of a larger loss.
    """
    small = np.argpartition(losses, min(k - 1, losses.size - 1), axis=None)[: k - 1]
    options: dict[int, list[int]] = {}
    for at in small[np.isfinite(losses.flat[small])].tolist():
        row, label = divmod(at, losses.shape[1])
        options.setdefault(row, []).append(label)
    return options


def random_keys(spans: Spans, labels: int) -> Keys:
    """64 random bits for each label of these spans of one sentence (M, L), equal for equal spans; 0 for label 0."""
    places, which = np.unique(np.stack([spans.start, spans.end]), axis=1, return_inverse=True)
    keys = np.random.default_rng(0).integers(2**64, size=(places.shape[1], labels), dtype=np.uint64)
    keys[:, 0] = 0
    return keys[which]


def best_trees(
    forests: Sequence[float], labelled: Sequence[Labellings], whole_trees: bool
) -> list[tuple[float, int, int]]:
    """The labelled trees of all forests, best first: the rank, and the forest and the labelling of its best way.

    Labellings with equal keys are the same tree; its rank is the best of their scores for ``whole_trees``, and
    otherwise the logarithm of the sum of their probabilities. ``forests`` are the scores of the unlabelled forests.
    """
    sizes = [len(one.scores) for one in labelled]
    forest = np.repeat(np.arange(len(sizes)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    score = np.asarray(forests)[forest] + np.concatenate([one.scores for one in labelled])
    keys = np.concatenate([one.keys for one in labelled])
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(keys[order]) != 0))[: len(keys)]
    ranks = (np.maximum if whole_trees else np.logaddexp).reduceat(score[order], first)
    best = np.lexsort((order, -score[order], keys[order]))[first]
    found = np.lexsort((order[first], -ranks))  # ties: the tree that is found first
    ways = order[best[found]]
    return list(zip(ranks[found].tolist(), forest[ways].tolist(), number[ways].tolist(), strict=True))
