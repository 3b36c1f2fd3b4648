"""Classifying images as a task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError, SettingError
from seqtree.images.augment import AugmentedImages
from seqtree.images.config import OPTIONS, ROWS_ONLY, ImageRecipe
from seqtree.images.data import ImageSet
from seqtree.images.evaluation import evaluate
from seqtree.images.generated import read_part
from seqtree.images.model import ImageClassifier, as_tensor
from seqtree.images.sources import read_validation, validation_folder
from seqtree.training.batches import at_most, evenly_by_class
from seqtree.training.copying import start_rest
from seqtree.training.progress import Display
from seqtree.training.start import taken_over
from seqtree.training.task import Batch, Inputs, Task
from seqtree.wording import counted, some

MEASURED = 10_000  # training images from which batch normalisation takes its figures
MAX_VALIDATION = 5000  # images
HELD_OUT = 0.1  # of the images, unless there are others to validate on
SHAPE = ("plan", "cell", "layers", "hidden", "bidirectional", "readout", "objective")


class ImageData(NamedTuple):
    """Training images, those to validate on (None: none), the names of the classes.

    held_out: whether the images to validate on are a share of those in the training data.
    """

    training: ImageSet
    valid: ImageSet | None
    names: tuple[str, ...]
    held_out: bool = False


class ImageTask(Task[ImageRecipe, ImageClassifier, ImageData]):
    """Learning the classes of images, in batches of ``batch`` images or one fewer.

    The best model is the one with the best Brier score: a few confident mistakes would decide the cross-entropy.
    """

    options = OPTIONS
    items = "images"
    best = "-brier"
    own_data = "digits"

    def __init__(self, model: ImageClassifier, data: ImageData, recipe: ImageRecipe) -> None:
        super().__init__(model, data, recipe)
        size, count = recipe.batch.batch, len(data.training)
        self.least_rows = 2 if model.network.has_norms else 1
        if count // self.steps_per_epoch < self.least_rows:
            raise InputError(f"{count:,} images in batches of {size}: batch normalisation needs two in each")
        self.images = as_tensor(data.training.images).to(model.device)
        self.labels = torch.from_numpy(model.numbers(data.training)).to(model.device)
        self.augmented = AugmentedImages(self.images, recipe.augmentation)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> ImageRecipe:
        recipe = OPTIONS.resolved(options)
        if recipe.run.init_from:
            start = ImageClassifier.load(recipe.run.init_from)
            shape = {name: getattr(start.network.config, name) for name in SHAPE}
            recipe = taken_over(recipe, start, options, {"network": shape})
            if recipe.images.names:
                raise SettingError("names", "with --init-from they are the model's", ", ".join(recipe.images.names))
        others = [f"--{name}" for name in ROWS_ONLY if options.get(name) is not None]
        if others and not recipe.network.cell:
            raise InputError(f"{', '.join(others)}: only for models over the rows; layers of others are set by --plan")
        names = tuple(part.strip() for name in recipe.images.names for part in name.split(",") if part.strip())
        return replace(recipe, images=replace(recipe.images, names=names))

    @classmethod
    def read(cls, sources: Sequence[str], recipe: ImageRecipe, display: Display) -> ImageData:
        if len(sources) > 1:
            raise InputError(f"{', '.join(sources)}: expected one folder or file of images")
        settings = recipe.images
        size, start = (settings.size, settings.size) if settings.size else None, recipe.start
        data = read_part(next(iter(sources), None), "train", settings.labels, start.size if start else size)
        if start:
            start.check_size(size or data.size)
        if size and not data.names:
            raise SettingError("size", f"{data.source} have a size of their own; it is for pictures", settings.size)
        names = _names(settings.names, data)
        known = (*start.classes, *names) if start else names
        training, valid, held_out = _parts(data, settings.valid_share, known, display)
        if missing := sorted(set(range(len(names))) - set(training.labels.tolist())):
            shown = some([names[label] for label in missing])
            display.warning(f"{len(missing)} of {len(names)} classes have no training image: {shown}")
        return ImageData(training, valid, names, held_out)

    @classmethod
    def build(cls, data: ImageData, recipe: ImageRecipe, display: Display) -> ImageClassifier:
        start: ImageClassifier | None = recipe.start
        if not start:
            made = ImageClassifier.over(data.training, data.names, recipe.network, recipe.training.seed)
            made.by_place = bool(recipe.images.names)
            return made
        more = data.training.new_classes(start.classes, start.by_place)
        classes = (*start.classes, *more)
        made = ImageClassifier.framed(start.network.frame, classes, recipe.network, recipe.training.seed)
        made.by_place = start.by_place
        start_rest(made.network, start.network)
        display.message(f"starting from {recipe.run.init_from}: {counted(len(start.classes), 'class')} known")
        return made

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.data.training) / self.recipe.batch.batch)

    def inputs(self) -> Inputs:
        training, valid = (part.images if part else () for part in (self.data.training, self.data.valid))
        return (image.tobytes() for image in training), (image.tobytes() for image in valid)

    def fingerprint(self) -> str:
        return "+".join(part.fingerprint for part in (self.data.training, self.data.valid) if part)

    def identity(self) -> dict[str, Any]:
        return {
            **super().identity(),
            "augmentation": self.recipe.augmentation.to_json(),
            "classes": len(self.model.classes),
        }

    def batch(self, epoch: int, step: int) -> Batch:
        return self._order(epoch)[step]

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        numbers = torch.from_numpy(batch).to(self.model.device)
        logits = self.model.network(self.augmented.batch(numbers))
        return self.model.network.loss(logits, self.labels[numbers]), len(numbers)

    @property
    def validation_items(self) -> int:
        return len(self.data.valid or ())

    @property
    def holds_out(self) -> bool:
        return self.data.held_out

    def evaluate(self) -> dict[str, float] | None:
        if self.model.network.has_norms:
            self.model.network.measure_norms(self.images[:MEASURED], self.recipe.batch.batch)
        if self.data.valid is None:
            return None
        measured = evaluate(self.model, self.data.valid, self.share)
        return {"loss": measured.loss, "brier": measured.brier, "error_percent": round(100 * measured.error, 4)}

    def measure(self, model: ImageClassifier) -> tuple[dict[str, Any], str]:
        measured = evaluate(model, self.data.valid or self.data.training)
        summary = f"{100 * measured.error:.2f} % wrong of {counted(measured.images, 'image')}, loss {measured.loss:.4f}"
        return measured.to_json(), summary

    def describe(self) -> str:
        config, data = self.model.network.config, self.data
        what = config.plan or f"{config.cell} {config.layers}x{config.hidden} over the rows"
        size = "x".join(map(str, data.training.size))
        return (
            f"{counted(len(data.training), 'training image')} of {size}, "
            f"{counted(len(data.valid or ()), 'validation image')}; {counted(len(self.model.classes), 'class')}; "
            f"{what}; batch {self.recipe.batch.batch}"
        )

    def _shuffled(self, epoch: int) -> list[Batch]:
        """The numbers of each step's images."""
        order = np.random.default_rng((self.recipe.training.seed, epoch)).permutation(len(self.data.training))
        return np.array_split(order, self.steps_per_epoch)


def _names(given: tuple[str, ...], data: ImageSet) -> tuple[str, ...]:
    """The names of the classes: those of the data, those given, or their labels."""
    if data.names and given:
        raise SettingError("names", f"a folder is a class in {data.source}, by its name", ", ".join(given))
    given, count = data.names or given, int(data.labels.max()) + 1
    if data.labels.min() == count - 1:
        every = f"picture is of class {given[-1]!r}" if data.names else f"label is {count - 1}"
        raise InputError(f"{data.source}: every {every}; expected two classes or more")
    if given and len(given) < count:
        raise InputError(f"{len(given)} names for labels up to {count - 1}: expected {count}")
    if len(set(given)) < len(given):
        raise SettingError("names", "expected no name twice", ", ".join(given))
    return given or tuple(map(str, range(count)))


def _parts(
    data: ImageSet, share: float | None, classes: Sequence[str], display: Display
) -> tuple[ImageSet, ImageSet | None, bool]:
    """Training images, those to validate on, and whether these were held out; pictures may be in a folder of their own.

    Raises InputError for a class in that folder that is none of ``classes``.
    """
    folder = validation_folder(data.source) if data.names else None
    if folder and share is None:
        return data, _apart(folder, data.size, classes, display), False
    if folder:
        display.message(f"{folder} is not read: --valid-share")
    share = HELD_OUT if share is None else share
    return *_split(data, share), share > 0


def _apart(folder: Path, size: tuple[int, int], classes: Sequence[str], display: Display) -> ImageSet:
    """The pictures of a folder to validate on, all of these classes, ``MAX_VALIDATION`` at most."""
    valid = read_validation(folder, size)
    if others := valid.new_classes(classes):
        raise InputError(f"{folder / others[0]}: no such class is learned; expected {some(classes)}")
    chosen = np.zeros(len(valid), dtype=bool)
    chosen[at_most([*range(len(valid))], MAX_VALIDATION, "pictures", display.warning)] = True
    return valid[chosen]


def _split(data: ImageSet, share: float) -> tuple[ImageSet, ImageSet | None]:
    """Training images, and those to validate on: evenly from each class."""
    numbers = evenly_by_class(data.labels.tolist(), share, MAX_VALIDATION)
    chosen = np.zeros(len(data), dtype=bool)
    chosen[numbers] = True
    return data[~chosen], data[chosen] if numbers else None
