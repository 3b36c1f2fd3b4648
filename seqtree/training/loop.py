"""The one training loop: steps, evaluations, checkpoints, recovery from divergence, interruption.

Resume is exact: the random numbers of a step depend on the seed and the step alone, and everything else that one step
hands to the next is in the checkpoint. A run by epochs that is killed anywhere and resumed ends with the same bytes as
one that was never broken. A run by minutes follows the clock and cannot promise that; nor can one that recovers from
divergence, for it goes back to whichever checkpoint was the last.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seqtree.errors import DivergenceError, InputError
from seqtree.training.averaging import WeightAverage
from seqtree.training.memory import keep_large_buffers
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder
from seqtree.training.schedule import rate_factor
from seqtree.training.settings import TrainingSettings
from seqtree.training.signals import stop_requests
from seqtree.training.task import Task

MAX_RECOVERIES = 5
EXPLODED = 3.0  # a batch's loss this many times the smoothed one (and the first one) counts as an explosion
ODD_BATCHES = 5  # one after another with such a loss are no odd batches any more: the weights are at fault


@dataclass
class Position:
    """Where a run stands; all of it goes into the checkpoint."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    items: int = 0
    elapsed: float = 0.0
    evaluations: int = 0
    evaluated_at: float = 0.0
    evaluation_seconds: float = 0.0
    best_loss: float | None = None
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


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended: ``interrupted`` says that a signal stopped it (after saving)."""

    steps: int
    epochs: float
    seconds: float
    items: int
    items_per_second: float
    best_loss: float | None
    best_step: int
    interrupted: bool


class Trainer:
    """Trains one task in one run folder: ``Trainer(task, settings, run, display).fit(resume)``."""

    def __init__(self, task: Task, settings: TrainingSettings, run: RunFolder, display: Display) -> None:
        self.task, self.settings, self.run, self.display = task, settings, run, display
        self.model = task.model
        self.parameters = list(self.model.parameters())
        self.optimizer = _optimizer(self.model, settings)
        self.average = WeightAverage(self.model, settings)
        self.position = Position()
        self.total_steps = max(1, round(settings.epochs * task.steps_per_epoch))
        self._saved_at = self._clock = time.monotonic()

    def fit(self, resume: bool = False, config: dict[str, Any] | None = None) -> TrainingResult:
        """Train until the budget is spent, validation stalls (with early stopping) or a signal comes.

        ``config`` is written to config.json, once nothing stands against the run.
        Raises InputError if the checkpoint to resume is of other data or another network, DivergenceError if the loss
        keeps exploding, OSError if a file cannot be written (the last checkpoint survives).
        """
        keep_large_buffers()
        saved = self.run.read_checkpoint() if resume else None
        if saved:
            self._restore(*saved)
            self.display.message(f"resuming at step {self.position.step:,}")
        if config is not None:
            self.run.write_config(config)
        self._clock = self._saved_at = time.monotonic()
        if not saved:
            self._save_checkpoint()
        gpus = [p.device for p in self.parameters[:1] if p.device.type == "cuda"]
        with torch.random.fork_rng(devices=gpus), stop_requests() as stop:
            while not self.position.finished and not stop.is_set():
                self._advance()
        if stop.is_set() and not self.position.finished:
            self._save_checkpoint()
        return self._result(interrupted=stop.is_set() and not self.position.finished)

    def progress(self) -> float:
        """The share of the budget that is spent, from 0 to 1."""
        if self.settings.minutes is not None:
            return min(1.0, self.position.elapsed / (60.0 * self.settings.minutes))
        return min(1.0, self.position.step / self.total_steps)

    def _advance(self) -> None:
        """One step, then what is due after it."""
        p = self.position
        rate = self.settings.learning_rate * p.rate_scale * rate_factor(self.settings, self.progress())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(self.settings.seed * 1_000_003 + p.step)
        self.model.train()
        loss, items = self.task.loss(p.epoch, p.step_in_epoch)
        value = loss.item()
        exploded = self._exploded(value)
        p.exploded = p.exploded + 1 if exploded else 0
        if not math.isfinite(value) or p.exploded == ODD_BATCHES:
            self._recover_or_leave_out(value, items, rate)
            return
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.settings.clip, foreach=True)
        if not math.isfinite(norm.item()):
            self._recover(float("nan"))
            return
        self.optimizer.step()
        self.average.update()
        self._count(value, items, exploded)
        self._after_step(rate)

    def _recover_or_leave_out(self, value: float, items: int, rate: float) -> None:
        """Recover; a batch that is met again after that is left out."""
        p = self.position
        if p.step != p.recovered_from or p.smoothed_loss is None:
            self._recover(value)
            return
        self.display.warning(f"the loss exploded again at step {p.step} ({value:g}): leaving that batch out")
        p.exploded = 0
        self._count(p.smoothed_loss, items)
        self._after_step(rate)

    def _count(self, loss: float, items: int, odd: bool = False) -> None:
        """Count a step. The loss of an ``odd`` batch is no measure for the next ones."""
        p = self.position
        p.step += 1
        p.step_in_epoch += 1
        if p.step_in_epoch == self.task.steps_per_epoch:
            p.epoch, p.step_in_epoch = p.epoch + 1, 0
        p.items += items
        p.loss_sum += loss * items
        p.loss_items += items
        p.first_loss = loss if p.first_loss is None else p.first_loss
        if not odd:
            p.smoothed_loss = loss if p.smoothed_loss is None else 0.98 * p.smoothed_loss + 0.02 * loss

    def _after_step(self, rate: float) -> None:
        p = self.position
        self._tick()
        progress = self.progress()
        due = self._evaluation_due(progress)
        save = due or progress >= 1.0 or time.monotonic() - self._saved_at >= self.settings.checkpoint_seconds
        save = save and not p.exploded
        if save and not all(bool(parameter.isfinite().all()) for parameter in self.parameters):
            self._recover(float("nan"))
            return
        if due:
            if not self._evaluate(rate):
                return
            before = p.elapsed
            self._tick()
            p.evaluated_at, p.evaluation_seconds = p.elapsed, p.elapsed - before
        p.finished = p.finished or self.progress() >= 1.0
        if save or p.finished:
            self._save_checkpoint()
        self.display.step(self.progress(), p.step, p.smoothed_loss or 0.0, p.items / max(p.elapsed, 1e-9), p.elapsed)

    def _evaluation_due(self, progress: float) -> bool:
        """Evenly over the budget and at its end; by the clock, evaluations take at most 3 % of the time."""
        p = self.position
        if progress < min(1.0, (p.evaluations + 1) / self.settings.evaluations):
            return False
        rested = p.elapsed - p.evaluated_at >= 30.0 * p.evaluation_seconds
        return self.settings.minutes is None or progress >= 1.0 or rested

    def _tick(self) -> None:
        now = time.monotonic()
        self.position.elapsed += now - self._clock
        self._clock = now

    def _evaluate(self, rate: float) -> bool:
        """Evaluate with the averaged weights; keep the model if it is the best so far. False: the loss is no number."""
        p, settings = self.position, self.settings
        with self.average.applied():
            self.model.eval()
            with torch.no_grad():
                figures = self.task.evaluate()
            judged = figures[self.task.criterion] if figures else p.loss_sum / p.loss_items
            sound = math.isfinite(judged)
            better = sound and (p.best_loss is None or judged < p.best_loss or not figures)
            if better:
                p.best_loss, p.best_step, p.stale = judged, p.step, 0
                self.task.save(self.run.model)
        if not sound:
            self._recover(judged)
            return False
        p.evaluations = max(p.evaluations + 1, math.floor(self.progress() * settings.evaluations + 1e-9))
        record = self._record(figures or {"loss": None}, rate)
        self.run.add_metrics(record)
        if not better:
            p.stale += 1
            self._stalled()
        if record["train_loss"] < self.task.implausible_loss:
            self.display.warning(
                f"a training loss of {record['train_loss']:.1e} nats is implausibly low; the data may repeat itself"
            )
        self.display.evaluation(record, figures or {}, better)
        p.loss_sum, p.loss_items = 0.0, 0
        return True

    def _record(self, figures: Mapping[str, float | None], rate: float) -> dict[str, Any]:
        p = self.position
        epochs = p.step / self.task.steps_per_epoch
        return {
            "step": p.step,
            "epoch": round(epochs, 4),
            **figures,
            "train_loss": p.loss_sum / p.loss_items,
            "seconds": round(p.elapsed, 3),
            f"{self.task.items}_per_second": round(p.items / p.elapsed, 1),
            "learning_rate": rate,
        }

    def _stalled(self) -> None:
        p = self.position
        if p.stale % self.settings.patience:
            return
        self.average.start()
        if self.settings.schedule == "plateau":
            p.rate_scale *= self.settings.plateau_factor
            self.display.message(f"validation stalled: learning rate x {self.settings.plateau_factor:g}")
        if self.settings.early_stopping:
            self.display.message(f"no better validation loss in {p.stale} evaluations: stopping early")
            p.finished = True

    def _exploded(self, loss: float) -> bool:
        p = self.position
        if not math.isfinite(loss):
            return True
        if p.smoothed_loss is None or p.first_loss is None:
            return False
        return loss > EXPLODED * p.smoothed_loss and loss > 1.5 * p.first_loss

    def _recover(self, loss: float) -> None:
        """Go back to the last checkpoint with half the learning rate."""
        recoveries, at = self.position.recoveries + 1, self.position.step
        if recoveries > MAX_RECOVERIES:
            raise DivergenceError(
                f"training diverged at step {at} (loss {loss:g}) {recoveries} times, down to a learning rate of "
                f"{self.settings.learning_rate * self.position.rate_scale:.2g}; the best model so far is kept: try a "
                "lower --learning-rate or --clip"
            )
        saved = self.run.read_checkpoint()
        if saved is None:
            raise DivergenceError(f"training diverged at step {at} and {self.run.checkpoint} is gone")
        scale, elapsed = self.position.rate_scale, self.position.elapsed
        self._restore(*saved)
        self.position.rate_scale, self.position.recoveries = scale * 0.5, recoveries
        self.position.recovered_from = at
        self.position.elapsed = elapsed
        self.display.warning(
            f"the loss exploded at step {at} ({loss:g}): back to step {self.position.step} with half the learning rate"
        )

    def _save_checkpoint(self) -> None:
        if self.position.step:
            self._tick()
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.tensors().items()}
        tensors |= {f"carried.{k}": v for k, v in self.task.carried().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": v for k, v in state.items() if isinstance(v, Tensor)}
        contents = {
            "position": asdict(self.position),
            "average": {"updates": self.average.updates, "started": self.average.started},
            "identity": self.task.identity(),
            "settings": self.settings.to_json(),
        }
        self.run.write_checkpoint(contents, _without_shared(tensors))
        self._saved_at = time.monotonic()

    def _restore(self, contents: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        _check_identity(self.run, contents["identity"], self.task.identity())
        self.position = Position(**contents["position"])
        changed = {k: v for k, v in self.settings.to_json().items() if contents["settings"].get(k) != v}
        if fixed := sorted(changed.keys() & {"optimizer", "averaging"}):
            facts = "; ".join(f"{name} was {contents['settings'].get(name)}, is {changed[name]}" for name in fixed)
            raise InputError(f"{self.run.path}: cannot resume a run with another optimiser or average: {facts}")
        if changed:
            self.display.warning("changed since the run began: " + ", ".join(f"{k} {v}" for k, v in changed.items()))
        if changed.keys() & {"epochs", "minutes"} and self.progress() < 1.0:
            self.position.finished = False  # the budget was raised
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "carried": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            group, rest = name.split(".", 1)
            groups[group][rest] = tensor
        self.model.load_state_dict(groups["model"], strict=False)  # tied weights are stored once
        average = contents["average"]
        self.average.restore(groups["average"], average["updates"], average["started"])
        self.task.restore(groups["carried"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in groups["optimizer"].items():
            index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.run.cut_metrics(self.position.step)

    def _result(self, interrupted: bool) -> TrainingResult:
        p = self.position
        return TrainingResult(
            p.step,
            p.step / self.task.steps_per_epoch,
            p.elapsed,
            p.items,
            p.items / max(p.elapsed, 1e-9),
            p.best_loss,
            p.best_step,
            interrupted,
        )


def _optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """AdamW or SGD; vectors (biases) are not decayed."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, settings.beta2), fused=True)


def _without_shared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """One name for tensors that share memory (tied weights)."""
    seen: set[int] = set()
    kept = {}
    for name, tensor in tensors.items():
        if tensor.numel() > 1 and tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        kept[name] = tensor
    return kept


def _check_identity(run: RunFolder, before: dict[str, Any], now: dict[str, Any]) -> None:
    before, now = _flat(before), _flat(now)
    changed = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    if changed:
        facts = "; ".join(f"{name} was {before.get(name)}, is {now.get(name)}" for name in changed)
        raise InputError(f"{run.path}: cannot resume a run of other data or another network: {facts}")


def _flat(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts one by one: {"network": {"hidden": 8}} as {"network.hidden": 8}."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        flat |= {f"{name}.{k}": v for k, v in _flat(value).items()} if isinstance(value, dict) else {name: value}
    return flat
