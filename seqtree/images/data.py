"""Labelled images in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.images.idx import Bytes
from seqtree.wording import counted, some


@dataclass(frozen=True)
class ImageSet:
    """Images (N, H, W) of unsigned bytes, background 0, and labels (N,); InputError if their numbers differ.

    names: of the classes that the labels stand for, where the data say them.
    """

    images: Bytes
    labels: Bytes
    source: str = "images"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise InputError(
                f"{self.source}: {counted(len(self.images), 'image')} but {counted(len(self.labels), 'label')}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice | npt.NDArray[np.bool_]) -> ImageSet:
        return replace(self, images=self.images[part], labels=self.labels[part])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of shape, names, images and labels."""
        digest = hashlib.sha256(repr(self.images.shape + self.names).encode())
        for array in (self.images, self.labels):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def numbered(self, classes: Sequence[str]) -> npt.NDArray[np.int64]:
        """The labels (N,) as the numbers of these classes. Raises InputError for a label that is none of them."""
        if not self.names:
            if self.labels.max() >= len(classes):
                raise InputError(
                    f"{self.source}: a label {self.labels.max()}; the model knows {len(classes)} classes, from 0"
                )
            return self.labels.astype(np.int64)
        numbers = {name: number for number, name in enumerate(classes)}
        used = [name for label, name in enumerate(self.names) if label in self.labels]
        if unknown := [name for name in used if name not in numbers]:
            raise InputError(
                f"{self.source}: the model does not know the class {unknown[0]!r}; expected {some(classes)}"
            )
        return np.array([numbers.get(name, -1) for name in self.names], np.int64)[self.labels]
