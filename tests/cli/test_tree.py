"""``seqtree tree``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused

from seqtree import corpora
from seqtree.cli import streams

SMALL = ("--preset", "tiny", "--words", "6", "--vector", "8", "--epochs", "1", "-q", "--threads", "1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from seqtree.training.fit import train

    folder = tmp_path_factory.mktemp("model")
    train("tree", out=folder, preset="tiny", epochs=20, valid_share=0.0, threads=1, progress=False)
    return folder


@pytest.fixture
def tree(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return caller(capsys, tmp_path, monkeypatch, "tree")


def test_eval(tree: Run, model: Path) -> None:
    code, out, _ = tree("eval", model, corpora.path("opinions"), "--json")
    record = json.loads(out)
    assert code == 0
    assert set(record["root"]) == set(record["all"]) == {"fine", "binary"}
    assert record["trees"] == 54 and record["root"]["fine"] > 0.8 and record["all"]["binary"] > 0.8
    code, out, _ = tree("eval", model, corpora.path("opinions"))
    assert code == 0
    assert out.splitlines()[0].split() == ["fine", "binary"]
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["root", "all"]


def test_predict_trees(tree: Run, model: Path) -> None:
    code, out, _ = tree("predict", model, "(? (? A) (? (? wonderful) (? film)))", "(2 wonderful)")
    assert code == 0
    assert out == "(4 (2 A) (4 (4 wonderful) (2 film)))\n(4 wonderful)\n"
    _, out, _ = tree("predict", model, "(? (? A) (? film))", "--probabilities")
    assert out.startswith("(") and ":0." in out and out.count(":") == 3
    _, out, _ = tree("predict", model, "(? (? A) (? film))", "--format", "json")
    record = json.loads(out)
    assert [len(node["probabilities"]) for node in record["nodes"]] == [5, 5, 5]
    assert record["words"] == ["A", "film"] and record["line"] == 1
    _, out, _ = tree("predict", model, "(? (? A) (? <film>))", "--format", "svg")
    assert len(out.splitlines()) == 1
    assert ElementTree.fromstring(out).tag.endswith("svg")
    _, out, _ = tree("predict", model, "(? (? A) (? film))", "--format", "latex")
    assert re.fullmatch(r"\\begin{forest} \[\d \[\d \[A]] \[\d \[film]]] \\end{forest}\n", out)


def test_predict_sentences(tree: Run, model: Path) -> None:
    """The parser's tree, its words as given and read as the model knows them."""
    code, out, _ = tree("predict", model, "The soup (again) was wonderful! We left at noon.", "")
    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 3 and lines[2] == ""
    assert lines[0].count("(") == 2 * 8 - 1 and "-LRB-)" in lines[0]
    _, out, _ = tree("predict", model, "The soup (again) was good.", "--format", "json")
    record = json.loads(out)
    assert record["words"] == ["The", "soup", "(", "again", ")", "was", "good", "."]
    assert record["nodes"][-1]["start"] == 0 and record["nodes"][-1]["end"] == 8
    _, out, _ = tree("predict", model, "(No kidding)")  # no label that the model knows: a sentence
    assert out.count("-LRB-") == 1
    mixed = "(1 It (0 (1 works) (0 .)))"  # a word without a label in a tree
    refused(tree("predict", model, mixed), "TEXT:1: ")
    assert tree("predict", model, "(1 It (two works) (0 .))")[0] == 0  # no label that the model knows: a sentence
    _, out, _ = tree("predict", model, "--input", "sentences", "(2 noon)")
    assert out.count("-LRB-") == 1


def test_predict_from_a_file_and_from_standard_input(tree: Run, model: Path, tmp_path: Path) -> None:
    text = "\n(? (? A)\n   (? film))\n# a comment\n(? A) (2 (2 We) (2 left))\n"
    (tmp_path / "a.txt").write_text(text)
    code, out, err = tree("predict", model, "--file", "a.txt", "--format", "json")
    assert code == 0, err
    records = [json.loads(line) for line in out.splitlines()]
    assert [(record["line"], len(record["words"])) for record in records] == [(2, 2), (5, 1), (5, 2)]
    assert tree("predict", model, "--file", "-", "--format", "json", stdin=text.encode())[1] == out
    assert tree("predict", model, "--format", "json", stdin=text.encode())[1] == out
    assert tree("predict", model, "-", "--format", "json", stdin=text.encode())[1] == out
    (tmp_path / "b.txt").write_text("\n\nWe left.\n\nThe film was not bad.\n")
    _, out, _ = tree("predict", model, "--file", "b.txt")
    assert [bool(line) for line in out.splitlines()] == [False, False, True, False, True]
    assert tree("predict", model, "--file", "-", stdin=b"") == (0, "", "")
    word, phrase = "(NN film)", "(S (NP We) (VP left))"
    for lines in ([word, phrase], [phrase, word], ["", word, word, phrase]):
        _, out, _ = tree("predict", model, stdin="".join(f"{one}\n" for one in lines).encode())
        assert [line.count("(") for line in out.splitlines()] == [1 if one == word else 3 for one in lines if one]
    _, out, _ = tree("predict", model, stdin=b"(laughs aloud)\nWe left.\n")
    assert [line.count("(") for line in out.splitlines()] == [7, 5]


def test_what_comes_before_a_fault_is_printed(tree: Run, model: Path) -> None:
    for fault, said in (
        ("(? (? a) (? b) (? c))", "standard input:2: a node labelled '?' has 3 nodes in it"),
        ("(? (? a)", "standard input:2: the tree that begins here is never closed"),
        ("a sentence", "standard input:2: 'a' outside brackets"),
    ):
        code, out, err = tree("predict", model, "--file", "-", stdin=f"(? (? A) (? film))\n{fault}\n".encode())
        assert (code, out.count("\n")) == (2, 1)
        assert said in err


def test_drawings_in_colour(tree: Run, model: Path) -> None:
    plain = tree("predict", model, "(? (? A) (? film))", "--format", "pretty")[1]
    assert "\x1b" not in plain and plain.splitlines()[-1].split() == ["A", "film"]
    assert (
        tree("predict", model, "(? (? A) (? film))", "--format", "pretty", "--color", "always")[1].count("\x1b[0m") == 3
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("colourless", [False, True])
def test_a_terminal_gets_colours_but_no_control_characters_of_words(model: Path, colourless: bool) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "seqtree", "tree", "predict", str(model), "(? (? A\x1b[5m) (? film))"]
    environment = {
        **{k: v for k, v in os.environ.items() if k != "NO_COLOR"},
        **({"NO_COLOR": "1"} if colourless else {}),
    }
    process = subprocess.Popen([*command, "--format", "pretty"], stdout=follower, env=environment, cwd="/")
    os.close(follower)
    said = b""
    try:
        while block := os.read(leader, 1 << 16):
            said += block
    except OSError:  # how Linux says that the other side has closed
        pass
    assert process.wait(60) == 0
    assert said.count(b"\x1b[0m") == (0 if colourless else 3)
    assert b"\x1b[5m" not in said and "\ufffd".encode() in said


def test_painted_text_goes_through_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    streams.write_painted("\x1b[31mred\x1b[0m\n")
    assert capsys.readouterr().out == "\x1b[31mred\x1b[0m\n"


def test_annotating(tree: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The cat (a big one) sat. It slept.\n\nYes\n")
    code, out, err = tree("annotate", "--file", "a.txt")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) == 3 and lines[2] == "(? Yes)"
    assert [line.count("(?") for line in lines] == [2 * 9 - 1, 5, 1]
    assert "(? -LRB-)" in lines[0]
    (tmp_path / "bare.txt").write_text(out)
    refused(tree("train", "bare.txt", "--out", "r", *SMALL), "bare.txt:1: 'The' has no label (?) yet")
    (tmp_path / "half.txt").write_text(out.replace("?", "3", 18))
    refused(tree("train", "half.txt", "--out", "r", *SMALL), "half.txt:2: 'It' has no label (?) yet")
    code, out, err = tree("annotate", "--check", "half.txt")
    assert code == 2 and "as 5 nodes in all, of 2 trees" in err
    assert [line.split() for line in out.splitlines()] == [
        ["label", "nodes", "roots"],
        ["3", "18", "2"],
        ["?", "5", "1"],
    ]
    (tmp_path / "whole.txt").write_text(
        (tmp_path / "bare.txt").read_text().replace("(? Yes", "(4 Yes").replace("?", "3")
    )
    whole = (tmp_path / "whole.txt").read_bytes()
    assert tree("annotate", "--check", "-", stdin=whole) == tree("annotate", "--check", "whole.txt")
    code, out, err = tree("annotate", "--check", "whole.txt")
    assert err == ""
    assert (code, out.splitlines()[-1].split()) == (0, ["4", "1", "1"])
    code, out, err = tree("train", "whole.txt", "--out", "r", "--valid-share", "0", *SMALL, "--json")
    assert code == 0, err
    assert json.loads(out)["nodes"] == 23
    assert tree("annotate", "--check")[0] == 2


@pytest.mark.parametrize("words", [("eval",), ("train", "--valid-share", "0", "--out", "r", *SMALL)])
def test_bad_trees_are_refused(tree: Run, model: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    more = (model,) if words[0] == "eval" else ()
    good = "(3 (2 It) (3 works))\n"
    for text, said in (
        ("", "a.txt is empty"),
        (good + "(3 (2 It) (3 works", "a.txt:2: the tree that begins here is never closed"),
        (good + "(3 (2 It) (3 works) (2 .))", "a.txt:2: a node labelled '3' has 3 nodes in it"),
        (good + "(3 (2 It) works)", "a.txt:2: a node labelled '3' holds the word 'works' beside others"),
        (good + "(3 (2 (3 It)) (? works))", "a.txt:2: 'works' has no label (?) yet"),
        ("just words\n", "a.txt:1: 'just' outside brackets"),
    ):
        (tmp_path / "a.txt").write_text(text)
        refused(tree(words[0], *more, *words[1:], "a.txt"), said)
    (tmp_path / "a.txt").write_text(good + "(7 (2 It) (3 works))\n")
    if words[0] == "eval":
        refused(tree("eval", model, "a.txt"), "a.txt:2: the label '7' is not one of the model's classes: 0, 1, 2, 3, 4")
    (tmp_path / "v.txt").write_text("(x (2 It) (3 works))\n")
    refused(
        tree("train", corpora.path("opinions"), "--valid", "v.txt", "--out", "r", *SMALL),
        "v.txt:1: the label 'x' is not one of the model's classes",
    )
    (tmp_path / "a.txt").write_text("(3 (3 It) (3 works))\n" * 4)
    refused(tree("train", "a.txt", "--out", "r", *SMALL), "a.txt: every label is '3'; expected two classes or more")
    assert not (tmp_path / "r" / "model.safetensors").exists()


def test_trees_that_are_not_binary_are_left_out_if_so_asked(tree: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("(3 (2 It) (3 works) (2 .))\n(3 (2 It) (3 works))\n")
    code, out, err = tree("eval", model, "a.txt", "--malformed", "skip", "--json")
    assert (code, json.loads(out)["trees"]) == (0, 1)
    assert "a.txt:1: a node labelled '3' has 3 nodes in it" in err and "left out" in err


def test_usage(tree: Run, model: Path) -> None:
    refused(tree("predict", model, "a", "--file", "b"), "give TEXT or --file, not both")
    refused(tree("predict", corpora.path("opinions"), "a"), "opinions.txt")
    refused(tree("predict", model, "a", "--color", "always"), "--color always goes with --format pretty")
    refused(tree("predict", model, "(? (? a) (? b))", "--tokenized"), "--parser and --tokenized go with sentences")
    code, _, err = tree("predict", model, "- yes")
    assert code == 2 and "-- '- yes'" in err
