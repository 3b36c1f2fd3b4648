"""Checkpoints: everything that a run needs to continue exactly where it stood."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from seqtree.errors import InputError, ModelFileError
from seqtree.nn.network import load_state, state_of
from seqtree.training.averaging import WeightAverage
from seqtree.training.optimizer import Optimizer
from seqtree.training.ranks import Ranks
from seqtree.training.run_folder import RunFolder
from seqtree.training.settings import TrainingSettings
from seqtree.training.task import Task
from seqtree.wording import a

FIXED = ("optimizer", "averaging")  # settings that cannot change when a run is resumed
NOT_NAMES = ("network", "scales")  # what a model's contents have besides: its shape, and what evaluations fit


@dataclass
class TrainingState:
    """Where a run stands. ``best`` is the best figure so far, as the task names it; ``goes_on``: as with a task."""

    goes_on: bool = False
    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    items: int = 0
    elapsed: float = 0.0
    evaluations: int = 0
    evaluated_at: float = 0.0
    evaluation_seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    rate_scale: float = 1.0
    recoveries: int = 0
    recovered_from: int | None = None
    exploded: int = 0
    first_loss: float | None = None
    smoothed_loss: float | None = None
    loss_sum: float = 0.0
    loss_items: int = 0
    finished: bool = False

    def check(self, steps_per_epoch: int) -> None:
        """Raises ValueError for a value that is not of its field's type, not finite, or out of its range."""
        for field in fields(self):
            value, (kind, _, none) = getattr(self, field.name), str(field.type).partition(" | ")
            sound = type(value).__name__ == kind or (kind == "float" and type(value) is int)
            if not (math.isfinite(value) and (kind != "int" or value >= 0) if sound else none and value is None):
                raise ValueError(f"the state's {field.name} is {value!r}, expected {field.type}")
        if not 0 < self.rate_scale <= 1 or self.step_in_epoch > steps_per_epoch:
            where = f"step {self.step_in_epoch} of an epoch of {steps_per_epoch}"
            raise ValueError(f"the state is at {where}, its learning rate scaled by {self.rate_scale}")


class Checkpoints:
    """Writes and restores the checkpoints of one run."""

    def __init__(
        self,
        run: RunFolder,
        task: Task[Any, Any, Any],
        optimizer: Optimizer,
        average: WeightAverage,
        ranks: Ranks,
    ) -> None:
        self.run, self.task, self.ranks = run, task, ranks
        self.settings: TrainingSettings = task.recipe.training
        self.network: nn.Module = task.model.network
        self.optimizer, self.average = optimizer, average

    @cached_property
    def names(self) -> str:
        """A hash of what the model knows by name, in the order of its rows."""
        known = {name: value for name, value in self.task.model.contents().items() if name not in NOT_NAMES}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode("ascii")).hexdigest()

    def save(self, state: TrainingState) -> None:
        """Write the checkpoint. Raises OSError; the last one then survives."""
        tensors = {f"model.{k}": v for k, v in state_of(self.network).items()}
        tensors |= {f"average.{k}": v for k, v in self.average.tensors().items()}
        tensors |= {f"carried.{k}": v for k, v in self.ranks.joined_rows(self.task.carried()).items()}
        tensors |= {f"optimizer.{k}": v for k, v in self.optimizer.tensors().items()}
        contents = {
            "state": asdict(state),
            "average": {"updates": self.average.updates, "started": self.average.started},
            "identity": self.task.identity(),
            "names": self.names,
            "settings": self.settings.to_json(),
        }
        self.run.write_checkpoint(contents, tensors)

    def restore(self) -> tuple[TrainingState, dict[str, Any]] | None:
        """Continue from the checkpoint: where the run stands, and the settings that have changed. None without one.

        Raises InputError if it is of other data, another network or an earlier seqtree, ModelFileError if damaged.
        """
        saved = self.ranks.led(self.run.read_checkpoint)
        return None if saved is None else self.ranks.together(lambda: self._checked(*saved))

    def _checked(self, contents: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[TrainingState, dict[str, Any]]:
        if "state" not in contents:
            raise InputError(
                f"{self.run.path}: this run was begun by an earlier seqtree and cannot be continued exactly; its model "
                "works as it is: train into another --out"
            )
        try:
            return self._restored(contents, tensors)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise ModelFileError(f"{self.run.checkpoint}: damaged: its parts do not fit together ({error})") from error

    def _restored(self, contents: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[TrainingState, dict[str, Any]]:
        _check_identity(self.run, contents["identity"], self.task.identity())
        if contents.get("names", self.names) != self.names:  # of a run from before there were any, it is not known
            raise InputError(
                f"{self.run.path}: cannot resume: the model would know its words or classes in another order than when "
                "the run began; what that started from (--init-from) must still be where it was"
            )
        changed = self._changed(contents["settings"])
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "carried": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            group, rest = name.split(".", 1)
            groups[group][rest] = tensor
        load_state(self.network, groups["model"])
        self.average.restore(groups["average"], **contents["average"])
        state = TrainingState(**{"goes_on": self.task.goes_on, **contents["state"]})  # older runs do not say it
        state.check(self.task.steps_per_epoch)
        rows = len(self.task.batch(state.epoch, state.step_in_epoch)) if groups["carried"] else 0
        if any(len(tensor) != rows for tensor in groups["carried"].values()):
            raise ValueError(f"the carried states are not of {rows} rows")
        parts = {name: self.ranks.part(tensor, self.task.least_rows) for name, tensor in groups["carried"].items()}
        self.task.restore({name: part for name, part in parts.items() if len(part)})
        self.optimizer.restore(groups["optimizer"])
        return state, changed

    def _changed(self, before: dict[str, Any]) -> dict[str, Any]:
        """The settings that are not what they were when the run began."""
        changed = {k: v for k, v in self.settings.to_json().items() if before.get(k) != v}
        if fixed := sorted(changed.keys() & set(FIXED)):
            facts = "; ".join(f"{name} was {before.get(name)}, is {changed[name]}" for name in fixed)
            raise InputError(f"{self.run.path}: cannot resume a run with another optimiser or average: {facts}")
        return changed


def _check_identity(run: RunFolder, before: dict[str, Any], now: dict[str, Any]) -> None:
    if (kind := before.get("kind")) != now["kind"]:
        raise InputError(f"{run.path}: holds the run of {a(str(kind))}, not of {a(now['kind'])}; choose another --out")
    before, now = one_by_one(before), one_by_one(now)
    changed = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    facts = [f"{name} was {before.get(name)}, is {now.get(name)}" for name in changed if name != "data"]
    if "data" in changed:
        facts.insert(0, "the training or validation data have changed")
    if facts:
        raise InputError(f"{run.path}: cannot resume a run of other data or another network: {'; '.join(facts)}")


def one_by_one(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts one by one: {"network": {"hidden": 8}} as {"network.hidden": 8}."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        flat |= {f"{name}.{k}": v for k, v in one_by_one(value).items()} if isinstance(value, dict) else {name: value}
    return flat
