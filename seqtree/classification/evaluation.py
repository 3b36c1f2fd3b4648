"""Measuring a classifier: accuracy, macro F1, confusion, and whether its probabilities are what they say."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtree.classification.model import Classifier
from seqtree.errors import InputError
from seqtree.text.labelled import Labelled
from seqtree.text.lexicon import Ids

BINS = 15  # of probabilities, for the calibration error
SEARCH = 60  # steps
LOWEST, HIGHEST = 0.05, 20.0  # temperature


@dataclass(frozen=True)
class ClassEvaluation:
    """Shares of 1; ``loss`` is the mean of -log p in nats.

    ``macro_f1`` is the mean of F1 over the classes that are in the data or were predicted. ``calibration_error`` is the
    mean difference of the probability of the predicted class and the share that is right, over ``BINS`` equal steps of
    probability (Naeini et al. 2015). ``rejected`` texts were given no class: right only for texts of a class that the
    classifier does not know. ``confusion`` counts texts: a row is a true class, a column a predicted one, the last
    column none.
    """

    accuracy: float
    macro_f1: float
    loss: float
    calibration_error: float
    rejected: int
    items: int
    items_per_second: float
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "accuracy": round(self.accuracy, 6),
            "macro_f1": round(self.macro_f1, 6),
            "loss": self.loss,
            "calibration_error": round(self.calibration_error, 6),
            "items": self.items,
            "rejected": self.rejected,
            "items_per_second": round(self.items_per_second, 1),
            "confusion": [list(row) for row in self.confusion],
        }


def evaluate(classifier: Classifier, items: Sequence[Labelled], reject: float = 0.0) -> ClassEvaluation:
    """Classify texts and compare with their labels.

    A label that the classifier does not know stands for "none of these" where texts may be rejected; otherwise it
    raises InputError, as does a text without a word.
    """
    labels = classifier.classes.encode(item.label for item in items)
    if not reject:
        check_labels(classifier, items, labels)
    chances, speed = _chances(classifier, items)
    return _measured(chances, labels, reject, speed)


def calibrate(classifier: Classifier, items: Sequence[Labelled]) -> ClassEvaluation:
    """Set the temperature that fits these texts best (see ``calibrated``), and measure the classifier with it on them.

    The texts are classified once. Raises InputError for a text without a word; all labels must be known.
    """
    labels = classifier.classes.encode(item.label for item in items)
    classifier.temperature = 1.0  # so that the figures do not depend on what was fitted before
    chances, speed = _chances(classifier, items)
    logits = np.log(chances.astype(np.float64).clip(1e-30))
    classifier.temperature = calibrated(logits, labels)
    logits /= classifier.temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    fitted = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return _measured(fitted, labels, 0.0, speed)


def _chances(classifier: Classifier, items: Sequence[Labelled]) -> tuple[npt.NDArray[np.float32], float]:
    """The probabilities of classes (N, classes), and how many texts were classified a second."""
    began = time.perf_counter()
    found = list(classifier.classifications(item.text for item in items))
    seconds = time.perf_counter() - began
    chances = []
    for item, one in zip(items, found, strict=True):
        if one is None:
            raise InputError(f"{item.place}: a text without a word")
        chances.append(one.probabilities)
    return np.stack(chances), len(items) / seconds


def check_labels(classifier: Classifier, items: Sequence[Labelled], labels: Ids) -> None:
    """Raises InputError for a label (-1) that the classifier does not know."""
    for item, label in zip(items, labels.tolist(), strict=True):
        if label < 0:
            names = classifier.classes.names
            shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
            raise InputError(
                f"{item.place}: the classifier does not know the label {item.label!r}; expected one of {shown} "
                "(with --reject, other labels stand for none of these)"
            )


def calibrated(logits: npt.NDArray[np.float64], labels: Ids) -> float:
    """The temperature under which labels (N,) of texts with these scores (N, classes) are most probable.

    Found by ternary search, as the loss has one minimum in 1 / temperature (Guo et al. 2017).
    """
    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(SEARCH):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _loss(logits / math.exp(left), labels) < _loss(logits / math.exp(right), labels):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def _loss(logits: npt.NDArray[np.float64], labels: Ids) -> float:
    top = logits.max(axis=1)
    normal = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((normal - logits[np.arange(len(labels)), labels]).mean())


def _measured(chances: npt.NDArray[np.float32], labels: Ids, reject: float, speed: float) -> ClassEvaluation:
    count = chances.shape[1]
    best, known = chances.max(axis=1), labels >= 0
    said = np.where(best >= reject, chances.argmax(axis=1), count)
    true = np.where(known, labels, count)
    right = said == true
    confusion = np.zeros((count + 1, count + 1), dtype=np.int64)
    np.add.at(confusion, (true, said), 1)
    loss = -np.log(chances[known, labels[known]].astype(float).clip(1e-38)).mean() if known.any() else math.nan
    return ClassEvaluation(
        accuracy=float(right.mean()),
        macro_f1=_macro_f1(confusion[:, :count], confusion[:count]),
        loss=float(loss),
        calibration_error=_calibration_error(best, chances.argmax(axis=1) == labels),
        rejected=int((said == count).sum()),
        items=len(labels),
        items_per_second=speed,
        confusion=tuple(map(tuple, (confusion if not known.all() else confusion[:count]).tolist())),
    )


def _macro_f1(by_said: npt.NDArray[np.int64], by_true: npt.NDArray[np.int64]) -> float:
    right = by_true[:, :-1].diagonal()
    both = by_said.sum(axis=0) + by_true.sum(axis=1)
    return float((2 * right[both > 0] / both[both > 0]).mean()) if both.any() else 0.0


def _calibration_error(best: npt.NDArray[np.float32], right: npt.NDArray[np.bool_]) -> float:
    place = np.minimum((best * BINS).astype(int), BINS - 1)
    total = sum(abs(best[place == b].sum() - right[place == b].sum()) for b in range(BINS))
    return float(total / len(best))
