"""Models with classes as conditions: what the network computes, samples and classifies, and what it learns."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from language_helpers import model
from runs import Messages, lm_recipe, train

from seqtree import LanguageModel
from seqtree.errors import InputError
from seqtree.language import pieces, stepper as stepping, surprisals
from seqtree.language.batches import LineBatches, apart, inputs_and_targets
from seqtree.language.condition import Classes
from seqtree.language.config import ConditionSettings, StreamBatchSettings
from seqtree.language.memorisation import report_samples
from seqtree.language.task import LanguageModelTask
from seqtree.text.corpus import encode_text
from seqtree.text.items import BREAK, encode_items
from seqtree.text.labelled import Labelled
from seqtree.text.lexicon import LabelSet

ITEMS = ["abca", "b", "cab", "bacab", "aab"]
LABELS = [0, 1, 1, 0, 2]
LIST = "".join(f"{item}\n" for item in ITEMS)
NAMES = ("x", "y", "z")
WHERE = ("first", "every", "both")


def _classes(where: str = "both", counts: tuple[int, ...] = (3, 2, 5)) -> Classes:
    return Classes(LabelSet(NAMES), counts, ConditionSettings(condition=True, condition_in=where, condition_size=4))


def _conditioned(where: str = "both", text: str = LIST, **shape: Any) -> LanguageModel:
    return model(text, documents="lines", classes=_classes(where), **shape)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _by_hand(made: LanguageModel, line: str, label: int) -> list[float]:
    """Surprisals in nats of a line and its end: chapter 6's LSTM, one layer, in NumPy; label -1: no class."""
    w = {name: p.detach().double().numpy() for name, p in made.network.named_parameters()}
    vector = w["condition.vectors.weight"][label] if label >= 0 else np.zeros(4)
    added = w["condition.to_input.weight"] @ vector if "condition.to_input.weight" in w else 0.0
    first = w["condition.to_state.weight"] @ vector if "condition.to_state.weight" in w else np.zeros(16)
    h, c = np.split(np.tanh(first), 2)
    ids = made.vocabulary.encode([*line, "\n"]).tolist()
    found = []
    for before, token in zip([made.vocabulary.start, *ids], ids, strict=False):
        x = w["embedding.weight"][before] + added
        gates = w["recurrent.weight_ih_l0"] @ x + w["recurrent.weight_hh_l0"] @ h
        i, f, g, o = np.split(gates + w["recurrent.bias_ih_l0"] + w["recurrent.bias_hh_l0"], 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        logits = w["decoder.weight"] @ h + w["decoder.bias"]
        found.append(float(np.log(np.exp(logits).sum()) - logits[token]))
    return found


@pytest.mark.parametrize("where", WHERE)
def test_the_loss_of_training_is_that_by_hand(where: str) -> None:
    """Of a batch of lines of several lengths and classes, one of them left out."""
    made = _conditioned(where)
    network = made.network.double()
    width = max(map(len, ITEMS)) + 1
    rows = np.full((len(ITEMS), width + 1), -1)
    for row, item in zip(rows, ITEMS, strict=True):
        row[1 : len(item) + 2] = made.vocabulary.encode([*item, "\n"])
    labels = [*LABELS[:-1], -1]
    classes, tokens = apart(np.column_stack([labels, rows]), True, made.device)
    loss, _ = network.loss(*inputs_and_targets(tokens, made.vocabulary, made.device), None, classes)
    expected = [nats for item, label in zip(ITEMS, labels, strict=True) for nats in _by_hand(made, item, label)]
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-10)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("window", [2, 256])
def test_scores_and_evaluations_are_those_by_hand(where: str, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read side by side in windows, in which a class enters the first state once."""
    monkeypatch.setattr(pieces, "WINDOW", window)
    monkeypatch.setattr(surprisals, "ROWS", 2)
    monkeypatch.setattr(surprisals, "LINES", 7)
    made = _conditioned(where)
    for label, name in enumerate(NAMES):
        expected = [_by_hand(made, item, label) for item in ITEMS]
        under = made.given(name)
        bits = [score.surprisal for score in under.score(LIST)]
        np.testing.assert_allclose(bits, np.concatenate(expected) / math.log(2), rtol=1e-4)
        assert bits == [score.surprisal for _, score in under.score_lines(LIST)]
        assert under.evaluate(LIST).loss == pytest.approx(np.concatenate(expected).mean(), rel=1e-5)
        probabilities = dict(under.next("ab", 9))
        assert -math.log(probabilities["c"]) == pytest.approx(expected[0][2], rel=1e-4)
    assert made.evaluate(LIST).loss == pytest.approx(np.concatenate([_by_hand(made, i, -1) for i in ITEMS]).mean())


@pytest.mark.parametrize("where", WHERE)
def test_figures_by_class_make_up_those_of_all(where: str) -> None:
    made = _conditioned(where)
    items = [Labelled(NAMES[label], item, "-") for item, label in zip(ITEMS, LABELS, strict=True)]
    stream = encode_items(items, made.vocabulary, made.settings, LabelSet(NAMES))
    for given in (True, False):
        measured = made.evaluate_stream(stream, given)
        nats = [_by_hand(made, item, label if given else -1) for item, label in zip(ITEMS, LABELS, strict=True)]
        assert measured.loss == pytest.approx(np.concatenate(nats).mean(), rel=1e-5)
        assert measured.by_class is not None
        for number, name in enumerate(NAMES):
            own = np.concatenate([row for row, label in zip(nats, LABELS, strict=True) if label == number])
            figures = measured.by_class[name]
            assert figures["loss"] == pytest.approx(own.mean(), rel=1e-5)
            assert figures["perplexity"] == pytest.approx(math.exp(own.mean()), rel=1e-5)
            assert (figures["tokens"], figures["items"]) == (len(own), LABELS.count(number))
        assert measured.to_json()["by_class"] == measured.by_class
    assert "by_class" not in model().evaluate("the cat\n").to_json()


@pytest.mark.parametrize("where", WHERE)
def test_without_a_class_it_is_the_network_without_classes(where: str) -> None:
    made = _conditioned(where, cell="gru", layers=2)
    plain = model(LIST, documents="lines", cell="gru", layers=2)
    own = made.network.state_dict()
    plain.network.load_state_dict({name: own[name] for name in plain.network.state_dict()})
    ids = torch.from_numpy(made.vocabulary.encode(list("abcab")))[:, None].repeat(1, 3)
    expected, _ = plain.network.hidden_states(ids)
    for classes in (None, torch.tensor([-1, -1, -1])):
        torch.testing.assert_close(made.network.hidden_states(ids, classes=classes)[0], expected, rtol=0, atol=0)
    mixed, _ = made.network.hidden_states(ids, classes=torch.tensor([-1, 1, -1]))
    torch.testing.assert_close(mixed[:, [0, 2]], expected[:, [0, 2]])
    assert not torch.allclose(mixed[:, 1], expected[:, 1])
    assert made.sample(seed=5) == plain.sample(seed=5)
    assert made.evaluate(LIST).loss == plain.evaluate(LIST).loss


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(
    "shape",
    [
        {"cell": "rnn"},
        {"cell": "gru", "layers": 2},
        {"layers": 2, "one_hot": True},
        {"hidden": 5, "tied": True},
        {"layers": 2, "tied": True},
    ],
)
@pytest.mark.parametrize("table", [0, 1 << 24])
def test_token_by_token_it_computes_the_same(
    where: str, shape: dict[str, Any], table: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "MAX_TABLE", table)
    made = _conditioned(where, **shape).given("z")
    ids = made.vocabulary.encode(list("abca\nbc")).tolist()
    reader = made.reader()
    for place, token in enumerate([*ids, 0]):
        logits = torch.from_numpy(reader.logits).double()
        np.testing.assert_allclose(logits.softmax(0), made.next_distribution(ids[:place]), rtol=1e-4, atol=1e-6)
        reader.read(token)


# --- samples


def test_samples_are_of_their_class_and_the_same_again() -> None:
    made = _conditioned()
    found = {name: [made.given(name).sample(seed=seed, length=30) for seed in range(60)] for name in NAMES}
    assert found == {name: [made.given(name).sample(seed=seed, length=30) for seed in range(60)] for name in NAMES}
    assert len({tuple(samples) for samples in found.values()}) == len(NAMES)
    assert made.label is None  # a model that is given a class is another one
    adapter = made.given("y").to_nltk()
    assert adapter.score("b", ["<s>", "a"]) == dict(made.given("y").next("a", 9))["b"] != made.to_nltk().score("b", "a")


@pytest.mark.parametrize("unit", ["char", "word"])
def test_texts_of_several_lines_are_sampled_as_they_are_written(unit: str, tmp_path: Path) -> None:
    """A line end within a text is a token, which a sample and a prompt show as what it is."""
    file = tmp_path / "poems.csv"
    poems = {"o": "a b\nc d", "p": "d c\n\nb"}
    rows = [f'{label},"{poem}"\n' for label, poem in poems.items()]
    file.write_text("label,text\n" + "".join(rows * 60), encoding="utf-8")
    small = {"condition": True, "unit": unit, "hidden": 24, "embedding": 8, "epochs": 20, "learning_rate": 0.02}
    train(lm_recipe(tmp_path / "run", file, **small))
    made = LanguageModel.load(tmp_path / "run")
    assert BREAK in made.vocabulary
    assert not made.single_lines
    for label, poem in poems.items():
        under = made.given(label)
        samples = Counter(under.sample(seed=seed) for seed in range(20))
        assert samples.most_common(1)[0][0] == poem
        assert under.sample(poem[:4], seed=1, temperature=0) == poem[4:]
        assert under.next("a b\n" if label == "o" else "d c\n", 1)[0][0] == ("c" if label == "o" else BREAK)
        assert max(made.class_probabilities([poem])[0]) == made.class_probabilities([poem])[0]["op".index(label)]
    (report,) = report_samples(made, tmp_path / "run", [{"text": poems["o"]}])
    assert report.longest_copy == len(made.part_tokens(poems["o"]))


@pytest.mark.realdata
def test_a_report_reads_a_corpus_of_nltk(data: Path, tmp_path: Path) -> None:
    train(lm_recipe(tmp_path / "run", Path("nltk:brown[43:45]"), condition=True, epochs=0.01))
    made = LanguageModel.load(tmp_path / "run")
    (report,) = report_samples(made, tmp_path / "run", [{"text": "Assembly session brought much good"}])
    assert report.longest_copy == len("Assembly session brought much good")


# --- classes by Bayes' rule


@pytest.mark.parametrize("unit", ["char", "word"])
def test_the_classes_of_texts_are_those_by_bayes_rule(unit: str) -> None:
    made = _conditioned(text=LIST + "a b\nb a c\n", unit=unit)
    texts = ["abca", "", "b", "a b", "  ", "cab q", "two\nlines"]
    found = made.class_probabilities(texts)
    assert [row is None for row in found] == [not text.strip() for text in texts]
    for text, row in zip(texts, found, strict=True):
        if row is None:
            continue
        line = text.replace("\n", f" {BREAK} " if unit == "word" else BREAK) + "\n"
        joint = [
            math.exp(-math.log(2) * sum(score.surprisal for score in made.given(name).score(line))) * count / 10
            for name, count in zip(NAMES, (3, 2, 5), strict=True)
        ]
        np.testing.assert_allclose(row, np.array(joint) / sum(joint), rtol=1e-4)
        (alone,) = made.class_probabilities([text])
        np.testing.assert_allclose(row, alone, rtol=1e-5)
    assert made.class_probabilities([]) == []
    assert made.given("x").class_probabilities(["b"])[0] == pytest.approx(found[2])


def test_long_texts_have_classes_whose_probabilities_are_numbers() -> None:
    (row,) = _conditioned().class_probabilities(["abc" * 3000])
    assert row is not None
    assert row.sum() == pytest.approx(1)
    assert np.isfinite(row).all()


# --- files


def test_a_file_has_the_classes_and_older_files_have_none(tmp_path: Path) -> None:
    made = _conditioned("first")
    made.save(tmp_path / "m")
    loaded = LanguageModel.load(tmp_path / "m")
    assert loaded.contents() == made.contents()
    assert loaded.contents()["classes"] == {
        "names": ["x", "y", "z"],
        "counts": [3, 2, 5],
        "condition_in": "first",
        "condition_size": 4,
    }
    assert loaded.given("y").score(LIST) == made.given("y").score(LIST)
    plain = model()
    assert set(plain.contents()) == {"vocabulary", "network", "text"}
    with pytest.raises(InputError, match="the model knows no classes: train one with --condition"):
        plain.given("x")
    with pytest.raises(InputError, match="the model knows no classes"):
        plain.class_probabilities(["a"])
    with pytest.raises(InputError, match="unknown class 'w', expected one of x, y, z"):
        made.given("w")
    many = Classes(LabelSet([str(i) for i in range(30)]), (1,) * 30, ConditionSettings())
    with pytest.raises(InputError, match=r"expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\. \(30 in all\)"):
        many.number("x")
    with pytest.raises(InputError, match="counts above 0"):
        _classes(counts=(3, 0, 1))


# --- training


def _labelled(folder: Path, lines: str) -> Path:
    file = folder / "texts.tsv"
    file.write_text(lines, encoding="utf-8")
    return file


def test_some_classes_are_left_out_in_every_epoch_others() -> None:
    made = _conditioned()
    stream = encode_text(LIST * 60, made.vocabulary, made.settings)
    labels = np.arange(len(ITEMS) * 60)
    batches = LineBatches(replace(stream, labels=labels), made.vocabulary, StreamBatchSettings(8, 4), 3, dropout=0.2)
    left_out = []
    for epoch in range(2):
        rows = (row for step in range(batches.steps_per_epoch) for row in batches.batch(epoch, step))
        read = Counter(int(row[0]) for row in rows if row[0] >= 0)
        left_out.append(set(labels.tolist()) - set(read))
        assert 0.1 < len(left_out[-1]) / len(labels) < 0.3
        pieces = [max(1, round((len(item) + 1) / 4)) for item in ITEMS]
        for label, times in read.items():  # a line in pieces has its class in all or none of them
            assert times == pieces[label % len(ITEMS)]
    assert left_out[0] != left_out[1]


def test_a_run_learns_what_belongs_to_which_class(tmp_path: Path) -> None:
    items = {"one": ["abab", "abb"], "two": ["cdcd", "cd"], "three": ["aaaa", "dddd"]}
    lines = [f"{label}\t{text}\n" for label, texts in items.items() for text in texts]
    display = Messages()
    planned = lm_recipe(
        tmp_path / "run",
        _labelled(tmp_path, "".join(lines * 40)),
        condition=True,
        hidden=24,
        epochs=20,
        learning_rate=0.02,
        valid_share=0.1,
    )
    report = train(planned, display)
    assert "3 classes, " in display.text
    assert "the classes given" in display.text
    assert set(report["by_class"]) == set(items)
    made = LanguageModel.load(tmp_path / "run")
    assert made.classes is not None
    assert sum(made.classes.counts) == 240 - sum(figures["items"] for figures in report["by_class"].values())
    for label, texts in items.items():
        under = made.given(label)
        samples = Counter(under.sample(seed=seed) for seed in range(40))
        assert sum(samples[text] for text in texts) > 32
        for row in made.class_probabilities(texts):
            assert made.classes.labels.names[int(np.argmax(row))] == label
            assert max(row) > 0.9
    free = Counter(made.sample(seed=seed) for seed in range(60))
    assert {label for label, texts in items.items() if sum(free[text] for text in texts) > 5} == set(items)
    stream = made.encode_files(tmp_path / "texts.tsv")
    with_class, without = (made.evaluate_stream(stream, given).loss for given in (True, False))
    lengths = np.mean([len(text) + 1 for texts in items.values() for text in texts])
    told = math.log(3) / lengths  # what a class tells of a text; fewer texts teach the network to do without
    assert 0.8 * told < without - with_class < 2 * told


@pytest.mark.parametrize("shape", [{}, {"one_hot": True, "embedding": None}], ids=str)
def test_training_goes_on_from_a_model_with_and_without_classes(tmp_path: Path, shape: dict[str, Any]) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text(LIST * 20, encoding="utf-8")
    train(lm_recipe(tmp_path / "a", plain, documents="lines", **shape))
    first = _labelled(tmp_path, "".join(f"{NAMES[i % 2]}\t{item}\n" for i, item in enumerate(ITEMS * 20)))
    started = LanguageModelTask.made([str(first)], _resolved(tmp_path / "a", condition=True), Messages()).model
    before = LanguageModel.load(tmp_path / "a")
    assert started.evaluate(LIST).loss == pytest.approx(before.evaluate(LIST).loss)
    train(lm_recipe(tmp_path / "b", first, init_from=str(tmp_path / "a"), condition=True, **shape))
    known = LanguageModel.load(tmp_path / "b")
    more = _labelled(tmp_path, "".join(f"{'zq'[i % 2]}\t{item}d\n" for i, item in enumerate(ITEMS * 20)))
    grown = LanguageModelTask.made([str(more)], _resolved(tmp_path / "b"), Messages()).model
    assert grown.classes is not None
    assert known.classes is not None
    assert grown.classes.labels.names == ("x", "y", "q", "z")
    assert grown.classes.counts[:2] == known.classes.counts
    for name in ("x", "y"):
        scores = [[score.surprisal for score in made.given(name).score("ab\n")] for made in (known, grown)]
        assert len(set(np.sign(np.subtract(*scores)))) == 1  # the new token takes a little probability from each
        np.testing.assert_allclose(*scores, atol=0.5)
    with pytest.raises(InputError, match=r"--condition-in first \(it has both\).*cannot be changed"):
        _resolved(tmp_path / "b", condition_in="first")


def _resolved(start: Path, **options: Any) -> Any:
    return LanguageModelTask.resolve({"init_from": str(start), "device": "cpu", "preset": "tiny", **options})


def test_a_class_that_is_rare_or_alone_is_noticed(tmp_path: Path) -> None:
    display = Messages()
    rare = _labelled(tmp_path, "x\tabcab\ny\tbcbca\n" * 20 + "w\tabc\n")
    train(lm_recipe(tmp_path / "a", rare, condition=True, epochs=1), display)
    assert "of 3 classes, 1 has one text only: w" in display.text
    assert LanguageModel.load(tmp_path / "a").given("w").sample(seed=1, length=3) is not None
    alone = _labelled(tmp_path, "x\tabcab\nx\tbcbca\n" * 20)
    with pytest.raises(InputError, match=r"texts\.tsv: every text is 'x'; expected two classes or more"):
        train(lm_recipe(tmp_path / "b", alone, condition=True))
    with pytest.raises(InputError, match="expected --condition or --bidirectional, not both"):
        LanguageModelTask.resolve({"condition": True, "bidirectional": True})
    with pytest.raises(InputError, match="expected --documents lines with --condition"):
        LanguageModelTask.resolve({"condition": True, "documents": "text"})
