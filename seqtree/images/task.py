"""Classifying images as a task for the training loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.images.augment import Augmentation, AugmentedImages
from seqtree.images.data import ImageSet
from seqtree.images.evaluation import evaluate
from seqtree.images.model import ImageClassifier

MEASURED = 10_000  # training images from which batch normalisation takes its figures


class ImageTask:
    """Learning the classes of ``data``, in batches of ``size`` images or one fewer.

    Of its figures on ``valid`` the Brier score decides: cross-entropy would be decided by a few sure mistakes.
    """

    items = "images"
    implausible_loss = 0.0  # a small set may be learned by heart
    criterion = "brier"

    def __init__(
        self,
        classifier: ImageClassifier,
        data: ImageSet,
        valid: ImageSet | None,
        augmentation: Augmentation,
        size: int,
        seed: int,
    ) -> None:
        self.classifier, self.model = classifier, classifier.network
        self.data, self.valid, self.augmentation, self.size, self.seed = data, valid, augmentation, size, seed
        self.steps_per_epoch = math.ceil(len(data) / size)
        if self.model.has_norms and len(data) // self.steps_per_epoch < 2:
            raise InputError(f"{len(data):,} images in batches of {size}: batch normalisation needs two in each")
        self.device = self.model.output.weight.device
        self.images = torch.from_numpy(data.images).to(self.device)
        self.labels = torch.from_numpy(data.labels.astype(np.int64)).to(self.device)
        self.augmented = AugmentedImages(self.images, augmentation)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def identity(self) -> dict[str, Any]:
        return {
            "images": self.data.fingerprint,
            "network": self.model.config.to_json(),
            "batch": self.size,
            "augmentation": self.augmentation.to_json(),
            "classes": len(self.classifier.classes),
            "precision": str(self.model.products or torch.float32),
        }

    def loss(self, epoch: int, step: int) -> tuple[Tensor, int]:
        numbers = self._order(epoch)[step]
        logits = self.model(self.augmented.batch(numbers))
        return self.model.loss(logits, self.labels[numbers]), len(numbers)

    def evaluate(self) -> dict[str, float] | None:
        if self.model.has_norms:
            self.model.measure_norms(self.images[:MEASURED], self.size)
        if self.valid is None:
            return None
        measured = evaluate(self.classifier, self.valid)
        return {"loss": measured.loss, "brier": measured.brier, "error_percent": round(100 * measured.error, 4)}

    def carried(self) -> dict[str, Tensor]:
        return {}

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        """Nothing is carried from step to step."""

    def save(self, path: Path) -> None:
        self.classifier.save(path)

    def _shuffled(self, epoch: int) -> tuple[Tensor, ...]:
        """The numbers of each step's images."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.data))
        return torch.from_numpy(order).to(self.device).tensor_split(self.steps_per_epoch)
