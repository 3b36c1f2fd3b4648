"""How often few data are read where no budget is given, and what a run that goes on keeps of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import seqtree
from seqtree.errors import InputError
from seqtree.tasks import TASKS, named
from seqtree.training.recipe import Recipe
from seqtree.training.settings import TrainingSettings

TEXTS = "\n".join(f"{'ab'[i % 2]}\tthe {['cat', 'dog'][i % 2]} sat on mat {i}" for i in range(40)) + "\n"


@pytest.mark.parametrize(
    ("steps_per_epoch", "epochs"),
    [(1000, 15.0), (101, 15.0), (100, 15.0), (99, 16.0), (60, 25.0), (21, 72.0), (20, 75.0), (1, 75.0)],
)
def test_few_data_are_read_more_often(steps_per_epoch: int, epochs: float) -> None:
    said: list[str] = []
    recipe = Recipe(training=TrainingSettings(epochs=15.0), fits_epochs=True, enough_steps=1500, most_times=5)
    fitted = recipe.with_enough_epochs(steps_per_epoch, said.append)
    assert fitted == replace(recipe, training=replace(recipe.training, epochs=epochs), fits_epochs=False)
    more = [f"few data ({steps_per_epoch} steps a pass): 15 -> {epochs:g} epochs"]
    assert said == ([] if epochs == 15.0 else more)
    assert fitted.with_enough_epochs(1, said.append) is fitted


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_budget_of_its_own_only_where_none_is_given(task: str) -> None:
    kind = named(TASKS[task].task)
    assert kind.resolve({}).fits_epochs
    assert kind.resolve({"epochs": None, "minutes": None}).fits_epochs
    for given in ({"epochs": 2.0}, {"minutes": 1.0}):
        assert not kind.resolve(given).fits_epochs


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    file = tmp_path / "texts.tsv"
    file.write_text(TEXTS, encoding="utf-8")
    return file


def _budget(texts: Path, **options: Any) -> tuple[float, float | None, int]:
    """The epochs, minutes and steps of a run with these options."""
    run = texts.parent / "run"
    small = {"preset": "tiny", "hidden": 4, "evaluations": 2, "out": str(run), "progress": False, "threads": 1}
    report = seqtree.train("classify", texts, **small, **options)
    training = json.loads((run / "config.json").read_text())["training"]
    return training["epochs"], training["minutes"], report["steps"]


def test_a_run_without_a_budget_is_as_long_as_its_data_need(texts: Path) -> None:
    recipe = named(TASKS["classify"].task).options.variant("", "tiny").recipe
    most = recipe.training.epochs * recipe.most_times
    assert _budget(texts) == (most, None, 2 * most)  # 36 texts are two batches


def test_a_run_that_goes_on_keeps_its_budget_unless_another_is_given(texts: Path) -> None:
    assert _budget(texts, epochs=2.0) == (2.0, None, 4)
    assert _budget(texts, resume=True) == (2.0, None, 4)
    assert _budget(texts, resume=True, epochs=3.0) == (3.0, None, 6)
    epochs, minutes, _ = _budget(texts, resume=True, minutes=0.02)
    assert minutes == 0.02
    assert _budget(texts, resume=True)[:2] == (epochs, minutes)


def test_a_budget_in_a_damaged_config_is_told(texts: Path) -> None:
    _budget(texts, epochs=1.0)
    config = texts.parent / "run" / "config.json"
    config.write_text(json.dumps({"preset": "tiny", "training": {"epochs": -1.0}}))
    with pytest.raises(InputError, match=r"epochs -1\.0: expected"):
        _budget(texts, resume=True)
    config.write_text(json.dumps({"preset": "tiny", "training": ["odd"]}))  # as none
    assert _budget(texts, resume=True)[0] > 1.0
