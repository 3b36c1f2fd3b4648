"""A cache beside a language model, against the formula token by token, with the distributions written out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command_helpers import Run, caller
from language_helpers import model

from seqtree.errors import InputError
from seqtree.language.cache import FLATNESS, SETTINGS, WEIGHTS, cache_evaluation
from seqtree.language.model import LanguageModel
from seqtree.language.surprisals import states_and_targets
from seqtree.text.corpus import encode_text
from seqtree.text.tokenfile import TokenStream

TEXT = "the cat sat on the mat. " * 15


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch)


def encoded(made: LanguageModel, text: str = TEXT) -> TokenStream:
    return encode_text(text, made.vocabulary, made.settings)


@torch.no_grad()
def slowly(made: LanguageModel, stream: TokenStream, size: int) -> float:
    """The loss, one token and one setting at a time; every distribution sums to 1."""
    found = states_and_targets(made.network.eval(), made.vocabulary, stream.ids)
    states, targets = map(torch.cat, zip(*found, strict=True))
    plain = made.network.decoder(states).double().softmax(dim=1).numpy()
    h, tokens = states.double().numpy(), targets.tolist()
    belief, loss = np.full(1 + len(FLATNESS) * len(WEIGHTS), 1 / len(SETTINGS)), 0.0
    for t, token in enumerate(tokens):
        rows = [plain[t]]
        for flatness in FLATNESS:
            cache = np.zeros(plain.shape[1])
            for i in range(max(0, t - size), t):
                cache[tokens[i]] += np.exp(flatness * h[t] @ h[i])
            cache = cache / cache.sum() if t else plain[t]
            rows += [(1 - weight) * plain[t] + weight * cache for weight in WEIGHTS]
        together = belief @ np.array(rows)
        assert together.sum() == pytest.approx(1)
        loss -= np.log(together[token])
        belief = belief * np.array(rows)[:, token]
        belief /= belief.sum()
    return loss / len(tokens)


@pytest.mark.parametrize("size", [1, 5, 2000])
def test_equals_the_formula_token_by_token(size: int) -> None:
    made = model()
    stream = encoded(made)
    assert len(stream) > 256  # more than one window
    assert cache_evaluation(made, stream, size)["loss"] == pytest.approx(slowly(made, stream, size), abs=1e-5)


def test_a_text_that_repeats_itself_is_predicted_better() -> None:
    made = model()
    stream = encoded(made)
    found = cache_evaluation(made, stream)
    assert found["loss"] < 0.9 * made.evaluate_stream(stream).loss
    assert found["perplexity"] == pytest.approx(np.exp(found["loss"]))
    assert (found["flatness"], found["weight"]) in SETTINGS[1:]


def test_where_nothing_comes_again_it_costs_next_to_nothing() -> None:
    made = model()
    stream = encoded(made, "".join(dict.fromkeys(TEXT)))
    plain = made.evaluate_stream(stream).loss
    found = cache_evaluation(made, stream)
    assert found["loss"] - plain < np.log(len(SETTINGS)) / len(stream)
    assert (found["flatness"], found["weight"]) == (0.0, 0.0)


@pytest.mark.parametrize("size", [0, -1, 100_001])
def test_sizes_out_of_bounds(size: int) -> None:
    made = model()
    with pytest.raises(InputError, match=rf"^size {size}: expected 1 to 100,000$"):
        cache_evaluation(made, encoded(made), size)


def test_models_that_do_not_read_a_text_through() -> None:
    made = model(bidirectional=True)
    with pytest.raises(InputError, match=r"^a cache needs a model that reads a whole text from its beginning$"):
        cache_evaluation(made, encoded(made))


def test_the_command_prints_it_beside_the_plain_figures(command: Run) -> None:
    model().save(Path("model.safetensors"))
    Path("text.txt").write_text(TEXT)
    code, out, _ = command("lm", "eval", "model.safetensors", "--cache", "text.txt", "--json")
    assert code == 0
    record = json.loads(out)
    assert record["cache"]["perplexity"] < record["perplexity"]
    code, out, _ = command("lm", "eval", "model.safetensors", "text.txt", "--cache", "--dynamic")
    assert f"cache perplexity     {record['cache']['perplexity']:.4f}   (loss" in out
    assert "dynamic perplexity   " in out
