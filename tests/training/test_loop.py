"""The training loop: settings, schedule, averages, batches, recovery from divergence, and resuming exactly."""

from __future__ import annotations

import json
import math
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from language_helpers import TEXT
from oracles import windows
from runs import Clock, Messages, image_recipe, lm_recipe, metrics, parser_recipe, records, train
from torch import Tensor, nn

from seqtree import modelfile
from seqtree.errors import DivergenceError, InputError
from seqtree.images.task import ImageTask
from seqtree.language.batches import StreamBatches, inputs_and_targets
from seqtree.language.config import StreamBatchSettings
from seqtree.language.task import LanguageModelTask
from seqtree.model import Model
from seqtree.nn.device import choose_device, choose_dtype
from seqtree.nn.network import Network
from seqtree.settings import Settings
from seqtree.text.config import TextSettings
from seqtree.text.corpus import prepare
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.averaging import WeightAverage
from seqtree.training.loop import Trainer
from seqtree.training.optimizer import Optimizer
from seqtree.training.recipe import Recipe
from seqtree.training.run_folder import RunFolder
from seqtree.training.schedule import rate_factor
from seqtree.training.settings import TrainingSettings
from seqtree.training.signals import stop_requests
from seqtree.training.task import Task


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


# --- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimizer", "adam"),
        ("schedule", "stairs"),
        ("averaging", "swa"),
        ("minutes", 0.0),
        ("minutes", math.nan),
        ("epochs", 0),
        ("epochs", math.inf),
        ("epochs", math.nan),
        ("learning_rate", 0.0),
        ("learning_rate", math.inf),
        ("learning_rate", -1.0),
        ("clip", 0.0),
        ("clip", math.nan),
        ("checkpoint_seconds", 0),
        ("warmup", 1.0),
        ("warmup", -0.1),
        ("final_rate", 1.0),
        ("plateau_factor", 1.0),
        ("ema_decay", 1.0),
        ("beta2", 1.5),
        ("momentum", -0.1),
        ("evaluations", 0),
        ("patience", 0),
        ("weight_decay", -1.0),
        ("weight_decay", math.nan),
        ("seed", -1),
        ("seed", 1 << 32),
    ],
)
def test_settings_are_checked(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{name} "):
        TrainingSettings(**{name: value})


def test_settings_are_frozen_and_json() -> None:
    settings = TrainingSettings(seed=(1 << 32) - 1)
    with pytest.raises(AttributeError):
        settings.seed = 1  # type: ignore[misc]
    assert TrainingSettings(**json.loads(json.dumps(settings.to_json()))) == settings


def test_cosine_schedule() -> None:
    settings = TrainingSettings(schedule="cosine", warmup=0.1, final_rate=0.2)
    assert rate_factor(settings, 0.5) == pytest.approx(0.6)
    assert rate_factor(settings, 0.25) == pytest.approx(0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2)
    assert rate_factor(settings, 1.0) == pytest.approx(0.2)
    assert rate_factor(settings, 7.0) == rate_factor(settings, 1.0)
    assert rate_factor(settings, 0.05) == pytest.approx(0.5 * (0.2 + 0.4 * (1 + math.cos(0.05 * math.pi))))
    assert 0 < rate_factor(settings, 0.0) <= 0.001


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_constant_schedules(schedule: str) -> None:
    settings = TrainingSettings(schedule=schedule, warmup=0.5)
    assert [rate_factor(settings, p) for p in (0.25, 0.5, 0.75, 1.0)] == [0.5, 1, 1, 1]


def test_a_linear_schedule() -> None:
    settings = TrainingSettings(schedule="linear", warmup=0.5, final_rate=0.1)
    assert [rate_factor(settings, p) for p in (0.25, 0.5, 0.75, 1.0)] == pytest.approx([0.3875, 0.55, 0.325, 0.1])


# --- averages


class _One(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))


def _averaged(settings: TrainingSettings, values: list[float], start_at: int | None = None) -> WeightAverage:
    model = _One()
    average = WeightAverage(model, settings)
    for index, value in enumerate(values):
        if index == start_at:
            average.start()
        model.w.data.fill_(value)
        average.update()
    return average


def test_ema_by_hand() -> None:
    values = [float(v) for v in np.random.default_rng(0).normal(size=40)]
    average = _averaged(TrainingSettings(averaging="ema", ema_decay=0.8), values)
    by_hand = 0.0
    for n, value in enumerate(values):
        by_hand += (value - by_hand) * max(1 - 0.8, 9 / (10 + n))
    assert average.averages[0].item() == pytest.approx(by_hand, rel=1e-5)
    assert average.updates == 40


def test_asgd_is_the_mean_since_it_started() -> None:
    average = _averaged(TrainingSettings(averaging="asgd"), [5.0, 7.0, 1.0, 2.0, 6.0], start_at=2)
    assert average.averages[0].item() == pytest.approx(3.0)
    assert average.updates == 3


def test_no_average() -> None:
    average = _averaged(TrainingSettings(averaging="none"), [5.0, 7.0], start_at=0)
    assert (average.updates, average.tensors()) == (0, {})


def test_averaged_weights_apply_inside_only_even_after_an_error() -> None:
    model = _One()
    average = WeightAverage(model, TrainingSettings(averaging="asgd"))
    with average.applied():
        assert model.w.item() == 0.0  # not begun: the model's own
    average.start()
    for value in (2.0, 4.0):
        model.w.data.fill_(value)
        average.update()
    with pytest.raises(KeyError), average.applied():
        assert model.w.item() == 3.0
        raise KeyError
    assert model.w.item() == 4.0


# --- batches


def _stream(ids: list[int]) -> TokenStream:
    return TokenStream(np.array(ids, dtype=np.uint8), len(ids), len(ids), 0)


CPU = torch.device("cpu")
WORDS = Vocabulary("word", ["<unk>", "<s>", "</s>", *"abcdefgh"])


@pytest.mark.parametrize(("count", "rows", "window"), [(97, 4, 5), (64, 4, 4), (30, 1, 7), (23, 3, 7)])
def test_batches_equal_the_slow_oracle(count: int, rows: int, window: int) -> None:
    ids = [int(i) for i in np.random.default_rng(1).integers(2, 8, size=count)]
    batches = StreamBatches(_stream(ids), WORDS, StreamBatchSettings(rows, window), 0)
    wanted = windows(ids, rows, window, WORDS.start, WORDS.end)
    assert batches.steps_per_epoch == len(wanted)
    for step, expected in enumerate(wanted):
        inputs, targets = inputs_and_targets(batches.batch(0, step), WORDS, CPU)
        assert inputs.shape == targets.shape == (window, rows)
        for row in range(rows):
            pairs = list(zip(inputs[:, row].tolist(), targets[:, row].tolist(), strict=True))
            assert pairs == expected[row]


def test_an_epoch_predicts_every_token_once() -> None:
    ids = list(range(40))
    vocabulary = Vocabulary("char", ["<unk>", "\n", *(chr(100 + i) for i in range(40))])
    batches = StreamBatches(_stream(ids), vocabulary, StreamBatchSettings(4, 5), 0)
    seen = np.concatenate([batches.batch(0, step)[:, 1:].flatten() for step in range(batches.steps_per_epoch)])
    assert sorted(seen.tolist()) == ids


def test_later_epochs_begin_elsewhere_and_stay_in_their_rows() -> None:
    ids = list(range(102))  # two rows of 51, windows of 10: one token to spare
    batches = StreamBatches(_stream(ids), WORDS, StreamBatchSettings(2, 10), 3)
    firsts = {batches.batch(epoch, 0)[0, 1].item() for epoch in range(20)}
    assert firsts == {0, 1}
    last = [batches.batch(epoch, batches.steps_per_epoch - 1)[1, -1].item() for epoch in range(20)]
    assert max(last) <= 101
    again = StreamBatches(_stream(ids), WORDS, StreamBatchSettings(2, 10), 3)
    assert all(np.array_equal(batches.batch(e, 2), again.batch(e, 2)) for e in range(5))


def test_word_pairs_begin_with_the_sentence_start() -> None:
    settings = TextSettings(unit="word")
    vocabulary = Vocabulary.build({"a": 2, "b": 1}, "word")
    from seqtree.text.corpus import encode_text

    stream = encode_text("a b\nb a\n", vocabulary, settings)
    batch = StreamBatches(stream, vocabulary, StreamBatchSettings(1, 6), 0).batch(0, 0)
    inputs, targets = inputs_and_targets(batch, vocabulary, CPU)
    named = [[vocabulary.tokens[i] for i in part[:, 0].tolist()] for part in (inputs, targets)]
    assert named == [["<s>", "a", "b", "<s>", "b", "a"], ["a", "b", "</s>", "b", "a", "</s>"]]


def test_small_corpora_shrink_the_batch_and_say_so() -> None:
    said: list[str] = []
    fitted = StreamBatchSettings(32, 64).fitted(300, said.append)
    assert fitted == StreamBatchSettings(1, 64)
    assert said == ["small corpus (300 tokens): batch 32 -> 1"]
    assert StreamBatchSettings(32, 64).fitted(32 * 64 * 4, said.append) == StreamBatchSettings(32, 64)
    assert len(said) == 1
    assert StreamBatchSettings(4, 64).fitted(8, said.append) == StreamBatchSettings(1, 4)
    with pytest.raises(InputError, match="7 training tokens are too few: at least 8"):
        StreamBatchSettings(4, 64).fitted(7, said.append)
    with pytest.raises(InputError, match="batch 0"):
        StreamBatchSettings(0, 64)


# --- a task of one number, whose losses are set by hand


class _ToyNetwork(Network):
    def __init__(self) -> None:
        super().__init__()
        self.config = Settings()
        self.w = nn.Parameter(torch.zeros(1))


class _ToyModel(Model[_ToyNetwork]):
    kind = "toy"

    def __init__(self) -> None:
        self.network = _ToyNetwork()

    def contents(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> _ToyModel:
        return cls()


class _Toy(Task[Recipe, _ToyModel, None]):
    """Minimises (w - 1)^2; ``losses`` and ``validation`` can be replaced by the test. Nothing here is random."""

    items = "tokens"
    implausible_loss = 1e-3
    steps_per_epoch = 10  # type: ignore[assignment]

    def __init__(self, validation: Callable[[int], float | None] | None = None) -> None:
        super().__init__(_ToyModel(), None, Recipe())
        self.w = self.model.network.w
        self.validation = validation or (lambda n: float((self.w.item() - 1) ** 2))
        self.evaluated = 0
        self.bad: dict[int, float] = {}  # call -> loss
        self.odd: dict[tuple[int, int], float] = {}  # (epoch, step) -> loss
        self.calls = 0
        self.saved: list[float] = []

    @classmethod
    def read(cls, sources: Any, recipe: Any, display: Any) -> None:
        raise NotImplementedError

    @classmethod
    def build(cls, data: Any, recipe: Any, display: Any) -> _ToyModel:
        raise NotImplementedError

    def fingerprint(self) -> str:
        return "toy"

    def batch(self, epoch: int, step: int) -> Any:
        return np.array([[epoch, step]])

    def loss(self, batch: Any) -> tuple[Tensor, int]:
        self.calls += 1
        loss = ((self.w - 1) ** 2).sum() + 1.0
        if self.calls in self.bad or 0 in self.bad:
            loss = loss * self.bad.get(self.calls, self.bad.get(0, 1.0))
        loss = loss * self.odd.get(tuple(batch[0].tolist()), 1.0)
        return loss, 4

    def evaluate(self) -> dict[str, float] | None:
        self.evaluated += 1
        loss = self.validation(self.evaluated)
        return None if loss is None else {"loss": loss}

    def measure(self, model: Any) -> tuple[dict[str, Any], str]:
        raise NotImplementedError

    def describe(self) -> str:
        raise NotImplementedError

    def save(self, path: Path) -> None:
        self.saved.append(self.w.item())
        super().save(path)


def _train(task: _Toy, path: Path, **settings: Any) -> tuple[Trainer, Messages]:
    display = Messages()
    path.mkdir(exist_ok=True)
    run = RunFolder(path)
    chosen = {"epochs": 2.0, "evaluations": 10, "learning_rate": 0.05, "averaging": "none", "warmup": 0.0, **settings}
    task.recipe = Recipe(training=TrainingSettings(**chosen))
    return Trainer(task, run, display), display


def test_the_loop_trains_and_writes_metrics(tmp_path: Path) -> None:
    task = _Toy()
    trainer, _ = _train(task, tmp_path, learning_rate=0.1)
    result = trainer.fit()
    assert result.steps == 20
    assert (result.epochs, result.items, result.interrupted) == (2.0, 80, False)
    lines = records(tmp_path)
    assert [record["step"] for record in lines] == list(range(2, 21, 2))
    assert [record["epoch"] for record in lines] == [s / 10 for s in range(2, 21, 2)]
    assert list(lines[0]) == ["step", "epoch", "loss", "train_loss", "seconds", "tokens_per_second", "learning_rate"]
    assert lines[-1]["loss"] < lines[0]["loss"]
    rates = [record["learning_rate"] for record in lines]
    # the rate of step n is that of the budget spent before it
    assert rates == pytest.approx([0.1 * (1 + math.cos(math.pi * (s - 1) / 20)) / 2 for s in range(2, 21, 2)])
    assert result.best == min(record["loss"] for record in lines)
    kept = modelfile.load(tmp_path / "model.safetensors")[2]["w"].item()
    assert (kept - 1) ** 2 == pytest.approx(result.best)


def test_the_best_model_is_kept_not_the_last(tmp_path: Path) -> None:
    losses = [5.0, 3.0, 1.0, 2.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    task = _Toy(lambda n: losses[n - 1])
    trainer, _ = _train(task, tmp_path)
    result = trainer.fit()
    assert (result.best, result.best_step) == (1.0, 6)
    assert len(task.saved) == 3
    assert modelfile.load(tmp_path / "model.safetensors")[2]["w"].item() == task.saved[-1]


@pytest.mark.parametrize(("items", "kept"), [(0, 3), (19, 10), (20, 3)])
def test_the_latest_model_is_kept_where_few_items_tell_which_is_best(tmp_path: Path, items: int, kept: int) -> None:
    class Validated(_Toy):
        @property
        def validation_items(self) -> int:
            return items

    losses = [5.0, 3.0, 1.0, 2.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    task = Validated(lambda n: losses[n - 1])
    result = _train(task, tmp_path, early_stopping=True, patience=8)[0].fit()
    assert (result.best, result.best_step, len(task.saved)) == (1.0, 2 * kept, kept)
    assert modelfile.load(tmp_path / "model.safetensors")[2]["w"].item() == task.saved[-1]


def test_of_equally_good_models_the_latest_is_kept(tmp_path: Path) -> None:
    """That is no improvement, however: validation stalls all the same."""
    losses = [5.0, 3.0, 3.0, 4.0, 3.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    task = _Toy(lambda n: losses[n - 1])
    trainer, _ = _train(task, tmp_path, patience=6, early_stopping=True)
    result = trainer.fit()
    assert (result.best, result.best_step, result.steps) == (3.0, 10, 16)
    assert len(task.saved) == 4
    assert modelfile.load(tmp_path / "model.safetensors")[2]["w"].item() == task.saved[-1]


def test_without_validation_the_last_model_is_kept(tmp_path: Path) -> None:
    task = _Toy(lambda n: None)
    trainer, _ = _train(task, tmp_path)
    trainer.fit()
    assert len(task.saved) == 10
    assert [record["loss"] for record in records(tmp_path)] == [None] * 10
    assert all(record["train_loss"] >= 1 for record in records(tmp_path))


def test_early_stopping(tmp_path: Path) -> None:
    task = _Toy(lambda n: 1.0 if n == 3 else 2.0)
    trainer, display = _train(task, tmp_path, patience=3, early_stopping=True)
    result = trainer.fit()
    assert task.evaluated == 6
    assert result.steps == 12
    assert "no improvement in 3 evaluations: stopping early" in display.text
    again, _ = _train(_Toy(), tmp_path, patience=3, early_stopping=True)
    assert again.fit(resume=True).steps == 12


def test_plateau_lowers_the_rate_after_each_stall(tmp_path: Path) -> None:
    trainer, display = _train(_Toy(lambda n: 1.0), tmp_path, schedule="plateau", patience=2, plateau_factor=0.5)
    trainer.fit()
    rates = [record["learning_rate"] for record in records(tmp_path)]
    assert rates == pytest.approx([0.05] * 3 + [0.025] * 2 + [0.0125] * 2 + [0.00625] * 2 + [0.003125])
    assert display.text.count("validation stalled: learning rate x 0.5") == 4


def test_asgd_starts_when_validation_stalls(tmp_path: Path) -> None:
    task = _Toy(lambda n: 1.0 / n if n < 4 else 1.0)
    trainer, _ = _train(task, tmp_path, averaging="asgd", patience=2, schedule="constant")
    trainer.fit()
    assert trainer.average.started
    assert trainer.average.updates == 10  # the steps after evaluation 5 of 10


def test_one_nan_recovers_at_half_the_rate_from_the_last_checkpoint(tmp_path: Path) -> None:
    task = _Toy()
    task.bad = {8: math.nan}
    trainer, display = _train(task, tmp_path, schedule="constant")
    result = trainer.fit()
    assert result.steps == 20
    assert "the loss exploded at step 7 (nan): back to step 6 with half the learning rate" in display.text
    rates = [record["learning_rate"] for record in records(tmp_path)]
    assert rates == [0.05] * 3 + [0.025] * 7
    assert task.calls == 22
    assert math.isfinite(trainer.task.w.item())
    assert result.best is not None


def test_losses_that_stay_high_count_as_divergence(tmp_path: Path) -> None:
    task = _Toy()
    task.bad = dict.fromkeys(range(12, 17), 50.0)
    trainer, display = _train(task, tmp_path)
    trainer.fit()
    assert "exploded at step 15" in display.text
    assert "back to step 10 with half" in display.text  # no checkpoint was written meanwhile
    assert trainer.state.recoveries == 1
    assert trainer.state.step == 20


def test_an_odd_batch_is_no_divergence(tmp_path: Path) -> None:
    """Its gradient is clipped, and its loss is no measure for the batches after it."""
    task = _Toy()
    task.bad = dict.fromkeys((8, 9, 10, 11, 13), 50.0)
    trainer, display = _train(task, tmp_path)
    assert trainer.fit().steps == 20
    assert "exploded" not in display.text
    assert trainer.state.smoothed_loss is not None
    assert trainer.state.smoothed_loss < 3


def test_a_batch_that_is_never_finite_is_left_out(tmp_path: Path) -> None:
    """At the second time: it is the batch that is odd, and not the weights."""
    task = _Toy()
    task.odd = {(0, 7): math.nan, (1, 4): math.inf}
    trainer, display = _train(task, tmp_path, schedule="constant")
    result = trainer.fit()
    assert (result.steps, result.items, trainer.state.recoveries) == (20, 80, 2)
    assert "the loss exploded at step 7" in display.text
    assert "the loss exploded again at step 7" in display.text
    assert "the loss exploded again at step 14" in display.text
    assert math.isfinite(trainer.task.w.item())
    assert all(math.isfinite(record["train_loss"]) for record in records(tmp_path))


def test_an_infinite_gradient_counts_as_divergence(tmp_path: Path) -> None:
    task = _Toy()
    trainer, display = _train(task, tmp_path)
    hooked = []

    def spoil(gradient: Tensor) -> Tensor:
        hooked.append(1)
        return gradient * math.inf if len(hooked) == 5 else gradient

    task.w.register_hook(spoil)
    trainer.fit()
    assert display.text.count("exploded") == 1
    assert math.isfinite(task.w.item())


def test_always_nan_is_an_error_and_the_best_model_stays(tmp_path: Path) -> None:
    task = _Toy()
    task.bad = dict.fromkeys(range(8, 100), math.nan)
    trainer, display = _train(task, tmp_path)
    with pytest.raises(DivergenceError, match=r"diverged at step 6 .* 6 times.* the best model so far is kept"):
        trainer.fit()
    assert display.text.count("half the learning rate") == 5
    kept = modelfile.load(tmp_path / "model.safetensors")[2]["w"].item()
    assert kept == task.saved[-1]
    assert len(task.saved) == 3


def test_a_model_whose_validation_is_nan_is_never_kept(tmp_path: Path) -> None:
    """Not even as the first one."""
    task = _Toy(lambda n: math.nan if n == 1 else 1.0 / n)
    trainer, display = _train(task, tmp_path)
    result = trainer.fit()
    assert "exploded at step 2 (nan): back to step 0" in display.text
    assert len(task.saved) == 10
    assert [record["step"] for record in records(tmp_path)] == list(range(2, 21, 2))
    assert result.best == 1.0 / 11
    task = _Toy(lambda n: math.nan)
    trainer, _ = _train(task, tmp_path / "always")
    with pytest.raises(DivergenceError):
        trainer.fit()
    assert task.saved == []
    assert records(tmp_path / "always") == []


def test_what_changed_is_said_once_though_the_run_goes_back_to_its_checkpoint(tmp_path: Path) -> None:
    _train(_Toy(), tmp_path)[0].fit()
    task = _Toy()
    task.bad = {4: math.nan}
    trainer, display = _train(task, tmp_path, epochs=4.0)
    assert trainer.fit(resume=True).steps == 40
    assert display.text.count("exploded") == display.text.count("changed since the run began: epochs 4.0") == 1


def test_weights_that_are_no_numbers_reach_no_file(tmp_path: Path) -> None:
    """The step before a checkpoint spoils the weights; the loss that would show it comes only after."""
    task = _Toy()
    trainer, display = _train(task, tmp_path)
    step, count = trainer.optimizer.step, []

    def spoiling(rate: float) -> None:
        step(rate)
        count.append(1)
        if len(count) == 4:
            with torch.no_grad():
                task.w.fill_(math.nan)

    trainer.optimizer.step = spoiling  # type: ignore[method-assign]
    trainer.fit()
    assert "exploded at step 4 (nan): back to step 2" in display.text
    assert all(math.isfinite(value) for value in task.saved)
    assert math.isfinite(task.w.item())


def test_implausibly_low_losses_are_flagged(tmp_path: Path) -> None:
    task = _Toy()
    task.bad = {0: 1e-8}
    trainer, display = _train(task, tmp_path)
    trainer.fit()
    assert "implausibly low" in display.text
    trainer, display = _train(_Toy(), tmp_path / "sound")
    trainer.fit()
    assert "implausibly low" not in display.text


def test_minutes_end_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def tick() -> float:
        clock[0] += 0.5
        return clock[0]

    monkeypatch.setattr("seqtree.training.loop.time.monotonic", tick)
    trainer, _ = _train(_Toy(), tmp_path, minutes=2.0, evaluations=4)
    result = trainer.fit()
    assert result.seconds >= 120
    assert 4 <= len(records(tmp_path)) <= 5
    assert trainer.progress() == 1.0
    assert trainer.state.finished


# --- stopping and going on


def test_stop_requests_take_the_first_signal_and_interrupt_at_the_second() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP on this system")
def test_a_terminal_that_goes_asks_to_stop_but_not_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with stop_requests() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.requested
        assert signal.signal(signal.SIGHUP, signal.SIG_IGN) is signal.SIG_DFL
        with stop_requests() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.requested
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_training_in_another_thread_leaves_signals_alone(tmp_path: Path) -> None:
    before, results = signal.getsignal(signal.SIGINT), []
    trainer, _ = _train(_Toy(), tmp_path)
    thread = threading.Thread(target=lambda: results.append(trainer.fit().steps))
    thread.start()
    thread.join()
    assert results == [20]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_saves_and_ends_the_run(tmp_path: Path) -> None:
    task = _Toy()
    plain = task.loss

    def loss(batch: Any) -> tuple[Tensor, int]:
        if task.calls == 4:
            signal.raise_signal(signal.SIGINT)
        return plain(batch)

    task.loss = loss  # type: ignore[method-assign]
    trainer, _ = _train(task, tmp_path)
    result = trainer.fit()
    assert (result.interrupted, result.steps) == (True, 5)
    saved = RunFolder(tmp_path).read_checkpoint()
    assert saved is not None
    assert saved[0]["state"]["step"] == 5
    resumed, display = _train(_Toy(), tmp_path)
    assert resumed.fit(resume=True).steps == 20
    assert "resuming at step 5" in display.text


@pytest.mark.parametrize("averaging", ["ema", "asgd"])
def test_an_average_that_has_begun_goes_on_after_a_break(tmp_path: Path, averaging: str) -> None:
    """With ASGD from the first stall on, long before the break."""
    options: dict[str, Any] = {"averaging": averaging, "patience": 1, "schedule": "constant"}
    averages = []
    for name, stop_at in (("whole", 0), ("broken", 13)):
        task = _Toy(lambda n: 1.0)
        trainer, _ = _train(task, tmp_path / name, checkpoint_seconds=1e-9, **options)
        task.w.register_hook(_raise_at(stop_at))
        if stop_at:
            with pytest.raises(_Killed):
                trainer.fit()
            trainer, _ = _train(_Toy(lambda n: 1.0), tmp_path / name, **options)
        trainer.fit(resume=bool(stop_at))
        assert trainer.average.started
        averages.append((trainer.average.updates, trainer.average.averages[0].item(), trainer.task.w.item()))
    assert averages[0] == averages[1]
    assert averages[0][0] == (20 if averaging == "ema" else 16)


def _raise_at(count: int) -> Callable[[Tensor], None]:
    """A gradient hook that breaks off the step of this number (0: none)."""
    seen: list[int] = []

    def hook(gradient: Tensor) -> None:
        seen.append(1)
        if len(seen) == count:
            raise _Killed

    return hook


class _Killed(Exception):
    """Stands for the end of the process: nothing is saved after it."""


def _interrupted_run(make: Callable[[bool], Any], steps: list[int], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run with --resume until it ends; broken off before these steps. Gives how often it was broken off."""
    plain, waiting, broken = LanguageModelTask.batch, list(steps), 0

    def batch(self: LanguageModelTask, epoch: int, step: int) -> Any:
        if waiting and epoch * self.steps_per_epoch + step == waiting[0]:
            del waiting[0]
            raise _Killed
        return plain(self, epoch, step)

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModelTask, "batch", batch)
        while True:
            try:
                train(make(True), Messages())
                return broken
            except _Killed:
                broken += 1


VARIANTS: dict[str, dict[str, Any]] = {
    "adamw-ema": {},
    "adamw-none-cosine-dropout": {
        "averaging": "none",
        "network": {
            "layers": 2,
            "dropout_embedding": 0.1,
            "dropout_input": 0.2,
            "dropout_hidden": 0.3,
            "dropout_output": 0.2,
            "weight_drop": 0.3,
        },
    },
    "adamw-asgd-plateau": {"averaging": "asgd", "schedule": "plateau", "patience": 1, "learning_rate": 0.2},
    "sgd-momentum-gru": {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.5, "network": {"cell": "gru"}},
    "sgd-rnn-one-hot": {
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "network": {"cell": "rnn", "one_hot": True, "embedding": None},
    },
    "narrow-last": {"network": {"layers": 2, "tied": True, "embedding": 5, "dropout_hidden": 0.2}},
    "bf16-tied": {"precision": "bf16", "network": {"tied": True, "embedding": 8, "dropout_output": 0.2}},
    "bidirectional": {"network": {"bidirectional": True, "dropout_input": 0.2}},
    "words": {"unit": "word", "network": {"dropout_embedding": 0.2}, "window": 5},
    "no-validation": {"valid_share": 0.0},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_broken_run_ends_as_the_unbroken_one(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    """Broken off in the first and later epochs, with checkpoints at every step or only at evaluations."""
    options = {"batch": 4, "window": 12, **VARIANTS[variant]}
    whole = tmp_path / "whole"
    report = train(lm_recipe(whole, corpus, **options), Messages())
    steps = report["steps"]
    for seconds in (1e-9, 1e9):
        out = tmp_path / f"broken{seconds}"

        def make(resume: bool, out: Path = out, seconds: float = seconds) -> Any:
            return lm_recipe(out, corpus, resume=resume, checkpoint_seconds=seconds, **options)

        breaks = [3, steps // 2 + 1, steps - 1]
        assert _interrupted_run(make, breaks, monkeypatch) == 3
        assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
        assert metrics(out) == metrics(whole)
    assert len(metrics(whole)) == 4


@pytest.mark.parametrize("killed_after", ["model.safetensors", "metrics.jsonl"])
def test_killed_between_the_files_of_an_evaluation(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, killed_after: str
) -> None:
    """The model or the metrics are newer than the checkpoint then."""
    from seqtree import files

    whole = tmp_path / "whole"
    train(lm_recipe(whole, corpus), Messages())
    out, count = tmp_path / "broken", []

    def write(path: Path, data: bytes) -> None:
        files.write_atomically(path, data)
        if path.name == killed_after:
            count.append(1)
            if len(count) == 2:
                raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(modelfile, "write_atomically", write)
        patch.setattr("seqtree.training.run_folder.write_atomically", write)
        with pytest.raises(_Killed):
            train(lm_recipe(out, corpus, checkpoint_seconds=1e9), Messages())
    train(lm_recipe(out, corpus, resume=True), Messages())
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert metrics(out) == metrics(whole)


def test_another_seed_is_another_run(tmp_path: Path, corpus: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(lm_recipe(tmp_path / name, corpus, seed=seed, epochs=0.5), Messages())
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert models[0] == models[1] != models[2]


def test_resume_of_other_data_or_another_network_is_refused(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "run"
    train(lm_recipe(out, corpus, epochs=0.5), Messages())
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(InputError, match=r"another network: network\.hidden was 8, is 9$"):
        train(lm_recipe(out, corpus, resume=True, epochs=1, network={"hidden": 9}), Messages())
    with pytest.raises(InputError, match=r"other data .* window was 8, is 6$"):
        train(lm_recipe(out, corpus, resume=True, epochs=1, window=6), Messages())
    with pytest.raises(InputError, match="optimizer was adamw, is sgd"):
        train(lm_recipe(out, corpus, resume=True, epochs=1, optimizer="sgd"), Messages())
    with pytest.raises(InputError, match="averaging was ema, is none"):
        train(lm_recipe(out, corpus, resume=True, epochs=1, averaging="none"), Messages())
    other = tmp_path / "other.txt"
    other.write_text(TEXT.replace("cat", "tac"), encoding="utf-8")
    with pytest.raises(InputError, match="the training or validation data have changed"):
        train(lm_recipe(out, other, resume=True, epochs=1), Messages())
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_resumed_run_says_what_changed_and_takes_a_larger_budget(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "run"
    first = train(lm_recipe(out, corpus, epochs=1), Messages())
    display = Messages()
    second = train(lm_recipe(out, corpus, epochs=2, resume=True), display)
    assert second["steps"] == 2 * first["steps"]
    assert "changed since the run began: epochs 2" in display.text
    same = train(lm_recipe(out, corpus, epochs=2, resume=True), Messages())
    assert same["steps"] == second["steps"]


@pytest.mark.parametrize("more", [{"epochs": 3}, {"epochs": 2, "evaluations": 4}])
def test_a_run_that_goes_on_is_evaluated_evenly_over_its_new_budget(
    tmp_path: Path, corpus: Path, more: dict[str, int]
) -> None:
    out = tmp_path / "run"
    train(lm_recipe(out, corpus, epochs=1, evaluations=6), Messages())
    train(lm_recipe(out, corpus, **{"evaluations": 6, **more}, resume=True), Messages())
    wanted, last = more.get("evaluations", 6), more["epochs"]
    epochs = [line["epoch"] for line in metrics(out)[6:]]
    due = [last * n / wanted for n in range(1, wanted + 1) if last * n / wanted > 1]
    assert epochs == pytest.approx(due, abs=0.1)


def test_a_run_of_another_kind_is_named(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "run"
    train(lm_recipe(out, corpus, epochs=0.5), Messages())
    with pytest.raises(InputError, match=r"run: holds the run of a language-model, not of a parser; choose another"):
        train(parser_recipe(out, resume=True), Messages())


def test_a_damaged_checkpoint_is_named(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "run"
    train(lm_recipe(out, corpus, epochs=0.5), Messages())
    checkpoint = out / "checkpoint.safetensors"
    data = bytearray(checkpoint.read_bytes())
    data[-5] ^= 255
    checkpoint.write_bytes(data)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: damaged"):
        train(lm_recipe(out, corpus, epochs=1, resume=True), Messages())


def test_files_of_a_run(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / ".checkpoint.safetensors.123.tmp").write_bytes(b"left by a killed process")
    (out / ".notes.tmp").write_text("somebody's own", encoding="utf-8")
    report = train(lm_recipe(out, corpus), Messages())
    assert {path.name for path in out.iterdir()} == {
        "model.safetensors",
        "checkpoint.safetensors",
        "metrics.jsonl",
        "config.json",
        ".lock",
        ".notes.tmp",
    }
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert config["corpus"] == [str(corpus.resolve())]
    assert (config["kind"], config["batch"]) == ("language-model", {"batch": 4, "window": 8, "word_dropout": 0.8})
    assert TrainingSettings(**config["training"]).epochs == 2
    assert config["network"]["hidden"] == 8
    assert config["text"]["unit"] == "char"
    prepared = prepare([corpus], TextSettings())
    assert config["fingerprint"] == prepared.fingerprint
    last = metrics(out)[-1]
    assert last["step"] == report["steps"]
    assert set(last) == {"step", "epoch", "loss", "train_loss", "learning_rate"}
    assert report["loss"] == pytest.approx(min(record["loss"] for record in metrics(out)), rel=1e-5)
    assert report["best_step"] in [record["step"] for record in metrics(out)]


@pytest.mark.parametrize("unit", ["char", "word"])
def test_learning_works(tmp_path: Path, corpus: Path, unit: str) -> None:
    report = train(
        lm_recipe(tmp_path / "run", corpus, unit=unit, epochs=12, learning_rate=0.02, network={"hidden": 16}),
        Messages(),
    )
    losses = [record["loss"] for record in metrics(tmp_path / "run")]
    assert losses[-1] < 0.75 * losses[0]
    assert report["loss"] < 0.75 * losses[0]


# --- devices


def test_devices_are_checked() -> None:
    for name in ("tpu", "meta", "cuda:x", "cpu:", None, 0, 1.5, ["cpu"]):
        with pytest.raises(InputError, match="expected auto, cpu"):
            choose_device(name)  # type: ignore[arg-type]
    assert choose_device("cpu") == torch.device("cpu")


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA; use --device cpu"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match=r"has 2 CUDA device\(s\)"):
        choose_device("cuda:2")
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("auto").type == "cuda"


def test_precision() -> None:
    assert choose_dtype("bf16", torch.device("cpu")) is torch.bfloat16
    assert choose_dtype("fp32", torch.device("cpu")) is None
    assert choose_dtype("auto", torch.device("mps")) is None
    for wrong in ("nonsense", "float32", "", None, 16):
        with pytest.raises(InputError, match=r"^precision .*: expected auto, fp32, bf16$"):
            choose_dtype(wrong, torch.device("cpu"))  # type: ignore[arg-type]


def test_training_on_the_cpu_asks_for_no_gpu(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that says it has a GPU, which any question would wake."""

    def woken(*args: Any, **options: Any) -> Any:
        raise AssertionError("the GPU was asked for")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name in ("get_rng_state", "set_rng_state", "_lazy_init"):
        monkeypatch.setattr(torch.cuda, name, woken)
    report = train(lm_recipe(tmp_path / "run", corpus, epochs=0.5), Messages())
    from seqtree import LanguageModel

    assert LanguageModel.load(report["model"]).sample(length=3, seed=0)


@pytest.mark.parametrize("seconds", [0.5, 1.2])
def test_a_budget_in_minutes_holds_with_evaluations_that_take_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Also where the task does not foresee them: the first one tells how long the last and the report will take."""
    clock = Clock(monkeypatch)
    for name, each in (("loss", 0.01), ("evaluate", seconds), ("measure", seconds)):
        clock.timed(ImageTask, name, each)
    began = clock.now
    train(image_recipe(tmp_path / "run", minutes=0.05, plan="pool 4, full 6", valid_share=0.1))
    assert clock.now - began < 3.3  # of three, the report's included
    assert records(tmp_path / "run")


def test_a_budget_in_minutes_includes_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.timed(ImageTask, "read", 1.2)
    clock.timed(ImageTask, "loss", 0.01)
    report = train(image_recipe(tmp_path / "run", minutes=0.05, plan="pool 4, full 6", valid_share=0.1))
    assert report["seconds"] == pytest.approx(1.8, abs=0.1)  # of three


@pytest.mark.parametrize(("optimizer", "moved"), [("adamw", 0.1 * 50 * 0.01 / 1.01), ("sgd", 0.1 * 0.01)])
def test_a_parameter_may_be_learned_by_gradient_descent(optimizer: str, moved: float) -> None:
    """Beside AdamW, in proportion to its gradient; of SGD it is an ordinary parameter."""
    layer = torch.nn.Linear(2, 2, bias=False).double()
    layer.weight.descent = 50.0  # type: ignore[attr-defined]
    settings = TrainingSettings(optimizer=optimizer, learning_rate=0.1, weight_decay=0.0)
    made, before = Optimizer(layer, settings), layer.weight.detach().clone()
    layer.weight.grad = torch.full((2, 2), 0.01, dtype=torch.float64)
    made.step(0.1)
    torch.testing.assert_close(before - layer.weight.detach(), torch.full((2, 2), moved, dtype=torch.float64))
