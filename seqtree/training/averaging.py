"""Weight averages: exponential (EMA), or the plain mean since validation stalled (ASGD, Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from seqtree.nn.network import check_tensors
from seqtree.training.settings import TrainingSettings


class WeightAverage:
    """Averages of a model's parameters; ``updates`` is the number of steps in them (0: not started)."""

    def __init__(self, model: nn.Module, settings: TrainingSettings) -> None:
        self.names = [name for name, _ in model.named_parameters()]
        self.parameters = [parameter for _, parameter in model.named_parameters()]
        self.kind, self.decay = settings.averaging, settings.ema_decay
        self.started = self.kind == "ema"
        self.updates = 0
        self.averages = [p.detach().clone() for p in self.parameters] if self.kind != "none" else []

    def start(self) -> None:
        """Begin the ASGD average, if it has not begun."""
        self.started = self.started or self.kind == "asgd"

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step: a <- a + (w - a) * rate, the rate falling from .9 to 1 - decay, or 1/n."""
        if not self.started:
            return
        rate = 1.0 / (self.updates + 1)
        if self.kind == "ema":
            rate = max(1.0 - self.decay, 9.0 / (10.0 + self.updates))
        torch._foreach_lerp_(self.averages, [p.detach() for p in self.parameters], rate)
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the model has the averaged weights (if the average has begun)."""
        if not self.updates:
            yield
            return
        kept = [p.detach().clone() for p in self.parameters]
        self._put(self.averages)
        try:
            yield
        finally:
            self._put(kept)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def tensors(self) -> dict[str, Tensor]:
        """The averages by parameter name, for the checkpoint."""
        return dict(zip(self.names, self.averages, strict=False))

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], updates: int, started: bool) -> None:
        """Go on from a checkpoint. Raises ValueError if it does not fit."""
        check_tensors(tensors, self.tensors())
        if type(updates) is not int or updates < 0 or type(started) is not bool:
            raise ValueError(f"an average of {updates!r} updates, started: {started!r}")
        for name, average in zip(self.names, self.averages, strict=False):
            average.copy_(tensors[name])
        self.updates, self.started = updates, started
