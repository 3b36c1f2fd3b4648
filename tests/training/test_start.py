"""Runs that start from a model or a file of vectors: words, vectors, layers, and what cannot serve."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nltk.tree import Tree
from parsing_helpers import batch_of, toy_trees
from runs import EXACT, Messages, parser_recipe, train

from seqtree import corpora
from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.model import load
from seqtree.parsing.config import ParserNetworkConfig, ParserRecipe
from seqtree.parsing.gold import names_in
from seqtree.parsing.model import Parser
from seqtree.tasks import TASKS, named
from seqtree.text.lexicon import Known, Lexicon
from seqtree.text.sentences import given_words
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.copying import NOISE, start_vectors, start_words
from seqtree.training.fit import fit
from seqtree.training.settings import RunSettings
from seqtree.training.start import known_before
from seqtree.treebank.binary import binarise
from seqtree.treebank.labelled import labelled_trees

TEXT = "the cat sat on a zebra\nevery zebra sat\n"
SHAPE = {"cell": "lstm", "hidden": 6, "embedding": 5, "layers": 2}


def _model(text: str = TEXT, **shape: Any) -> LanguageModel:
    return LanguageModel.untrained(text, unit="word", seed=3, **{**SHAPE, **shape})


def _parser(model: LanguageModel, **config: Any) -> Parser:
    trees = [*toy_trees()[:40], Tree.fromstring("(S (DT The) (NN cat))")]
    shape = ParserNetworkConfig(
        **{"words": 5, "characters": 4, "hidden": 6, "layers": 2, "vector": 4, "scorer": 4, **config}
    )
    return Parser.over(*names_in(map(binarise, trees), more=known_before(ParserRecipe(start=model))), shape)


def _start(parser: Parser, model: LanguageModel) -> str:
    return start_words(parser.network.words, parser.lexicon, model)


def test_words_of_the_model_are_known_and_have_its_vectors() -> None:
    model = _model()
    parser = _parser(model)
    before = parser.network.words.embedding.weight.detach().clone()
    said = _start(parser, model)
    words, theirs = parser.lexicon.words, model.vocabulary
    assert {"zebra", "every"} <= set(words)
    assert parser.lexicon.counts[words.index("zebra")] == 0
    known = 0
    for i, word in enumerate(words.tokens):
        row = parser.network.words.embedding.weight[i]
        source = word if word in theirs else word.lower()
        if source in theirs:
            assert torch.equal(row, model.network.embedding.weight[theirs.index(source)])
            known += 1
        else:  # what the model made of words that it did not know, and a little of its own
            torch.testing.assert_close(row, model.network.embedding.weight[theirs.unknown] + NOISE * before[i])
    assert torch.equal(
        parser.network.words.embedding.weight[words.index("The")], model.network.embedding.weight[theirs.index("the")]
    )
    assert 0 < known < len(words)
    assert said == f"{known} of {len(words)} words start from the language model, and forward layers"


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_encoder_begins_as_the_language_model(cell: str, bidirectional: bool) -> None:
    """Its states are those of the model, in each direction that the model has."""
    model = _model(cell=cell, bidirectional=bidirectional)
    parser = _parser(model, encoder=cell)
    said = _start(parser, model)
    assert said.endswith("forward and backward layers" if bidirectional else "and forward layers")
    sentence = ["the", "cat", "sat", "on", "a", "zebra"]
    batch = batch_of(parser, [sentence])
    vectors = parser.network.words.embedding(torch.from_numpy(batch.words))
    spelled = torch.randn(*vectors.shape[:2], 4)  # characters are not heard yet
    ids = torch.from_numpy(model.vocabulary.encode(["<s>", *sentence, "</s>"]))[:, None]
    network = model.network.eval()
    with torch.no_grad():
        states, _ = parser.network.words.encoder.eval()(torch.cat([vectors, spelled], dim=2))
        torch.testing.assert_close(states[..., :6], network.recurrent(network.embed(ids))[0])
        if bidirectional:
            after, _ = network.backward_recurrent(network.embed(ids).flip(0))
            torch.testing.assert_close(states[..., 6:], after.flip(0))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"hidden": 7}, "its lstm of 6 units does not fit the encoder's lstm of 7"),
        ({"encoder": "gru"}, "its lstm of 6 units does not fit the encoder's gru of 6"),
        ({"encoder": "none"}, "there is no encoder"),
    ],
)
def test_layers_that_do_not_fit_stay_as_they_were(config: dict[str, Any], why: str) -> None:
    model = _model()
    parser = _parser(model, **config)
    before = {name: value.clone() for name, value in parser.network.state_dict().items()}
    assert _start(parser, model).endswith(f"no recurrent layer: {why}")
    changed = {name for name, value in parser.network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"words.embedding.weight"}


def test_a_model_of_fewer_layers_starts_the_first() -> None:
    model = _model(layers=1)
    parser = _parser(model)
    second = parser.network.words.encoder.weight_ih_l1.detach().clone()
    _start(parser, model)
    assert torch.equal(parser.network.words.encoder.weight_ih_l1, second)
    assert torch.equal(parser.network.words.encoder.weight_hh_l0, model.network.recurrent.weight_hh_l0)


def test_models_without_word_vectors() -> None:
    run = RunSettings(init_from="runs/start")
    with pytest.raises(InputError, match="runs/start: expected a language model over words, not over characters"):
        known_before(ParserRecipe(run=run, start=LanguageModel.untrained(TEXT, hidden=4, embedding=4)))
    with pytest.raises(InputError, match="runs/start: a language model with --one-hot has no word vectors"):
        known_before(ParserRecipe(run=run, start=_model(one_hot=True)))
    assert known_before(ParserRecipe()) == Known()


def test_words_beyond_the_trees_do_not_disturb_the_others() -> None:
    trees = [binarise(tree) for tree in toy_trees()]
    plain, wider = (names_in(trees, more=more)[0] for more in (Known(), Known(("zebra", "the"))))
    assert wider.words.tokens == (*plain.words.tokens, "zebra")
    assert wider.counts == (*plain.counts, 0)
    assert np.array_equal(plain.encode(trees[0].words), wider.encode(trees[0].words))


def test_words_of_a_model_keep_their_numbers() -> None:
    before = Lexicon.build({"the": 3, "zebra": 2, "yak": 1})
    known = Known(before.words.tokens, before.characters.tokens, first=True)
    after = Lexicon.build({"yak": 5, "ox": 4, "the": 1, "emu": 1}, 2, known)
    assert after.words.tokens == (*before.words.tokens, "ox")
    assert after.characters.tokens == (*before.characters.tokens, "o", "x", "m", "u")
    assert after.counts == (0, 0, 0, 1, 0, 5, 4)


def test_training_starts_from_a_model(tmp_path: Path) -> None:

    _model(hidden=8, embedding=11).save(tmp_path / "lm.safetensors")
    display = Messages()
    recipe = parser_recipe(tmp_path / "run", epochs=0.1, init_from=str(tmp_path / "lm.safetensors"))
    train(recipe, display)
    assert "words start from the language model, and forward layers" in display.text
    loaded = Parser.load(tmp_path / "run")
    assert loaded.network.config.words == 11
    assert "zebra" in loaded.lexicon.words


SMALL = {"words": 6, "characters": 6, "hidden": 8, "layers": 1, "vector": 8, "scorer": 8}


def _saved_parser(path: Path, **more: int) -> Parser:
    """One whose hidden units, and vectors of pairs, are as large as if it were trained."""
    parser = Parser.untrained(toy_trees()[:40], seed=5, **SMALL, **more)
    with torch.no_grad():
        parser.network.label_scorer.hidden.weight.mul_(100.0)
        if more:
            parser.network.words.pairs.weight.normal_()
    parser.save(path)
    return Parser.load(path)


@pytest.mark.parametrize("more", [{}, {"pairs": 4}])
def test_a_parser_goes_on_from_a_parser(more: dict[str, int], tmp_path: Path) -> None:
    """It merges and labels as that one at first, and knows the words, tags and labels of both."""
    start = _saved_parser(tmp_path / "parser.safetensors", **more)
    (tmp_path / "new.mrg").write_text("(NEW (NEWTAG zyzzyva) (NX (NN cat) (NN dog)))\n" * 8)
    recipe = parser_recipe(
        tmp_path / "run",
        epochs=0.5,
        learning_rate=1e-9,
        weight_decay=0.0,
        trees=(str(tmp_path / "new.mrg"),),
        init_from=str(tmp_path / "parser.safetensors"),
    )
    display = Messages()
    train(recipe, display)
    assert re.search(r"words and \d+ of \d+ characters start from the parser, and its whole encoder", display.text)
    model = Parser.load(tmp_path / "run")
    assert "zyzzyva" in model.lexicon.words and {*start.lexicon.words} < {*model.lexicon.words}
    assert model.tags.names == (*start.tags.names, "NEWTAG")
    assert model.labels.names == (*start.labels.names, ("NEW",), ("NX",))
    known = len(start.labels)
    torch.testing.assert_close(
        model.network.label_scorer.output.weight[:known], start.network.label_scorer.output.weight, rtol=0, atol=1e-6
    )
    for words in (["the", "cat", "sat", "on", "the", "mat"], ["a", "dog", "sleeps"]):
        mine, theirs = (next(parser.parses([given_words(words)])) for parser in (model, start))
        assert mine is not None and theirs is not None
        assert mine.binary.merges == theirs.binary.merges
        assert mine.scores == pytest.approx(theirs.scores, abs=1e-4)
        assert mine.binary.labels == theirs.binary.labels and mine.binary.labels


GONE_ON = {  # data to go on with, each with a new word and a new class
    "tag": "the\tB-NP\ncat\tI-NP\nsleeps\tB-VP\n\nzyzzyva\tB-NEW\nbites\tB-VP\n\n",
    "classify": "new\tzyzzyva bites\nmusic\tplay it\n",
    "tree": "(2 (2 (2 a) (2 zyzzyva)) (new bites))\n(4 (2 the) (4 best))\n",
}
READ = {  # what both models read
    "tag": ("the cat sat", "a dog"),
    "classify": ("turn it up", "When does the train leave?"),
    "tree": labelled_trees([str(corpora.path("opinions"))])[:3],
}


def _scores(model: Any, items: Sequence[Any], kind: str) -> list[torch.Tensor]:
    """Everything that the network of a tagger, a classifier or a tree classifier computes of sentences or trees."""
    if kind == "tree":
        return [model.network.eval()(model.batch(items))]
    if kind == "classify":
        return list(model.network.eval()(model.batch([model.words(text) for text in items])).parts)
    scores = model.network.eval()(batch_of(model, [words.split() for words in items]))
    return [scores.emissions] + ([] if scores.intents is None else [scores.intents])


@pytest.mark.parametrize(
    ("kind", "shape", "others"),
    [
        ("tag", {"ngrams": 2, "pairs": 4}, {}),
        ("tag", {"crf": False}, {"dropout": 0.3}),
        ("classify", {"lower": True}, {"batch": 4}),
        ("classify", {"unit": "char", "pooling": "attention", "bidirectional": False}, {"class_weights": "balanced"}),
        ("tree", {"vector": 16}, {}),
    ],
)
def test_others_go_on_from_their_own_kind(
    kind: str, shape: dict[str, Any], others: dict[str, Any], tmp_path: Path
) -> None:
    """They compute what that one did at first, whatever new words, n-grams and classes there are."""
    task, common = named(TASKS[kind].task), {"preset": "tiny", "threads": 1, "precision": "fp32", **others}
    fit(task, [], {**common, **shape, "epochs": 3, "out": str(tmp_path / "start")}, Messages())
    data = tmp_path / f"new.{'tsv' if kind == 'classify' else 'txt'}"
    data.write_text(4 * GONE_ON[kind])
    options = {**common, "init_from": str(tmp_path / "start"), "valid": (str(data),), "out": str(tmp_path / "run")}
    display = Messages()
    fit(task, [str(data)], {**options, "epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0}, display)
    assert re.search(r"words (and [\d,]+ of [\d,]+ characters )?start from the .*, and its whole encoder", display.text)
    assert "before training" in display.text
    start, model = load(tmp_path / "start"), load(tmp_path / "run")
    before, after = ((one.tags if kind == "tag" else one.classes).names for one in (start, model))
    assert after == (*before, "S-NEW" if kind == "tag" else "new")
    assert {*start.lexicon.words} < {*model.lexicon.words} or shape.get("unit") == "char"
    items = READ[kind]
    with torch.no_grad():
        for given, made in zip(_scores(start, items, kind), _scores(model, items, kind), strict=True):
            assert given.abs().max() > 0.05 and made.shape[-1] == len(after)
            torch.testing.assert_close(made[..., : len(before)], given, rtol=1e-4, atol=1e-4)
    if kind == "tag" and shape.get("crf", True):
        steps = model.network.paths.transitions[: len(before), : len(before)]
        torch.testing.assert_close(steps, start.network.paths.transitions, rtol=1e-4, atol=1e-5)


def test_a_run_whose_start_is_gone_is_not_resumed_with_words_in_another_order(tmp_path: Path) -> None:
    """They may be as many, so that weights would fit."""
    (tmp_path / "first.tsv").write_text("a\tb c\nb\tc b\n" * 4)
    (tmp_path / "second.tsv").write_text("a\tc c c\nb\tc b\n" * 4)
    common: dict[str, Any] = {"preset": "tiny", "threads": 1, "valid_share": 0.0, "ngrams": 0, "character_ngrams": 0}
    task, on = named(TASKS["classify"].task), {"out": str(tmp_path / "run"), "epochs": 1}
    fit(task, [str(tmp_path / "first.tsv")], {**common, "epochs": 1, "out": str(tmp_path / "start")}, Messages())
    fit(task, [str(tmp_path / "second.tsv")], {**common, **on, "init_from": str(tmp_path / "start")}, Messages())
    on |= {"resume": True, "epochs": 2}
    fit(task, [str(tmp_path / "second.tsv")], {**common, **on}, Messages())
    shutil.rmtree(tmp_path / "start")
    (tmp_path / "run" / "model.safetensors").unlink()  # which would do
    with pytest.raises(
        InputError, match="run: cannot resume: the model would know its words or classes in another order"
    ):
        fit(task, [str(tmp_path / "second.tsv")], {**common, **on, "epochs": 3}, Messages())


def test_intents_go_on_too(tmp_path: Path) -> None:
    data = "# intent: ask\nthe\tB-NP\ncat\tI-NP\n\n# intent: tell\nit\tB-NP\nsleeps\tB-VP\n\n"
    (tmp_path / "first.txt").write_text(4 * data)
    (tmp_path / "second.txt").write_text(4 * data.replace("ask", "wish"))
    (tmp_path / "none.txt").write_text(4 * re.sub("#.*\n", "", data))
    (tmp_path / "plain.txt").write_text(4 * re.sub("#.*\n|[BI]-", "", data))
    common: dict[str, Any] = {"preset": "tiny", "threads": 1, "epochs": 1, "valid_share": 0.0}

    def trained(name: str, out: str, **options: Any) -> Any:
        fit(
            named(TASKS["tag"].task),
            [str(tmp_path / name)],
            {**common, **options, "out": str(tmp_path / out)},
            Messages(),
        )
        return load(tmp_path / out)

    trained("first.txt", "start", intent=True)
    on = trained("second.txt", "run", init_from=str(tmp_path / "start"))
    assert on.intents.names == ("ask", "tell", "wish")
    assert on.taggings([[("it", "it"), ("sleeps", "sleeps")]]).__next__().intent in on.intents.names
    with pytest.raises(InputError, match=r"none.txt:1: a sentence without an intent, where --intent expects one"):
        trained("none.txt", "other", init_from=str(tmp_path / "start"))
    trained("none.txt", "bare")
    with pytest.raises(InputError, match=r"^intents: the tagger .*bare has none to go on from"):
        trained("first.txt", "other", init_from=str(tmp_path / "bare"), intent=True)
    with pytest.raises(
        InputError, match=r"plain.txt:1: no chunk tags; .*bare has chunk tags \(IOB2\), and goes on with"
    ):
        trained("plain.txt", "other", init_from=str(tmp_path / "bare"))


@pytest.mark.parametrize("worse", [False, True])
def test_what_a_run_goes_on_from_is_measured_first_and_kept_if_nothing_is_better(worse: bool, tmp_path: Path) -> None:
    texts = {name: tmp_path / f"{name}.txt" for name in ("same", "turned", "valid")}
    texts["same"].write_text(TEXT * 30)
    texts["turned"].write_text((" ".join(TEXT.split()[::-1]) + "\n") * 30)
    texts["valid"].write_text(TEXT * 3)
    options: dict[str, Any] = {"unit": "word", "preset": "tiny", "evaluations": 2, "threads": 1}
    options["valid"] = (str(texts["valid"]),)
    task, start, out = named(TASKS["lm"].task), tmp_path / "start", tmp_path / "run"
    before = fit(task, [str(texts["same"])], {**options, "epochs": 5, "out": str(start)}, Messages())
    options |= {"init_from": str(start), "out": str(out), "epochs": 10, "learning_rate": 0.02}
    display = Messages()
    report = fit(task, [str(texts["turned" if worse else "same"])], options, display)
    first, *rest = (json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines())
    assert (first["step"], first["train_loss"]) == (0, None) and len(rest) == 2
    assert first["loss"] == pytest.approx(before["loss"], rel=1e-5)
    assert re.search(r"step +0  epoch   0.00  before training  validation loss \d\.\d+ \*", display.text)
    assert worse == (report["best_step"] == 0) == (min(record["loss"] for record in rest) > first["loss"])
    assert worse == ("no evaluation was better than what the run started from, which is kept" in display.text)
    assert report["loss"] == pytest.approx(min(record["loss"] for record in (first, *rest)), rel=1e-5)


def test_a_run_goes_on_from_what_it_began_with_where_that_is_left_out(tmp_path: Path) -> None:
    """Few items to validate on do not replace it by what is worse, and config.json goes on to name it."""
    task, start, out = named(TASKS["parser"].task), tmp_path / "start", tmp_path / "run"
    options: dict[str, Any] = {"preset": "tiny", "threads": 1, "valid_share": 0.05}
    fit(task, [], {**options, "epochs": 8, "out": str(start)}, Messages())
    options |= {"learning_rate": 5.0, "evaluations": 2}
    fit(task, [], {**options, "init_from": str(start), "out": str(out), "epochs": 0.2}, Messages())
    best = (out / "model.safetensors").read_bytes()
    resumed = {**options, "out": str(out), "epochs": 0.4, "resume": True}
    for more in ({}, {"init_from": str(start)}, {}):
        display = Messages()
        report = fit(task, [], {**resumed, **more}, display)
        assert report["best_step"] == 0 and (out / "model.safetensors").read_bytes() == best, display.text
        assert json.loads((out / "config.json").read_text())["init_from"] == str(start)


def test_a_run_by_sgd_goes_on_at_the_rate_that_it_began_with(tmp_path: Path) -> None:
    """Those of before had the rate for AdamW, where none was given; now there is one for SGD."""
    task, config = named(TASKS["image"].task), tmp_path / "run" / "config.json"
    options: dict[str, Any] = {"preset": "mlp", "optimizer": "sgd", "threads": 1, "evaluations": 1}
    options |= {"out": str(tmp_path / "run")}
    for more, rate in (({"learning_rate": 0.25}, 0.25), ({}, 0.25), ({"learning_rate": 0.5}, 0.5)):
        fit(task, [], {**options, "epochs": 0.1 + rate, "resume": config.exists(), **more}, Messages())
        assert json.loads(config.read_text())["training"]["learning_rate"] == rate


WITH_WORDS = ("parser", "tag", "words", "classify", "tree")


@pytest.mark.parametrize(
    ("task", "begun"),
    [
        ("translate", "own"),
        *((task, begun) for task in ("lm", *WITH_WORDS) for begun in ("own", "vectors")),
        *((task, "words") for task in WITH_WORDS),
    ],
)
def test_a_run_outlives_what_it_began_with(
    task: str, begun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the start knew and the data lack is in the run's own model: it ends with the bytes of one unbroken."""
    kind, start, pairs = named(TASKS[task].task), tmp_path / "start", tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"{number}\t{number * 7}\n" for number in range(200)))
    sources = [str(pairs)] if task == "translate" else []
    options: dict[str, Any] = {**EXACT, "preset": "tiny", "threads": 1, "evaluations": 2}
    options |= {"unit": "word"} if task == "lm" else {}
    _what_knows_more(start, begun if begun != "own" else task, sources, options)
    options |= {"vectors" if begun == "vectors" else "init_from": str(start), "epochs": 2}
    whole = fit(kind, sources, {**options, "out": str(tmp_path / "whole")}, Messages())
    out, batch = tmp_path / "run", kind.batch

    def broken(self: Any, epoch: int, step: int) -> Any:
        if epoch * self.steps_per_epoch + step == whole["steps"] - 1:
            raise KeyboardInterrupt
        return batch(self, epoch, step)

    monkeypatch.setattr(kind, "batch", broken)
    with pytest.raises(KeyboardInterrupt):
        fit(kind, sources, {**options, "out": str(out), "checkpoint_seconds": 1e-9}, Messages())
    monkeypatch.undo()
    shutil.rmtree(start) if start.is_dir() else start.unlink()
    resumed = {**options, "out": str(out), "resume": True}
    if begun == "own":  # left out
        resumed = {name: value for name, value in resumed.items() if value != str(start)}
    display = Messages()
    fit(kind, sources, resumed, display)
    assert f"{start}, from which this run began, is not there any more" in display.text
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
    config = json.loads((out / "config.json").read_text())
    assert [config["init_from"], config["vectors"]].count(str(start)) == 1
    resumed.pop("vectors", None)
    with pytest.raises(InputError, match="no such"):
        fit(kind, sources, {**resumed, "init_from": str(tmp_path / "another")}, Messages())


def _what_knows_more(start: Path, kind: str, sources: list[str], options: dict[str, Any]) -> None:
    """Vectors, or a trained model, that know words besides those of the samples."""
    vectors = start.with_suffix(".vec")
    vectors.write_text("the 1 2 3 4\nunheard-of 4 5 6 7\nsat 7 8 9 1\n")
    if kind == "vectors":
        vectors.rename(start)
    else:
        more = {"epochs": 0.5, "out": str(start)} | ({"vectors": str(vectors)} if kind in ("lm", *WITH_WORDS) else {})
        fit(named(TASKS[kind].task), sources, {**options, **more}, Messages())


@pytest.mark.parametrize("task", ["tag", "classify", "tree", "words"])
def test_others_start_from_the_encoder_of_a_parser(task: str, tmp_path: Path) -> None:
    start = _saved_parser(tmp_path / "parser.safetensors")
    options = {"preset": "tiny", "epochs": 0.1, "threads": 1, "learning_rate": 1e-9, "weight_decay": 0.0}
    options |= {"init_from": str(tmp_path / "parser.safetensors"), "out": str(tmp_path / "run")}
    fit(named(TASKS[task].task), [], options, Messages())
    model: Any = load(tmp_path / "run")
    mine, theirs = model.network.words, start.network.words
    for name, tensor in theirs.encoder.state_dict().items():
        torch.testing.assert_close(mine.encoder.state_dict()[name], tensor, rtol=0, atol=1e-5)
    row = model.lexicon.words.index("mat")
    expected = theirs.embedding.weight[start.lexicon.words.index("mat")]
    torch.testing.assert_close(mine.embedding.weight[row], expected, rtol=0, atol=1e-5)


def test_what_reads_forward_does_not_start_from_a_parser(tmp_path: Path) -> None:
    _saved_parser(tmp_path / "parser.safetensors")
    options = {"preset": "tiny", "bidirectional": False, "init_from": str(tmp_path / "parser.safetensors")}
    with pytest.raises(InputError, match="--forward: a parser reads a sentence from both sides"):
        fit(named(TASKS["classify"].task), [], {**options, "out": str(tmp_path / "run")}, Messages())


def test_what_a_run_does_not_start_from(tmp_path: Path) -> None:
    _saved_parser(tmp_path / "parser.safetensors")
    for task, out in (("tag", "tags"), ("classify", "classes")):
        fit(named(TASKS[task].task), [], {"preset": "tiny", "epochs": 0.1, "out": str(tmp_path / out)}, Messages())
    for task, start, options, said in (
        ("parser", "parser.safetensors", {"vector": 9}, "vector 9: with --init-from it is the parser's, 8"),
        ("parser", "parser.safetensors", {"hidden": 9}, "hidden 9: with --init-from it is the parser's, 8"),
        ("tag", "parser.safetensors", {"words": 9}, "words 9: with --init-from it is the parser's, 6"),
        (
            "parser",
            "tags",
            {},
            r"tags: holds a tagger .*, expected a language-model, a masked-language-model or a parser",
        ),
        ("tree", "tags", {}, r"tags: holds a tagger .*, a masked-language-model, a parser or a tree-classifier"),
        ("tag", "tags", {"crf": False}, "crf False: with --init-from it is the tagger's, True"),
        ("tag", "tags", {"hidden": 9}, "hidden 9: with --init-from it is the tagger's, 64"),
        ("classify", "classes", {"unit": "char"}, "unit char: with --init-from it is the classifier's, word"),
        ("classify", "classes", {"lower": True}, "lower True: with --init-from it is the classifier's, False"),
    ):
        with pytest.raises(InputError, match=said):
            named(TASKS[task].task).resolve({"init_from": str(tmp_path / start), **options})


COMMON = ("the", "a", "was", "is", "to", "on", "and", "of")
VECTORS = "the 1 2 3 4 5\ncat 5 4 3 2 1\nThe 0 0 0 0 1\nzebra 1 1 1 1 1\nunicorn 2 2 2 2 2\n"


def test_rows_of_known_words_only(tmp_path: Path) -> None:
    """Words as written come first, whatever the order of the file; others take the vector in lower case."""
    vocabulary = Vocabulary.build({"The": 3, "the": 2, "Cat": 1, "dog": 1}, "word")
    weight = torch.zeros(len(vocabulary), 5)
    for text in (VECTORS, "\n".join(reversed(VECTORS.splitlines()))):
        (tmp_path / "v.txt").write_text(text)
        said = start_vectors(weight.zero_(), vocabulary, str(tmp_path / "v.txt"))
        rows = dict(zip(vocabulary.tokens, weight.tolist(), strict=True))
        assert rows["The"] == [0, 0, 0, 0, 1] and rows["the"] == [1, 2, 3, 4, 5] and rows["Cat"] == [5, 4, 3, 2, 1]
        assert rows["dog"] == rows["<unk>"] == [0] * 5
        start = f"3 of {len(vocabulary)} words of the vocabulary start from "
        assert said.startswith(start) and said.endswith("v.txt, 1 of them from the vector in lower case")
    (tmp_path / "v.txt").write_text("nothing 1 2 3 4 5\n")
    with pytest.raises(InputError, match="none of the 7 words of the vocabulary is in it"):
        start_vectors(weight, vocabulary, str(tmp_path / "v.txt"))


@pytest.mark.parametrize("task", ["parser", "tag", "classify", "tree"])
def test_words_of_the_file_are_known_beyond_the_training_data(task: str, tmp_path: Path) -> None:
    words = [*COMMON, "unicorn", "manticore", "basilisk"]
    (tmp_path / "v.txt").write_text("\n".join(f"{word} {i} 1 1 1 1" for i, word in enumerate(words)))
    options = {"preset": "tiny", "epochs": 0.1, "threads": 1, "vectors": str(tmp_path / "v.txt")}
    options[{"tree": "vector"}.get(task, "hidden")] = 8
    for most, known in ((10, {"unicorn", "manticore"}), (0, set())):
        display = Messages()
        run = tmp_path / f"run{most}"
        fit(named(TASKS[task].task), [], {**options, "out": str(run), "vector_words": most}, display)
        assert bool(re.search(r"; \d+ words more are known by it", display.text)) == bool(known)
        model: Any = load(run)
        assert {"unicorn", "manticore", "basilisk"} & {*model.lexicon.words} == known
        for word in known:
            row = model.network.words.embedding.weight[model.lexicon.words.index(word)]
            torch.testing.assert_close(
                row.float(), torch.tensor([words.index(word), 1.0, 1, 1, 1]), rtol=0.02, atol=0.02
            )


def test_a_file_without_a_word_of_the_training_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("unicorn 1 2\nmanticore 3 4\n")
    options = {"preset": "tiny", "epochs": 0.1, "out": str(tmp_path / "run"), "vectors": str(tmp_path / "v.txt")}
    with pytest.raises(InputError, match=r"v.txt: none of the \d+ words of the vocabulary is in it"):
        fit(named(TASKS["parser"].task), [], options, Messages())


@pytest.mark.parametrize("task", ["lm", "parser", "tag", "classify", "tree"])
def test_every_task_starts_from_vectors(task: str, tmp_path: Path) -> None:
    """The width is the file's, config.json names the file, and a resumed run goes on from its checkpoint."""
    lines = (f"{word} {' '.join(str(i + j / 8) for j in range(5))}" for i, word in enumerate(COMMON))
    (tmp_path / "v.txt").write_text("\n".join(lines))
    network = "unit" if task == "lm" else "vector" if task == "tree" else "hidden"
    options = {"preset": "tiny", "vectors": str(tmp_path / "v.txt"), "learning_rate": 1e-9, "weight_decay": 0.0}
    options |= {"epochs": 0.5, "threads": 1, network: "word" if task == "lm" else 8}
    display = Messages()
    fit(named(TASKS[task].task), [], {**options, "out": str(tmp_path / "run")}, display)
    assert re.search(r"\d+ of [\d,]+ words of the vocabulary start from .*v.txt", display.text)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["vectors"] == options["vectors"]
    model: Any = load(tmp_path / "run")
    if task == "lm":
        vocabulary, weight = model.vocabulary, model.network.embedding.weight
        assert (model.network.config.hidden, model.network.config.tied) == (64, False)  # the preset's own units
    else:
        vocabulary, weight = model.lexicon.words, model.network.words.embedding.weight
    known = [(i, word) for i, word in enumerate(COMMON) if word in vocabulary]
    assert len(known) > 1 and weight.shape[1] == 5
    for i, word in known:
        expected = torch.tensor([i + j / 8 for j in range(5)])
        torch.testing.assert_close(weight[vocabulary.index(word)], expected, rtol=0, atol=1e-5)
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    resumed = {**options, "out": str(tmp_path / "run"), "resume": True}
    fit(named(TASKS[task].task), [], resumed, Messages())
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    (tmp_path / "w.txt").write_text("\n".join(f"{word} {' '.join('12345')}" for word in COMMON))
    with pytest.raises(
        InputError, match=r"^vectors .*w.txt: the run in .*run began with .*v.txt; leave the option out"
    ):
        fit(named(TASKS[task].task), [], {**resumed, "vectors": str(tmp_path / "w.txt")}, Messages())


def test_widths_and_starts_that_do_not_go_together(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(VECTORS)
    given = {"vectors": str(tmp_path / "v.txt")}
    for task, options, said in (
        ("parser", {"words": 7}, r"v.txt: its vectors have 5 numbers; expected 7, as --words says"),
        ("lm", {"unit": "word", "embedding": 7}, r"its vectors have 5 numbers; expected 7, as --embedding says"),
        ("lm", {}, "they are vectors of words; expected --unit word"),
        ("lm", {"unit": "word", "one_hot": True}, "a one-hot input has no vectors"),
        ("tag", {"init_from": "model"}, "from --init-from or from --vectors, not from both"),
        ("lm", {"init_from": "model"}, "from --init-from or from --vectors, not from both"),
        ("image", {}, "there is no option 'vectors'"),
        ("scene", {}, "there is no option 'vectors'"),
        ("image", {"vectors": None, "counted_vectors": True}, "there is no option"),
        ("lm", {"unit": "word", "vector_words": 3}, "there is no option 'vector_words'"),
    ):
        with pytest.raises(InputError, match=said):
            named(TASKS[task].task).resolve({**given, **options})
    tied = named(TASKS["lm"].task).resolve({**given, "unit": "word", "tied": True}).network
    assert (tied.tied, tied.hidden, tied.embedding) == (True, 5, 5)
    assert named(TASKS["parser"].task).resolve({**given, "words": 5}).network.words == 5
