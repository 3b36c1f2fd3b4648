"""Training a classifier from labelled images: the recipe, the pre-flight line, the run, the last measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.images.augment import Augmentation
from seqtree.images.data import ImageSet, read_set
from seqtree.images.digits import digits
from seqtree.images.evaluation import evaluate
from seqtree.images.model import ImageClassifier
from seqtree.images.network import NetworkConfig
from seqtree.images.presets import preset
from seqtree.images.task import ImageTask
from seqtree.nn.device import choose_device, choose_dtype
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder
from seqtree.training.settings import TrainingSettings, overridden

MAX_VALIDATION = 5000  # images
MAX_NAMED = 10  # classes in a warning
ROWS_ONLY = ("layers", "hidden", "bidirectional", "readout", "dropout")
GENERATED = {"train": (2000, 0), "test": (1000, 1)}  # digits, and their seed


@dataclass(frozen=True)
class Recipe:
    """Everything that ``seqtree image train`` is told; without ``data`` it is generated digits."""

    data: str | None
    out: Path
    network: NetworkConfig
    augmentation: Augmentation
    batch: int
    training: TrainingSettings
    labels: str | None = None
    names: tuple[str, ...] = ()
    valid_share: float = 0.1
    device: str = "auto"
    precision: str = "auto"
    resume: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise InputError(f"batch {self.batch}: expected at least 1")
        if not 0.0 <= self.valid_share < 1.0:
            raise InputError(f"valid_share {self.valid_share}: expected a share from 0 to below 1")

    @classmethod
    def from_options(cls, data: str | None, options: Mapping[str, Any]) -> Recipe:
        """From the command line's options; those that are None are left to the preset."""
        chosen = preset(options["model"])
        others = [f"--{name}" for name in ROWS_ONLY if options[name] is not None]
        if others and not chosen.network.cell:
            raise InputError(f"{', '.join(others)}: only for models over the rows; layers of others are set by --plan")
        rest = ("out", "labels", "valid_share", "device", "precision", "resume")
        return cls(
            data=data,
            network=overridden(chosen.network, options),
            augmentation=overridden(chosen.augmentation, options),
            batch=chosen.batch if options["batch"] is None else options["batch"],
            training=overridden(chosen.training, options),
            names=tuple(name.strip() for name in (options["names"] or "").split(",") if name.strip()),
            **{name: options[name] for name in rest},
        )


def read_data(data: str | None, part: str, labels: str | None = None) -> ImageSet:
    """The ``part`` (train or test) of what DATA names, or of the generated digits. Raises InputError."""
    if labels and not data:
        raise InputError(f"labels {labels} without images: name these, too")
    return read_set(data, part, labels) if data else digits(*GENERATED[part])


def train_images(recipe: Recipe, display: Display) -> dict[str, Any]:
    """Train, and return the last evaluation with {steps, seconds, images_per_second, model, interrupted}.

    Raises InputError for images, options or a folder that do not serve; DivergenceError; OSError.
    """
    run = RunFolder(recipe.out)
    with run.opened(recipe.resume):
        data = read_data(recipe.data, "train", recipe.labels)
        names = _names(recipe, data)
        training, valid = _split(data, recipe.valid_share)
        device = choose_device(recipe.device)
        classifier = ImageClassifier.untrained(training, names, recipe.network, recipe.training.seed)
        classifier.network.to(device).products = choose_dtype(recipe.precision, device)
        task = ImageTask(classifier, training, valid, recipe.augmentation, recipe.batch, recipe.training.seed)
        display.message(_preflight(task, recipe.training))
        if missing := sorted(set(range(len(names))) - set(training.labels.tolist())):
            shown = [names[label] for label in missing[:MAX_NAMED]] + ["..."] * (len(missing) > MAX_NAMED)
            display.warning(f"{len(missing)} of {len(names)} classes have no training image: {', '.join(shown)}")
        result = Trainer(task, recipe.training, run, display).fit(recipe.resume, _config(recipe))
        display.close()
        report: dict[str, Any] = {
            "steps": result.steps,
            "seconds": round(result.seconds, 3),
            "images_per_second": round(result.items_per_second, 1),
            "model": str(run.path),
            "interrupted": result.interrupted,
        }
        if result.interrupted:
            display.message(f"interrupted and saved at step {result.steps:,}; go on with --resume")
            return report
        measured = evaluate(ImageClassifier.load(run.path), valid or training)
        where = "validation" if valid else "training images"
        report = {**measured.to_json(), **report, "best_step": result.best_step, "measured_on": where}
        display.message(f"{where}: {100 * measured.error:.2f} % wrong of {measured.images:,}, loss {measured.loss:.4f}")
        return report


def _names(recipe: Recipe, data: ImageSet) -> tuple[str, ...]:
    """The names of the classes: those given, or their labels."""
    count = int(data.labels.max()) + 1
    if data.labels.min() == count - 1:
        raise InputError(f"{data.source}: every label is {count - 1}; expected two classes or more")
    if recipe.names and len(recipe.names) < count:
        raise InputError(f"{len(recipe.names)} names for labels up to {count - 1}: expected {count}")
    if len(set(recipe.names)) < len(recipe.names):
        raise InputError(f"names {', '.join(recipe.names)}: expected no name twice")
    return recipe.names or tuple(map(str, range(count)))


def _split(data: ImageSet, share: float) -> tuple[ImageSet, ImageSet | None]:
    """Training images, and those to validate on: evenly from the whole file, which may be sorted by class."""
    count = min(MAX_VALIDATION, round(share * len(data)))
    if count == len(data):
        raise InputError(f"{data.source}: no image is left to train on")
    chosen = np.zeros(len(data), dtype=bool)
    chosen[np.arange(count) * len(data) // max(1, count)] = True
    return data[~chosen], data[chosen] if count else None


def _preflight(task: ImageTask, settings: TrainingSettings) -> str:
    network = task.model
    parameters = sum(parameter.numel() for parameter in network.parameters())
    what = network.config.plan or f"{network.config.cell} {network.config.layers}x{network.config.hidden} over the rows"
    steps = task.steps_per_epoch * settings.epochs
    budget = f"{settings.epochs:g} epochs, {steps:,.0f} steps"
    if settings.minutes is not None:
        budget = f"{settings.minutes:g} minutes"
    size = "x".join(map(str, task.data.size))
    return (
        f"{len(task.data):,} training images of {size}, {len(task.valid or ()):,} validation images; "
        f"{len(task.classifier.classes)} classes; {what}; {parameters:,} parameters; batch {task.size}; "
        f"{budget}"
    )


def _config(recipe: Recipe) -> dict[str, Any]:
    return {
        "command": "image train",
        "data": recipe.data and str(Path(recipe.data).resolve()),
        "labels": recipe.labels and str(Path(recipe.labels).resolve()),
        "names": list(recipe.names),
        "valid_share": recipe.valid_share,
        "network": recipe.network.to_json(),
        "augmentation": recipe.augmentation.to_json(),
        "batch": recipe.batch,
        "training": recipe.training.to_json(),
    }
