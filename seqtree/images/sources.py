"""Labelled images in files: MNIST's IDX files by their usual names, or a folder of pictures for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seqtree.errors import InputError, SettingError, check_count
from seqtree.images.data import MOST_CLASSES, ImageSet
from seqtree.images.idx import is_idx, read_images, read_labels
from seqtree.images.reading import ENDINGS, NOTHING_DRAWN, picture
from seqtree.text.class_folders import class_folders
from seqtree.text.reading import reason, say
from seqtree.wording import also, counted

PARTS = {"train": "train", "test": "t10k"}  # part of the data -> prefix of its file names
VALIDATION = ("valid", "val", "validation", "dev")  # what the folder beside them may be called
FORMS = (("-images-idx3-ubyte", "-labels-idx1-ubyte"), ("-images.idx3-ubyte", "-labels.idx1-ubyte"))
SIDE = 28  # pixels of a picture, where nothing else is said, as MNIST's images have
DATA = (
    "a folder with IDX files of the usual names, a folder with a folder of pictures for each class, or an IDX file of "
    "images"
)


def read_set(
    data: str | Path, part: str, labels: str | Path | None = None, size: tuple[int, int] | None = None
) -> ImageSet:
    """Images and their labels.

    ``data``: a folder with files of the usual names (``train-images-idx3-ubyte``, ``t10k-labels-idx1-ubyte``, ...;
    ``.gz`` or not), of which ``part`` (train or test) is read; a folder with a folder of pictures for each class, or
    with such folders in one that is called as the part; or a file of images. ``labels``: their file, by default the one
    of the usual name in the same folder. ``size``: height and width that pictures get, by default ``SIDE`` each; IDX
    images have their own. Raises InputError for missing or invalid files. A warning tells of other folders that are
    not read, and of a folder without ``test`` that all of it is read. What is beside ``train`` to validate on is read
    by ``read_validation``.
    """
    _check(part, size)
    path = Path(data)
    names = [PARTS[part] + ending for ending, _ in FORMS]
    images = _first(path, names) if path.is_dir() else path
    if images is None:
        classes = _classes_of(path, part)
        if not classes:
            raise InputError(f"{path}: holds no {' or '.join(names)}, plain or .gz, and no folder of pictures")
        if labels:
            raise SettingError("labels", f"a folder is a class in {path}", labels)
        return _pictures(path, classes, size or (SIDE, SIDE))
    if not images.exists():
        raise InputError(f"{images}: no such file or folder")
    if images == path and not _is_idx(images):
        raise InputError(f"{images}: no IDX file of images; expected {DATA}")
    beside = Path(labels) if labels else _labels_beside(images)
    return ImageSet(read_images(images), read_labels(beside), f"{images} and {beside}")


def validation_folder(data: str | Path) -> Path | None:
    """The folder of pictures to validate on that is beside ``train`` in ``data``, if there is one."""
    folders = (folder for name in VALIDATION if (folder := Path(data, name)).is_dir())
    return next(folders, None) if Path(data, "train").is_dir() else None


def read_validation(folder: Path, size: tuple[int, int]) -> ImageSet:
    """The pictures in the folders of a folder, one for each class. Raises InputError if there are none."""
    if not (classes := _classes(folder)):
        raise InputError(f"{folder}: holds no folder of pictures; expected one for each class, as train has")
    return _pictures(folder, classes, size)


def _check(part: object, size: object) -> None:
    """Raises InputError unless there is such a part, and the size, if any, is a height and a width in pixels."""
    if part not in PARTS:
        raise InputError(f"part {part!r}: expected {' or '.join(PARTS)}")
    if size is None:
        return
    if not isinstance(size, Sequence) or isinstance(size, str) or len(size) != 2:
        raise InputError(f"size {size!r}: expected height and width in pixels, such as ({SIDE}, {SIDE})")
    for side in size:
        check_count("size", side)


def _is_idx(file: Path) -> bool:
    try:
        return is_idx(file)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {reason(error)}") from None


def _classes_of(folder: Path, part: str) -> dict[str, list[Path]]:
    """The pictures of each class in that part of a folder, or in all of it if it has no such part; says what it is."""
    if classes := _classes(folder / part):
        parts = [folder / name for name in PARTS]
        if validation := validation_folder(folder):
            parts.insert(1, validation)
        others = sorted(one for one in folder.iterdir() if one.is_dir() and one not in parts)
        if unread := [one for one in others if not one.name.startswith(".")]:
            more, named = also(len(unread) - 1, "nor"), [one.name for one in parts]
            say(f"{unread[0]} is not read{more}: pictures are those in {', '.join(named[:-1])} and {named[-1]}")
        return classes
    classes = _classes(folder)
    if classes and part != "train":
        say(f"{folder}: has no folder {part}/, so all of its pictures are read")
    return classes


def _classes(folder: Path) -> dict[str, list[Path]]:
    """The pictures directly in each folder of a folder, by its name; empty where there is no folder with pictures."""
    return class_folders(folder, ENDINGS, "picture", deep=False) if folder.is_dir() else {}


def _pictures(folder: Path, classes: dict[str, list[Path]], size: tuple[int, int]) -> ImageSet:
    """The pictures of the classes, each as ``picture`` makes it."""
    if len(classes) > MOST_CLASSES:
        raise InputError(f"{folder}: {len(classes)} folders of pictures; expected at most {MOST_CLASSES} classes")
    readings = [picture(str(path), size) for paths in classes.values() for path in paths]
    if blank := [reading.name for reading in readings if NOTHING_DRAWN in reading.changes]:
        say(f"{blank[0]}: {NOTHING_DRAWN}" + (f", nor on {counted(len(blank) - 1, 'other')}" if blank[1:] else ""))
    labels = np.repeat(np.arange(len(classes), dtype=np.uint8), [len(paths) for paths in classes.values()])
    return ImageSet(np.stack([reading.image for reading in readings]), labels, str(folder), tuple(classes))


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
