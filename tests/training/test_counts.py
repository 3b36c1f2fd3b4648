"""Runs whose vectors of tokens start from counts in the training data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import Messages

from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.tasks import TASKS, named
from seqtree.training.counts import start_counted
from seqtree.training.fit import fit


def test_counted_vectors_are_alike_for_tokens_of_like_places_and_spread_as_before() -> None:
    """Tokens that the text does not have keep their vectors, and so do the numbers beyond what can be counted."""
    pick = np.random.default_rng(0)
    animals, verbs = np.arange(2, 12), np.arange(12, 22)
    text = np.stack([np.zeros(4000, int), pick.choice(animals, 4000), pick.choice(verbs, 4000)], axis=1).ravel()
    weight = 0.1 * torch.randn(25, 30, generator=torch.Generator().manual_seed(0))
    before = weight.clone()
    said = start_counted(weight, [text.astype(np.uint16)])
    assert said == "21 of 25 vectors start from counts of 12,000 tokens"
    assert torch.equal(weight[[1, 22, 23, 24]], before[[1, 22, 23, 24]]) and torch.equal(weight[:, 21:], before[:, 21:])
    assert weight[text[:3], :21].ne(before[text[:3], :21]).all()
    torch.testing.assert_close(weight[sorted({*text}), :21].std(), before.std(), rtol=0.1, atol=0)
    unit = torch.nn.functional.normalize(weight[2:22, :21], dim=1)
    like = unit @ unit.T
    assert like[:10, :10].min() > like[:10, 10:].max() + 0.3


def test_ends_of_sentences_are_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have a number of their own and no vector; a text that is cut has those of its beginning."""
    given: list[Any] = []

    def kept(text: Any, words: Any, neighbours: Any, width: int, rounds: int) -> Any:
        given[:] = text.tolist(), words.tolist(), neighbours.tolist()
        return np.ones((len(words), width), np.float32)

    monkeypatch.setattr("seqtree.training.counts.counted_vectors", kept)
    sentences = [np.array([2, 2]), np.array([2, 0, 0]), np.array([1])]
    start_counted(torch.randn(5, 3), sentences)
    assert given == [[5, 2, 2, 5, 2, 0, 0, 5, 1, 5], [2, 0, 1], [2, 0, 1, 5]]
    monkeypatch.setattr("seqtree.training.counts.TOKENS", 4)
    start_counted(torch.randn(5, 2), sentences)
    assert given[0] == [5, 2, 2, 5, 2, 0, 5]


def test_a_language_model_over_words_starts_from_counts_unless_told_otherwise(tmp_path: Path) -> None:
    """A run that is resumed does not count again, and ends as it was."""
    options, run = {"preset": "tiny", "threads": 1, "epochs": 0.2}, str(tmp_path / "run")

    def told(**more: Any) -> bool:
        display = Messages()
        fit(named(TASKS["lm"].task), [], {**options, "out": run, **more}, display)
        return "vectors start from counts of" in display.text

    assert told(unit="word")
    assert json.loads((tmp_path / "run" / "config.json").read_text())["counted_vectors"] is None
    written = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert not told(unit="word", resume=True)
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == written
    other = str(tmp_path / "other")
    assert told(unit="word", resume=True, out=other)  # there is nothing to go on with
    assert (tmp_path / "other" / "model.safetensors").read_bytes() == written
    assert told(counted_vectors=True, out=str(tmp_path / "characters"))
    for name, more in (
        ("random", {"unit": "word", "counted_vectors": False}),
        ("one-hot", {"unit": "word", "one_hot": True}),
        ("on", {"init_from": run}),
        ("by default", {}),
    ):
        assert not told(out=str(tmp_path / name), **more)


@pytest.mark.parametrize("task", ["parser", "tag", "classify", "tree"])
def test_a_task_with_a_word_encoder_starts_from_counts_if_asked(task: str, tmp_path: Path) -> None:
    options = {"preset": "tiny", "threads": 1, "epochs": 0.1}
    for asked in (True, False):
        display = Messages()
        fit(
            named(TASKS[task].task),
            [],
            {**options, "out": str(tmp_path / str(asked)), "counted_vectors": asked},
            display,
        )
        assert ("words: " in display.text and "vectors start from counts of" in display.text) == asked


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"vectors": "v.txt"}, "the network starts from --vectors"),
        ({"init_from": "given"}, "the network starts from --init-from"),
        ({"one_hot": True}, "the network has no vectors of tokens"),
    ],
)
def test_counts_and_another_start(more: dict[str, Any], why: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("the 1 2\nof 3 4\n")
    LanguageModel.untrained("the cat sat", unit="word", hidden=6, embedding=5).save(tmp_path / "given")
    more = {name: str(tmp_path / value) if isinstance(value, str) else value for name, value in more.items()}
    options = {"preset": "tiny", "epochs": 0.1, "out": str(tmp_path / "run"), "counted_vectors": True, **more}
    options |= {} if "init_from" in more else {"unit": "word"}
    with pytest.raises(InputError, match=f"^--counted-vectors: {why}$"):
        fit(named(TASKS["lm"].task), [], options, Messages())
    if "one_hot" not in more:
        with pytest.raises(InputError, match=f"^--random-vectors: {why}$"):
            fit(named(TASKS["lm"].task), [], {**options, "counted_vectors": False}, Messages())
