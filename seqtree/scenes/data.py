"""A folder of scenes: ``images/``, ``labels/``, ``classes.txt``, and lists of images such as ``train.txt``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from seqtree.errors import InputError
from seqtree.images.reading import ENDINGS
from seqtree.scenes.batches import Ids
from seqtree.scenes.pictures import read_image, read_labels
from seqtree.scenes.segments import Image
from seqtree.text.reading import say
from seqtree.wording import also, some

MAX_CLASSES = 255


@dataclass(frozen=True)
class LabelledImage:
    """An image and its labels, 0 for void, which are read when they are asked for. Raises InputError then.

    ``classes`` is how many classes there are, without void. ``numbers[k]`` is the number of the class, among these,
    that the file of labels calls k; 0 for void.
    """

    name: str
    image_file: Path
    label_file: Path
    classes: int
    numbers: tuple[int, ...]

    @property
    def image(self) -> Image:
        """The image (H, W, 3)."""
        return read_image(self.image_file)

    def labels(self, size: tuple[int, int]) -> Ids:
        """The labels (H, W) of an image of that size."""
        numbers: Ids = np.array(self.numbers)[read_labels(self.label_file, len(self.numbers) - 1, size)]
        return numbers

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the image's file."""
        return hashlib.sha256(_bytes(self.image_file)).hexdigest()

    @cached_property
    def label_fingerprint(self) -> str:
        """SHA-256 of the file of labels."""
        return hashlib.sha256(_bytes(self.label_file)).hexdigest()


@dataclass(frozen=True)
class SceneFolder:
    """A folder of scenes and the names of its classes, without void. Raises InputError for what is not there.

    ``numbers[k]`` is the number of the class that its files of labels call k: the place of its name in ``classes``,
    from 1; 0 for void. It is k itself unless the classes are those of a model (``among``).
    """

    path: Path
    classes: tuple[str, ...]
    numbers: tuple[int, ...]

    @classmethod
    def open(cls, path: str | Path) -> SceneFolder:
        """The folder, with its classes read."""
        folder = Path(path)
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder with images/, labels/, classes.txt and train.txt")
        for name in ("images", "labels"):
            if not (folder / name).is_dir():
                raise InputError(f"{folder}: has no folder {name}/; expected images/, labels/, classes.txt and lists")
        classes = _read_classes(folder / "classes.txt")
        return cls(folder, classes, tuple(range(len(classes) + 1)))

    def among(self, classes: Sequence[str]) -> SceneFolder:
        """The folder with its classes numbered as these. Raises InputError if one of its own is not among them, or for
        more than ``MAX_CLASSES``.
        """
        numbers, file = {name: number for number, name in enumerate(classes, 1)}, self.path / "classes.txt"
        if others := [name for name in self.classes if name not in numbers]:
            raise InputError(f"{file}: {some(others, 5)}: expected classes that the model knows, {some(classes, 5)}")
        if len(classes) > MAX_CLASSES:
            raise InputError(f"{file}: {len(classes)} classes with those of the model; expected {MAX_CLASSES} at most")
        return replace(self, classes=tuple(classes), numbers=(0, *(numbers[name] for name in self.classes)))

    def has(self, part: str) -> bool:
        """Whether there is a list of that name."""
        return (self.path / f"{part}.txt").is_file()

    def part(self, part: str) -> list[LabelledImage]:
        """The images that the list ``part``.txt names, in its order, each once; a warning tells of repeated ones."""
        file = self.path / f"{part}.txt"
        if not self.has(part):
            lists = sorted(one.stem for one in self.path.glob("*.txt") if one.stem != "classes")
            known = f"; it has {', '.join(lists)}" if lists else ""
            raise InputError(f"{file}: there is no such list; expected the names of images, one a line{known}")
        names = [line.strip() for line in _text(file).splitlines()]
        found = {f"{file}:{i}": self._image(name, f"{file}:{i}") for i, name in enumerate(names, 1) if name}
        if not found:
            raise InputError(f"{file}: it is empty; expected the names of images, one a line")
        first = {image.name: place for place, image in reversed(found.items())}
        if again := [place for place, image in found.items() if first[image.name] != place]:
            say(f"{again[0]}: {found[again[0]].name} a second time, which counts once{also(len(again) - 1)}")
        return [image for place, image in found.items() if first[image.name] == place]

    def _image(self, name: str, place: str) -> LabelledImage:
        stem = name if Path(name).suffix.lower() not in ENDINGS else str(Path(name).with_suffix(""))
        if Path(stem).name != stem:
            raise InputError(f"{place}: {name!r}; expected the name of an image in images/, without a folder")
        image = _first(self.path / "images", stem, ENDINGS)
        labels = _first(self.path / "labels", stem, (".png",))
        if image is None:
            raise InputError(f"{place}: images/ has no {stem}.jpg, .png or other image")
        if labels is None:
            raise InputError(f"{place}: there is no {self.path / 'labels' / stem}.png")
        return LabelledImage(stem, image, labels, len(self.classes), self.numbers)


def _first(folder: Path, stem: str, endings: Sequence[str]) -> Path | None:
    """The file of that name with the first of these endings that there is; cameras write them in capitals."""
    files = (folder / f"{stem}{form}" for ending in endings for form in (ending, ending.upper()))
    return next((file for file in files if file.is_file()), None)


def in_folds(images: list[LabelledImage], fold: str) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """All but fold K of N ("K/N"), and that one: the images K, K + N, ... of the list. Raises InputError."""
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", fold)
    one, many = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= one <= many or not 2 <= many <= len(images):
        raise InputError(f"fold {fold!r}: expected K/N, such as 1/5, with at most {len(images)} folds")
    held = set(range(one - 1, len(images), many))
    return [image for i, image in enumerate(images) if i not in held], [images[i] for i in sorted(held)]


def _read_classes(file: Path) -> tuple[str, ...]:
    """The names in classes.txt: a number and a name a line, in order, 0 for void.

    Raises InputError if the file is missing, or another number or name was expected.
    """
    names: list[str] = []
    for i, line in enumerate(_text(file).splitlines(), 1):
        if not line.strip():
            continue
        number, name = [*re.split(r"\s+", line.strip(), maxsplit=1), ""][:2]
        if number != str(len(names)) or not name:
            raise InputError(f"{file}:{i}: {line.strip()!r}; expected the number {len(names)} and the name of a class")
        if name in names:
            raise InputError(f"{file}:{i}: the name {name!r} a second time")
        names.append(name)
    if not 3 <= len(names) <= MAX_CLASSES + 1:
        raise InputError(f"{file}: {len(names)} classes; expected 0 for void, and from 2 to {MAX_CLASSES} more")
    return tuple(names[1:])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: expected in a folder of scenes; {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not text in UTF-8 (byte {error.start})") from error


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {(error.strerror or str(error)).lower()}") from error


def pixels_by_label(segments: Ids, labels: Ids, classes: int) -> Ids:
    """How many pixels of each label each segment has (n, 1 + classes); both (H, W).

    >>> pixels_by_label(np.array([[0, 0, 1]]), np.array([[2, 0, 1]]), classes=2).tolist()
    [[1, 0, 1], [0, 1, 0]]
    """
    count, kinds = int(segments.max()) + 1, classes + 1
    return np.bincount(segments.ravel() * kinds + labels.ravel(), minlength=count * kinds).reshape(count, kinds)
