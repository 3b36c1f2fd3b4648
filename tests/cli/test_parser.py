"""``seqtree parser`` and ``seqtree parse``: training, measuring, parsing, and the parser's Python and NLTK APIs."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from command_helpers import Run, caller, refused
from nltk.parse.api import ParserI
from nltk.tree import Tree
from picture_helpers import texts_of
from runs import metrics

import seqtree
from seqtree import corpora, modelfile, shipped
from seqtree.cli import cli, options, run
from seqtree.cli.options import parser_words
from seqtree.drawing.traces import trace, trace_svg
from seqtree.drawing.tree_svg import EMPTY
from seqtree.drawing.trees import columns
from seqtree.errors import ModelFileError
from seqtree.nn.config import COMPOSITIONS
from seqtree.parsing import array_parser
from seqtree.parsing.array_parser import ArrayParser
from seqtree.parsing.config import PRESETS
from seqtree.parsing.evaluation import evaluate
from seqtree.parsing.formats import FORMATS, as_json, format_parse
from seqtree.parsing.model import Parser
from seqtree.parsing.parse import Parse
from seqtree.text.sentences import read_sentences, words_as_given
from seqtree.treebank.sources import normalised_trees

TOY = str(corpora.path("toy"))
AS_TRAINED = ("--precision", "fp32")
CPU = ("--preset", "tiny", "--device", "cpu", *AS_TRAINED, "--threads", "1", "--seed", "1")
SMALL = (
    *CPU,
    "--words",
    "6",
    "--characters",
    "4",
    "--hidden",
    "8",
    "--vector",
    "8",
    "--scorer",
    "8",
    "--epochs",
    "1",
    "--evaluations",
    "2",
)
LEARNING = (
    *CPU,
    "--dropout",
    "0",
    "--word-dropout",
    "0.05",
    "--learning-rate",
    "0.01",
    "--ema-decay",
    "0.9",
    "--epochs",
    "15",
    "--evaluations",
    "5",
    "--valid-share",
    "0",
)
SCORES = {"precision", "recall", "f1"}
FIGURES = {
    "labelled",
    "unlabelled",
    "exact_match",
    "tag_accuracy",
    "sentences",
    "skipped",
    "sentences_per_second",
    "by_label",
    "by_length",
}


class Trained(NamedTuple):
    """A run folder, its report, and what was said on the way."""

    folder: Path
    report: dict[str, Any]
    said: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A parser that has learned the toy trees, by the command line."""
    folder = tmp_path_factory.mktemp("trained") / "toy"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert run(["parser", "train", TOY, "--out", str(folder), *LEARNING, "--json"]) == 0, err.getvalue()
    assert out.getvalue().count("\n") == 1
    return Trained(folder, json.loads(out.getvalue()), err.getvalue())


@pytest.fixture(scope="module")
def model(trained: Trained) -> Parser:
    return Parser.load(trained.folder)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch)


def _object(out: str) -> dict[str, Any]:
    assert out.count("\n") == 1
    record = json.loads(out)
    assert isinstance(record, dict)
    return record


# --- training


def test_learning(trained: Trained) -> None:
    """The toy trees are learned almost by heart, and the losses fall on the way."""
    losses = [record["train_loss"] for record in metrics(trained.folder)]
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)
    assert trained.report["labelled"]["f1"] > 95
    assert trained.report["tag_accuracy"] > 95


def test_train_json(trained: Trained) -> None:
    report = trained.report
    assert report.keys() >= FIGURES | {"steps", "seconds", "model"}
    assert (report["model"], report["interrupted"]) == (str(trained.folder), False)
    assert report["steps"] == metrics(trained.folder)[-1]["step"] == 15 * 13
    assert report["words_per_second"] > 0
    assert (report["measured_on"], report["sentences"]) == ("training data", 200)
    assert "200 training trees of 1,856 words, 0 validation trees" in trained.said
    assert "training data: labelled F1" in trained.said


def test_train_prints_the_run_folder(command: Run) -> None:
    code, out, err = command("parser", "train", TOY, "--out", "runs/a", *SMALL)
    assert (code, out) == (0, "runs/a\n")
    assert "180 training trees" in err
    assert err.count("step ") == 2
    assert "words/s" in err
    assert "validation: labelled F1" in err
    assert metrics(Path("runs/a"))[-1].keys() >= {"loss", "labelled_f1", "unlabelled_f1", "tag_accuracy", "train_loss"}
    assert Parser.load("runs/a").parse_one(["the", "cat"]).leaves() == ["the", "cat"]
    assert command("parser", "train", TOY, "--out", "b", *SMALL, "--quiet") == (0, "b\n", "")


def test_no_order_of_the_sentences_passes_for_an_explosion(command: Run) -> None:
    code, _, err = command("parser", "train", "--preset", "tiny", "--epochs", "1", "--device", "cpu")
    assert code == 0
    assert "exploded" not in err


def test_without_trees_it_reads_the_embedded_sample(command: Run) -> None:
    code, out, err = command("parser", "train", *SMALL)
    assert (code, out) == (0, "runs/toy\n")
    assert err.startswith("no trees named: reading the embedded sample 'toy'\n")


def test_options_reach_the_run(command: Run) -> None:
    Path("valid.mrg").write_text("(S (NP (DT the) (NN cat)) (VP (VBD sat)))\n" * 3, encoding="utf-8")
    network = {
        "encoder": "gru",
        "composition": "tanh",
        "words": 7,
        "characters": 0,
        "layers": 2,
        "hidden": 9,
        "vector": 10,
        "scorer": 11,
        "dropout": 0.1,
        "weight_drop": 0.2,
        "word_dropout": 0.3,
    }
    objective = {"objective": "softmax", "explore": 0.25, "label_weight": 0.5, "tag_weight": 0.7}
    training = {
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "schedule": "plateau",
        "averaging": "none",
        "seed": 3,
        "weight_decay": 0.001,
        "clip": 0.5,
        "epochs": 0.5,
        "evaluations": 2,
    }
    rest = {"batch": 40, "min_count": 2}
    wanted = {**network, **objective, **training, **rest}
    options = [part for name, value in wanted.items() for part in (f"--{name.replace('_', '-')}", value)]
    code, out, _ = command("parser", "train", TOY, "--out", "a", *CPU, *options, "--valid", "valid.mrg", "--json")
    assert code == 0
    assert (_object(out)["sentences"], _object(out)["measured_on"]) == (3, "validation")
    config = json.loads(Path("a/config.json").read_text(encoding="utf-8"))
    for part, values in (("network", network), ("objective", objective), ("training", training)):
        assert {name: config[part][name] for name in values} == values
    assert (config["batch"], config["trees"]) == ({"batch": 40}, [str(Path(TOY).resolve())])
    assert (config["reading"]["min_count"], config["validation"]["valid"]) == (2, ["valid.mrg"])
    assert min(Parser.load("a").lexicon.counts[3:]) == 2  # those of words that are no marks


def test_what_tells_nothing_without_another_option(command: Run) -> None:
    code, _, said = command("parser", "train", TOY, "--out", "a", "--preset", "tiny", "--tag-column", "3")
    assert code == 2 and "--tag-column: only with --tagged" in said
    code, out, said = command("parse", "It works.", "--trace", "--scores")
    assert (code, out) == (2, "") and "--scores does not go with --trace" in said


def test_tagged_sentences_beside_trees(command: Run) -> None:
    Path("tagged.conll").write_text("the\tDT\tx\nzebra\tNN\tx\nsat\tVBD\tx\n\nzebras\tNNS\tx\n", encoding="utf-8")
    options = ("--preset", "tiny", "--epochs", "0.1", *CPU, "--tagged", "tagged.conll")
    code, _, said = command("parser", "train", TOY, "--out", "a", *options)
    assert code == 0 and "2 tagged sentences" in said
    assert {"zebra", "zebras"} <= set(Parser.load("a").lexicon.words.tokens)
    code, _, said = command("parser", "train", TOY, "--out", "b", *options, "--tag-column", "3")
    assert code == 2 and "tagged.conll: no tag (x) is one of the trees'; expected another --tag-column" in said


def test_the_words_of_a_parser_are_read_from_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Parser.load("open")
    assert list(parser_words("open")) == list(parser.lexicon.words)
    parser.save(tmp_path / "parser.safetensors")
    monkeypatch.setenv("SEQTREE_PARSER", str(tmp_path / "parser.safetensors"))
    monkeypatch.setattr(options, "open_parser", None)
    assert list(parser_words(None)) == list(parser.lexicon.words)


@pytest.mark.parametrize("contents", [[], {}, {"lexicon": 1}, {"lexicon": {"counts": [], "words": None}}])
def test_a_file_without_words_is_opened_as_a_parser(tmp_path: Path, contents: Any) -> None:
    file = tmp_path / "odd.safetensors"
    modelfile.save(file, "parser", contents, {})
    with pytest.raises(ModelFileError, match=r"odd\.safetensors: "):
        parser_words(str(file))
    modelfile.save(file, "checkpoint", {}, {})
    with pytest.raises(ModelFileError, match="expected a parser"):
        parser_words(str(file))


def test_choices_and_presets_are_all_there_are() -> None:
    context = click.Context(cli)
    group = cli.get_command(context, "parser")
    assert isinstance(group, click.Group)
    train, parse = group.commands["train"], cli.get_command(context, "parse")
    assert parse is not None
    choices = {
        p.name: tuple(p.type.choices) for c in (train, parse) for p in c.params if isinstance(p.type, click.Choice)
    }
    assert choices["encoder"] == ("none", "rnn", "lstm", "gru", "cnn")
    assert choices["composition"] == COMPOSITIONS
    assert choices["objective"] == ("stepwise", "softmax", "structured")
    assert choices["format"] == (*FORMATS, "parquet")
    (preset,) = (p for p in train.params if p.name == "preset")
    assert isinstance(preset, click.Option)
    assert all(name in str(preset.help) for name in PRESETS)


# --- measuring


def test_eval_json(command: Run, trained: Trained) -> None:
    code, out, err = command("parser", "eval", trained.folder, TOY, "--json", *AS_TRAINED)
    assert (code, err) == (0, "")
    record = _object(out)
    assert record.keys() == FIGURES
    assert record["labelled"].keys() == record["unlabelled"].keys() == SCORES
    expected = evaluate(Parser.load(trained.folder, precision="fp32"), normalised_trees([TOY])).to_json()
    for key in FIGURES - {"sentences_per_second"}:
        assert record[key] == expected[key] == trained.report[key]
    assert (record["sentences"], record["skipped"]) == (200, 0)
    assert record["labelled"]["f1"] > 95
    assert record["sentences_per_second"] > 0


def test_eval_for_people(command: Run, trained: Trained) -> None:
    code, out, err = command("parser", "eval", trained.folder, TOY, *AS_TRAINED)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["precision", "recall", "F1"]
    lines = {line[:20].strip(): line[20:].split() for line in out.splitlines()[1:]}
    report = trained.report
    for name in ("labelled", "unlabelled"):
        assert lines[name] == [f"{report[name][key]:.2f}" for key in ("precision", "recall", "f1")]
    for name in ("exact_match", "tag_accuracy"):
        assert lines[name.replace("_", " ")] == [f"{report[name]:.2f}"]
    assert (lines["sentences"], lines["skipped"]) == (["200"], ["0"])
    assert float(lines["sentences per second"][0].replace(",", "")) > 0


def test_eval_draws_f1(command: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    code, out, err = command("parser", "eval", trained.folder, TOY, "--json", "--plot", "a.svg")
    record = _object(out)
    labels, lengths = record["by_label"], record["by_length"]
    assert (code, err) == (0, f"a.svg: labelled F1 of 200 sentences by length and of {len(labels)} labels\n")
    assert sum(one["sentences"] for one in lengths.values()) == 200
    shown = {*texts_of(Path("a.svg").read_bytes())}
    assert {f"{name}  ({one['gold']:,})" for name, one in labels.items()} <= shown
    assert {f"{one['f1']:.1f}" for one in labels.values()} <= shown
    refused(command("parser", "eval", "none", TOY, "--plot", "a.gif"), "ends in .svg, .png or .pdf")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused(command("parser", "eval", "none", TOY, "--plot", "b.svg"), 'pip install "seqtree[plot]"')


def test_sentences_that_do_not_match_are_named(command: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """No parser of ours changes a word; one that did would be told from one with bad scores."""
    parses = Parser.parses

    def changed(self: Parser, sentences: Any) -> Iterator[Any]:
        for number, words in enumerate(sentences, 1):
            if number == 3:
                yield None
            else:
                yield next(parses(self, [[("dog", "dog"), *words[1:]] if number == 2 else words]))

    monkeypatch.setattr(Parser, "parses", changed)
    Path("t.mrg").write_text("(S (NP (DT the) (NN cat)) (VP (VBD sat)))\n" * 4, encoding="utf-8")
    code, out, err = command("parser", "eval", trained.folder, "t.mrg", "--json")
    assert code == 0
    assert (_object(out)["sentences"], _object(out)["skipped"]) == (4, 2)
    assert err.splitlines() == [
        "sentence 2 skipped: word 1 is 'dog' in the parse, 'the' in the gold tree",
        "sentence 3 skipped: no parse",
    ]


def test_trees_from_standard_input_and_folders(command: Run, trained: Trained) -> None:
    whole = Path(TOY).read_bytes()
    Path("trees").mkdir()
    half = whole.index(b"\n", len(whole) // 2) + 1
    Path("trees/a.mrg").write_bytes(whole[:half])
    Path("trees/b.txt").write_bytes(whole[half:])
    for trees in ("-", "trees"):
        record = _object(command("parser", "eval", trained.folder, trees, "--json", *AS_TRAINED, stdin=whole)[1])
        assert record["labelled"] == trained.report["labelled"]


@pytest.mark.realdata
def test_a_real_treebank_with_words_tags_and_labels_never_seen(command: Run, trained: Trained, data: Path) -> None:
    code, out, err = command("parser", "eval", trained.folder, "nltk:treebank/wsj_0180-wsj_0184", "--json")
    assert (code, err) == (0, "")
    record = _object(out)
    assert record["sentences"] > 20
    assert record["skipped"] == 0
    assert 5 < record["labelled"]["f1"] <= record["unlabelled"]["f1"] < 70


# --- parsing

TEXT = "The cat sat on the mat. A bird, near the garden, jumped!"
SENTENCES = [
    ["The", "cat", "sat", "on", "the", "mat", "."],
    ["A", "bird", ",", "near", "the", "garden", ",", "jumped", "!"],
]


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_formats(command: Run, trained: Trained, model: Parser, format: str, scores: bool) -> None:
    between = "\n\n" if format == "pretty" else "\n"

    def expected(*lines: str, tokenized: bool) -> str:
        sentences = list(read_sentences(lines, tokenized, model.lexicon.words))
        assert [[form for form, _ in sentence.words] for sentence in sentences] == SENTENCES
        short = ArrayParser.load(trained.folder) or model  # which reads short texts, to slightly other scores
        parses = short.parses([sentence.words for sentence in sentences])
        pairs = zip(parses, sentences, strict=True)
        return between.join(format_parse(parse, format, None, scores, sentence) for parse, sentence in pairs) + "\n"

    options = ["--model", trained.folder, "--format", format, *(["--scores"] if scores else [])]
    if scores and format in ("svg", "latex"):
        code, out, err = command("parse", TEXT, *options)
        assert (code, out) == (2, "")
        assert f"--scores goes with --format pretty, bracket or json, not {format}" in err
        return
    assert command("parse", TEXT, *options) == (0, expected(TEXT, tokenized=False), "")
    assert command("parse", *TEXT.split(".", 1), *options)[0] == 0
    tokenized = [" ".join(words) for words in SENTENCES]
    assert command("parse", *tokenized, "--tokenized", *options) == (0, expected(*tokenized, tokenized=True), "")


@pytest.mark.parametrize("format", FORMATS)
def test_the_best_trees(command: Run, trained: Trained, model: Parser, format: str) -> None:
    """Each sentence's trees end with an empty line, those of an empty one and of the last one too."""
    texts = ["the cat sat on the mat", "", "a dog"]
    scores = ["--scores"] if format == "bracket" else []
    code, out, _ = command(
        "parse", *texts, "--tokenized", "--k", "3", "--model", trained.folder, "--format", format, *scores
    )
    assert code == 0
    expected = ""
    for sentence in read_sentences(texts, True, model.lexicon.words):
        parses = model.k_best(sentence.words, 3)
        assert len(parses) == (3 if sentence.words else 0)
        for number, parse in enumerate(parses, 1):
            head = f"{number} of 3\n" if format == "pretty" else ""
            expected += f"{head}{format_parse(parse, format, None, bool(scores), sentence)}\n"
        expected += "\n"
    assert out == expected
    if format == "json":
        chances = [json.loads(line)["log_probability"] for line in out.split("\n\n")[0].splitlines()]
        assert chances == sorted(chances, reverse=True)
        assert chances[0] <= 0


def test_precision(command: Run, trained: Trained) -> None:
    exact = Parser.load(trained.folder, precision="fp32")
    (parse,) = exact.parses([words_as_given(SENTENCES[0], exact.lexicon.words)])
    for precision, same in (("fp32", True), ("bf16", False)):
        options = ("--model", trained.folder, "--format", "json", "--precision", precision)
        record = json.loads(command("parse", " ".join(SENTENCES[0]), "--tokenized", *options)[1])
        scores = [[merge["score"] for merge in made["merges"]] for made in (record, as_json(parse))]
        assert (scores[0] == pytest.approx(scores[1], abs=1e-5)) == same
        assert record["tree"] == as_json(parse)["tree"]
        assert command("parser", "eval", trained.folder, TOY, "--precision", precision)[0] == 0


def test_the_words_of_the_text_come_back(command: Run, trained: Trained) -> None:
    _, out, _ = command("parse", TEXT, "--model", trained.folder, "--format", "bracket")
    assert [Tree.fromstring(line).leaves() for line in out.splitlines()] == SENTENCES
    _, out, _ = command("parse", TEXT, "--model", trained.folder, "--format", "json")
    assert [json.loads(line)["words"] for line in out.splitlines()] == SENTENCES
    _, out, _ = command("parse", TEXT, "--model", trained.folder, "--format", "svg")
    titles = [ET.fromstring(line)[0].text for line in out.splitlines()]
    assert titles == [" ".join(words) for words in SENTENCES]


def _trace_svg(parse: Parse) -> str:
    return trace_svg(parse.binary, parse.scores, parse.margins)


def _trace(parse: Parse) -> str:
    return trace(parse.binary, parse.scores, parse.margins)


def test_trace(command: Run, trained: Trained, model: Parser) -> None:
    first, second = model.parses(words_as_given(words, model.lexicon.words) for words in SENTENCES)
    assert first is not None and second is not None
    options = ("--model", trained.folder, "--trace")
    assert command("parse", TEXT, *options) == (0, f"{_trace(first)}\n\n{_trace(second)}\n", "")
    assert command("parse", TEXT, "", *options, "--format", "svg") == (
        0,
        f"{_trace_svg(first)}\n{_trace_svg(second)}\n{EMPTY}\n",
        "",
    )
    assert command("parse", "", *options) == (0, "\n", "")
    for format in ("bracket", "json"):
        code, out, err = command("parse", TEXT, *options, "--format", format)
        assert (code, out) == (2, "")
        assert f"--trace goes with --format pretty or svg, not {format}" in err


def test_files_standard_input_and_arguments_give_the_same(command: Run, trained: Trained) -> None:
    lines = ["The cat sat on the mat.", "", "A bird jumped! It sat.", "  ", "Naïve cats"]
    options = ("--model", trained.folder, "--format", "bracket")
    wanted = command("parse", *options, *lines)
    assert wanted[0] == 0
    assert [bool(line) for line in wanted[1].splitlines()] == [True, False, True, True, False, True]
    text = "\n".join(lines)
    for data in (text, f"{text}\n", "\ufeff" + text.replace("\n", "\r\n")):
        Path("text.txt").write_bytes(data.encode())
        assert command("parse", *options, "--file", "text.txt") == wanted
        for piped in ((), ("-",), ("--file", "-")):
            assert command("parse", *options, *piped, stdin=data.encode()) == wanted
    code, out, err = command("parse", *options, "text.txt")
    assert (code, err) == (0, "warning: text.txt is read as a text, but is a file, too: --file reads its lines\n")
    assert len(out.splitlines()) == 1
    Path("latin.txt").write_bytes(text.encode("latin-1"))
    assert command("parse", *options, "--file", "latin.txt", "--encoding", "latin-1") == wanted
    for encoding in ("latin-1", "utf-16"):
        assert command("parse", *options, "--encoding", encoding, stdin=text.encode(encoding)) == wanted
    assert command("parse", *options, stdin=b"") == (0, "", "")


def test_a_drawing_fits_the_terminal(command: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    sentence = "the cat sat on the mat near the garden by the river"
    wide = command("parse", sentence, "--model", trained.folder)[1]
    assert max(map(columns, wide.splitlines())) > 40
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert run(["parse", sentence, "--model", str(trained.folder)]) == 0
    shown = sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert max(map(columns, shown.splitlines())) <= 40
    assert all(word in shown for word in sentence.split())


def test_order_is_kept_and_batches_change_nothing(command: Run, trained: Trained, model: Parser) -> None:
    """Sentences of mixed lengths, parsed together, against each parsed alone."""
    sentences = [tree.leaves() for tree in normalised_trees([TOY])]
    sentences = [sentences[i * 7 % 200] for i in range(60)]
    assert len({len(words) for words in sentences}) > 8
    Path("text.txt").write_text("\n".join(" ".join(words) for words in sentences), encoding="utf-8")
    _, out, _ = command("parse", "--model", trained.folder, "-f", "text.txt", "--tokenized", "--format", "bracket")
    alone = [model.parse_one(words) for words in sentences]
    assert [Tree.fromstring(line) for line in out.splitlines()] == alone


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("a cat", "--file", "x.txt"), "give SENTENCE or --file, not both"),
        (("a cat", "--format", "xml"), "'xml' is not one of"),
        (("a cat", "--threads", "0"), "0 is not in the range"),
        (("--file", "none.txt"), "none.txt cannot be read: no such file or directory"),
        (("--file", "."), ". cannot be read: is a directory"),
        (("--file", "-", "--encoding", "klingon"), "'klingon' is not a text encoding"),
        (("--file", "-", "--encoding", "hex"), "'hex' is not a text encoding"),
        (("a cat", "--paragraphs"), "--paragraphs joins the lines of --file or of stdin"),
        (("--paragraphs", "--tokenized"), "--paragraphs does not go with --tokenized"),
        (("- yes",), "write -- before it: seqtree parse -- '- yes'"),
        (("-5 degrees",), "write -- before it: seqtree parse -- '- yes'"),
        (("a cat", "-more words"), "write -- before it: seqtree parse -- '- yes'"),
        (("-f oo",), "write -- before it: seqtree parse -- '- yes'"),
        (("a cat", "-f oo"), "write -- before it: seqtree parse -- '- yes'"),
        (("-more",), "write -- before it: seqtree parse -- '- yes'"),
        (("--it is", "a cat"), "write -- before it: seqtree parse -- '- yes'"),
        (("caf\udce9",), "SENTENCE 1: byte 0xE9 after 3 characters is not Unicode text"),
    ],
)
def test_bad_usage(command: Run, trained: Trained, args: tuple[str, ...], said: str) -> None:
    code, out, err = command("parse", "--model", trained.folder, *args, stdin=b"a cat\n")
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]


def test_other_errors_say_nothing_of_dashes(command: Run, trained: Trained) -> None:
    for args in (("-f", "none.txt"), ("-m", "none", "a cat"), ("--k=0", "a cat"), ("--", "caf\udce9")):
        code, _, err = command("parse", "--model", trained.folder, *args)
        assert code == 2
        assert "dash" not in err


def test_a_sentence_that_begins_with_a_dash(command: Run, trained: Trained) -> None:
    code, out, err = command("parse", "--model", trained.folder, "--format", "json", "--", "- a cat")
    assert (code, err, json.loads(out)["words"]) == (0, "", ["-", "a", "cat"])


def test_wrapped_lines(command: Run, trained: Trained) -> None:
    """Paragraphs of a file and of standard input, which are there to the last line before an error."""
    text = "The cat sat on\nthe mat. It\n  sat.\n\n \nA bird"
    options = ("--model", trained.folder, "--paragraphs", "--format", "json")
    Path("text.txt").write_text(text, encoding="utf-8")
    wanted = command("parse", *options, "--file", "text.txt")
    assert wanted[0] == 0
    rows = [json.loads(line) for line in wanted[1].splitlines()]
    assert [(row["line"], " ".join(row["words"])) for row in rows] == [
        (1, "The cat sat on the mat ."),
        (2, "It sat ."),
        (6, "A bird"),
    ]
    for row in rows:
        rest = "\n".join(text.split("\n")[row["line"] - 1 :])
        assert [rest[start:end] for start, end in row["offsets"]] == row["words"]
    assert command("parse", *options, stdin=text.encode()) == wanted
    assert command("parse", *options, stdin=text.replace("\n", "\r\n").encode()) == wanted
    assert command("parse", *options, stdin=b" \n\n") == (0, "", "")
    code, out, err = command("parse", *options, stdin=b"A cat\nsat. A bird\ncaf\xe9")
    assert (code, [json.loads(line)["words"] for line in out.splitlines()]) == (
        2,
        [["A", "cat", "sat", "."], ["A", "bird"]],
    )
    assert "standard input:3: byte 0xE9" in err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are Unicode")
def test_file_names_that_are_no_unicode(command: Run, trained: Trained) -> None:
    name = "caf\udce9.txt"
    options = ("--model", trained.folder, "--format", "bracket", "--file")
    code, out, err = command("parse", *options, name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot be read: no such file or directory" in err
    Path(name).write_text("a cat\n", encoding="utf-8")
    assert command("parse", *options, name) == command("parse", *options[:-1], "a cat")
    assert Path(name).write_bytes(b"caf\xe9")
    code, out, err = command("parse", *options, name)
    assert (code, out.strip(), err.count("\n")) == (2, "", 1)
    assert ":1: byte 0xE9 after 3 characters" in err


def test_nothing_to_parse(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stdin in (Terminal(), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        for given in ((), ("-",)):  # a dash by itself is standard input, no text that begins with one
            code, out, err = command("parse", *given)
            assert (code, out) == (2, "")
            assert err.endswith("nothing to read: give SENTENCE or --file, or pipe a text in\n")


def test_the_parser_that_comes_with_seqtree(command: Run) -> None:
    code, out, _ = command("parse", "--format", "bracket", "the cat sat on the mat", "I saw the man with a dog.")
    assert code == 0
    assert out.splitlines() == [
        "(S (NP (DT the) (NN cat)) (VP (VBD sat) (PP (IN on) (NP (DT the) (NN mat)))))",
        "(S (NP (PRP I)) (VP (VBD saw) (NP (DT the) (NN man)) (PP (IN with) (NP (DT a) (NN dog)))) (. .))",
    ]


def test_without_a_name(command: Run, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(command("parse", "a cat", "--model", ""), "an empty name")  # a variable that is not set, perhaps
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "models")
    refused(command("parse", "a cat"), "no parser is shipped with this seqtree: name one with --model")
    shutil.copytree(Path(shipped.__file__).parent / "models", tmp_path / "models")
    shutil.copy(trained.folder / "model.safetensors", tmp_path / "models" / "default.safetensors")
    assert command("parse", "a cat") == command("parse", "a cat", "--model", trained.folder)


TORCH = {"torch"}
UNWANTED = {
    "matplotlib",
    "tkinter",
    "pandas",
    "sklearn",
    "scipy",
    "rich",
    "seqtree.training.loop",
    "seqtree.language",
    "seqtree.treebank.sources",
    "seqtree.parsing.objectives",
    "seqtree.drawing.trace",
}


@pytest.mark.parametrize(
    ("texts", "stdin", "absent", "present"),
    [
        (("a cat", "--scores"), "", UNWANTED | TORCH, {"numpy"}),
        (("--format", "json"), "a cat\n" * 5, UNWANTED | TORCH, {"numpy"}),
        (("--file", "short.txt"), "", UNWANTED | TORCH, {"numpy"}),
        (("--file", "long.txt"), "", UNWANTED | {"seqtree.parsing.array_parser"}, TORCH),
        (("a cat", "--k", "2"), "", UNWANTED | {"seqtree.parsing.array_parser"}, TORCH),
        (("--tokenized",), "a cat . " * 1000, UNWANTED, TORCH),
    ],
    ids=["argument", "lines", "short-file", "long-file", "k", "long-line"],
)
def test_a_cold_start_loads_no_more_than_it_needs(
    texts: tuple[str, ...], stdin: str, absent: set[str], present: set[str], trained: Trained, tmp_path: Path
) -> None:
    """Nor torch, for a few words."""
    (tmp_path / "short.txt").write_text("a cat\n" * 100)
    (tmp_path / "long.txt").write_text("a cat sat on the mat .\n" * 1000)
    script = "import sys; from seqtree.cli import run; code = run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    options = ("parse", *texts, "--model", str(trained.folder))
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; sys.exit(code)", *options],
        cwd=tmp_path,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert "cat" in done.stdout
    loaded = set(done.stderr.split())
    assert not loaded & absent
    assert present <= loaded


@pytest.mark.parametrize(
    ("format", "trace"), [*((format, ()) for format in FORMATS), ("pretty", ("--trace",)), ("svg", ("--trace",))]
)
def test_few_words_are_parsed_as_many_are(
    format: str, trace: tuple[str, ...], command: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the parser in NumPy, by the one in torch, and first by the one and then by the other."""
    used: list[str] = []
    for parser in (ArrayParser, Parser):
        monkeypatch.setattr(parser, "parses", _noted(parser, used))
    monkeypatch.setattr(import_module("seqtree.cli.texts"), "CHUNK", 1)
    monkeypatch.setattr(import_module("seqtree.cli.parse"), "CHUNK", 1)
    lines = "".join(f"{' '.join(words)}\n" for words in SENTENCES)
    options = ("parse", "--tokenized", "--model", trained.folder, "--format", format, *AS_TRAINED, *trace)
    few = command(*options, stdin=lines.encode())
    assert used == ["ArrayParser", "ArrayParser"]
    for short, expected in ((len(SENTENCES[0]) + 1, ["ArrayParser", "Parser"]), (0, ["Parser", "Parser"])):
        used.clear()
        monkeypatch.setattr(array_parser, "SHORT", short)
        many = command(*options, stdin=lines.encode())
        assert used == expected
        assert many[0] == few[0] == 0
        (text, numbers), (other, others) = (_numbers_apart(result[1]) for result in (few, many))
        assert (text, numbers) == (other, pytest.approx(others, abs=0.011))  # the last place that is printed


def _noted(parser: type[Any], used: list[str]) -> Callable[[Any, Any], Any]:
    """The method ``parses`` of a class that notes its name each time."""
    parses = parser.parses

    def noted(self: Any, sentences: Any) -> Any:
        used.append(parser.__name__)
        return parses(self, sentences)

    return noted


@pytest.mark.parametrize(
    ("options", "used"),
    [((), ["ArrayParser"]), (("--device", "cpu"), ["ArrayParser"]), (("--device", "cuda"), []), (("--k", "2"), [])],
)
def test_which_commands_do_without_torch(
    options: tuple[str, ...], used: list[str], command: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    monkeypatch.setattr(ArrayParser, "parses", _noted(ArrayParser, found))
    command("parse", "a cat", "--model", trained.folder, *options)
    assert found == used


def test_a_model_file_that_is_replaced_meanwhile(
    command: Run, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser in torch is that of the file from which the first words were parsed."""
    file = tmp_path / "parser.safetensors"
    shutil.copy(trained.folder / "model.safetensors", file)
    parses = ArrayParser.parses

    def removing(self: ArrayParser, sentences: Any) -> Any:
        file.unlink()
        return parses(self, sentences)

    monkeypatch.setattr(ArrayParser, "parses", removing)
    monkeypatch.setattr(array_parser, "SHORT", 3)
    monkeypatch.setattr(import_module("seqtree.cli.parse"), "CHUNK", 1)
    code, out, err = command("parse", "--model", file, "--format", "bracket", stdin=b"a cat\nthe cat sat on the mat\n")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 2


def _numbers_apart(text: str) -> tuple[list[str], list[float]]:
    """A text without its decimal numbers, and these."""
    return re.split(r"\d+\.\d+", text), [float(number) for number in re.findall(r"\d+\.\d+", text)]


# --- Python and NLTK


def test_the_parser_is_a_public_name() -> None:
    assert seqtree.Parser is Parser
    assert "Parser" in dir(seqtree)


def test_nltk_sees_a_parser(model: Parser) -> None:
    assert isinstance(model, ParserI)
    sentences = [*SENTENCES, [], ["cat"]]
    (tree,) = model.parse(SENTENCES[0])
    assert isinstance(tree, Tree)
    assert tree.leaves() == SENTENCES[0]
    assert model.parse_one(SENTENCES[0]) == tree
    assert model.parse_all(SENTENCES[0]) == [tree]
    assert list(model.parse([])) == model.parse_all([]) == []
    assert model.parse_one([]) is None
    many = [list(trees) for trees in model.parse_sents(iter(sentences))]
    assert many == [list(model.parse(words)) for words in sentences]
    assert [len(trees) for trees in many] == [1, 1, 0, 1]
