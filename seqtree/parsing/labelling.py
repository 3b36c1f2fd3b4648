"""The best ways to label the spans of a tree, each span by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqtree.parsing.spans import Ids


@dataclass(frozen=True)
class _Choice:
    """A label for one span, after choices for all spans before it."""

    score: float
    label: int
    before: _Choice | None


def best_labellings(scores: npt.NDArray[np.float32], k: int) -> Iterator[tuple[float, Ids]]:
    """The ``k`` best choices of one label for each of M spans, best first: the sum of the scores, and labels (M,).

    ``scores`` (M, L) are logarithms of probabilities; a label whose score is -inf is never chosen.
    """
    best: list[_Choice | None] = [None]
    for row in scores:
        labels = [int(label) for label in np.argsort(-row, kind="stable")[:k] if np.isfinite(row[label])]
        options = [_Choice((choice.score if choice else 0.0) + float(row[label]), label, choice)
                   for choice in best for label in labels]  # fmt: skip
        best = list(sorted(options, key=lambda option: -option.score)[:k])
    for choice in best:
        labels, at = [], choice
        while at is not None:
            labels.append(at.label)
            at = at.before
        yield (choice.score if choice else 0.0), np.array(labels[::-1], dtype=np.int64)
