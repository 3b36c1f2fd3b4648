"""Measuring a classifier on labelled images."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from seqtree.confusion import pairs_of
from seqtree.drawing.charts import Chart, in_notebook
from seqtree.drawing.confusion import Filters, confusion_chart
from seqtree.errors import InputError
from seqtree.images.data import ImageSet
from seqtree.images.model import ImageClassifier, as_tensor
from seqtree.training.sharing import Share, alone
from seqtree.wording import a


@dataclass(frozen=True)
class ImageEvaluation:
    """``accuracy`` and ``error`` are shares of 1, ``loss`` is the objective's mean.

    ``brier`` is the mean squared error of the probabilities, summed over the classes (Brier 1950): 0 to 2.
    ``confusion`` counts images: a row is a true class, a column the predicted class, in the order of ``classes``.
    """

    accuracy: float
    loss: float
    brier: float
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]
    images: int
    images_per_second: float

    @property
    def error(self) -> float:
        """The share of the images whose class is wrong."""
        return 1.0 - self.accuracy

    def to_json(self) -> dict[str, Any]:
        """The figures with their names; ``classes`` are those of the rows and columns of ``confusion``."""
        return {
            "accuracy": round(self.accuracy, 6),
            "error": round(self.error, 6),
            "loss": self.loss,
            "brier": self.brier,
            "images": self.images,
            "images_per_second": round(self.images_per_second, 1),
            "classes": list(self.classes),
            "confusion": [list(row) for row in self.confusion],
        }

    @property
    def pairs(self) -> dict[tuple[str, str], int]:
        """How many images of a true class (the first) were given a class (the second), by name."""
        return pairs_of(self.confusion, self.classes)

    def picture(self, format: str = ".svg", filters: Filters | None = None) -> Chart:
        """The confusion matrix as an .svg, .png or .pdf file, with the first ``filters`` (N, h, w) below it.

        Raises InputError without matplotlib.
        """
        return confusion_chart(self.pairs, self.classes, "images", format, filters)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        return in_notebook(self.picture)


@torch.inference_mode()
def evaluate(model: ImageClassifier, data: ImageSet, share: Share = alone) -> ImageEvaluation:
    """Classify all images, which several processes may ``share``, and compare.

    Raises InputError for images or labels that are not the model's, and for what is no ImageSet.
    """
    if not isinstance(data, ImageSet):
        raise InputError(f"expected an ImageSet, not {a(type(data).__name__)}")
    count = len(model.classes)
    device = model.device
    labels = torch.from_numpy(model.numbers(data)).to(device)
    began = time.perf_counter()
    images = as_tensor(data.images).to(device)
    parts = share(lambda rows: [model.logits(images[rows[0] : rows[-1] + 1]).cpu()], range(len(data)))
    logits = torch.cat(parts).to(device)
    predicted = logits.argmax(dim=1)
    table = torch.bincount(labels * count + predicted, minlength=count * count).view(count, count).tolist()
    seconds = time.perf_counter() - began
    right = sum(table[i][i] for i in range(count))
    misses = model.network.probabilities(logits) - torch.nn.functional.one_hot(labels, count)
    return ImageEvaluation(
        right / len(data),
        model.network.loss(logits, labels).item(),
        misses.square().sum(dim=1).mean().item(),
        tuple(map(tuple, table)),
        model.classes,
        len(data),
        len(data) / seconds,
    )
