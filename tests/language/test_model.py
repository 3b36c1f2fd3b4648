"""What a language model says: measures, scores, samples, blanks, and the same after saving."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from language_helpers import CHINESE, TEXT, model, nats
from oracles import cut_at_stop, run_recurrent, softmax
from runs import Messages, Planned, lm_recipe, train

from seqtree import LanguageModel, modelfile
from seqtree.errors import InputError, ModelFileError
from seqtree.language import stepper as stepper_module
from seqtree.language.config import LanguageNetworkConfig
from seqtree.language.sampling import SamplingSettings, _until_stop, choose, gumbel_noise
from seqtree.language.stepper import Stepper
from seqtree.language.task import widths
from seqtree.language.validation import validation_loss
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_text
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.copying import grow

SHAPES: list[dict[str, Any]] = [
    {"cell": "rnn"},
    {"cell": "rnn", "nonlinearity": "relu", "layers": 2},
    {"cell": "lstm"},
    {"cell": "lstm", "layers": 3},
    {"cell": "lstm", "layers": 2, "tied": True, "embedding": 8},
    {"cell": "lstm", "layers": 3, "tied": True, "embedding": 5},
    {"cell": "gru", "layers": 2, "tied": True, "embedding": 5},
    {"cell": "gru"},
    {"cell": "gru", "layers": 3},
    {"cell": "gru", "one_hot": True, "layers": 2},
    {"cell": "lstm", "one_hot": True},
    {"cell": "rnn", "tied": True, "embedding": 8},
]


def _oracle_distributions(made: LanguageModel, text: str) -> np.ndarray:
    """Probabilities (N, V) before each token of a text, by the chapter's formulas in float64."""
    network, vocabulary = made.network, made.vocabulary
    weights = {name: value.detach().double().numpy() for name, value in network.state_dict().items()}
    ids = encode_text(text, vocabulary, made.settings).ids.tolist()
    before = [vocabulary.start, *(vocabulary.start if i == vocabulary.end else i for i in ids[:-1])]
    table = np.eye(len(vocabulary)) if network.config.one_hot else weights["embedding.weight"]
    layers = [
        tuple(weights[f"recurrent.{name}_l{k}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        for k in range(network.config.layers)
    ]
    hidden = run_recurrent(network.config.cell, network.config.nonlinearity, layers, table[before])
    return np.array([softmax(weights["decoder.weight"] @ h + weights["decoder.bias"]) for h in hidden])


# --- saving and loading


@pytest.mark.parametrize("shape", [*SHAPES, {"bidirectional": True}], ids=str)
def test_a_loaded_model_says_the_same(tmp_path: Path, shape: dict[str, Any]) -> None:
    made = model(**shape)
    made.save(tmp_path / "m.safetensors")
    loaded = LanguageModel.load(tmp_path / "m.safetensors")
    assert loaded.vocabulary == made.vocabulary
    assert loaded.settings == made.settings
    assert loaded.network.config == made.network.config
    assert loaded.score("the cat\n") == made.score("the cat\n")
    if not made.network.config.bidirectional:
        assert loaded.sample("the", 30, seed=4) == made.sample("the", 30, seed=4)
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()


def test_a_run_folder_loads_as_its_model(tmp_path: Path) -> None:
    made = model(unit="word")
    made.save(tmp_path / "model.safetensors")
    assert LanguageModel.load(tmp_path).score("the cat\n") == made.score("the cat\n")
    with pytest.raises(InputError, match="no such model file"):
        LanguageModel.load(tmp_path / "nothing")


def test_a_tied_model_is_stored_once_and_stays_tied(tmp_path: Path) -> None:
    made = model(tied=True, embedding=8)
    made.save(tmp_path / "m")
    assert "decoder.weight" not in modelfile.load(tmp_path / "m")[2]
    loaded = LanguageModel.load(tmp_path / "m")
    assert loaded.network.decoder.weight is loaded.network.embedding.weight


@pytest.mark.parametrize(
    "change",
    [
        lambda contents, tensors: contents.pop("vocabulary"),
        lambda contents, tensors: contents["vocabulary"]["tokens"].pop(),
        lambda contents, tensors: contents["vocabulary"].update(unit="syllable"),
        lambda contents, tensors: contents["network"].update(hidden=9),
        lambda contents, tensors: contents["network"].update(colour="red"),
        lambda contents, tensors: contents.update(network=[1]),
        lambda contents, tensors: contents["text"].update(unit="syllable"),
        lambda contents, tensors: contents.update(text=None),
        lambda contents, tensors: tensors.pop("decoder.bias"),
        lambda contents, tensors: tensors.update(more=torch.zeros(1)),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(tmp_path: Path, change: Any) -> None:
    """As only somebody who also made the checksum anew could bring about."""
    path = tmp_path / "m"
    model().save(path)
    contents, tensors = modelfile.load(path)[1:]
    change(contents, tensors)
    modelfile.save(path, "language-model", contents, tensors)
    with pytest.raises(ModelFileError, match="do not fit together"):
        LanguageModel.load(path)


def test_a_checkpoint_is_no_model(tmp_path: Path) -> None:
    modelfile.save(tmp_path / "c", "checkpoint", {}, {})
    with pytest.raises(ModelFileError, match=r"holds a checkpoint .*, expected a language-model"):
        LanguageModel.load(tmp_path / "c")


def test_a_network_of_another_vocabulary_is_refused() -> None:
    made = model()
    with pytest.raises(InputError, match="does not fit a vocabulary of 3"):
        LanguageModel(Vocabulary("char", ["<unk>", "\n", "a"]), made.settings, made.network)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cell": "mlp"}, "cell 'mlp'"),
        ({"nonlinearity": "sin"}, "nonlinearity"),
        ({"layers": 0}, "layers 0"),
        ({"hidden": 0}, "hidden 0"),
        ({"embedding": -1}, "embedding -1"),
        ({"dropout_input": 1.0}, "dropout_input 1.0"),
        ({"weight_drop": -0.1}, "weight_drop"),
        ({"dropout_output": math.nan}, "dropout_output nan"),
        ({"tied": True}, "a tied output needs"),
        ({"tied": True, "hidden": 64, "one_hot": True}, "a tied output needs"),
        ({"tied": True, "layers": 2, "hidden": 64, "embedding": 65}, "at most as wide: it is 65, and they are 64"),
    ],
)
def test_network_configs_are_checked(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        LanguageNetworkConfig(**values)


@pytest.mark.parametrize(
    ("base", "given", "expected"),
    [
        ((1, 64, 64), {"hidden": 30}, (True, 30, 30)),
        ((1, 64, 64), {"embedding": 30}, (True, 30, 30)),
        ((1, 64, 64), {"hidden": 30, "embedding": 20}, (False, 30, 20)),
        ((1, 64, 64), {"hidden": 30, "embedding": 20, "layers": 2}, (True, 30, 20)),
        ((1, 64, 64), {"one_hot": True}, (False, 64, 64)),
        ((2, 64, 16), {}, (True, 64, 16)),
        ((2, 64, 16), {"hidden": 30}, (True, 30, 16)),
        ((2, 64, 16), {"hidden": 10}, (True, 10, 10)),
        ((2, 64, 16), {"embedding": 100}, (True, 100, 100)),
        ((2, 64, 16), {"embedding": 20}, (True, 64, 20)),
        ((2, 64, 16), {"hidden": 20, "embedding": 30}, (False, 20, 30)),
        ((2, 64, 16), {"layers": 1}, (True, 64, 64)),
        ((2, 64, 16), {"bidirectional": True}, (False, 64, 16)),
    ],
)
def test_widths_that_go_with_those_given(
    base: tuple[int, int, int], given: dict[str, Any], expected: tuple[bool, int, int]
) -> None:
    layers, hidden, embedding = base
    preset = LanguageNetworkConfig(layers=layers, hidden=hidden, embedding=embedding, tied=True)
    made = replace(preset, **{**given, **widths(given, preset)})
    assert (made.tied, made.hidden, made.embedding) == expected


# --- measures


@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_evaluation_equals_one_long_pass_of_the_plain_formula(shape: dict[str, Any], unit: str) -> None:
    """The text is longer than a window of the evaluation, so that its state must be carried."""
    made = model(unit=unit, **shape)
    text = TEXT if unit == "char" else TEXT * 4
    ids = encode_text(text, made.vocabulary, made.settings).ids
    assert len(ids) > 300
    probabilities = _oracle_distributions(made, text)[np.arange(len(ids)), ids]
    measured = made.evaluate(text)
    assert measured.loss == pytest.approx(-np.log(probabilities).mean(), rel=1e-5)
    assert measured.perplexity == pytest.approx(math.exp(measured.loss))
    assert measured.tokens == len(ids)
    np.testing.assert_allclose(nats(made, ids), -np.log(probabilities), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("unit", ["char", "word"])
def test_bits_are_over_characters_and_bytes_of_the_text(unit: str) -> None:
    text = "naïve café\nжук и 树 🌱\n"
    made = model(text, unit=unit)
    measured = made.evaluate(text)
    bits = measured.loss * measured.tokens / math.log(2)
    assert measured.bits_per_character == pytest.approx(bits / len(text))
    assert measured.bits_per_byte == pytest.approx(bits / len(text.encode()))
    assert measured.tokens == (len(text) if unit == "char" else 8)
    assert measured.unknown_tokens == 0
    assert measured.bits_per_byte < measured.bits_per_character


def test_unknown_tokens_are_counted() -> None:
    assert model("abc\n").evaluate("abxyc\n").unknown_tokens == 2
    assert model("a b c\n", unit="word").evaluate("a x b\nc y z\n").unknown_tokens == 3


@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_scores_sum_to_the_loss(unit: str, bidirectional: bool) -> None:
    made = model(unit=unit, bidirectional=bidirectional)
    scores = made.score(TEXT)
    measured = made.evaluate(TEXT)
    assert len(scores) == measured.tokens
    assert sum(s.surprisal for s in scores) * math.log(2) / len(scores) == pytest.approx(measured.loss, rel=1e-6)
    assert made.perplexity(TEXT) == measured.perplexity


def test_scores_name_tokens_and_mark_unknown_ones() -> None:
    scores = model("a b c\n", unit="word").score("a x\nb")
    assert [(s.token, s.unknown) for s in scores] == [("a", False), ("x", True), ("</s>", False), ("b", False)]
    assert model().score("") == []
    assert all(s.surprisal > 0 for s in scores)


def test_a_score_is_the_surprisal_of_the_next_token() -> None:
    made = model()
    scores = made.score("the cat")
    for place, score in enumerate(scores):
        probability = dict(made.next("the cat"[:place], k=1000))[score.token]
        assert score.surprisal == pytest.approx(-math.log2(probability), abs=1e-4)


def test_an_empty_text_cannot_be_measured() -> None:
    for unit in ("char", "word"):
        with pytest.raises(InputError, match="empty"):
            model(unit=unit).evaluate("")


def test_files_are_measured_as_one_text(tmp_path: Path) -> None:
    made = model()
    (tmp_path / "a.txt").write_text("the cat\n", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes("a dog\r\nran\r\n".encode("utf-16"))
    (tmp_path / "b2.txt").write_text("a dog\nran\n", encoding="utf-8")
    whole = made.evaluate("the cat\na dog\nran\n")
    measured = made.evaluate_files([tmp_path / "a.txt", tmp_path / "b2.txt"])
    assert (measured.loss, measured.tokens) == (whole.loss, whole.tokens)
    assert made.evaluate_files([tmp_path / "b.txt"], "utf-16").loss == made.evaluate("a dog\nran\n").loss


def test_validation_loss_is_close_to_the_evaluation() -> None:
    made = model()
    text = TEXT * 20
    stream = encode_text(text, made.vocabulary, made.settings)
    assert len(stream) > 2 * 32 * 64
    quick = validation_loss(made.network, made.vocabulary, stream)
    exact = made.evaluate(text).loss
    assert quick == pytest.approx(exact, abs=2e-3)
    assert quick != exact
    short = encode_text(TEXT, made.vocabulary, made.settings)
    assert validation_loss(made.network, made.vocabulary, short) == made.evaluate(TEXT).loss


def test_validation_loss_reads_every_piece_after_what_stands_before_it() -> None:
    """Exact where the pieces need no more than their warm-up: a network that forgets at once."""
    made = model(cell="rnn")
    with torch.no_grad():
        made.network.recurrent.weight_hh_l0.zero_()
    stream = encode_text(TEXT, made.vocabulary, made.settings)
    length = len(stream) // 4 * 4
    exact = nats(made, stream.ids[:length]).mean()
    quick = validation_loss(made.network, made.vocabulary, stream, warm_up=1, rows=4)
    assert quick == pytest.approx(float(exact), rel=1e-5)


def test_validation_loss_begins_the_text_with_the_zero_state() -> None:
    made, text = model(), "the cat sat on the mat\n"
    quick = validation_loss(made.network, made.vocabulary, encode_text(text, made.vocabulary, made.settings), 5, rows=1)
    assert quick == pytest.approx(made.evaluate(text).loss, rel=1e-6)


def test_infinite_perplexity_is_no_error() -> None:
    made = model()
    with torch.no_grad():
        made.network.decoder.bias[made.vocabulary.index("z")] = 5000.0
        made.network.decoder.bias[made.vocabulary.index("t")] = -5000.0
    measured = made.evaluate("ttt")
    assert measured.perplexity == math.inf
    assert math.isfinite(measured.loss)


# --- the next token


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_next_token_probabilities(shape: dict[str, Any]) -> None:
    made = model(**shape)
    best = made.next("the cat sat", k=1000)
    assert len(best) == len(made.vocabulary)
    assert sum(p for _, p in best) == pytest.approx(1.0, abs=1e-12)
    assert [p for _, p in best] == sorted((p for _, p in best), reverse=True)
    oracle = _oracle_distributions(made, "the cat satX")[-1]
    assert {t: pytest.approx(p, rel=1e-3, abs=1e-7) for t, p in zip(made.vocabulary, oracle, strict=True)} == dict(best)
    assert made.next("the cat sat", k=3) == best[:3]
    with pytest.raises(InputError, match="k 0"):
        made.next("the", k=0)


def test_next_after_a_line_end_is_next_at_the_start_of_a_sentence() -> None:
    """The state goes on, but a word model's input is <s>, never </s>, which it has never read."""
    made = model(unit="word")
    with torch.no_grad():
        made.network.embedding.weight[made.vocabulary.end] = math.nan
    assert all(math.isfinite(p) for _, p in made.next("the cat\n"))
    assert all(math.isfinite(s.surprisal) for s in made.score("the cat\nthe dog\n"))
    assert made.sample("the cat\n", 20, seed=1)


# --- stepping


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_stepper_equals_the_torch_module(
    shape: dict[str, Any], table: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not table:
        monkeypatch.setattr(stepper_module, "MAX_TABLE", 0)
    made = model(**shape)
    ids = np.random.default_rng(0).integers(0, len(made.vocabulary), 60)
    with torch.no_grad():
        expected = made.network(torch.from_numpy(ids)[:, None])[0][:, 0].numpy()
    stepper = Stepper(made.network)
    assert (stepper.table is not None) == (table or bool(shape.get("one_hot")))
    state = stepper.first_state()
    found = np.array([stepper.step(int(i), state).copy() for i in ids])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    again = stepper.first_state()
    other = stepper.first_state()
    for i in ids[:5]:  # two states do not disturb each other
        first = stepper.step(int(i), again).copy()
        stepper.step(0, other)
    np.testing.assert_array_equal(first, found[4])


# --- sampling


def test_one_seed_one_text() -> None:
    made = model()
    assert made.sample("the ", 80, seed=7) == made.sample("the ", 80, seed=7)
    assert len({made.sample("the ", 80, seed=s) for s in range(5)}) == 5
    assert len(made.sample(length=17, seed=0)) == 17
    assert made.sample(length=0) == ""
    assert made.sample(length=40) != made.sample(length=40)


def _greedy(made: LanguageModel, prompt: str, length: int) -> str:
    """The most probable token by the torch module, again and again."""
    ids = [made.vocabulary.start, *made.vocabulary.encode(prompt)]
    text = ""
    for _ in range(length):
        with torch.no_grad():
            logits = made.network(torch.tensor(ids)[:, None])[0][-1, 0]
        logits[made.vocabulary.unknown] = -math.inf
        ids.append(int(logits.argmax()))
        text += made.vocabulary.tokens[ids[-1]]
    return text


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_temperature_zero_is_greedy(cell: str) -> None:
    made = model(cell=cell, layers=2)
    wanted = _greedy(made, "the cat", 30)
    assert made.sample("the cat", 30, temperature=0) == wanted
    for temperature in (1e-30, 1e-308, 5e-324):
        assert made.sample("the cat", 30, temperature=temperature, seed=1) == wanted
    assert made.sample("the cat", 30, top_k=1, seed=2) == wanted
    assert made.sample("the cat", 30, top_p=1e-9, seed=3) == wanted


def test_a_boundless_temperature_makes_all_tokens_alike() -> None:
    made = model()
    assert made.sample("the cat", 30, temperature=1e308, seed=1) == made.sample("the cat", 30, temperature=1e30, seed=1)
    logits = np.array([0.0, 50.0, -np.inf, -50.0], np.float32)
    counts = Counter(_choices(logits, SamplingSettings(temperature=1e308), 900))
    assert set(counts) == {0, 1, 3} and min(counts.values()) > 240


def test_samples_follow_the_distribution() -> None:
    made = model()
    for temperature in (0.5, 1.0, 2.0):
        logits = np.log(made.next_distribution(made.vocabulary.encode("the").tolist()))
        logits[made.vocabulary.unknown] = -math.inf
        expected = softmax(logits / temperature)
        drawn = Counter(made.sample("the", 1, seed=s, temperature=temperature) for s in range(1500))
        for token, p in zip(made.vocabulary, expected, strict=True):
            assert drawn[token] / 1500 == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 1500) + 1e-9)


def _choices(logits: np.ndarray, settings: SamplingSettings, count: int, seed: int = 0) -> Iterator[int]:
    """So many tokens of the same logits."""
    for noise in islice(gumbel_noise(settings, len(logits), seed), count):
        yield choose(logits.copy(), settings, noise)


@given(
    logits=st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=12),
    seed=st.integers(0, 1 << 32),
    k=st.integers(1, 14),
    p=st.floats(0.01, 1),
)
def test_top_k_and_top_p_keep_the_most_probable(logits: list[float], seed: int, k: int, p: float) -> None:
    probabilities = softmax(np.array(logits, dtype=np.float64))
    below = np.array(logits, np.float32) - np.float32(max(logits))  # float32 may make near ones equal
    (token,) = _choices(np.array(logits, np.float32), SamplingSettings(top_k=k), 1, seed)
    assert token in np.argsort(-below, kind="stable")[:k]
    (token,) = _choices(np.array(logits, np.float32), SamplingSettings(top_p=p), 1, seed)
    share = np.exp(below)
    assert probabilities[share > share[token]].sum() < p + 1e-5  # whichever of equal ones comes first


def test_top_p_keeps_the_fewest_that_reach_the_share() -> None:
    logits = np.log(np.array([0.1, 0.5, 0.15, 0.25], np.float32))

    def kept(share: float) -> set[int]:
        return set(_choices(logits, SamplingSettings(top_p=share), 200))

    assert [kept(share) for share in (0.45, 0.6, 0.8, 0.95)] == [{1}, {1, 3}, {1, 2, 3}, {0, 1, 2, 3}]
    assert kept(1.0) == {0, 1, 2, 3}


def test_of_equal_tokens_top_k_keeps_exactly_k() -> None:
    assert set(_choices(np.zeros(5, np.float32), SamplingSettings(top_k=2), 50)) == {0, 1}


@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_probabilities_that_are_no_numbers_are_an_error(temperature: float) -> None:
    made = model()
    with torch.no_grad():
        made.network.decoder.bias.fill_(math.nan)
    with pytest.raises(InputError, match="not finite numbers"):
        made.sample(length=5, temperature=temperature)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"length": -1}, "length -1"),
        ({"temperature": -0.5}, "temperature -0.5"),
        ({"top_k": 0}, "top_k 0"),
        ({"temperature": math.nan}, "temperature nan"),
        ({"temperature": math.inf}, "temperature inf"),
        ({"top_p": 0.0}, "top_p 0"),
        ({"top_p": 1.5}, "top_p 1.5"),
        ({"top_p": math.nan}, "top_p nan"),
        ({"stop": [""]}, "stop string is empty"),
        ({"seed": -1}, "seed -1"),
        ({"unknown": "drop"}, "'drop'"),
    ],
)
def test_sampling_settings_are_checked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        model().sample("the", **options)


def test_the_unknown_token_and_the_sentence_start_are_never_sampled() -> None:
    made = model("a b\nb a\n" * 5, unit="word")
    with torch.no_grad():
        made.network.decoder.bias[[made.vocabulary.unknown, made.vocabulary.start]] = 50.0
    text = made.sample(length=200, seed=1)
    assert set(text.split()) == {"a", "b"}
    assert "<unk>" not in made.sample(length=20, temperature=0)


pieces = st.lists(st.text("ab\n", min_size=1, max_size=3), max_size=12)
stops = st.lists(st.text("ab\n", min_size=1, max_size=4), min_size=1, max_size=3)


@settings(max_examples=300)
@given(pieces=pieces, stops=stops)
def test_stop_strings_end_the_text_and_never_show(pieces: list[str], stops: list[str]) -> None:
    """What has been shown is never taken back, and nothing is held back that cannot begin a stop string."""
    shown = ""
    read: list[str] = []

    def source() -> Iterator[str]:
        for piece in pieces:
            for n in range(1, len(shown) + 1):
                assert not any(shown[-n:] == stop for stop in stops)
            held = "".join(read)[len(shown) :]
            assert held == "" or any(stop.startswith(held) for stop in stops)
            read.append(piece)
            yield piece

    for part in _until_stop(source(), stops):
        shown += part
    assert shown == cut_at_stop(pieces, stops)


def test_stopping_a_sample() -> None:
    made = model()
    whole = made.sample("the", 200, seed=3)
    stop = whole[50:53]
    assert made.sample("the", 200, seed=3, stop=[stop]) == whole[: whole.index(stop)]
    assert made.sample("the", 200, seed=3, stop=["QQ"]) == whole
    words = model(unit="word")
    whole = words.sample("the", 50, seed=3)
    assert words.sample("the", 50, seed=3, stop=["\n"]) == whole[: whole.index("\n")]


def test_words_are_spaced_and_lines_are_not() -> None:
    made = model(unit="word")
    for seed in range(20):
        for prompt in ("", "the", "the ", "the cat\n"):
            text = made.sample(prompt, 12, seed=seed)
            assert "  " not in prompt + text
            assert " \n" not in text
            assert "\n " not in prompt + text
            tokens = [t for line in (prompt + text).splitlines() for t in line.split()]
            assert all(token in made.vocabulary for token in tokens)  # no two words run together
            assert "</s>" not in text
    assert made.sample("the", 1, seed=0) == " " + made.sample("the ", 1, seed=0)
    assert made.sample("zzz", 1, seed=0, unknown="skip") == " " + made.sample("", 1, seed=0)


def test_prompts_with_unseen_tokens() -> None:
    made = model("abc\n" * 5)
    with pytest.raises(InputError) as caught:
        made.sample("aQb\u200bQ", 5)
    assert "characters the model has never seen: 'Q', U+200B ZERO WIDTH SPACE; change it" in str(caught.value)
    assert made.sample("aQb", 20, seed=1, unknown="skip") == made.sample("ab", 20, seed=1)
    assert made.sample("aQb", 20, seed=1, unknown="map") == made.sample("aZb", 20, seed=1, unknown="map")
    assert made.next("aQb", unknown="map") == made.next("aZb", unknown="map")
    assert made.next("aQb", unknown="map") != made.next("ab") == made.next("aQb", unknown="skip")
    with pytest.raises(InputError, match="words the model has never seen: 'zebra'"):
        model(unit="word").next("the zebra")
    many = "".join(chr(0x4E00 + i) for i in range(30))
    with pytest.raises(InputError, match=r", \.\.\.; change"):
        made.sample(many)
    assert made.sample("a\r\nb", 9, seed=1) == made.sample("\ufeffa\nb", 9, seed=1) == made.sample("a\nb", 9, seed=1)


# --- blanks


@pytest.fixture(scope="module")
def filler(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A bidirectional word model of a text where the words around tell which one is in the middle."""
    folder = tmp_path_factory.mktemp("fill")
    lines = [
        f"{a} {m} {b}\n" for a, b, m in [("x", "p", "one"), ("x", "q", "two"), ("y", "p", "three"), ("y", "q", "four")]
    ]
    rng = np.random.default_rng(0)
    text = "".join(lines[i] for i in rng.integers(0, 4, 300))
    (folder / "text.txt").write_text(text, encoding="utf-8")
    made = lm_recipe(
        folder / "run",
        folder / "text.txt",
        unit="word",
        network={"bidirectional": True, "hidden": 16},
        epochs=25,
        learning_rate=0.02,
    )
    train(made, Messages())
    return LanguageModel.load(folder / "run")


def test_blanks_are_filled_from_both_sides(filler: LanguageModel) -> None:
    for before, after, middle in (("x", "p", "one"), ("x", "q", "two"), ("y", "p", "three"), ("y", "q", "four")):
        token, probability = filler.fill(f"{before} ____ {after}", k=1)[0]
        assert token == middle
        assert probability > 0.8
        assert filler.fill(f"x one p\n{before} ____ {after}\ny four q", k=1)[0][0] == middle  # lines around it
    assert sum(p for _, p in filler.fill("x ____ p", k=100)) == pytest.approx(1.0)
    assert filler.fill("x [] p", blank="[]") == filler.fill("x ____ p")


def test_a_blank_does_not_know_what_stood_there(filler: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = filler.fill("x ____ p", k=100)
    for index in range(len(filler.vocabulary)):
        monkeypatch.setattr(Vocabulary, "unknown", property(lambda self, index=index: index))
        assert filler.fill("x ____ p", k=100, unknown="map") == plain


def test_a_bidirectional_model_never_reads_a_sentence_end(filler: LanguageModel) -> None:
    """In training every end is read as a start, so its own vector stays what it was by chance."""
    with torch.no_grad():
        kept = filler.network.embedding.weight[filler.vocabulary.end].clone()
        plain = filler.fill("x one p\ny ____ q\nx two q\n"), filler.evaluate("x one p\ny four q\n").loss
        filler.network.embedding.weight[filler.vocabulary.end] = 100.0
        try:
            assert (filler.fill("x one p\ny ____ q\nx two q\n"), filler.evaluate("x one p\ny four q\n").loss) == plain
        finally:
            filler.network.embedding.weight[filler.vocabulary.end] = kept


def test_bidirectional_surprisals_are_those_of_blanks(filler: LanguageModel) -> None:
    scores = filler.score("x one p")
    for place in range(3):
        words = ["x", "one", "p"]
        words[place] = "____"
        assert scores[place].surprisal == pytest.approx(
            -math.log2(dict(filler.fill(" ".join(words), k=100))[scores[place].token]), abs=1e-4
        )


def test_blanks_are_checked(filler: LanguageModel) -> None:
    with pytest.raises(InputError, match="holds 0 blanks"):
        filler.fill("x one p")
    with pytest.raises(InputError, match="holds 2 blanks"):
        filler.fill("____ one ____")
    with pytest.raises(InputError, match="only a bidirectional model fills blanks"):
        model().fill("a ____ b")
    for call in (filler.sample, filler.next):
        with pytest.raises(InputError, match="reads both sides"):
            call("x")
    with pytest.raises(InputError, match="words the model has never seen: 'zz'"):
        filler.fill("zz ____ p", unknown="fail")
    assert filler.fill("zz ____ p")
    assert filler.fill("zz ____ p", unknown="skip") == filler.fill("____ p")


# --- growth


def _grown(made: LanguageModel, vocabulary: Vocabulary) -> LanguageModel:
    big = LanguageModel.over(vocabulary, made.settings, made.network.config)
    grow(big.network, made.network, made.vocabulary.unknown, "decoder.bias")
    return big


@pytest.mark.parametrize("shape", [*SHAPES, {"bidirectional": True}], ids=str)
def test_a_grown_model_keeps_what_it_knew(shape: dict[str, Any]) -> None:
    made = model("the cat\n" * 5, **shape)
    larger = made.vocabulary.extended(Counter("the dog ran\n"))
    assert len(larger) > len(made.vocabulary) + 3
    big = _grown(made, larger)
    old = len(made.vocabulary)
    if not made.network.config.one_hot:
        assert torch.equal(big.network.embedding.weight[:old], made.network.embedding.weight)
        new = big.network.embedding.weight[old:]
        assert not torch.equal(new[0], new[1])
    else:
        assert torch.equal(big.network.recurrent.weight_ih_l0[:, :old], made.network.recurrent.weight_ih_l0)
    assert torch.equal(big.network.decoder.weight[:old], made.network.decoder.weight)
    assert torch.equal(big.network.decoder.bias[:old], made.network.decoder.bias)
    assert (big.network.decoder.bias[old:] == made.network.decoder.bias.min()).all()
    scores = big.score("the dog\n")
    assert all(math.isfinite(s.surprisal) and not s.unknown for s in scores)
    assert made.score("the dog\n")[4].unknown
    if not made.network.config.bidirectional:  # what is new takes from all alike: the order of the old stays
        known = [token for token, _ in big.next("the c", k=1000) if token in made.vocabulary]
        assert known == [token for token, _ in made.next("the c", k=1000)]
    same = _grown(made, made.vocabulary)
    assert same.score("the cat\n") == made.score("the cat\n")


def _from(model: Path, planned: Planned) -> Planned:
    """The same run from a model, whose shape it keeps."""
    shape = ("hidden", "embedding", "tied")
    options = {name: value for name, value in planned.options.items() if name not in shape}
    return replace(planned, options={**options, "init_from": str(model)})


def test_training_goes_on_from_a_model(tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text(TEXT, encoding="utf-8")
    second.write_text(TEXT.replace("cat", "zébu"), encoding="utf-8")
    options: dict[str, Any] = {"epochs": 6, "learning_rate": 0.02, "network": {"hidden": 16}}
    train(lm_recipe(tmp_path / "a", first, **options), Messages())
    display = Messages()
    report = train(_from(tmp_path / "a", lm_recipe(tmp_path / "b", second, epochs=1, learning_rate=0.005)), display)
    before, after = LanguageModel.load(tmp_path / "a"), LanguageModel.load(tmp_path / "b")
    assert after.vocabulary.tokens[: len(before.vocabulary)] == before.vocabulary.tokens
    assert set(after.vocabulary.tokens[len(before.vocabulary) :]) == {"z", "é", "b", "u"}
    assert f"{len(before.vocabulary):,} tokens known, 4 new" in display.text
    assert after.network.config.hidden == 16  # its own, not the recipe's
    fresh = train(lm_recipe(tmp_path / "c", second, epochs=1, learning_rate=0.005), Messages())
    assert report["loss"] < fresh["loss"]
    assert all(math.isfinite(s.surprisal) and not s.unknown for s in after.score("zébu\n"))


# --- other texts


def test_chinese(tmp_path: Path) -> None:
    made = model(CHINESE)
    assert made.evaluate(CHINESE).bits_per_byte < made.evaluate(CHINESE).bits_per_character / 2
    text = made.sample("花园", 20, seed=1)
    assert len(text) == 20
    assert set(text) <= set(CHINESE)
    assert made.score("鸟在")[0].token == "鸟"


def test_a_text_without_space_or_line_end_samples_without_a_prompt() -> None:
    made = model("abab" * 10)
    assert set(made.sample(length=50, seed=1)) <= {"a", "b", "\n"}
    assert len(made.sample(length=50, seed=1)) == 50


def test_untrained_models_are_made_by_the_seed_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = LanguageModel.untrained(TEXT, seed=1, hidden=8)
    assert torch.equal(torch.get_rng_state(), state)
    assert LanguageModel.untrained(TEXT, seed=1, hidden=8).score("the") == first.score("the")
    assert LanguageModel.untrained(TEXT, seed=2, hidden=8).score("the") != first.score("the")
    assert first.settings == TextSettings()


# --- sampled softmax


@pytest.mark.parametrize(
    ("asked", "many", "samples"), [(None, 10, True), (None, 1000, False), (True, 1000, True), (False, 10, False)]
)
def test_who_is_trained_by_sampled_softmax(
    asked: bool | None, many: int, samples: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With enough tokens, or if asked for; but nothing is measured by it."""
    monkeypatch.setattr("seqtree.nn.losses.COMMON", 5)
    monkeypatch.setattr("seqtree.language.network.MANY_TOKENS", many)
    network = model(sampled_softmax=asked).network
    output, targets = torch.randn(6, 4, 8), torch.zeros(6, 4, dtype=torch.int64)
    exact = F.cross_entropy(network.decoder(output).flatten(0, 1), targets.flatten())
    for training in (True, False):
        network.train(training)
        losses = {round(network.output_loss(output, targets).item(), 5) for _ in range(30)}
        assert (losses != {round(exact.item(), 5)}) == (samples and training)


def test_sampled_softmax_learns_and_may_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtree.nn.losses.COMMON", 5)
    text = tmp_path / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    options: dict[str, Any] = {"learning_rate": 0.02, "network": {"hidden": 16, "sampled_softmax": True}}
    first = train(lm_recipe(tmp_path / "a", text, epochs=1, **options), Messages())
    report = train(lm_recipe(tmp_path / "b", text, epochs=6, **options), Messages())
    assert report["loss"] < first["loss"] - 0.1
    assert LanguageModel.load(tmp_path / "b").network.config.sampled_softmax is True
    planned = _from(tmp_path / "b", lm_recipe(tmp_path / "c", text, epochs=1))
    planned = replace(planned, options={**planned.options, "sampled_softmax": False})
    assert train(planned, Messages())["loss"] < first["loss"]
    assert LanguageModel.load(tmp_path / "c").network.config.sampled_softmax is False
