"""Labelled images in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.images.idx import Bytes
from seqtree.text.reading import say
from seqtree.wording import a, counted, some

MOST_CLASSES = 256  # whose labels are bytes


@dataclass(frozen=True)
class ImageSet:
    """Images (N, H, W) of unsigned bytes, background 0, and labels (N,), whole numbers from 0 to 255.

    names: of the classes that the labels stand for, where the data say them. Raises InputError for other arrays, for
    none, and if there are not as many images as labels.
    """

    images: Bytes
    labels: Bytes
    source: str = "images"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_images(self.images, f"{self.source}: ")
        object.__setattr__(self, "labels", _as_labels(self.labels, self.source))
        if not len(self.images):
            raise InputError(f"{self.source}: no images in it")
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

    def numbered(self, classes: Sequence[str], by_place: bool = False) -> npt.NDArray[np.int64]:
        """The labels (N,) as the numbers of these classes, from 0. Raises InputError for a label that is none of them.

        Labels with names go by these. Others are numbers: of classes that are all named by numbers they are the names,
        of any others, and ``by_place``, they are the places.
        """
        places = self._places(classes, by_place)
        if unknown := set(self.labels.tolist()) - places.keys():
            label = (min if self.names else max)(unknown)
            if self.names:
                what = f"the model does not know the class {self.names[label]!r}; expected {some(classes)}"
            elif places.keys() == set(range(len(classes))):
                what = f"a label {label}; the model knows {len(classes)} classes, from 0"
            else:
                what = f"a label {label}; the model knows the classes {some(classes)}"
            raise InputError(f"{self.source}: {what}")
        table = np.full(MOST_CLASSES, -1, np.int64)
        for label, place in places.items():
            table[label] = place
        return table[self.labels]

    def new_classes(self, classes: Sequence[str], by_place: bool = False) -> list[str]:
        """The names of the classes that labels stand for beyond these, which they are to follow."""
        if self.names or self._are_names(classes, by_place):
            unknown = sorted(set(self.labels.tolist()) - self._places(classes, by_place).keys())
            return [self.names[label] if self.names else str(label) for label in unknown]
        return [str(place) for place in range(len(classes), int(self.labels.max()) + 1)]

    def _are_names(self, classes: Sequence[str], by_place: bool) -> bool:
        """Whether labels without names are the names of these classes, which are numbers, not their places.

        Where a label is no such name, but there are places for all, classes may have been named so (``--names``).
        """
        numbers = {} if by_place else _numbers(classes)
        return bool(numbers) and (set(self.labels.tolist()) <= numbers.keys() or self.labels.max() >= len(classes))

    def _places(self, classes: Sequence[str], by_place: bool) -> dict[int, int]:
        """The number of the class that each label stands for."""
        if self.names:
            known = {name: place for place, name in enumerate(classes)}
            return {label: known[name] for label, name in enumerate(self.names) if name in known}
        if self._are_names(classes, by_place):
            return {number: place for number, place in _numbers(classes).items() if number < MOST_CLASSES}
        if not by_place and (numbers := _numbers(classes)):
            label = min(set(self.labels.tolist()) - numbers.keys())
            say(f"{self.source}: no class is named {label}, so labels are places: 0 is the class {classes[0]!r}")
        return {place: place for place in range(len(classes[:MOST_CLASSES]))}


def check_images(images: object, before: str = "") -> None:
    """Raises InputError unless these are images (N, H, W) of unsigned bytes; ``before``: what the message begins with.

    There may be none, but each must have a pixel.
    """
    if not isinstance(images, np.ndarray):
        raise InputError(f"{before}expected images as one array (N, height, width), not {a(type(images).__name__)}")
    if images.dtype != np.uint8:
        raise InputError(f"{before}images of {images.dtype}; expected uint8, from 0 for black to 255 for white")
    if images.ndim != 3 or 0 in images.shape[1:]:
        raise InputError(f"{before}images of shape {images.shape}; expected (N, height, width)")


def _as_labels(labels: npt.ArrayLike, source: str) -> Bytes:
    """Labels (N,) as unsigned bytes. Raises InputError for what are none."""
    found = labels if isinstance(labels, np.ndarray) else None
    if found is None or found.ndim != 1 or (found.dtype.kind not in "iu" and len(found)):
        what = f"an array of {found.dtype}, shape {found.shape}" if found is not None else a(type(labels).__name__)
        raise InputError(f"{source}: labels as {what}; expected one array (N,) of whole numbers")
    if len(found) and not 0 <= found.min() <= found.max() < MOST_CLASSES:
        wrong = found[(found < 0) | (found >= MOST_CLASSES)][0]
        raise InputError(f"{source}: a label {wrong}; expected from 0 to {MOST_CLASSES - 1}")
    return found.astype(np.uint8, copy=False)


def _numbers(classes: Sequence[str]) -> dict[int, int]:
    """The place of each class by its name as a number; empty if one is not named by a number, or two by the same."""
    if not all(name.isdecimal() for name in classes):
        return {}
    found = {int(name): place for place, name in enumerate(classes)}
    return found if len(found) == len(classes) else {}
