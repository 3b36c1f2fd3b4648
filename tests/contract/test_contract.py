"""What every task must hold, each of them by its row in ``contract_rows``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_helpers import run_apart
from contract_rows import EXACT, ROWS, Row
from runs import Messages, metrics

import seqtree
from seqtree import modelfile
from seqtree.cli import run as run_command
from seqtree.errors import InputError, ModelFileError
from seqtree.settings import fields_of
from seqtree.tasks import TASKS
from seqtree.training.fit import fit, train
from seqtree.wording import a

COMMON = {"steps", "seconds", "model", "interrupted", "best_step", "measured_on"}


@pytest.fixture(params=ROWS, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    found: Row = ROWS[request.param]
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """A run of every task, by the command line: its folder and its report."""
    found = {}
    for name, row in ROWS.items():
        folder = tmp_path_factory.mktemp(name)
        command, first = row.command
        words = [*first, *map(str, row.source(folder)), "--out", str(folder / "run"), *row.small, *EXACT]
        code, said, faults = run_apart([*words, "--epochs", "2", "--json"], command)
        assert code == 0, faults
        found[name] = folder / "run", json.loads(said)
    return found


Runs = dict[str, tuple[Path, dict[str, Any]]]


def test_every_task_has_a_row() -> None:
    assert set(TASKS) <= set(ROWS)


def test_help_shows_every_option_and_its_default(row: Row, capsys: pytest.CaptureFixture[str]) -> None:
    command, words = row.command
    assert run_command([*words, "--help"], command) == 0
    said = " ".join(capsys.readouterr().out.split())
    recipe = row.kind.options.variant("").recipe
    for group in recipe.groups.values():
        for field in fields_of(type(group)).values():
            if not field.about.help or field.name in row.kind.options.hidden:
                continue
            assert f"--{field.name.replace('_', '-')}" in said
            assert field.about.help in said
            value = getattr(group, field.name)
            if isinstance(value, float):
                assert re.search(rf"{re.escape(field.about.help)}.{{0,4}}\[default: {value:g}", said), field.name
    assert re.search(r"--help Show this message", said)


def test_json_has_the_keys_of_the_report(row: Row, runs: Runs) -> None:
    folder, report = runs[row.name]
    assert set(report) == {*COMMON, f"{row.kind.items}_per_second", *report.keys() - COMMON}
    assert set(report) >= {*COMMON, *row.figures, f"{row.kind.items}_per_second"}
    assert report["model"] == str(folder)
    assert report["interrupted"] is False
    assert report["steps"] == metrics(folder)[-1]["step"]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["kind"] == row.model.kind
    assert config["training"]["epochs"] == 2.0


def test_a_model_is_saved_and_loaded(row: Row, runs: Runs, tmp_path: Path) -> None:
    folder, _ = runs[row.name]
    model = row.model.load(folder)
    assert not model.network.training
    model.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    if not row.toy:
        assert type(seqtree.load(folder)) is row.model
    model.save(tmp_path / "half.safetensors", half=True)
    halved = row.model.load(tmp_path / "half.safetensors").network.state_dict()
    for name, tensor in model.network.state_dict().items():
        assert halved[name].dtype == tensor.dtype
        torch.testing.assert_close(halved[name], tensor, rtol=1e-3, atol=1e-3)


def test_a_model_says_what_it_is(row: Row, runs: Runs) -> None:
    model = row.model.load(runs[row.name][0])
    said = repr(model)
    assert said.startswith(f"<{type(model).__name__}: {model.network.parameter_count:,} parameters")
    assert row.toy or re.search(r"[1-9][\d,]* (word|token|source token|class)", said), said
    assert len(said) < 120


def test_weights_are_float32_whatever_torch_would_make(row: Row, runs: Runs, tmp_path: Path) -> None:
    """What is opened, and what is learned."""
    file = runs[row.name][0] / "model.safetensors"
    torch.set_default_dtype(torch.float64)
    try:
        row.model.load(file).save(tmp_path / "again.safetensors")
        words = [*row.command[1], *map(str, row.source(tmp_path)), "--out", str(tmp_path / "run"), *row.small, *EXACT]
        code, _, faults = run_apart([*words, "--epochs", "0.01"], row.command[0])
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert code == 0, faults
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()
    trained, first = (modelfile.load(one)[2] for one in (tmp_path / "run" / "model.safetensors", file))
    assert {name: tensor.dtype for name, tensor in trained.items()} == {n: tensor.dtype for n, tensor in first.items()}


def test_a_model_is_loaded_strictly(row: Row, runs: Runs, tmp_path: Path) -> None:
    kind, contents, tensors = modelfile.load(runs[row.name][0] / "model.safetensors")
    name = next(name for name, tensor in tensors.items() if tensor.ndim > 1)
    wrong = {
        f"the tensor {name} is missing": {k: v for k, v in tensors.items() if k != name},
        "a tensor surplus for which there is no place": {**tensors, "surplus": torch.zeros(2)},
        f"the tensor {name} is ": {**tensors, name: tensors[name][:-1]},
        f"the tensor {name} holds numbers that are not finite": {**tensors, name: tensors[name] * torch.nan},
    }
    for said, changed in wrong.items():
        modelfile.save(tmp_path / "wrong", kind, contents, changed)
        with pytest.raises(ModelFileError, match=re.escape(said)):
            row.model.load(tmp_path / "wrong")
    for part in contents:
        modelfile.save(tmp_path / "wrong", kind, {**contents, part: None}, tensors)
        with pytest.raises(ModelFileError, match="do not fit together"):
            row.model.load(tmp_path / "wrong")


def test_another_kind_of_model_names_its_command(row: Row, runs: Runs) -> None:
    for name, (folder, _) in runs.items():
        if ROWS[name].model is not row.model:
            with pytest.raises(ModelFileError) as caught:
                row.model.load(folder)
            assert f"holds {a(ROWS[name].model.kind)}" in str(caught.value)
            assert f"expected {a(row.model.kind)}" in str(caught.value)
            assert ROWS[name].toy or TASKS[ROWS[name].task].use in str(caught.value)
    with pytest.raises(ModelFileError, match="holds a checkpoint"):
        row.model.load(runs[row.name][0] / "checkpoint.safetensors")


def test_training_from_python(row: Row, tmp_path: Path) -> None:
    """The same report as by the command; every evaluation goes to the callback."""
    seen: list[dict[str, Any]] = []
    task = row.kind if row.toy else row.task
    options = row.options
    out = tmp_path / "run"
    options["epochs"], options["seed"] = np.float64(1), np.int64(0)
    report = train(task, *row.source(tmp_path), out=str(out), progress=seen.append, **options)  # type: ignore[arg-type]
    assert set(report) >= {*COMMON, *row.figures}
    assert [record["step"] for record in seen] == [record["step"] for record in metrics(out)]
    with pytest.raises(InputError, match="there is no option 'epoch'; did you mean 'epochs'"):
        train(task, *row.source(tmp_path), out=str(tmp_path / "other"), epoch=1.0)  # type: ignore[arg-type]
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name, row in ROWS.items() for i in range(len(row.splits))], ids=str
)
def test_a_split_batch_has_the_gradient_of_the_whole(name: str, number: int, parts: int, tmp_path: Path) -> None:
    """Weighted by their items, in float64; after a first step, so that carried states are split, too."""
    row = ROWS[name]
    sources = [str(source) for source in row.source(tmp_path)]
    made = row.kind.made(sources, row.kind.resolve({**row.splits[number], "device": "cpu"}), Messages())
    network = made.model.network.double().train()
    network.products = None
    made.start_epoch()
    made.loss(made.batch(0, 0))
    carried, batch = {key: value.clone() for key, value in made.carried().items()}, made.batch(0, 1)
    assert isinstance(batch, np.ndarray)
    whole, items = _gradient(made, batch)
    cuts = np.linspace(0, len(batch), parts + 1).astype(int)
    total, counted = {key: torch.zeros_like(value) for key, value in whole.items()}, 0
    for first, last in pairwise(cuts):
        made.restore({key: value[first:last] for key, value in carried.items()})
        part, count = _gradient(made, batch[first:last])
        counted += count
        for key, value in part.items():
            total[key] += value * count / items
    assert counted == items
    for key, value in whole.items():
        torch.testing.assert_close(total[key], value, rtol=1e-10, atol=1e-10)


def _gradient(made: Any, batch: Any) -> tuple[dict[str, torch.Tensor], int]:
    network = made.model.network
    network.zero_grad()
    loss, items = made.loss(batch)
    loss.backward()
    return {k: p.grad.clone() for k, p in network.named_parameters() if p.grad is not None}, items


class _Killed(Exception):
    """Stands for the end of the process: nothing is saved after it."""


def test_a_broken_run_resumes_exactly(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off before some steps, with a checkpoint at every step or at evaluations only."""
    sources = [str(source) for source in row.source(tmp_path)]
    options = {**row.options, "epochs": 1.5, "evaluations": 3, "device": "cpu", "precision": "fp32"}
    report = fit(row.kind, sources, {**options, "out": str(tmp_path / "whole")}, Messages())
    plain, steps = row.kind.batch, report["steps"]
    for seconds in (1e-9, 1e9):
        out, waiting = tmp_path / f"broken-{seconds}", [1, steps // 2, steps - 1]

        def batch(self: Any, epoch: int, step: int, waiting: list[int] = waiting) -> Any:
            if waiting and epoch * self.steps_per_epoch + step == waiting[0]:
                del waiting[0]
                raise _Killed
            return plain(self, epoch, step)

        monkeypatch.setattr(row.kind, "batch", batch)
        resumed = {**options, "out": str(out), "resume": True, "checkpoint_seconds": seconds}
        for _ in range(3):
            with pytest.raises(_Killed):
                fit(row.kind, sources, resumed, Messages())
        fit(row.kind, sources, resumed, Messages())
        assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
        assert metrics(out) == metrics(tmp_path / "whole")


def test_resuming_with_another_seed_or_batch_is_noticed(row: Row, runs: Runs) -> None:
    folder, _ = runs[row.name]
    sources = [str(source) for source in row.source(folder.parent)]
    options = {**row.options, "out": str(folder), "resume": True, "device": "cpu", "precision": "fp32"}
    display = Messages()
    fit(row.kind, sources, {**options, "epochs": 2.0, "seed": 3}, display)
    assert "changed since the run began: seed 3" in display.text
    with pytest.raises(InputError, match=r"batch was \d+, is 5"):
        fit(row.kind, sources, {**options, "epochs": 2.0, "batch": 5}, Messages())


def test_that_validation_data_are_trained_on_is_told(row: Row, tmp_path: Path) -> None:
    if row.task == "image" or row.toy:
        pytest.skip("the data to validate on have no name of their own")
    sources, display = [str(source) for source in row.source(tmp_path)], Messages()
    named: dict[str, Any] = {"valid_part": "train"} if row.task == "scene" else {"valid": sources, "valid_share": None}
    fit(row.kind, sources, {**row.options, **named, "epochs": 0.1, "out": str(tmp_path / "run")}, display)
    assert "will look better than they are" in display.text


def test_help_imports_no_torch(row: Row, tmp_path: Path) -> None:
    if row.toy:
        pytest.skip("the toy's own module imports torch")
    script = (
        f"import sys; from seqtree.cli import run; run({[row.task, 'train', '-h']!r}); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", script]  # away from the source folder, which has no seqtree.cli below seqtree
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.endswith("False\n")
