"""Dynamic evaluation: a model that goes on learning from what it is measured on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from command_helpers import Run, caller
from language_helpers import model

from seqtree.errors import InputError
from seqtree.language.dynamic import dynamic_evaluation
from seqtree.text.corpus import encode_text

TEXT = "the cat sat on the mat. " * 30


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch)


def test_without_learning_it_is_the_plain_figure() -> None:
    made = model()
    stream = encode_text(TEXT, made.vocabulary, made.settings)
    found = dynamic_evaluation(made, stream, rate=1e-12, decay=0.0, window=7)
    assert found["loss"] == pytest.approx(made.evaluate_stream(stream).loss, abs=1e-5)


def test_a_text_that_repeats_itself_is_learned_and_the_model_is_not_changed() -> None:
    made = model()
    stream = encode_text(TEXT, made.vocabulary, made.settings)
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    plain = made.evaluate_stream(stream).loss
    assert dynamic_evaluation(made, stream, rate=0.5)["loss"] < 0.9 * plain
    assert all(torch.equal(value, before[name]) for name, value in made.network.state_dict().items())
    assert made.evaluate_stream(stream).loss == pytest.approx(plain)


def test_a_piece_is_measured_before_it_is_learned_from() -> None:
    made = model()
    stream = encode_text(TEXT, made.vocabulary, made.settings)
    found = dynamic_evaluation(made, stream, rate=0.5, window=len(stream))
    assert found["loss"] == pytest.approx(made.evaluate_stream(stream).loss, rel=1e-5)


def test_models_that_do_not_read_a_text_through() -> None:
    made = model(bidirectional=True)
    with pytest.raises(InputError, match="reads a whole text"):
        dynamic_evaluation(made, encode_text(TEXT, made.vocabulary, made.settings))


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e39, float("nan")])
def test_rates_out_of_bounds(rate: float) -> None:
    made = model()
    with pytest.raises(InputError, match="expected more than 0 and at most 100"):
        dynamic_evaluation(made, encode_text(TEXT, made.vocabulary, made.settings), rate)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"window": 0}, "window 0: expected at least 1"),
        ({"window": 2.5}, "window 2.5: expected a whole number"),
        ({"decay": -0.1}, "decay -0.1: expected at least 0 and less than 1"),
        ({"decay": 1.0}, "decay 1: expected at least 0 and less than 1"),
        ({"decay": float("nan")}, "decay nan: expected at least 0 and less than 1"),
    ],
)
def test_a_decay_and_a_window_out_of_bounds(given: dict[str, Any], said: str) -> None:
    made = model()
    with pytest.raises(InputError, match=f"^{said}$"):
        dynamic_evaluation(made, encode_text(TEXT, made.vocabulary, made.settings), **given)


def test_the_command_prints_it_beside_the_plain_figures(command: Run) -> None:
    model().save(Path("model.safetensors"))
    Path("text.txt").write_text(TEXT)
    code, out, _ = command("lm", "eval", "model.safetensors", "text.txt", "--dynamic", "--json")
    assert code == 0
    record = json.loads(out)
    assert record["dynamic"]["perplexity"] < record["perplexity"]
    code, out, _ = command("lm", "eval", "model.safetensors", "text.txt", "--dynamic")
    assert f"dynamic perplexity   {record['dynamic']['perplexity']:.4f}" in out
