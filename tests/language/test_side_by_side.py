"""Many samples at once are those of their seeds alone."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from seqtree.errors import InputError
from seqtree.language import model as language_model
from seqtree.language.condition import Classes
from seqtree.language.config import ConditionSettings, SamplingSettings
from seqtree.language.model import LanguageModel
from seqtree.language.sampling import choose, choose_rows, gumbel_noise
from seqtree.text.lexicon import LabelSet

TEXT = "the cat sat on the mat\na dog ran to the man\n" * 8
SEEDS = range(3, 12)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"unit": "word"},
        {"unit": "word", "documents": "lines", "cell": "gru", "layers": 2},
        {"documents": "lines", "layers": 2},
        {"cell": "rnn", "one_hot": True},
        {"tied": True, "hidden": 8, "embedding": 8},
        {"tied": True, "layers": 2, "hidden": 12, "embedding": 6},
    ],
)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"temperature": 0.0},
        {"temperature": 0.7, "top_k": 4},
        {"top_p": 0.6},
        {"stop": ("at", "\n", "o t")},
        {"length": 0},
        {"length": 1},
    ],
)
@pytest.mark.parametrize("prompt", ["", "the ", "the cat\nthe"])
def test_each_is_the_sample_of_its_seed(
    shape: dict[str, Any], settings: dict[str, Any], prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language_model, "AT_ONCE", 4)
    made = LanguageModel.untrained(TEXT, **{"hidden": 12, "embedding": 6, **shape})
    wanted = {"length": 40, **settings}
    expected = [made.sample(prompt, seed=seed, **wanted) for seed in SEEDS]
    assert list(made.samples(prompt, SamplingSettings(**wanted), SEEDS)) == expected
    assert len(set(expected)) > 1 or settings.get("temperature") == 0 or wanted["length"] < 2


def test_more_random_numbers_are_drawn_where_texts_are_long() -> None:
    made = LanguageModel.untrained(TEXT, hidden=4, embedding=3)
    settings = SamplingSettings(length=2100)
    assert list(made.samples("a", settings, [5, 6])) == [made.sample("a", 2100, seed=seed) for seed in (5, 6)]


@pytest.mark.parametrize("where", ["first", "every", "both"])
def test_samples_of_a_class(where: str) -> None:
    classes = Classes(LabelSet(["x", "y"]), (3, 5), ConditionSettings(condition=True, condition_in=where))
    plain = LanguageModel.untrained(TEXT, documents="lines", hidden=12, embedding=6)
    made = LanguageModel.over(plain.vocabulary, plain.settings, plain.network.config, 1, classes)
    for given_one in (made, made.given("x"), made.given("y")):
        expected = [given_one.sample("the", 30, seed=seed) for seed in SEEDS]
        assert list(given_one.samples("the", SamplingSettings(length=30), SEEDS)) == expected


def test_what_is_refused_is_told_before_anything_is_made() -> None:
    made = LanguageModel.untrained(TEXT, hidden=4, embedding=3)
    with pytest.raises(InputError, match="never seen: 'Z'"):
        made.samples("Z", SamplingSettings(), SEEDS)
    with pytest.raises(InputError, match="bidirectional"):
        LanguageModel.untrained(TEXT, hidden=4, embedding=3, bidirectional=True).samples("", SamplingSettings(), SEEDS)


@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_probabilities_that_are_no_numbers_are_an_error(temperature: float) -> None:
    made = LanguageModel.untrained(TEXT, hidden=4, embedding=3)
    with torch.no_grad():
        made.network.decoder.bias.fill_(math.nan)
    with pytest.raises(InputError, match="not finite numbers"):
        list(made.samples("", SamplingSettings(length=5, temperature=temperature), SEEDS))


rows = st.integers(1, 9).flatmap(
    lambda width: st.lists(st.lists(st.floats(-20, 20, width=32), min_size=width, max_size=width), min_size=1)
)
settings = st.builds(
    SamplingSettings,
    temperature=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    top_k=st.none() | st.integers(1, 10),
    top_p=st.none() | st.floats(0.01, 1.0),
)


@given(rows, settings, st.integers(0, 1 << 32))
def test_rows_are_chosen_as_one_by_one(values: list[list[float]], settings: SamplingSettings, seed: int) -> None:
    logits = np.array(values, np.float32)
    noise = np.stack(list(islice(gumbel_noise(settings, logits.shape[1], seed), len(logits))))
    expected = [choose(row.copy(), settings, own) for row, own in zip(logits, noise, strict=True)]
    assert choose_rows(logits, settings, noise).tolist() == expected
