"""What the training loop asks of a task: a model, batches, a loss, an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn


class Task(Protocol):
    """One thing to train. ``items`` names what a step consumes (tokens, trees, images)."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def items(self) -> str: ...

    @property
    def steps_per_epoch(self) -> int: ...

    @property
    def implausible_loss(self) -> float:
        """A mean training loss below this is a sign that something is wrong with the data."""
        ...

    @property
    def criterion(self) -> str:
        """Which figure of ``evaluate`` is to be least: the best model is kept by it."""
        ...

    def identity(self) -> dict[str, Any]:
        """JSON-able facts that must not change when a run is resumed (data, network, batches)."""
        ...

    def loss(self, epoch: int, step: int) -> tuple[Tensor, int]:
        """The mean loss (nats) of batch ``step`` of ``epoch`` and its number of items; steps come in order."""
        ...

    def evaluate(self) -> dict[str, float] | None:
        """Figures of the model's present weights on validation data (None without any), ``loss`` among them."""
        ...

    def carried(self) -> dict[str, Tensor]:
        """What one step hands to the next (hidden states), for the checkpoint."""
        ...

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint's ``carried``."""
        ...

    def save(self, path: Path) -> None:
        """Write the model file with the model's present weights."""
        ...
