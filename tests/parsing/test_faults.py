"""What the parser's commands make of bad, odd, long and endless input, of other files, and of being killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from command_helpers import Run, caller, refused
from language_helpers import model as language_model
from nltk.tree import Tree

from seqtree import corpora, modelfile
from seqtree.drawing.tree_svg import EMPTY
from seqtree.parsing import array_parser
from seqtree.parsing.formats import FORMATS
from seqtree.parsing.model import Parser
from seqtree.text import lines
from seqtree.text.sentences import penn_tokens
from seqtree.treebank.sources import normalised_trees

TOY = str(corpora.path("toy"))
SMALL = (
    "--preset",
    "tiny",
    "--device",
    "cpu",
    "--precision",
    "fp32",
    "--threads",
    "1",
    "--seed",
    "1",
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
TREES = "(S (NP (DT the) (NN cat)) (VP (VBD sat)))\n" * 6

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX systems")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tiny parser that has learned nothing: its trees are odd, but trees."""
    shape = {"words": 6, "characters": 4, "character_embedding": 4, "layers": 1, "hidden": 8, "vector": 8, "scorer": 8}
    path = tmp_path_factory.mktemp("model") / "parser.safetensors"
    Parser.untrained(normalised_trees([TOY]), **shape).save(path)
    return path


def _write(name: str, data: str | bytes) -> str:
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


def _leaves(out: str) -> list[list[str]]:
    """The words of each line of brackets; none for an empty line."""
    return [Tree.fromstring(line).leaves() if line else [] for line in out.splitlines()]


# --- trees


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(S (A a))\n(S (NP (DT a))\n(S (X b))\n", "t.mrg:2: the tree that begins here is never closed"),
        ("(S (X a))\n)\n", "t.mrg:2: a closing bracket without an opening one"),
        ("(S (A a)\n ((B b)))\n", "t.mrg:2: a node without a label in the tree of line 1"),
        ("\n(S (NP ) (VP b))\n", "t.mrg:2: a node (NP ) without words"),
        ("(S (A a))\n(\n)\n", "t.mrg:2: an empty bracket"),
        ("( (S (A a))\n( (S (B b)))\n", "t.mrg:2: a node without a label in the tree of line 1"),
        ("(w / want-01 :ARG0 (b / boy))\n", "t.mrg:1: this looks like AMR"),
        ("(S (A a)) and more\n", "t.mrg:1: 'and' outside brackets"),
        ("# nothing\n", "t.mrg: contains no tree"),
        ("", "t.mrg is empty"),
        (b"(S (A a))\n(S (A caf\xe9))\n", "t.mrg: byte 19 (line 2) is 0xE9, which is not valid utf-8"),
        ("(S (A a))\n".encode("utf-16"), "it begins like UTF-16: try --encoding utf-16"),
    ],
    ids=ascii,
)
def test_treebanks_that_cannot_be_read(command: Run, model: Path, text: str | bytes, said: str) -> None:
    _write("t.mrg", text)
    refused(command("parser", "train", "t.mrg", "--out", "a", *SMALL), said)
    refused(command("parser", "eval", model, "t.mrg", "--json"), said)
    assert not Path("a/checkpoint.safetensors").exists()
    _write("good.mrg", TREES)
    refused(command("parser", "train", "good.mrg", "--valid", "t.mrg", "--out", "a", *SMALL), said)


def test_standard_input_named_twice(command: Run, model: Path) -> None:
    said = "standard input (-) can be read only once, but was named more than once"
    for twice in (("-", "--valid", "-"), ("-", "-")):
        refused(command("parser", "train", *twice, "--out", "a", *SMALL, stdin=TREES.encode()), said)
    refused(command("parser", "eval", model, "-", "-", stdin=TREES.encode()), said)


def test_treebanks_of_traces_only(command: Run, model: Path) -> None:
    _write("t.mrg", "(S (NP (-NONE- *T*)))\n" * 3)
    refused(command("parser", "train", "t.mrg", "--out", "a", *SMALL), "t.mrg: no tree is left to train on")
    refused(command("parser", "eval", model, "t.mrg"), "no trees to measure the parser on")


def test_validation_trees_of_traces_only(command: Run) -> None:
    _write("t.mrg", TREES)
    _write("v.mrg", "(S (NP (-NONE- *T*)))\n" * 3)
    result = command("parser", "train", "t.mrg", "--valid", "v.mrg", "--out", "a", *SMALL)
    refused(result, "v.mrg: no tree with a word")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.mrg", "none.mrg: no such file or folder; expected trees"),
        ("empty", "empty is a folder without .bracket or .brackets or "),
        ("nltk:klingon", "NLTK has no corpus named 'klingon'"),
        ("nltk:", "expected nltk:NAME"),
    ],
)
def test_treebanks_that_are_not_there(command: Run, model: Path, name: str, said: str) -> None:
    Path("empty").mkdir()
    refused(command("parser", "train", name, "--out", "a", *SMALL), said)
    refused(command("parser", "eval", model, name), said)


def test_treebanks_that_look_odd_but_are_not(command: Run, model: Path) -> None:
    """Windows line ends and a mark, trees over lines and several in a line, no outer label, comments, words alone."""
    odd = (
        "\ufeff# a comment\r\n( (S (NP-SBJ-1 (DT the)\r\n (NN cat)) (VP (VBD sat) (NP (-NONE- *-1)))) ) (S (A a))\r\n"
        "(S (XX (XX (XX x))))(NN cat)\r\n(S the cat sat)\r\n(S (NN a\u00a0b) (-LRB- -LRB-) (NN \u3000) (. .))"
    )
    _write("odd.mrg", odd)
    code, out, err = command("parser", "eval", model, "odd.mrg", "--json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["sentences"], json.loads(out)["skipped"]) == (6, 0)
    assert command("parser", "train", "odd.mrg", "--out", "a", *SMALL, "--quiet")[0] == 0
    trained = Parser.load("a").labels.names
    assert set(trained) == {(), ("S",), ("S", "XX", "XX"), ("NP",), ("VP",)}


def _deep(words: int, unary: int) -> str:
    """A tree of so many words, each but the last in a node with all that follow, and of so many nodes in a chain."""
    return "(S " * unary + "(S (X x) " * words + "(Y y)" + ")" * (words + unary) + "\n"


def test_wide_and_deep_trees(command: Run, model: Path) -> None:
    _write("t.mrg", f"{_deep(300, 200)}(S {'(X x) ' * 500})\n{TREES}")
    record = json.loads(command("parser", "eval", model, "t.mrg", "--json")[1])
    assert (record["sentences"], record["skipped"]) == (8, 0)
    assert command("parser", "train", "t.mrg", "--out", "a", *SMALL, "--quiet")[0] == 0


def test_trees_of_any_depth(command: Run, model: Path) -> None:
    _write("t.mrg", _deep(0, 3000))
    record = json.loads(command("parser", "eval", model, "t.mrg", "--json")[1])
    assert (record["sentences"], record["skipped"]) == (1, 0)
    _write("ok.mrg", TREES)
    assert command("parser", "train", "ok.mrg", "--valid", "t.mrg", "--out", "a", *SMALL, "--quiet")[0] == 0


def test_training_on_sentences_of_one_word(command: Run) -> None:
    _write("t.mrg", "(S (NN cat))\n(NN dog)\n" * 4)
    assert command("parser", "train", "t.mrg", "--out", "a", *SMALL, "--quiet")[0] == 0


def test_labels_and_tags_that_the_parser_does_not_know(command: Run, model: Path) -> None:
    _write("t.mrg", "(ZZ (YY (TAG the) (UNSEEN cat)) (XX (VBD sat)))\n(ZZ (T1 a) (T2 b))\n")
    code, out, err = command("parser", "eval", model, "t.mrg", "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert (record["sentences"], record["skipped"]) == (2, 0)
    assert record["labelled"]["f1"] == record["exact_match"] == 0
    assert record["unlabelled"]["f1"] > 0


# --- options, models and runs


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--preset", "huge"), "'huge' is not one of 'tiny'"),
        (("--composition", "lstm", "--vector", "7"), "vector 7: a tree LSTM needs an even width"),
        (("--words", "0", "--characters", "0"), "--words 0: expected more than 0"),
        (("--layers", "0"), "layers 0: expected from 1 to 100"),
        (("--hidden", "many"), "'many' is not a valid integer"),
        (("--encoder", "mlp"), "'mlp' is not one of"),
        (("--dropout", "1"), "dropout 1.0"),
        (("--word-dropout", "-1"), "--word-dropout -1.0"),
        (("--explore", "2"), "explore 2.0: expected from 0 to 1"),
        (("--kappa", "-1"), "kappa -1.0: expected at least 0"),
        (("--batch", "0"), "batch 0: expected at least 1"),
        (("--min-count", "0"), "--min-count 0: expected at least 1"),
        (("--valid-share", "1"), "--valid-share 1.0"),
        (("--valid-share", "nan"), "--valid-share nan"),
        (("--valid-share", "0.99"), "no tree is left to train on"),
        (("--valid", "none.mrg"), "none.mrg: no such file or folder"),
        (("--epochs", "0"), "epochs 0.0"),
        (("--device", "tpu"), "device 'tpu': expected auto, cpu"),
        (("--encoding", "klingon"), "'klingon' is not a text encoding"),
        (("--colour",), "No such option"),
    ],
    ids=" ".join,
)
def test_bad_training_options(command: Run, options: tuple[str, ...], said: str) -> None:
    _write("t.mrg", TREES)
    refused(command("parser", "train", "t.mrg", "--out", "a", *SMALL, *options), said)
    assert not Path("a/checkpoint.safetensors").exists()


@pytest.mark.parametrize("option", ["--kappa", "--label-weight", "--tag-weight", "--word-dropout"])
def test_training_options_that_are_no_numbers(command: Run, option: str) -> None:
    _write("t.mrg", TREES)
    result = command("parser", "train", "t.mrg", "--out", "a", *SMALL, option, "nan")
    refused(result, f"{option} nan")


def test_files_that_are_no_parser(command: Run, model: Path) -> None:
    whole = model.read_bytes()
    language_model().save("lm.safetensors")
    _write("t.mrg", TREES)
    _write("cut", whole[:-7])
    _write("cut-early", whole[:100])
    _write("none", b"")
    _write("flipped", whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    modelfile.save(Path("other"), "parser", {"lexicon": {}}, {})
    Path("folder").mkdir()
    for name, said in (
        ("missing", "missing: no such model file"),
        ("lm.safetensors", "holds a language-model (for seqtree lm), expected a parser"),
        ("t.mrg", "a text; expected a model"),
        ("cut", "damaged"),
        ("cut-early", "damaged"),
        ("none", "damaged"),
        ("flipped", "damaged"),
        ("other", "its parts do not fit together"),
        ("folder", "folder/model.safetensors: no such model file"),
    ):
        refused(command("parse", "a cat", "--model", name), name, said)
        refused(command("parser", "eval", name, "t.mrg"), name, said)
    refused(
        command("lm", "eval", model, "t.mrg"),
        "holds a parser (for seqtree parse, or seqtree parser eval), expected a language",
    )


def test_models_that_a_parser_cannot_start_from(command: Run) -> None:
    _write("t.mrg", TREES)
    language_model().save("lm.safetensors")
    for name, said in (
        ("missing", "no such model file"),
        ("lm.safetensors", "over words, not over characters"),
    ):
        refused(command("parser", "train", "t.mrg", "--out", "a", *SMALL, "--init-from", name), said)


def test_the_width_of_words_comes_from_the_language_model(command: Run) -> None:
    _write("t.mrg", TREES)
    language_model(unit="word").save("lm.safetensors")
    options = ("--out", "a", *SMALL, "--quiet", "--init-from", "lm.safetensors")
    refused(
        command("parser", "train", "t.mrg", *options, "--words", "7"),
        "words 7: with --init-from it is the language model's, ",
    )


def test_a_start_that_fails_leaves_nothing(command: Run) -> None:
    _write("t.mrg", "(S (NP a) (VP b)\n")
    Path("mine").mkdir()
    for out in ("new", "mine"):
        refused(command("parser", "train", "t.mrg", "--out", out, *SMALL), "t.mrg")
        refused(command("lm", "train", "none.txt", "--out", out), "none.txt")
        refused(command("image", "train", "none", "--out", out), "none")
    assert not Path("new").exists()
    assert Path("mine").is_dir()  # it was there before


def test_trees_that_are_left_out_are_named(command: Run, model: Path) -> None:
    _write("t.mrg", "(S (-NONE- *))\n" + TREES + "(S (-NONE- *T*-1))\n(S " + "(NN a) " * 2001 + ")\n")
    code, _, err = command("parser", "train", "t.mrg", "--out", "a", *SMALL)
    assert code == 0
    assert "warning: t.mrg:1: a tree without a word, left out, as is one more\n" in err
    assert "warning: t.mrg:9: a tree of more than 2,000 words, left out\n" in err
    assert "5 training trees of 15 words, 1 validation tree;" in err
    code, out, err = command("parser", "eval", model, "t.mrg", "--json")
    assert json.loads(out)["sentences"] == 7
    assert err == "t.mrg:1: a tree without a word, left out, as is one more\n"


def test_malformed_trees_stop_or_are_left_out(command: Run, model: Path) -> None:
    _write("t.mrg", "(S (NP (DT a))\n" + TREES + "(S (NP ) (VP (VBD sat)))\n")
    training = ("parser", "train", "t.mrg", "--out", "a", *SMALL)
    evaluation = ("parser", "eval", model, "t.mrg", "--json")
    for arguments in (training, evaluation):
        refused(
            command(*arguments), "t.mrg:8: a node (NP ) without words (--malformed skip leaves it out and reads on)"
        )
    said = (
        "t.mrg:1: the tree that begins here is never closed; a closing bracket is missing; left out, as is one more\n"
    )
    code, _, err = command(*training, "--malformed", "skip")
    assert code == 0
    assert f"warning: {said}" in err
    code, out, err = command(*evaluation, "--malformed", "skip")
    assert (code, json.loads(out)["sentences"]) == (0, 6)
    assert err == said
    refused(command(*training, "--malformed", "mend"), "'mend' is not one of")


def test_validation_trees_with_labels_that_are_never_trained(command: Run) -> None:
    _write("t.mrg", TREES)
    _write("v.mrg", "(Q (ZZ (AA foo) (BB bar)) (YY (CC baz)))\n")
    code, _, err = command("parser", "train", "t.mrg", "--valid", "v.mrg", "--out", "a", *SMALL)
    assert code == 0
    assert "warning: no label of the validation trees (Q, YY, ZZ) is known from the training trees" in err
    kept = Parser.load("a").network.state_dict()
    figures = [json.loads(line) for line in Path("a/metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["labelled_f1"] for record in figures] == [0]
    again = command("parser", "train", "t.mrg", "--valid-share", "0", "--out", "b", *SMALL, "--quiet")
    assert again[0] == 0
    last = Parser.load("b").network.state_dict()  # without validation trees the last model is kept
    assert all(bool((kept[name] == last[name]).all()) for name in last)


def test_a_gold_tree_of_punctuation_only_is_skipped(command: Run, model: Path) -> None:
    _write("t.mrg", "(X (. .))\n" + TREES)
    code, out, err = command("parser", "eval", model, "t.mrg", "--json")
    assert (code, json.loads(out)["skipped"]) == (0, 1)
    assert err == "sentence 1 skipped: the gold tree has no word but punctuation\n"
    _write("t.mrg", "(X (. .))\n")
    refused(
        command("parser", "eval", model, "t.mrg"),
        "all sentences were skipped, so there is nothing to measure the parser on; sentence 1: ",
    )


def test_a_run_says_what_its_model_is(command: Run) -> None:
    _write("t.mrg", TREES)
    training = ("parser", "train", "t.mrg", "--out", "a", "--objective", "structured", *SMALL, "--quiet")
    assert command(*training, "--half")[0] == 0
    config = json.loads(Path("a/config.json").read_text(encoding="utf-8"))
    assert config["network"] == Parser.load("a").network.config.to_json()
    assert config["network"]["whole_trees"] is True
    assert config["half"] is True
    refused(command(*training, "--resume"), "half was True, is False")


def test_a_folder_that_holds_a_run(command: Run, model: Path) -> None:
    _write("t.mrg", TREES)
    assert command("parser", "train", "t.mrg", "--out", "a", *SMALL, "--quiet", "--resume")[0] == 0  # it starts
    before = Path("a/model.safetensors").read_bytes()
    train = ("parser", "train", "t.mrg", "--out", "a", *SMALL)
    refused(command(*train), "a: already holds a run; go on with it by --resume")
    refused(command(*train, "--resume", "--hidden", "9"), "network.hidden was 8, is 9")
    refused(command(*train, "--resume", "--objective", "softmax"), "objective.objective was stepwise, is softmax")
    _write("t.mrg", TREES.replace("cat", "dog"))
    refused(command(*train, "--resume"), "cannot resume a run of other data or another network")
    assert Path("a/model.safetensors").read_bytes() == before
    _write("t.mrg", TREES)
    code, _, err = command(*train, "--resume", "--epochs", "2")
    assert code == 0
    assert "resuming at step" in err
    refused(command("parser", "train", "t.mrg", "--out", "t.mrg", *SMALL), "t.mrg: a file; --out expects a folder")


def test_a_run_with_another_least_count_is_not_resumed(command: Run) -> None:
    _write("t.mrg", f"(S (A once))\n{TREES}")
    train = ("parser", "train", "t.mrg", "--out", "a", *SMALL)
    assert command(*train, "--quiet")[0] == 0
    refused(command(*train, "--resume", "--min-count", "2"), "cannot resume a run of other data or another network")


# --- sentences


@pytest.mark.parametrize("format", FORMATS)
def test_empty_sentences_keep_their_places(command: Run, model: Path, format: str) -> None:
    options = ("--model", model, "--format", format)
    alone = {line: command("parse", line, *options)[1][:-1] for line in ("", "a cat", "a dog sat")}
    assert {"svg": EMPTY, "json": '"words": []'}.get(format, "") in alone[""]
    assert len(alone[""]) < len(alone["a cat"])
    lines = ["", "a cat", "", " \t ", "a dog sat", ""]
    results = (alone[line.strip()].replace('"line": 1,', f'"line": {i},') for i, line in enumerate(lines, 1))
    expected = ("\n\n" if format == "pretty" else "\n").join(results) + "\n"
    assert command("parse", *lines, *options) == (0, expected, "")
    for extra in ((), ("--tokenized",)):
        assert command("parse", *options, *extra, stdin="".join(f"{x}\n" for x in lines).encode()) == (0, expected, "")


@pytest.mark.parametrize("word", ["cat", "unheard-of", "日本語", "…", "a\u00a0b"])
@pytest.mark.parametrize("extra", [(), ("--trace",), ("--scores",)])
def test_one_word(command: Run, model: Path, word: str, extra: tuple[str, ...]) -> None:
    code, out, err = command("parse", word, "--model", model, *extra)
    assert (code, err) == (0, "")
    assert all(form in out for form, _ in penn_tokens(word))


@pytest.mark.parametrize(
    "sentence",
    [
        "кошка сидела на коврике",
        "القطة جلست على السجادة",
        "the 😀 sat 👩‍👩‍👧 on 🇫🇷",
        "zzyzx qwxq vrrbt",
        "naïve co\u0308operation e\u0301te\u0301",
        "x" * 5000,
        "a b\x07c \x1b31mred \x00 end",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("format", FORMATS)
def test_unknown_words_and_scripts(command: Run, model: Path, sentence: str, format: str) -> None:
    code, out, err = command("parse", sentence, "--model", model, "--tokenized", "--format", format)
    assert (code, err) == (0, "")
    if format == "bracket":
        assert _leaves(out) == [sentence.split()]
    if format == "json":
        assert json.loads(out)["words"] == sentence.split()
    raw = command("parse", sentence, "--model", model, "--format", "json")[1]
    words = [word for line in raw.splitlines() for word in json.loads(line)["words"]]
    assert "".join(words) == "".join(sentence.split())


def test_brackets_and_slashes_in_words(command: Run, model: Path) -> None:
    sentence = "the cat (a big one) sat [1] on {that} f(x) either\\/or :-) -RRB-"
    for tokenized in ((), ("--tokenized",)):
        _, out, _ = command("parse", sentence, "--model", model, "--format", "bracket", *tokenized)
        (tree,) = out.splitlines()
        escaped = sentence
        escaped = escaped.replace("(", "-LRB-").replace(")", "-RRB-")  # the others mean nothing to readers of trees
        assert "".join(Tree.fromstring(tree).leaves()) == "".join(escaped.split())
        words = json.loads(command("parse", sentence, "--model", model, "--format", "json", *tokenized)[1])["words"]
        assert "".join(words) == "".join(sentence.split())
        _write("out.mrg", out)
        record = json.loads(command("parser", "eval", model, "out.mrg", "--json")[1])
        assert (record["labelled"]["f1"], record["skipped"]) == (100, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="measures resident memory as Linux reports it")
def test_ten_thousand_words(model: Path, tmp_path: Path) -> None:
    """The peak is the process's own; that of ``getrusage`` is at least that of the process which started it."""
    program = (
        "import os, re, sys\n"
        "from seqtree.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "    print(int(peak) // 1024, os.times().user, file=sys.stderr)\n"
    )
    words = random.Random(0).choices(["the", "a", "cat", "dog", "sat", "on", "mat", "near"], k=10_000)
    (tmp_path / "long.txt").write_text(" ".join(words), encoding="utf-8")
    arguments = ["parse", "-m", model, "-f", "long.txt", "--tokenized", "--format", "json", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    resident, seconds = map(float, done.stderr.split())
    assert seconds < 60  # of the processor; in quadratic time it would be hours
    assert resident < 768  # MiB
    record = json.loads(done.stdout)
    assert record["words"] == words
    assert len(record["merges"]) == 9_999


def test_a_hundred_thousand_lines_in_order(command: Run, model: Path) -> None:
    """Of mixed lengths, each with a word of its own, and some of them empty."""
    chance = random.Random(0)
    lines = []
    for number in range(100_000):
        words = chance.choices(["the", "cat", "sat", "on"], k=chance.choice([0, 0, 1, 1, 2, 12]))
        lines.append([] if number % 97 == 5 else [f"n{number}", *words])
    _write("many.txt", "\n".join(map(" ".join, lines)))
    code, out, err = command("parse", "--model", model, "-f", "many.txt", "--tokenized", "--format", "bracket")
    assert (code, err) == (0, "")
    found = [[part.rstrip(")") for part in line.split() if not part.startswith("(")] for line in out.splitlines()]
    assert found == lines


@pytest.mark.parametrize(
    "options", [("--format", "pretty"), ("--format", "json", "--scores"), ("--format", "pretty", "--k", "2")]
)
def test_several_processes_give_what_one_gives(
    command: Run, model: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr("seqtree.cli.parse.CHUNK", 64)
    lines = ["the cat sat", "", "on the mat a dog sat", "a"] * 30
    Path("text.txt").write_bytes("\n".join(lines).encode() + b"\ncaf\xe9 au lait\nnot reached")
    given = ("parse", "--model", model, "-f", "text.txt", *options)
    one, two = command(*given), command(*given, "--processes", "2")
    assert one[0] == 2
    assert "text.txt:121: byte 0xE9" in one[2]
    assert len(one[1].splitlines()) >= 120
    assert two == one


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_is_wrong_with_a_parser_is_told_for_an_empty_text(command: Run, model: Path, processes: str) -> None:
    data = model.read_bytes()
    damaged, empty = _write("damaged.safetensors", data[:-1] + bytes([data[-1] ^ 1])), _write("empty.txt", "")
    assert command("parse", "-f", empty, "--processes", processes, "--model", model) == (0, "", "")
    said = "damaged: its contents do not match its checksum"
    refused(command("parse", "-f", empty, "--processes", processes, "--model", damaged), said)


def test_a_number_of_processes_that_is_none(command: Run, model: Path) -> None:
    code, _, err = command("parse", "--model", model, "--processes", "0", "a cat")
    assert code == 2
    assert "--processes" in err


def _parsing(model: Path, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """A process that parses its standard input into brackets."""
    command = [sys.executable, "-m", "seqtree", "parse", "--model", str(model), *options, "--format", "bracket"]
    pipe, environment = subprocess.PIPE, {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)


@posix
def test_an_endless_input_is_parsed_as_it_comes(model: Path, tmp_path: Path) -> None:
    """Nobody waits for its end, and it stops when nobody reads on."""
    process = _parsing(model, tmp_path, "--tokenized")
    assert process.stdin and process.stdout and process.stderr
    stdin = process.stdin

    def write() -> None:
        number = 0
        try:
            while True:
                stdin.write(f"the cat sat on n{number}\n".encode())
                number += 1
        except OSError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    first = [process.stdout.readline() for _ in range(3)]
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    writer.join(timeout=60)
    with pytest.raises(BrokenPipeError):
        stdin.close()
    assert [f"n{number}".encode() in line for number, line in enumerate(first)] == [True] * 3
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_line_is_answered_before_the_next_is_written(model: Path, tmp_path: Path, newline: bytes) -> None:
    """A line of bytes that come one by one, and several lines at once, count as well."""
    process = _parsing(model, tmp_path, "--file", "-")
    assert process.stdin and process.stdout and process.stderr
    deadline = threading.Timer(60, process.kill)
    deadline.start()
    try:
        for text, wanted in (
            ("the cat sat", [["the", "cat", "sat"]]),
            ("Où ? Là.", [["Où", "?"], ["Là", "."]]),
            ("", [[]]),
            ("a\nb\n\nc", [["a"], ["b"], [], ["c"]]),
        ):
            data = text.encode().replace(b"\n", newline) + newline
            for piece in (data,) if "\n" in text else (data[i : i + 1] for i in range(len(data))):
                process.stdin.write(piece)
                process.stdin.flush()
            answer = b"".join(process.stdout.readline() for _ in wanted).decode()
            assert _leaves(answer) == wanted
        out, err = process.communicate(b"the end, without a line end")
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
    assert _leaves(out.decode()) == [["the", "end", ",", "without", "a", "line", "end"]]
    assert (process.returncode, err) == (0, b"")


@posix
def test_a_paragraph_is_answered_at_the_blank_line_after_it(model: Path, tmp_path: Path) -> None:
    process = _parsing(model, tmp_path, "--paragraphs")
    assert process.stdin and process.stdout and process.stderr
    deadline = threading.Timer(60, process.kill)
    deadline.start()
    try:
        for line in (b"the cat\n", b"sat. a\n", b"dog\n", b"\n"):
            process.stdin.write(line)
            process.stdin.flush()
        answer = b"".join(process.stdout.readline() for _ in range(2)).decode()
        assert _leaves(answer) == [["the", "cat", "sat", "."], ["a", "dog"]]
        out, err = process.communicate(b"the end")
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
    assert _leaves(out.decode()) == [["the", "end"]]
    assert (process.returncode, err) == (0, b"")


def test_standard_input_is_taken_in_large_pieces(command: Run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is there is parsed in batches, wherever a read ends in its lines, words and characters."""
    monkeypatch.setattr(array_parser, "SHORT", 0)
    text = "".join(f"n{number} été 猫{newline}" for number, newline in enumerate(["\n", "\r\n", "\r", "\n"] * 25))
    options = ("--model", model, "--format", "bracket", "--tokenized")
    sizes = []
    parses = Parser.parses

    def counted(self: Parser, sentences: Sequence[Any]) -> Iterator[Any]:
        sizes.append(len(sentences))
        return parses(self, sentences)

    monkeypatch.setattr(Parser, "parses", counted)
    whole = command("parse", *options, stdin=text.encode())
    assert _leaves(whole[1]) == [[f"n{number}", "été", "猫"] for number in range(100)]
    assert max(sizes) >= 99
    for size in (1, 7, 64):
        monkeypatch.setattr(lines, "READ", size)
        assert command("parse", *options, stdin=text.encode()) == whole


def test_without_standard_input(command: Run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    refused(command("parse", "--model", model, "--file", "-"), "there is no standard input to read (-)")


def test_words_that_are_given_hold_white_space_that_is_not_ascii(command: Run, model: Path) -> None:
    """As in bracketed trees, which read them so."""
    words = ["a\u00a0b", "c\x1cd", "\u3000", "e\x85f\u2028g"]
    sentence = f" {words[0]}\t{words[1]} {words[2]} \x0b\x0c{words[3]} "
    for line in ((sentence,), ("--file", _write("text.txt", f"{sentence}\n"))):
        code, out, err = command("parse", "--model", model, "--tokenized", "--format", "json", *line)
        assert (code, err) == (0, "")
        assert json.loads(out)["words"] == words
    _, out, _ = command("parse", "--model", model, "--tokenized", "--format", "svg", sentence)
    assert len(ET.fromstring(out)) > 4


def test_what_precedes_a_bad_byte_is_parsed(command: Run, model: Path) -> None:
    lines = [b"the cat sat", b"a dog", b"caf\xe9 au lait", b"not reached"]
    for newline in (b"\n", b"\r\n"):
        Path("text.txt").write_bytes(newline.join(lines))
        code, out, err = command("parse", "--model", model, "--format", "bracket", "-f", "text.txt")
        assert code == 2
        assert _leaves(out) == [["the", "cat", "sat"], ["a", "dog"]]
        assert err == (
            "seqtree: error: text.txt:3: byte 0xE9 after 3 characters is not utf-8; name the text's own encoding with "
            "--encoding\n"
        )
    code, out, err = command("parse", "--model", model, "--encoding", "utf-16", stdin=b"odd number of bytes")
    assert (code, out) == (2, "")
    assert "standard input is not utf-16 text" in err
