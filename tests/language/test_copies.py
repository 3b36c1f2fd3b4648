"""Copies, threads, streams read in turn, and weights that change: a model says what its weights say."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from language_helpers import TEXT, model
from runs import lm_recipe, train

from seqtree.language.config import SamplingSettings
from seqtree.language.model import LanguageModel
from seqtree.language.nltk_adapter import NltkLanguageModel

CELLS = [{"cell": "lstm", "layers": 2}, {"cell": "gru", "layers": 2}, {"cell": "rnn"}]
SEEDS = range(8)


def _sample(made: LanguageModel, seed: int) -> str:
    return made.sample("the ", 60, seed=seed)


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("shape", CELLS, ids=str)
@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_copy_samples_as_the_model_does(shape: dict[str, Any], copied: Callable[[Any], Any]) -> None:
    made = model(**shape)
    expected = _sample(made, 1)
    again = copied(made)
    assert again._stepper is None
    assert _sample(again, 1) == expected == _sample(made, 1)
    assert copied(made.to_nltk()).generate(20, random_seed=3) == made.to_nltk().generate(20, random_seed=3)


def test_a_pool_of_processes_samples_as_the_model_does() -> None:
    made = model(layers=2)
    expected = [_sample(made, seed) for seed in SEEDS]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        asked = [pool.apply_async(made.sample, ("the ", 60), {"seed": seed}) for seed in SEEDS]
        assert [answer.get(timeout=120) for answer in asked] == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_forked_pool_works_though_its_parent_has_used_torch_s_threads(tmp_path: Path) -> None:
    """In a process of its own: the threads of this one belong to all tests."""
    program = """
import multiprocessing, torch
torch.set_num_threads(2)
from seqtree import LanguageModel
model = LanguageModel.untrained("the lamp was lit ", hidden=128)
def used(seed):
    return model.sample("the ", 20, seed=seed), round(model.perplexity("the lamp was lit " * 400), 3)
expected = used(1)
pool = multiprocessing.get_context("fork").Pool(2)
assert pool.map_async(used, [1] * 4).get(60) == [expected] * 4
pool.terminate()
"""
    command = [sys.executable, "-c", program]  # elsewhere than in the source folder, which it would import
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shape", CELLS, ids=str)
def test_threads_sample_as_one_does(shape: dict[str, Any], hasty: None) -> None:
    made = model(**shape)
    fresh = copy.deepcopy(made)  # whose stepper is made while the threads run
    expected = [_sample(made, seed) for seed in SEEDS]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda seed: _sample(fresh, seed), list(SEEDS) * 4)) == expected * 4


def test_threads_share_an_nltk_model(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache of two contexts, which is changed all the time."""
    monkeypatch.setattr("seqtree.language.nltk_adapter.MAX_CACHED_CONTEXTS", 2)
    contexts = [list(TEXT[:k]) for k in range(12)] * 8
    made = model()
    expected = [made.to_nltk().score("a", context) for context in contexts]
    shared = made.to_nltk()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda context: shared.score("a", context), contexts)) == expected


@pytest.mark.parametrize("shape", CELLS, ids=str)
def test_streams_read_in_turn_do_not_disturb_each_other(shape: dict[str, Any]) -> None:
    made = model(**shape)
    streams = [made.sample_pieces("the", SamplingSettings(length=40, seed=seed)) for seed in SEEDS]
    read = zip(*streams, strict=True)
    assert ["".join(pieces) for pieces in zip(*read, strict=True)] == [
        made.sample("the", 40, seed=seed) for seed in SEEDS
    ]


def _by_torch(parameter: torch.nn.Parameter) -> None:
    with torch.no_grad():
        parameter.mul_(-2.0)


def _by_data(parameter: torch.nn.Parameter) -> None:
    parameter.data.mul_(-2.0)


def _by_numpy(parameter: torch.nn.Parameter) -> None:
    numbers = parameter.detach().numpy()
    numbers *= -2.0


def _by_replacement(parameter: torch.nn.Parameter) -> None:
    parameter.data = parameter.detach() * -2.0


@pytest.mark.parametrize("change", [_by_torch, _by_data, _by_numpy, _by_replacement])
@pytest.mark.parametrize("name", ["embedding.weight", "recurrent.weight_hh_l0", "decoder.weight", "decoder.bias"])
def test_samples_follow_changed_weights(change: Callable[[torch.nn.Parameter], None], name: str) -> None:
    made = model()
    before = _sample(made, 1)
    change(made.network.get_parameter(name))
    fresh = LanguageModel(made.vocabulary, made.settings, made.network)
    assert _sample(made, 1) == _sample(fresh, 1) != before


def test_a_stream_goes_on_with_the_weights_it_began_with() -> None:
    made = model()
    expected = made.sample("", 30, seed=2)
    pieces = made.sample_pieces("", SamplingSettings(length=30, seed=2))
    begun = next(pieces)
    with torch.no_grad():
        for parameter in made.network.parameters():
            parameter.zero_()
    assert begun + "".join(pieces) == expected


def test_nltk_scores_follow_changed_weights() -> None:
    made = model()
    adapter = NltkLanguageModel(made)
    before = adapter.score("a", ["t"])
    _by_torch(made.network.decoder.weight)
    assert adapter.score("a", ["t"]) == made.to_nltk().score("a", ["t"]) != before


def test_weights_that_are_the_same_keep_their_stepper() -> None:
    made = model()
    assert made.stepper is made.stepper
    with torch.inference_mode():
        inferred = model()  # parameters without a count of changes
    assert _sample(inferred, 1) == _sample(made, 1)


def test_untrained_models_are_the_same_in_threads(hasty: None) -> None:
    alone = LanguageModel.untrained(TEXT, hidden=32, embedding=5).network.state_dict()
    torch.manual_seed(7)
    random = torch.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        for made in pool.map(lambda _: LanguageModel.untrained(TEXT, hidden=32, embedding=5), range(12)):
            for name, weight in made.network.state_dict().items():
                assert torch.equal(weight, alone[name])
    assert torch.equal(torch.get_rng_state(), random)


def test_two_trainings_in_threads_give_the_bytes_of_each_alone(tmp_path: Path, hasty: None) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT * 3, encoding="utf-8")

    def trained(name: str, seed: int) -> bytes:
        train(lm_recipe(tmp_path / f"{name}{seed}", text, seed=seed, dropout=0.3))
        return (tmp_path / f"{name}{seed}" / "model.safetensors").read_bytes()

    alone = [trained("alone", seed) for seed in (0, 1)]
    random = torch.get_rng_state()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda seed: trained("both", seed), (0, 1))) == alone
    assert torch.equal(torch.get_rng_state(), random)
