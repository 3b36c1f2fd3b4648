"""Measuring a classifier: accuracy, macro F1, confusion, and whether its probabilities are what they say."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from seqtree.classification.model import HIGHEST, Classifier, check_reject
from seqtree.confusion import pairs_of
from seqtree.drawing.charts import Chart, in_notebook
from seqtree.drawing.confusion import confusion_chart
from seqtree.errors import InputError
from seqtree.text.labelled import Labelled
from seqtree.text.lexicon import Ids
from seqtree.training.sharing import Share, alone
from seqtree.wording import some

NONE = "none of these"  # instead of a class
BINS = 15  # of probabilities, for the calibration error
NEWTON_STEPS = 20
LOWEST = 0.001  # scale of scores
T = TypeVar("T")


@dataclass(frozen=True)
class ClassEvaluation:
    """Shares of 1; ``loss`` is the mean of -log p in nats.

    ``macro_f1`` is the mean of F1 over the classes that are in the data or were predicted. ``calibration_error`` is the
    mean difference of the probability of the predicted class and the share that is right, over ``BINS`` equal steps of
    probability (Naeini et al. 2015). ``rejected`` texts were given no class: right only for texts of a class that the
    classifier does not know. ``confusion`` counts texts: a row is a true class, a column a predicted one, the last
    column none; both are in the order of ``classes``.
    """

    accuracy: float
    macro_f1: float
    loss: float
    calibration_error: float
    rejected: int
    items: int
    items_per_second: float
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "accuracy": round(self.accuracy, 6),
            "macro_f1": round(self.macro_f1, 6),
            "loss": self.loss,
            "calibration_error": round(self.calibration_error, 6),
            "items": self.items,
            "rejected": self.rejected,
            "items_per_second": round(self.items_per_second, 1),
            "classes": list(self.classes),
            "confusion": [list(row) for row in self.confusion],
        }

    @property
    def pairs(self) -> dict[tuple[str, str], int]:
        """How many texts of a true class (the first) were given a class (the second), by name."""
        return pairs_of(self.confusion, (*self.classes, NONE))

    def picture(self, format: str = ".svg") -> Chart:
        """The confusion matrix as an .svg, .png or .pdf file. Raises InputError without matplotlib."""
        found = self.pairs
        names = [*self.classes, *([NONE] if any(NONE in pair for pair in found) else [])]
        return confusion_chart(found, names, "texts", format)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        return in_notebook(self.picture)


def evaluate(classifier: Classifier, items: Sequence[Labelled], reject: float = 0.0) -> ClassEvaluation:
    """Classify texts and compare with their labels.

    A label that the classifier does not know stands for "none of these" where texts may be rejected; otherwise it
    raises InputError, as does a text without a word, or none.
    """
    check_reject(reject)
    if not items:
        raise InputError("no texts to measure the classifier on")
    labels = classifier.classes.encode(item.label for item in items)
    if not reject:
        check_labels(classifier, items, labels, " (with --reject, other labels stand for none of these)")
    chances, speed = _chances(classifier, items)
    return _measured(chances, labels, classifier.classes.names, reject, speed)


def calibrate(classifier: Classifier, items: Sequence[Labelled], share: Share = alone) -> ClassEvaluation:
    """Set the scales that fit these texts best (see ``fitted``), and measure the classifier with them on these texts.

    The texts are classified once, which several processes may ``share``. Raises InputError for a text without a word;
    all labels must be known.
    """
    labels = classifier.classes.encode(item.label for item in items)
    began = time.perf_counter()
    each = share(lambda some: _each(some, classifier.scores(item.text for item in some)), items)
    scores = np.stack(each, axis=1).astype(np.float64)
    speed = len(items) / (time.perf_counter() - began)
    scales = fitted(scores, labels)
    classifier.scales = (*scales, 1.0)[:2]
    logits = np.tensordot(scales, scores, axes=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return _measured(
        (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels, classifier.classes.names, 0.0, speed
    )


def _chances(classifier: Classifier, items: Sequence[Labelled]) -> tuple[npt.NDArray[np.float32], float]:
    """The probabilities of classes (N, classes), and how many texts were classified a second."""
    began = time.perf_counter()
    found = list(classifier.classifications(item.text for item in items))
    seconds = time.perf_counter() - began
    return np.stack([one.probabilities for one in _each(items, found)]), len(items) / seconds


def _each(items: Sequence[Labelled], found: Iterable[T | None]) -> list[T]:
    """What was found for each text. Raises InputError for one without a word."""
    each = []
    for item, one in zip(items, found, strict=True):
        if one is None:
            raise InputError(f"{item.place}: a text without a word")
        each.append(one)
    return each


def check_labels(classifier: Classifier, items: Sequence[Labelled], labels: Ids, hint: str = "") -> None:
    """Raises InputError, with a hint at the end, for a label (-1) that the classifier does not know."""
    for item, label in zip(items, labels.tolist(), strict=True):
        if label < 0:
            known = some(classifier.classes.names)
            raise InputError(
                f"{item.place}: the classifier does not know the label {item.label!r}; expected one of {known}{hint}"
            )


def fitted(scores: npt.NDArray[np.float64], labels: Ids) -> list[float]:
    """The scales, one for each part of scores (P, N, classes), by whose sum these labels (N,) are most probable.

    The temperature of Guo et al. 2017 for one part, logistic regression over the parts for several; each scale s with
    the prior p(s) ~ s exp(-s), which is highest at 1, as a few texts that are all right, or all wrong, say little. They
    are from ``LOWEST`` to ``HIGHEST``. Found by Newton's method, as the loss is convex.
    """
    scales = np.ones(len(scores))
    fit = _fit(scores, labels, scales)
    for _ in range(NEWTON_STEPS):
        free = ~((scales <= LOWEST) & (fit.slope > 0.0) | (scales >= HIGHEST) & (fit.slope < 0.0))
        step = np.zeros(len(scales))
        step[free] = np.linalg.solve(fit.curve[np.ix_(free, free)], -fit.slope[free])
        for size in 0.5 ** np.arange(12):
            tried = (scales + size * step).clip(LOWEST, HIGHEST)
            better = _fit(scores, labels, tried)
            if better.loss < fit.loss:
                break
        else:
            break
        scales, fit = tried, better
    found: list[float] = scales.tolist()
    return found


class _Fit(NamedTuple):
    """The mean of -log p of labels and scales, and its first and second derivatives (P,), (P, P) by the scales."""

    loss: float
    slope: npt.NDArray[np.float64]
    curve: npt.NDArray[np.float64]


def _fit(scores: npt.NDArray[np.float64], labels: Ids, scales: npt.NDArray[np.float64]) -> _Fit:
    rows = np.arange(len(labels))
    logits = np.tensordot(scales, scores, axes=1)  # (N, classes)
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    totals = powers.sum(axis=1)
    chances = powers / totals[:, None]
    means = (chances * scores).sum(axis=2)  # (P, N)
    squares = np.einsum("nc,pnc,qnc->pq", chances, scores, scores, optimize=True)
    prior = (scales - 1.0 - np.log(scales)).sum()
    return _Fit(
        float((np.log(totals) - logits[rows, labels]).mean() + prior / len(labels)),
        (means - scores[:, rows, labels]).mean(axis=1) + (1.0 - 1.0 / scales) / len(labels),
        (squares - means @ means.T + np.diag(1.0 / scales**2)) / len(labels),
    )


def _measured(
    chances: npt.NDArray[np.float32], labels: Ids, classes: tuple[str, ...], reject: float, speed: float
) -> ClassEvaluation:
    count = chances.shape[1]
    best, known = chances.max(axis=1), labels >= 0
    said = np.where(best >= reject, chances.argmax(axis=1), count)
    true = np.where(known, labels, count)
    right = said == true
    table = np.zeros((count + 1, count + 1), dtype=np.int64)
    np.add.at(table, (true, said), 1)
    loss = np.log(1.0 / chances[known, labels[known]].astype(float).clip(1e-38)).mean() if known.any() else math.nan
    return ClassEvaluation(
        accuracy=float(right.mean()),
        macro_f1=_macro_f1(table[:, :count], table[:count]),
        loss=float(loss),
        calibration_error=_calibration_error(best, chances.argmax(axis=1) == labels),
        rejected=int((said == count).sum()),
        items=len(labels),
        items_per_second=speed,
        classes=classes,
        confusion=tuple(map(tuple, (table if not known.all() else table[:count]).tolist())),
    )


def _macro_f1(by_said: npt.NDArray[np.int64], by_true: npt.NDArray[np.int64]) -> float:
    right = by_true[:, :-1].diagonal()
    both = by_said.sum(axis=0) + by_true.sum(axis=1)
    return float((2 * right[both > 0] / both[both > 0]).mean()) if both.any() else 0.0


def _calibration_error(best: npt.NDArray[np.float32], right: npt.NDArray[np.bool_]) -> float:
    place = np.minimum((best * BINS).astype(int), BINS - 1)
    total = sum(abs(best[place == b].sum() - right[place == b].sum()) for b in range(BINS))
    return float(total / len(best))
