"""The preset that is trained where none is named, by the time that a step takes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import seqtree
from seqtree.corpora import path
from seqtree.nn.device import gpus_of
from seqtree.tasks import TASKS, named
from seqtree.training import budget
from seqtree.training.budget import affordable, seconds_per_step
from seqtree.training.progress import Display
from seqtree.training.ranks import Ranks

TEXT = "the cat sat on the mat and the dog lay on the log\n" * 40


@pytest.fixture
def text(tmp_path: Path) -> str:
    file = tmp_path / "cats.txt"
    file.write_text(TEXT)
    return str(file)


def _chosen(text: str, began: float = 0.0, **options: Any) -> tuple[str, str]:
    """The preset, and what is said of it."""
    kind, said = named(TASKS["lm"].task), StringIO()
    options = {"device": "cpu", **options}
    recipe = kind.resolve(options)
    data = kind.read([text], recipe, Display(StringIO()))
    return affordable(kind, data, recipe, options, Display(said), time.monotonic() - began, Ranks()), said.getvalue()


def _by_layers(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """A step takes so many seconds, and a thousand times as many for each layer more."""

    def measured(task: budget.AnyTask, ranks: Ranks) -> float:
        return float(seconds * 1000 ** (task.model.network.config.layers - 1))

    monkeypatch.setattr(budget, "seconds_per_step", measured)


@pytest.mark.parametrize(("seconds", "preset"), [(1e-6, "large"), (1e-4, "medium"), (1e-1, "small")])
def test_the_largest_preset_that_the_minutes_are_enough_for(
    text: str, monkeypatch: pytest.MonkeyPatch, seconds: float, preset: str
) -> None:
    _by_layers(monkeypatch, seconds)
    chosen, said = _chosen(text, minutes=30.0)
    assert chosen == preset
    assert f"preset {preset}: in 30 minutes, medium would read the data " in said
    assert "small corpus" not in said  # networks that are only tried say nothing


@pytest.mark.parametrize("unit", ["char", "word"])
def test_the_smallest_preset_where_the_default_one_has_few_steps(
    text: str, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    _by_layers(monkeypatch, 0.1)
    assert _chosen(text, minutes=2.0, unit=unit)[0] == "small"
    chosen, said = _chosen(text, minutes=0.2, unit=unit)
    assert chosen == "tiny"
    steps = re.fullmatch(r"preset tiny: in 0.2 minutes, small would take (\d+) steps and pays from (\d+) on\n", said)
    assert steps and int(steps[1]) <= 120 < int(steps[2])


def test_reading_takes_its_time_from_the_minutes(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "seconds_per_step", lambda task, ranks: 1e-3)
    assert _chosen(text, minutes=1.0)[0] != "small"
    assert _chosen(text, began=61.0, minutes=1.0)[0] == "tiny"


@pytest.mark.parametrize(("seconds", "preset"), [(1e-3, "large"), (1e3, "medium")])
def test_parsers_too(monkeypatch: pytest.MonkeyPatch, seconds: float, preset: str) -> None:
    kind, said, options = named(TASKS["parser"].task), StringIO(), {"device": "cpu", "minutes": 10.0}
    recipe = kind.resolve(options)
    data = kind.read([str(path("toy"))], recipe, Display(StringIO()))
    monkeypatch.setattr(budget, "seconds_per_step", lambda task, ranks: seconds)
    assert affordable(kind, data, recipe, options, Display(said), time.monotonic(), Ranks()) == preset
    assert said.getvalue().startswith(f"preset {preset}: in 10 minutes, large would read the data ")


def test_without_minutes_it_is_the_default_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "seconds_per_step", lambda task, ranks: 1e-9)
    assert _chosen(text, epochs=1.0) == ("small", "")


def test_a_run_records_its_preset_and_keeps_it_when_it_is_resumed(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preset(**options: Any) -> str:
        seqtree.train("lm", text, out=str(tmp_path / "run"), device="cpu", progress=False, **options)
        name: str = json.loads((tmp_path / "run" / "config.json").read_text())["preset"]
        return name

    monkeypatch.setattr(budget, "seconds_per_step", lambda task, ranks: 1e-9)
    assert preset(preset="tiny", epochs=0.5) == "tiny"
    assert preset(minutes=0.02, resume=True) == "tiny"
    (tmp_path / "run" / "config.json").write_text("{")  # as none
    assert preset(preset="tiny", epochs=1.0, resume=True) == "tiny"


@pytest.mark.parametrize("task", TASKS)
def test_presets_that_may_be_chosen_read_the_data_alike(task: str) -> None:
    options = named(TASKS[task].task).options
    for presets in options.presets.values():
        default = presets[options.default].recipe
        base, smaller = default.groups, default.least_steps > 0
        for preset in presets.values():
            smaller = smaller and preset.recipe is not default
            if smaller or preset.recipe.passes is not None:
                differing = {name for name, group in preset.recipe.groups.items() if group != base[name]}
                assert differing <= {"network", "batch", "training", "objective"}


def _task(text: str) -> budget.AnyTask:
    kind = named(TASKS["lm"].task)
    made: budget.AnyTask = kind.made([text], kind.resolve({"preset": "tiny", "device": "cpu"}), Display(StringIO()))
    return made


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_measuring_a_step_changes_nothing(text: str, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA GPU here")
    task = _task(text)
    task.model.network.to(device)
    generators = [torch, *([torch.cuda] if device == "cuda" else [])]
    before = {name: value.clone() for name, value in task.model.network.state_dict().items()}
    states = [generator.get_rng_state() for generator in generators]
    assert seconds_per_step(task, Ranks()) > 0
    assert all(bool((value == before[name]).all()) for name, value in task.model.network.state_dict().items())
    assert all(torch.equal(one.get_rng_state(), state) for one, state in zip(generators, states, strict=True))
    assert not task.carried()


@pytest.mark.parametrize("gpus", [[], [torch.device("cuda", 1)]])
def test_a_gpu_has_done_its_work_when_the_clock_is_read(
    text: str, gpus: list[torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU that is only said to be there: it is asked for nothing but to be waited for, and seeded as in training."""
    told: list[Any] = []

    def clock() -> float:
        told.append("clock")
        return float(len(told))

    @contextmanager
    def seeded(seed: int, gpus: Sequence[torch.device] = ()) -> Iterator[None]:
        told.append(list(gpus))
        yield

    monkeypatch.setattr(budget, "gpus_of", lambda device: gpus)
    monkeypatch.setattr(budget, "seeded", seeded)
    monkeypatch.setattr(budget, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(torch.cuda, "synchronize", told.append)
    seconds_per_step(_task(text), Ranks())
    assert told == [gpus, *[*gpus, "clock"] * 6]


def test_only_a_gpu_is_waited_for() -> None:
    devices = [torch.device(name) for name in ("cpu", "cuda:1", "mps", "meta")]
    assert [gpus_of(device) for device in devices] == [[], [torch.device("cuda", 1)], [], []]
