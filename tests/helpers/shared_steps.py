"""What several processes train together, for the tests: ``python shared_steps.py COUNT FOLDER`` writes a record of it.

Every row of the contract is trained in each of the ways below, in processes that are started once for all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from contract_rows import ROWS, Row
from runs import EXACT, Messages

import seqtree.language.task
from seqtree.errors import InputError
from seqtree.training.launch import launch
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display
from seqtree.training.ranks import Place, Ranks
from seqtree.training.run_folder import OthersRunFolder, RunFolder

STEPS = 20
SHORT, SAVED, BROKEN = 12, 4, 7  # steps of a run; at which it is saved, as at 8; and before which it is broken off


class BrokenOff(Exception):
    """Stands for the end of all processes: nothing is saved after it."""


class Recording(Trainer):
    """Takes ``total`` steps and keeps the loss and items of each; broken off before step ``until``."""

    def __init__(self, *args: Any, total: int, until: int) -> None:
        super().__init__(*args)
        self.total_steps, self.until = total, until
        self.steps: list[tuple[float, int]] = []

    def run_through(self, resume: bool = False) -> list[tuple[float, int]]:
        """Train; what was kept."""
        try:
            self.fit(resume)
        except BrokenOff:
            assert self.state.step == self.until
        return self.steps

    def _advance(self) -> None:
        if self.state.step == self.until:
            raise BrokenOff
        super()._advance()

    def _count(self, loss: float, items: int, odd: bool = False) -> None:
        self.steps.append((loss, items))
        super()._count(loss, items, odd)


def trainer(
    row: Row,
    out: Path,
    ranks: Ranks,
    options: dict[str, Any],
    total: int = SHORT,
    until: int = -1,
    dtype: torch.dtype = torch.float32,
) -> Recording:
    """Of a task with these options, in the folder ``out``."""
    recipe = row.kind.resolve({**options, **EXACT, "evaluations": total // SAVED, "checkpoint_seconds": 1e9})
    data = _data(row.name, out.parent / f"data-{ranks.rank}", json.dumps(options))
    recipe = row.kind.fitted(data, recipe, Messages())
    model = row.kind.build(data, recipe, Messages())
    model.network.to(dtype)
    out.mkdir(exist_ok=True)
    run = (RunFolder if ranks.leads else OthersRunFolder)(out)
    return Recording(row.kind(model, data, recipe), run, Messages(), None, ranks, total=total, until=until)


def first_steps(row: Row, out: Path, ranks: Ranks, dtype: torch.dtype) -> list[tuple[float, int]]:
    """Loss and items of each of the first steps, where nothing is left to chance."""
    return trainer(row, out, ranks, dict(row.splits[0]), STEPS + SAVED, STEPS, dtype).run_through()


def figures(row: Row, out: Path, ranks: Ranks) -> dict[str, float] | None:
    """What an untrained model of it measures on validation data."""
    made = trainer(row, out, ranks, dict(row.splits[0]), dtype=torch.float64)
    made.network.eval()
    with torch.no_grad():
        found: dict[str, float] | None = made.task.evaluate()
    return found


def broken(row: Row, out: Path, ranks: Ranks) -> list[tuple[float, int]]:
    """A run without chance, broken off."""
    return trainer(row, out, ranks, dict(row.splits[0]), until=BROKEN).run_through()


def resumed(row: Row, out: Path, ranks: Ranks) -> list[tuple[float, int]]:
    """The rest of it, from its last checkpoint."""
    return trainer(row, out, ranks, dict(row.splits[0])).run_through(resume=True)


@cache
def _data(name: str, folder: Path, options: str) -> Any:
    row = ROWS[name]
    folder.mkdir(exist_ok=True)
    recipe = row.kind.resolve({**json.loads(options), **EXACT})
    return row.kind.read([str(source) for source in row.source(folder)], recipe, Messages())


def _same_bytes(row: Row, folder: Path, ranks: Ranks) -> None:
    """With dropout: a run never broken in ``whole``, and one that was broken and resumed in ``again``."""
    trainer(row, folder / "whole", ranks, row.options).run_through()
    trainer(row, folder / "again", ranks, row.options, until=BROKEN).run_through()
    trainer(row, folder / "again", ranks, row.options).run_through(resume=True)


def _refusals(ranks: Ranks) -> dict[str, list[str]]:
    """How each rank ends where they disagree, or one of them fails."""

    def fail() -> None:
        raise InputError("no such file") if ranks.rank == 1 else ValueError("a fault of the program")

    attempts = {
        "options": lambda: ranks.check_alike({"data": "a", "batch": 4 + ranks.rank, "seed": 1}),
        "data": lambda: ranks.check_alike({"data": ranks.rank}),
        "rows": lambda: ranks.together(lambda: ranks.check_rows(3, 2)),
        "one": lambda: ranks.together(lambda: ranks.leads or fail()),
        "first": lambda: ranks.led(fail),
        "shared": lambda: ranks.alike(lambda: ranks.share(lambda some: [fail()] if 1 in some else [], range(3))),
    }
    said = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except (InputError, ValueError, SystemExit) as error:
            said[name] = ranks.gathered(f"{type(error).__name__}: {error}")
    return said


def _gradients(ranks: Ranks) -> dict[str, Any]:
    """Of a parameter that only the last rank uses, one that none uses, and one used where there are no items."""
    used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    last = ranks.rank == ranks.size - 1
    loss, items = ((used * torch.tensor([3.0, 4.0])).sum(), 5) if last else (used.sum() * torch.nan, 0)
    value = ranks.backward([used, unused], loss if last or ranks.leads else None, items)
    assert used.grad is not None
    return {"value": value, "used": used.grad.tolist(), "unused": unused.grad is None}


def _exploding(folder: Path, ranks: Ranks) -> list[str]:
    """What is said when the loss of the last rank's part is not finite, once."""
    row = ROWS["bigram"]
    made = trainer(row, folder / "exploding", ranks, dict(row.splits[0]))
    plain, calls = made.task.loss, iter(range(1000))

    def loss(batch: Any) -> tuple[torch.Tensor, int]:
        value, items = plain(batch)
        return value * (torch.nan if next(calls) == 6 and ranks.rank == ranks.size - 1 else 1.0), items

    made.task.loss = loss  # type: ignore[method-assign]
    made.run_through()
    assert isinstance(made.display, Messages)
    return made.display.lines


def work(count: int, folder: Path, place: Place, display: Display, again: bool) -> None:
    """What each process does."""
    torch.set_num_threads(1)
    seqtree.language.task.RESET = 0.0  # otherwise a row's state is forgotten now and then, whatever the options
    found: dict[str, Any] = {}
    with place.joined("cpu") as ranks:
        for name, row in ROWS.items():
            out = folder / name
            out.mkdir(exist_ok=True)
            found[name] = {"float64": first_steps(row, out / f"float64-{count}", ranks, torch.float64)}
            found[name]["figures"] = figures(row, out / f"figures-{count}", ranks)
            if count == 2:
                found[name]["float32"] = first_steps(row, out / "float32", ranks, torch.float32)
                _same_bytes(row, out, ranks)
                broken(row, out / "broken-2", ranks)
                found[name]["resumed"] = resumed(row, out / "broken-1", ranks)
        found["refusals"], found["gradients"] = _refusals(ranks), _gradients(ranks)
        found["exploding"] = _exploding(folder, ranks)
        if ranks.leads:
            (folder / f"{count}.json").write_text(json.dumps(found), encoding="utf-8")


def dying(place: Place, display: Display, again: bool) -> None:
    """A run whose second process always dies."""
    display.message(f"began again: {again}")
    if place.rank:
        os._exit(7)
    time.sleep(60)


def parting(place: Place, display: Display, again: bool) -> None:
    """The first process tells which threads of torch.distributed it still has after they have been together."""
    with place.joined("cpu") as ranks:
        torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # which imports more of torch.distributed
        assert ranks.gathered(ranks.rank) == [0, 1]
    names = [path.read_text(encoding="utf-8").strip() for path in Path("/proc/self/task").glob("*/comm")]
    if place.rank == 0:
        display.message(f"left: {[name for name in names if 'gloo' in name]}")


def in_processes(count: int, folder: Path) -> dict[str, Any]:
    """The record of ``count`` processes in ``folder``, which are started if there is none yet."""
    record = folder / f"{count}.json"
    if not record.exists():
        command = [sys.executable, __file__, str(count), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    number, where = int(sys.argv[1]), Path(sys.argv[2])
    launch(partial(work, number, where), number, Display(), where / "none")
