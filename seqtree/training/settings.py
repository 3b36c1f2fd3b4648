"""How to train: one frozen dataclass, checked on construction; and how given options change such settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from seqtree.errors import InputError

T = TypeVar("T")

CHOICES = {
    "optimizer": ("adamw", "sgd"),
    "schedule": ("cosine", "linear", "plateau", "constant"),
    "averaging": ("none", "ema", "asgd"),
}


@dataclass(frozen=True)
class TrainingSettings:
    """Budget, optimiser, schedule and averaging.

    The budget is ``minutes`` if given, else ``epochs``; the schedule runs over the whole budget. ``evaluations`` is how
    often the run is evaluated, evenly over its budget. ``patience`` counts evaluations without a better validation
    loss: after as many, the plateau schedule lowers the rate, ASGD starts to average, and ``early_stopping`` stops.
    """

    epochs: float = 10.0
    minutes: float | None = None
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    beta2: float = 0.99
    momentum: float = 0.0
    clip: float = 1.0
    schedule: str = "cosine"
    warmup: float = 0.03
    final_rate: float = 0.0
    plateau_factor: float = 0.25
    averaging: str = "ema"
    ema_decay: float = 0.99
    patience: int = 3
    early_stopping: bool = False
    evaluations: int = 12
    checkpoint_seconds: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} {getattr(self, name)!r}: expected one of {', '.join(allowed)}")
        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"minutes {self.minutes}: expected more than 0")
        for name in ("epochs", "learning_rate", "clip", "checkpoint_seconds"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} {getattr(self, name)}: expected more than 0")
        for name in ("epochs", "learning_rate"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"{name} {getattr(self, name)}: expected a finite number")
        for name in ("warmup", "final_rate", "plateau_factor", "ema_decay", "beta2", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: expected from 0 to below 1")
        for name in ("evaluations", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: expected at least 1")
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"weight_decay {self.weight_decay}: expected 0 or more")
        if not 0 <= self.seed < 1 << 32:
            raise InputError(f"seed {self.seed}: expected a whole number from 0 to {(1 << 32) - 1}")

    to_json = asdict


def overridden(base: T, options: Mapping[str, Any]) -> T:
    """``base`` (a frozen dataclass) with its fields replaced by those options of the same name that were given."""
    names = {field.name for field in fields(base)}  # type: ignore[arg-type]
    given = {name: value for name, value in options.items() if name in names and value is not None}
    return replace(base, **given)  # type: ignore[type-var]
