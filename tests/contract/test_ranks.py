"""Several processes train as one does: every task, in two and three processes that talk by gloo."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contract_rows import ROWS
from runs import metrics
from shared_steps import SAVED, SHORT, STEPS, broken, figures, first_steps, in_processes, resumed, trainer

from seqtree import modelfile
from seqtree.training.ranks import Ranks

fcntl = pytest.importorskip("fcntl", reason="locks of POSIX systems")
ROUNDING = {"float64": 1e-9, "float32": 5e-3}  # of losses; a parser in float32 may come to decide otherwise


@dataclass(frozen=True)
class Shared:
    """What was trained in ``folder``, and the records of two and of three processes."""

    folder: Path
    records: dict[int, dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def _without_chance() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqtree.language.task.RESET", 0.0)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Trained once, also for several processes of pytest-xdist, whose temporary folders lie beside one another."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "shared"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, row in ROWS.items():
            if not (folder / name).exists():
                (folder / name).mkdir()
                broken(row, folder / name / "broken-1", Ranks())
        return Shared(folder, {count: in_processes(count, folder) for count in (2, 3)})


@pytest.fixture(params=ROWS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_losses_are_those_of_one_process(name: str, shared: Shared, tmp_path: Path) -> None:
    for kind, rounding in ROUNDING.items():
        alone = first_steps(ROWS[name], tmp_path / kind, Ranks(), getattr(torch, kind))
        assert len(alone) == STEPS
        for count in (2, 3) if kind == "float64" else (2,):
            together = shared.records[count][name][kind]
            assert [items for _, items in together] == [items for _, items in alone]
            assert [loss for loss, _ in together] == pytest.approx([loss for loss, _ in alone], rel=rounding)


def test_the_figures_of_validation_are_those_of_one_process(name: str, shared: Shared, tmp_path: Path) -> None:
    alone = figures(ROWS[name], tmp_path / "alone", Ranks())
    assert (alone is None) == (name == "bigram")
    for count in (2, 3):
        found = shared.records[count][name]["figures"]
        assert found == (alone and pytest.approx(alone, rel=1e-6))


def test_as_many_processes_resume_exactly(name: str, shared: Shared) -> None:
    """With dropout, which is another in each process."""
    whole, again = shared.folder / name / "whole", shared.folder / name / "again"
    assert metrics(whole)[-1]["step"] == SHORT
    assert metrics(again) == metrics(whole)
    assert (again / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    tensors, expected = (modelfile.load(run / "checkpoint.safetensors")[2] for run in (again, whole))
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in tensors.items())


def test_another_number_of_processes_resumes(name: str, shared: Shared, tmp_path: Path) -> None:
    """One process goes on where two were broken off, and two where one was."""
    row, folder = ROWS[name], shared.folder / name
    alone = trainer(row, tmp_path / "alone", Ranks(), dict(row.splits[0])).run_through()
    assert len(alone) == SHORT
    for steps in (resumed(row, folder / "broken-2", Ranks()), shared.records[2][name]["resumed"]):
        assert [items for _, items in steps] == [items for _, items in alone[SAVED:]]
        expected = [loss for loss, _ in alone[SAVED:]]
        assert [loss for loss, _ in steps] == pytest.approx(expected, rel=ROUNDING["float32"])


@pytest.mark.parametrize("count", [2, 3])
def test_all_end_where_one_fails_or_differs(shared: Shared, count: int) -> None:
    """Rank 0 tells, the others leave quietly."""
    expected = {
        "options": "InputError: process 1 has other options than process 0, or another machine: batch is 5, not 4",
        "data": "InputError: process 1 has other training or validation data than process 0",
        "rows": f"InputError: {count} processes, but a batch has 3 rows: expected 2 of them at least for each process; "
        "choose a larger --batch or fewer processes",
        "one": "InputError: process 1: no such file",
        "first": "ValueError: a fault of the program",
        "shared": "InputError: process 1: no such file",
    }
    found = shared.records[count]["refusals"]
    assert {key: said[0] for key, said in found.items()} == expected
    assert all(said[1:] == [f"SystemExit: {1 if key == 'first' else 2}"] * (count - 1) for key, said in found.items())


@pytest.mark.parametrize("count", [2, 3])
def test_a_gradient_may_be_absent(shared: Shared, count: int) -> None:
    """A parameter that one rank uses, one that none uses, and a rank whose part has no items."""
    assert shared.records[count]["gradients"] == {"value": [7.0, 5], "used": [3.0, 4.0], "unused": True}


@pytest.mark.parametrize("count", [2, 3])
def test_the_guard_judges_the_loss_of_all_parts(shared: Shared, count: int) -> None:
    said = shared.records[count]["exploding"]
    assert "warning: the loss exploded at step 6 (nan): back to step 4 with half the learning rate" in said


@pytest.mark.parametrize("least", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_rows_are_parted(size: int, least: int) -> None:
    for count in range(least, 30):
        rows = np.arange(count)
        parts = [Ranks(rank, size).part(rows, least).tolist() for rank in range(size)]
        assert list(chain.from_iterable(parts)) == rows.tolist()
        lengths = [len(part) for part in parts if part]
        assert min(lengths) >= least
        assert max(lengths) - min(lengths) <= 1
        assert len(lengths) == min(size, count // least)
        assert parts[0]


def test_ranks_have_other_random_numbers() -> None:
    """Those of a CPU depend on the lowest 32 bits of the seed alone."""
    seeds = {Ranks(rank, 1000).seed(7 * 1_000_003 + step) % (1 << 32) for rank in range(1000) for step in range(100)}
    assert len(seeds) == 100_000
    assert Ranks().seed(5) == 5
