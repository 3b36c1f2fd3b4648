"""Every task on another device than the CPU: on a GPU where there is one (``gpu``), and on torch's without values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from contract_rows import ROWS, Row
from language_helpers import model as language_model
from runs import Messages

from seqtree import LanguageModel, Parser
from seqtree.language.config import SamplingSettings
from seqtree.text import penn_tokens
from seqtree.training.fit import fit

SPLITS = [(name, number) for name, row in ROWS.items() for number in range(len(row.splits))]
CALM = {"device": "cpu", "precision": "fp32", "threads": 1}
TIMES = ("second",)  # in the names of figures that are no figures of a model


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """A device that models are used on; the CPU shows that the tests themselves are right."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA GPU here")
    return str(request.param)


def made(row: Row, folder: Path, device: str, options: dict[str, Any]) -> Any:
    """The task with its model on a device."""
    recipe = row.kind.resolve({**options, **CALM})
    data = row.kind.read([str(source) for source in row.source(folder)], recipe, Messages())
    recipe = row.kind.fitted(data, recipe, Messages())
    model = row.kind.build(data, recipe, Messages())
    model.network.to(device)
    model.network.products = None
    return row.kind(model, data, recipe)


def gradients(task: Any) -> tuple[float, int, dict[str, torch.Tensor]]:
    """The loss of the first batch, its items and gradients."""
    network = task.model.network.train()
    task.start_epoch()
    loss, items = task.loss(task.batch(0, 0))
    loss.backward()
    return loss.item(), items, {name: p.grad.cpu() for name, p in network.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("name", "number"), SPLITS, ids=str)
def test_a_step_is_the_cpu_s(name: str, number: int, device: str, tmp_path: Path) -> None:
    row = ROWS[name]
    expected, found = (gradients(made(row, tmp_path, one, dict(row.splits[number]))) for one in ("cpu", device))
    assert found[0] == pytest.approx(expected[0], rel=1e-4) and found[1] == expected[1]
    assert found[2].keys() == expected[2].keys()
    for key, value in expected[2].items():
        torch.testing.assert_close(
            found[2][key], value, rtol=1e-3, atol=1e-4, msg=lambda said, key=key: f"{key}: {said}"
        )


@pytest.mark.parametrize("name", ROWS)
def test_a_model_is_trained_there_and_measures_the_same_on_both(name: str, device: str, tmp_path: Path) -> None:
    row, out = ROWS[name], tmp_path / "run"
    sources = [str(source) for source in row.source(tmp_path)]
    given = {**row.options, **CALM, "device": device, "epochs": 1.0, "out": str(out)}
    report = fit(row.kind, sources, given, Messages())
    task = made(row, tmp_path, "cpu", row.options)
    for one in ("cpu", device):
        figures, _ = task.measure(row.model.load(out, one, "fp32"))
        for key, value in figures.items():
            if isinstance(value, float) and not any(part in key for part in TIMES):
                assert value == pytest.approx(report[key], rel=1e-3, abs=1e-3), key


@pytest.mark.parametrize(("name", "number"), SPLITS, ids=str)
def test_nothing_of_a_step_is_left_on_the_cpu(name: str, number: int, tmp_path: Path) -> None:
    """On a device without values, which refuses tensors of others; up to where a value is asked for."""
    row = ROWS[name]
    task = made(row, tmp_path, "meta", dict(row.splits[number]))
    task.model.network.train()
    task.start_epoch()
    try:
        loss, _ = task.loss(task.batch(0, 0))
        assert loss.device.type == "meta"
    except NotImplementedError as error:  # a RuntimeError of other kinds is about devices
        assert "meta" in str(error).lower()


def test_a_language_model_says_there_what_it_says_here(device: str, tmp_path: Path) -> None:
    language_model(bidirectional=False).save(tmp_path / "m")
    here, there = (LanguageModel.load(tmp_path / "m", one, "fp32") for one in ("cpu", device))
    surprisals = [[one.surprisal for one in model.score("the cat sat on a mat\n" * 3)] for model in (here, there)]
    assert surprisals[1] == pytest.approx(surprisals[0], abs=1e-3)
    assert dict(there.next("the ")) == pytest.approx(dict(here.next("the ")), abs=1e-4)
    settings = SamplingSettings(length=12)
    assert there.sample("the ", 12, seed=3) == here.sample("the ", 12, seed=3)
    assert [len(text) for text in there.samples("the ", settings, range(8))] == [12] * 8


def test_a_parser_finds_the_same_trees_there(device: str) -> None:
    here, there = (Parser.load("default", one, "fp32") for one in ("cpu", device))
    texts = ("The cat sat on the mat.", "I saw the man with the telescope.", "It works.", "Why not?") * 20
    words = [penn_tokens(text, here.lexicon.words) for text in texts]
    assert [parse.tree for parse in there.parses(words)] == [parse.tree for parse in here.parses(words)]
    assert there.k_best(words[1], 2)[1].tree == here.k_best(words[1], 2)[1].tree
