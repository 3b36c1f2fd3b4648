"""What the training loop and ``fit`` ask of a task: reading, building, batches, a loss, an evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.model import Model
from seqtree.settings import overridden
from seqtree.training.progress import Display
from seqtree.training.recipe import Recipe, TrainingOptions
from seqtree.training.settings import ValidationSettings
from seqtree.training.sharing import Share, alone

Batch = npt.NDArray[np.int64]  # its first axis is rows: ``batch[a:b]`` is a batch, too
Counted = Mapping[str, tuple[Tensor, Iterable[npt.NDArray[Any]]]]
Inputs = tuple[Iterable[Hashable], Iterable[Hashable]]
R = TypeVar("R", bound=Recipe)
M = TypeVar("M", bound=Model[Any])
D = TypeVar("D")
FEW = 20  # items to validate on


class Task(ABC, Generic[R, M, D]):
    """One thing to train: a ``model`` on ``data`` by a ``recipe``.

    ``items`` names what a step consumes (tokens, words, images). ``best`` is the figure of ``evaluate`` by which the
    best model is kept, with its direction: ``"-loss"``, ``"+labelled_f1"``. A mean training loss below
    ``implausible_loss`` is a sign that something is wrong with the data.

    Batches can be split by rows: the gradients of the parts, weighted by their items, add up to those of the whole
    batch. A part has ``least_rows`` at least. All random numbers of a step come from torch's generator, which is seeded
    by the run's seed, the step and the process.

    ``share`` is how ``evaluate`` is to measure item by item: all processes call it, and each does a part of the items.
    """

    options: ClassVar[TrainingOptions[Any]]
    items: ClassVar[str] = "items"
    own_data: ClassVar[str] = ""  # what the task generates where no source is named and there is no sample, if anything
    best: str = "-loss"
    implausible_loss: ClassVar[float] = 0.0
    least_rows: int = 1
    share: Share = staticmethod(alone)

    def __init__(self, model: M, data: D, recipe: R) -> None:
        self.model, self.data, self.recipe = model, data, recipe

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> R:
        """The recipe that the given options choose. Raises InputError."""
        recipe: R = cls.options.resolved(options)
        return recipe

    @classmethod
    @abstractmethod
    def read(cls, sources: Sequence[str], recipe: R, display: Display) -> D:
        """The data that ``sources`` name (none: the task's own sample). Raises InputError."""

    @classmethod
    def going_on(cls, recipe: R, begun: Mapping[str, Any]) -> R:
        """The recipe with what was chosen when the run that goes on began, as config.json says it (nothing: it is new).

        That is its budget, if no other is given now. Raises InputError.
        """
        training = begun.get("training")
        if not recipe.fits_epochs or not isinstance(training, dict):
            return recipe
        budget = {name: training.get(name) for name in ("epochs", "minutes")}
        return replace(recipe, training=overridden(recipe.training, budget), fits_epochs=False)

    @classmethod
    def fitted(cls, data: D, recipe: R, display: Display) -> R:
        """The recipe with what depends on the size of the data."""
        return recipe

    @classmethod
    @abstractmethod
    def build(cls, data: D, recipe: R, display: Display) -> M:
        """The untrained model for these data, or one that starts from ``recipe.start``. Raises InputError."""

    @property
    @abstractmethod
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of the training and validation data."""

    @abstractmethod
    def batch(self, epoch: int, step: int) -> Batch:
        """Batch ``step`` of ``epoch``, in numbers: (rows, ...). It depends on nothing else."""

    @abstractmethod
    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        """The mean loss (nats) of a batch and its number of items; batches come in order."""

    @property
    def validation_items(self) -> int:
        """How many items there are to validate on."""
        return 0

    @property
    def holds_out(self) -> bool:
        """Whether what is validated on is a share of the training data, not other data or nothing."""
        settings = self.recipe.groups.get("validation")
        return isinstance(settings, ValidationSettings) and not settings.valid and settings.valid_share > 0

    @property
    def few_to_validate(self) -> bool:
        """Whether so few items are validated on that the figures say little; then the latest model is kept."""
        return 0 < self.validation_items < FEW

    @property
    def goes_on(self) -> bool:
        """Whether the model starts from one of its own kind, which validation can tell before training."""
        return self.validation_items > 0 and self.recipe.start_of(self.model.kind) is not None

    def inputs(self) -> Inputs:
        """What a model reads of each training item, and of each item to validate on; nothing if they aren't compared.

        Items with equal inputs are the same to a model, whatever it is to answer.
        """
        return (), ()

    def evaluate(self) -> dict[str, float] | None:
        """Figures of the model's present weights on validation data, in all processes the same; None without any."""
        return None

    @abstractmethod
    def measure(self, model: M) -> tuple[dict[str, Any], str]:
        """The report's figures of the trained model, on validation data or else the training data, and one line."""

    @abstractmethod
    def describe(self) -> str:
        """Data and network in a few words, to be read before training."""

    def activations(self) -> int:
        """What data, a step and an evaluation need at most besides the weights, in bytes; 0 if that is not known."""
        return 0

    def measuring_seconds(self) -> tuple[float, float]:
        """How long ``evaluate`` and ``measure`` will take; 0 where that is not known or next to nothing."""
        return 0.0, 0.0

    def identity(self) -> dict[str, Any]:
        """JSON-able facts that must not change when a run is resumed."""
        return {
            "kind": self.model.kind,
            "data": self.fingerprint(),
            "network": self.model.network.config.to_json(),
            **self.recipe.batch.to_json(),
            "precision": str(self.model.network.products or torch.float32),
            "half": self.recipe.run.half,
        }

    def counted(self) -> Counted:
        """What may start from counts, by name: vectors (V, E) of tokens, and sentences (N,) of their numbers."""
        return {}

    def start_epoch(self) -> None:
        """Called before the first batch of every epoch."""

    def carried(self) -> dict[str, Tensor]:
        """What one step hands to the next, each (rows, ...), for the checkpoint."""
        return {}

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        """Continue from a checkpoint's ``carried``."""

    def save(self, path: Path) -> None:
        """Write the model file with the model's present weights."""
        self.model.save(path, self.recipe.run.half)

    @classmethod
    def made(cls, sources: Sequence[str], recipe: R, display: Display) -> Self:
        """The task: data read, model built and put where it computes."""
        return cls.over(cls.read(sources, recipe, display), recipe, display)

    @classmethod
    def over(cls, data: D, recipe: R, display: Display) -> Self:
        """The task over data that are read: model built and put where it computes."""
        recipe = cls.fitted(data, recipe, display)
        model = cls.build(data, recipe, display)
        model.to(recipe.run.device, recipe.run.precision)
        task = cls(model, data, recipe)
        task.recipe = recipe.with_enough_epochs(task.steps_per_epoch, display.message)
        return task
