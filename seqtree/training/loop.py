"""The one training loop: steps, evaluations, checkpoints, recovery from divergence, interruption.

Resume is exact: the random numbers of a step depend on the seed and the step alone, whatever other threads train, and
everything else that one step hands to the next is in the checkpoint. A run by epochs that is killed anywhere and
resumed ends with the same bytes as one that was never broken. A run by minutes follows the clock and cannot promise
that; nor can one that recovers from divergence, for it goes back to whichever checkpoint was the last.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from seqtree.errors import DivergenceError
from seqtree.nn.device import gpus_of
from seqtree.nn.randomness import seeded
from seqtree.training.averaging import WeightAverage
from seqtree.training.checkpoint import Checkpoints, TrainingState
from seqtree.training.memory import give_back_memory, keep_large_buffers
from seqtree.training.optimizer import Optimizer
from seqtree.training.progress import Display
from seqtree.training.ranks import Ranks
from seqtree.training.run_folder import RunFolder
from seqtree.training.schedule import rate_factor
from seqtree.training.settings import TrainingSettings
from seqtree.training.signals import stop_requests
from seqtree.training.task import Task
from seqtree.wording import counted

MAX_RECOVERIES = 5
EXPLODED = 3.0  # a batch's loss this many times the smoothed one (and the first one) counts as an explosion
ODD_BATCHES = 5  # one after another with such a loss are no odd batches any more: the weights are at fault


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended: ``interrupted`` says that a signal stopped it (after saving)."""

    steps: int
    epochs: float
    seconds: float
    items: int
    items_per_second: float
    best: float | None
    best_step: int
    interrupted: bool


class Trainer:
    """Trains one task in one run folder: ``Trainer(task, run, display).fit(resume)``.

    ``began``: when the run did, by ``time.monotonic``, if data were read before; a budget in minutes counts from then.
    ``ranks``: the processes that train together. All of them come to the same decisions, by rank 0's clock.
    """

    def __init__(
        self,
        task: Task[Any, Any, Any],
        run: RunFolder,
        display: Display,
        began: float | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.task, self.run, self.display, self.ranks = task, run, display, ranks or Ranks()
        task.share = self.ranks.share
        self.settings: TrainingSettings = task.recipe.training
        self.network: nn.Module = task.model.network
        self.parameters = list(self.network.parameters())
        self.optimizer = Optimizer(self.network, self.settings)
        self.average = WeightAverage(self.network, self.settings)
        self.checkpoints = Checkpoints(run, task, self.optimizer, self.average, self.ranks)
        self.state = TrainingState(goes_on=task.goes_on)
        self.gpus = gpus_of(self.parameters[0].device)
        self.foreseen = self.ranks.first(sum(task.measuring_seconds()))  # of the last evaluation and the report
        self.total_steps: int = max(1, round(self.settings.epochs * task.steps_per_epoch))
        self._saved_at = self._clock = self._now()
        self.spent = 0.0 if began is None else self.ranks.first(self._clock - began)

    def fit(self, resume: bool = False, config: dict[str, Any] | None = None) -> TrainingResult:
        """Train until the budget is spent, validation stalls (with early stopping) or a signal comes.

        ``config`` is written to config.json once nothing stands in the way of the run.
        Raises InputError if the checkpoint to resume is of other data or another network, DivergenceError if the loss
        keeps exploding, OSError if a file cannot be written (the last checkpoint survives).
        """
        keep_large_buffers()
        resumed = resume and self._restore()
        if config is not None:
            self.run.write_config(config)
        self.ranks.share_weights(self.network)
        self._clock = self._saved_at = self._now()
        if not resumed:
            self._save_checkpoint()
        with stop_requests() as stop:
            if self.state.goes_on and self.state.best is None and not self.state.step:
                self.run.cut_metrics(-1)  # a run may have been killed here
                self._evaluate(0.0)
                self._save_checkpoint()
            while not self.state.finished and not (stopped := self.ranks.any(stop.requested)):
                self._advance()
        interrupted = not self.state.finished and stopped
        if interrupted:
            self._save_checkpoint()
        return self._result(interrupted)

    def progress(self) -> float:
        """The share of the budget that is spent, from 0 to 1; minutes include the measuring at the end."""
        if self.settings.minutes is not None:
            return min(1.0, self.state.elapsed / self._seconds_until_closing())
        return min(1.0, self.state.step / self.total_steps)

    def _seconds_until_closing(self) -> float:
        """Seconds of training that the budget leaves between reading and the last evaluation with the report.

        They are expected to take as long as the task foresees, and, once there has been an evaluation, twice as long as
        that at least: if no more is left then, it was the last.
        """
        budget, taken = 60.0 * (self.settings.minutes or 0.0), self.state.evaluation_seconds
        left = budget - self.spent - max(self.foreseen, 2 * taken)
        return max(left, 0.01 * budget if taken else 0.5 * (budget - self.spent), 0.001)

    def _advance(self) -> None:
        """One step, then what is due after it."""
        state = self.state
        rate = self.settings.learning_rate * state.rate_scale * rate_factor(self.settings, self.progress())
        value, items = self._gradients()
        exploded = self._exploded(value)
        state.exploded = state.exploded + 1 if exploded else 0
        if not math.isfinite(value) or state.exploded == ODD_BATCHES:
            self._recover_or_leave_out(value, items, rate)
            return
        norm = nn.utils.clip_grad_norm_(self.parameters, self.settings.clip, foreach=True)
        if not math.isfinite(norm.item()):
            self._recover(float("nan"))
            return
        self.optimizer.step(rate)
        self.average.update()
        self._count(value, items, exploded)
        self._after_step(rate)

    def _gradients(self) -> tuple[float, int]:
        """Make the gradients of the next batch; its loss and items."""
        state = self.state
        self.network.train()
        self.optimizer.zero_grad()
        with seeded(self.ranks.seed(self.settings.seed * 1_000_003 + state.step), self.gpus):
            if not state.step_in_epoch:
                self.task.start_epoch()
            rows = self.ranks.part(self.task.batch(state.epoch, state.step_in_epoch), self.task.least_rows)
            loss, items = self.task.loss(rows) if len(rows) else (None, 0)
        return self.ranks.backward(self.parameters, loss, items)

    def _recover_or_leave_out(self, value: float, items: int, rate: float) -> None:
        """Recover; a batch that is met again after that is left out."""
        state = self.state
        if state.step != state.recovered_from or state.smoothed_loss is None:
            self._recover(value)
            return
        self.display.warning(f"the loss exploded again at step {state.step} ({value:g}): leaving that batch out")
        state.exploded = 0
        self._count(state.smoothed_loss, items)
        self._after_step(rate)

    def _count(self, loss: float, items: int, odd: bool = False) -> None:
        """Count a step. The loss of an ``odd`` batch is no measure for the next ones."""
        state = self.state
        state.step += 1
        state.step_in_epoch += 1
        if state.step_in_epoch == self.task.steps_per_epoch:
            state.epoch, state.step_in_epoch = state.epoch + 1, 0
        state.items += items
        state.loss_sum += loss * items
        state.loss_items += items
        state.first_loss = loss if state.first_loss is None else state.first_loss
        if not odd:
            state.smoothed_loss = loss if state.smoothed_loss is None else 0.98 * state.smoothed_loss + 0.02 * loss

    def _after_step(self, rate: float) -> None:
        state = self.state
        self._tick()
        progress = self.progress()
        due = self._evaluation_due(progress)
        save = due or progress >= 1.0 or self._clock - self._saved_at >= self.settings.checkpoint_seconds
        save = save and not state.exploded
        if save and not all(bool(parameter.isfinite().all()) for parameter in self.parameters):
            self._recover(float("nan"))
            return
        if due:
            give_back_memory()
            if not self._evaluate(rate):
                return
            give_back_memory()
            before = state.elapsed
            self._tick()
            state.evaluated_at, state.evaluation_seconds = state.elapsed, state.elapsed - before
        state.finished = state.finished or self.progress() >= 1.0
        if save or state.finished:
            self._save_checkpoint()
        speed = state.items / max(state.elapsed, 1e-9)
        self.display.step(
            self.progress(), state.step, state.smoothed_loss or 0.0, speed, self.task.items, state.elapsed
        )

    def _evaluation_due(self, progress: float) -> bool:
        """Evenly over the budget and at its end; by the clock, evaluations take at most 3 % of the time."""
        state = self.state
        if progress < min(1.0, (state.evaluations + 1) / self.settings.evaluations):
            return False
        rested = state.elapsed - state.evaluated_at >= 30.0 * state.evaluation_seconds
        return self.settings.minutes is None or progress >= 1.0 or rested

    def _evaluations_at(self, progress: float) -> int:
        """How many of a run's evaluations there are until then."""
        return math.floor(progress * self.settings.evaluations + 1e-9)

    def _tick(self) -> None:
        now = self._now()
        self.state.elapsed += now - self._clock
        self._clock = now

    def _now(self) -> float:
        return self.ranks.first(time.monotonic())

    def _evaluate(self, rate: float) -> bool:
        """Evaluate with the averaged weights; keep the model if none so far is better, or if figures say little.

        Of equally good models, the latest has learned most. A model that goes on from another is measured before its
        first step as well. False: not a finite figure.
        """
        state = self.state
        sign, best = self.task.best[0], self.task.best[1:]
        with self.average.applied():
            measured = self.ranks.alike(self._figures)
            figures = self.ranks.led(lambda: measured)  # which of two models is better may hang on the last bit
            judged = figures[best] if figures else state.loss_sum / state.loss_items
            sound = math.isfinite(judged)
            improved = state.best is None or (judged > state.best if sign == "+" else judged < state.best)
            better = sound and (improved or not figures)
            if better:
                state.best, state.stale = judged, 0
            if sound and (judged == state.best or (self.task.few_to_validate and not state.goes_on)):
                state.best_step = state.step
                self.run.write_model(self.task.save)
        if not sound:
            self._recover(judged)
            return False
        if state.step:
            state.evaluations = max(state.evaluations + 1, self._evaluations_at(self.progress()))
        record = self._record(figures or {}, rate)
        self.run.add_metrics(record)
        if not better:
            state.stale += 1
            self._stalled()
        if state.step and (low := record["train_loss"]) < self.task.implausible_loss:
            self.display.warning(f"a training loss of {low:.1e} nats is implausibly low; the data may repeat itself")
        self.display.evaluation(record, figures or {}, best, better, self.task.items)
        state.loss_sum, state.loss_items = 0.0, 0
        return True

    @torch.no_grad()
    def _figures(self) -> dict[str, float] | None:
        self.network.eval()
        return self.task.evaluate()

    def _record(self, figures: Mapping[str, float], rate: float) -> dict[str, Any]:
        """One line of metrics.jsonl; ``loss`` is null if validation does not measure it, ``train_loss`` at step 0."""
        state = self.state
        return {
            "step": state.step,
            "epoch": round(state.step / self.task.steps_per_epoch, 4),
            "loss": None,
            **figures,
            "train_loss": state.loss_sum / state.loss_items if state.step else None,
            "seconds": round(state.elapsed, 3),
            f"{self.task.items}_per_second": round(state.items / max(state.elapsed, 1e-9), 1),
            "learning_rate": rate,
        }

    def _stalled(self) -> None:
        state = self.state
        if state.stale % self.settings.patience:
            return
        self.average.start()
        if self.settings.schedule == "plateau":
            state.rate_scale *= self.settings.plateau_factor
            self.display.message(f"validation stalled: learning rate x {self.settings.plateau_factor:g}")
        if self.settings.early_stopping:
            self.display.message(f"no improvement in {state.stale} evaluations: stopping early")
            state.finished = True

    def _exploded(self, loss: float) -> bool:
        state = self.state
        if not math.isfinite(loss):
            return True
        if state.smoothed_loss is None or state.first_loss is None:
            return False
        return loss > EXPLODED * state.smoothed_loss and loss > 1.5 * state.first_loss

    def _recover(self, loss: float) -> None:
        """Go back to the last checkpoint with half the learning rate."""
        recoveries, at = self.state.recoveries + 1, self.state.step
        if recoveries > MAX_RECOVERIES:
            error = DivergenceError(
                f"training diverged at step {at} (loss {loss:g}) {recoveries} times, down to a learning rate of "
                f"{self.settings.learning_rate * self.state.rate_scale:.2g}; the best model so far is kept: try a "
                "lower --learning-rate or --clip"
            )
            raise self.ranks.told(error)
        scale, elapsed = self.state.rate_scale, self.state.elapsed
        if not self._restore(quiet=True):
            raise self.ranks.told(DivergenceError(f"training diverged at step {at} and {self.run.checkpoint} is gone"))
        self.state.rate_scale, self.state.recoveries = scale * 0.5, recoveries
        self.state.recovered_from = at
        self.state.elapsed = elapsed
        self.display.warning(
            f"the loss exploded at step {at} ({loss:g}): back to step {self.state.step} with half the learning rate"
        )

    def _restore(self, quiet: bool = False) -> bool:
        """Continue from the checkpoint, if there is one; whether there is."""
        restored = self.checkpoints.restore()
        if restored is None:
            return False
        self.state, changed = restored
        if changed.keys() & {"epochs", "minutes"}:  # the budget may have been raised
            self.state.finished = self.state.finished and self.progress() >= 1.0
        if changed.keys() & {"epochs", "minutes", "evaluations"}:
            self.state.evaluations = self._evaluations_at(self.progress())
        if damaged := self.run.cut_metrics(self.state.step):
            self.display.warning(f"{self.run.metrics}: {counted(damaged, 'damaged line')} left out")
        if changed and not quiet:
            self.display.warning("changed since the run began: " + ", ".join(f"{k} {v}" for k, v in changed.items()))
        if not quiet:
            self.display.message(f"resuming at step {self.state.step:,}")
        return True

    def _save_checkpoint(self) -> None:
        if self.state.step:
            self._tick()
        self.checkpoints.save(self.state)
        self._saved_at = self._now()

    def _result(self, interrupted: bool) -> TrainingResult:
        state = self.state
        return TrainingResult(
            state.step,
            state.step / self.task.steps_per_epoch,
            state.elapsed,
            state.items,
            state.items / max(state.elapsed, 1e-9),
            state.best,
            state.best_step,
            interrupted,
        )
