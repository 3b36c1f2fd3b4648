"""The k best labellings of the spans of a tree, whose labels are independent of each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from seqtree.text.lexicon import Ids


def best_labellings(scores: npt.NDArray[np.float32], k: int) -> Iterator[tuple[float, Ids]]:
    """The ``k`` best labellings of M spans, best first: the sum of the scores, and labels (M,).

    ``scores`` (M, L) are log-probabilities; a label whose score is -inf is never chosen.
    """
    exact = scores.astype(np.float64)
    best = exact.argmax(axis=1)
    top = exact.max(axis=1, initial=-np.inf)
    if not np.isfinite(top).all():
        return
    losses = top[:, None] - exact
    losses[np.arange(len(best)), best] = np.inf
    # Each of the k - 1 smallest losses gives a labelling by itself, so the k best labellings contain no larger loss.
    small = np.argpartition(losses, min(k - 1, losses.size - 1), axis=None)[: k - 1]
    options: dict[int, list[tuple[float, int]]] = {}
    for at in small[np.isfinite(losses.flat[small])].tolist():
        row, label = divmod(at, exact.shape[1])
        options.setdefault(row, []).append((float(losses[row, label]), label))
    found: list[tuple[float, dict[int, int]]] = [(0.0, {})]  # total loss, and the labels that are not the best
    for row, others in options.items():
        more = [(lost + loss, {**changed, row: label}) for lost, changed in found for loss, label in others]
        found = sorted(found + more, key=lambda choice: choice[0])[:k]
    for lost, changed in found:
        labels = best.copy()
        labels[list(changed)] = list(changed.values())
        yield float(top.sum()) - lost, labels
