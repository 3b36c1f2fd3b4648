"""What the units of a network do, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from language_helpers import TEXT, model

from seqtree.errors import InputError
from seqtree.language.batches import shift_inputs
from seqtree.language.condition import Classes
from seqtree.language.config import ConditionSettings
from seqtree.language.inside import FEATURES, following, steps_of_layers
from seqtree.language.model import LanguageModel
from seqtree.text.lexicon import LabelSet


@pytest.mark.parametrize(
    "shape",
    [
        {"layers": 2},
        {"cell": "gru", "layers": 2},
        {"cell": "rnn"},
        {"cell": "rnn", "nonlinearity": "relu", "layers": 2},
        {"one_hot": True},
        {"layers": 2, "tied": True},
        {"layers": 3, "tied": True, "cell": "rnn"},
        {"unit": "word"},
    ],
)
def test_the_last_layer_is_what_the_network_computes(shape: dict[str, Any]) -> None:
    made = model(**shape)
    text = "the man sat\non a dog\n"
    tokens, layers = steps_of_layers(made, text)
    assert tokens == [one.token for one in made.score(text)]
    assert len(layers) == made.network.config.layers
    ids = [made.vocabulary.start, *made.vocabulary.encode(tokens).tolist()]
    inputs = shift_inputs(torch.tensor(ids), made.vocabulary)[:, None]
    with torch.no_grad():
        expected, _ = made.network.eval().hidden_states(inputs)
    np.testing.assert_allclose(layers[-1]["h"], expected[1:, 0].numpy(), atol=1e-6)


def test_gates_make_the_states_as_the_chapters_say() -> None:
    (lstm,) = steps_of_layers(model(), "the cat")[1]
    np.testing.assert_allclose(lstm["c"], lstm["f"] * lstm["c'"] + lstm["i"] * lstm["g"], atol=1e-6)
    np.testing.assert_allclose(lstm["h"], lstm["o"] * np.tanh(lstm["c"]), atol=1e-6)
    np.testing.assert_array_equal(lstm["c'"][1:], lstm["c"][:-1])
    assert all((lstm[gate] > 0).all() and (lstm[gate] < 1).all() for gate in "ifo")
    (gru,) = steps_of_layers(model(cell="gru"), "the cat")[1]
    np.testing.assert_allclose(gru["h"], (1 - gru["z"]) * gru["n"] + gru["z"] * gru["h'"], atol=1e-6)
    np.testing.assert_array_equal(gru["h'"][1:], gru["h"][:-1])


@pytest.mark.parametrize("where", ["first", "every", "both"])
def test_lines_begin_anew_and_in_their_class(where: str) -> None:
    classes = Classes(LabelSet(["x", "y"]), (1, 1), ConditionSettings(condition=True, condition_in=where))
    plain = LanguageModel.untrained(TEXT, documents="lines", hidden=8, embedding=5)
    made = LanguageModel.over(plain.vocabulary, plain.settings, plain.network.config, 1, classes)
    for one in (plain, made, made.given("y")):
        h = steps_of_layers(one, "the man")[1][0]["h"]
        reader = one.reader()
        for token in one.vocabulary.encode(list("the man")).tolist():
            reader.read(token)
        np.testing.assert_allclose(2 * h[-1], reader.state.h[0], atol=1e-5)  # a stepper's h is twice as large
    ended = plain.vocabulary.tokens[plain.vocabulary.end]
    twice = steps_of_layers(plain, f"a cat{ended}the man")[1][0]["h"]
    np.testing.assert_array_equal(twice[-7:], steps_of_layers(plain, "the man")[1][0]["h"])


def test_what_cannot_be_looked_into() -> None:
    with pytest.raises(InputError, match="bidirectional"):
        steps_of_layers(model(bidirectional=True), "the")
    assert steps_of_layers(model(layers=2), "") == ([], [{}, {}])


@pytest.mark.parametrize(
    ("feature", "text", "expected"),
    [
        ("brackets", "a(b[c]d)e)", [0, 1, 1, 2, 2, 2, 1, 1, 0, 0]),
        ("quotes", 'a"b"c', [0, 1, 1, 1, 0]),
        ("line", "ab\nc", [0, 1, 2, 0]),
        ("word", "ab cd", [0, 1, 2, 0, 1]),
        ("capital", "aBC", [0, 1, 1]),
        ("digit", "a1", [0, 1]),
    ],
)
def test_features_of_a_text(feature: str, text: str, expected: list[float]) -> None:
    assert FEATURES[feature](list(text)) == expected


def test_the_unit_that_follows_a_feature_is_found() -> None:
    tokens = list("ab (cd) e(f)")
    inside = np.array(FEATURES["brackets"](tokens), np.float32)
    noise = np.random.default_rng(0).normal(size=(len(tokens), 5)).astype(np.float32)
    noise[:, 1] = 0.5
    noise[:, 3] = -2 * inside + 1
    found = following(tokens, noise, "brackets", 4)
    assert found[0] == (3, pytest.approx(-1))
    assert 1 not in [unit for unit, _ in found]
    assert following(list("abc"), noise[:3], "brackets", 4) == []  # no bracket, nothing to follow
