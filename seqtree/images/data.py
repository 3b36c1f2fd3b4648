"""Labelled images in memory, and finding image and label files by their usual names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.images.idx import Bytes, read_images, read_labels

PARTS = {"train": "train", "test": "t10k"}  # part of the data -> prefix of its file names
FORMS = (("-images-idx3-ubyte", "-labels-idx1-ubyte"), ("-images.idx3-ubyte", "-labels.idx1-ubyte"))


@dataclass(frozen=True)
class ImageSet:
    """Images (N, H, W) of unsigned bytes, background 0, and labels (N,); InputError if their numbers differ."""

    images: Bytes
    labels: Bytes
    source: str = "images"

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise InputError(f"{self.source}: {len(self.images):,} images but {len(self.labels):,} labels")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice | npt.NDArray[np.bool_]) -> ImageSet:
        return ImageSet(self.images[part], self.labels[part], self.source)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of shape, images and labels."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        for array in (self.images, self.labels):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def read_set(data: str | Path, part: str, labels: str | Path | None = None) -> ImageSet:
    """Images and their labels.

    ``data``: a folder with files of the usual names (``train-images-idx3-ubyte``, ``t10k-labels-idx1-ubyte``, ...;
    ``.gz`` or not), of which ``part`` (train or test) is read; or a file of images. ``labels``: their file, by default
    the one of the usual name in the same folder. Raises InputError for missing or invalid files.
    """
    path = Path(data)
    images = _images_in(path, part) if path.is_dir() else path
    if not images.exists():
        raise InputError(f"{images}: no such file or folder")
    beside = Path(labels) if labels else _labels_beside(images)
    return ImageSet(read_images(images), read_labels(beside), f"{images} and {beside}")


def _images_in(folder: Path, part: str) -> Path:
    names = [PARTS[part] + images for images, _ in FORMS]
    found = _first(folder, names)
    if found is None:
        raise InputError(f"{folder}: holds no {' or '.join(names)}, plain or .gz")
    return found


def _labels_beside(images: Path) -> Path:
    stem = images.name.removesuffix(".gz")
    names = [stem.removesuffix(a) + b for a, b in FORMS if stem.endswith(a)]
    found = _first(images.parent, names)
    if found is None:
        expected = f"{names[0]}, plain or .gz, in the same folder" if names else "their file as --labels"
        raise InputError(f"{images}: no labels found; expected {expected}")
    return found


def _first(folder: Path, names: list[str]) -> Path | None:
    paths = (folder / f"{name}{ending}" for name in names for ending in ("", ".gz"))
    return next((path for path in paths if path.exists()), None)
