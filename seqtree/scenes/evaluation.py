"""Measuring a scene parser: the share of pixels whose class is right, over all and by class."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.scenes.batches import Floats, Ids, labelled
from seqtree.scenes.model import TOGETHER, SceneParser
from seqtree.scenes.preparing import Prepared


@dataclass(frozen=True)
class SceneEvaluation:
    """Shares of 1, void pixels left out.

    ``pixel_accuracy``: of all pixels, those whose class is right. ``class_accuracy``: the mean of the same over the
    classes, ``by_class``, that occur. ``best_possible``: the pixel accuracy if every segment had the class that most of
    its pixels have. ``images_per_second``: of parsing alone, without features.
    """

    pixel_accuracy: float
    class_accuracy: float
    by_class: dict[str, float]
    best_possible: float
    segments: int
    images: int
    images_per_second: float

    def to_json(self) -> dict[str, Any]:
        """The figures with their names."""
        return {
            "pixel_accuracy": round(self.pixel_accuracy, 6),
            "class_accuracy": round(self.class_accuracy, 6),
            "segments": self.segments,
            "images": self.images,
            "best_possible": round(self.best_possible, 6),
            "by_class": {name: round(share, 6) for name, share in self.by_class.items()},
            "images_per_second": round(self.images_per_second, 1),
        }


def evaluate(parser: SceneParser, scenes: Sequence[Prepared]) -> SceneEvaluation:
    """Parse scenes with labels and compare. Raises InputError if there is no scene, or none has a labelled pixel."""
    began, chances = time.perf_counter(), list[Floats]()
    for start in range(0, len(scenes), TOGETHER):
        chances += [found[0] for found in parser.parse_prepared(scenes[start : start + TOGETHER])]
    seconds = time.perf_counter() - began
    pixels = (
        np.concatenate([labelled(scene.pixels)[:, 1:] for scene in scenes]) if scenes else np.zeros((0, 1), np.int64)
    )
    if not pixels.sum():
        raise InputError("there is no labelled pixel to measure on")
    right, total = _right(pixels, np.concatenate(chances).argmax(axis=1)), pixels.sum(axis=0)
    shares = {name: right[i] / total[i] for i, name in enumerate(parser.classes) if total[i]}
    return SceneEvaluation(
        float(right.sum() / total.sum()),
        float(np.mean(list(shares.values()))),
        {name: float(share) for name, share in shares.items()},
        float(pixels.max(axis=1).sum() / total.sum()),
        len(pixels),
        len(scenes),
        len(scenes) / seconds,
    )


def _right(pixels: Ids, said: Ids) -> Ids:
    """How many pixels of each class (C,) are in segments (n, C) that are said to be of it (n,)."""
    right = np.zeros(pixels.shape[1], dtype=np.int64)
    np.add.at(right, said, pixels[np.arange(len(said)), said])
    return right
