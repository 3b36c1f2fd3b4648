"""``seqtree corpora`` and ``seqtree completion``."""

from __future__ import annotations

import json
from pathlib import Path

import nltk
import pytest

from seqtree import corpora
from seqtree.cli import run
from seqtree.corpora import grammar


def _output(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert run(args) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_list_names_every_sample(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _output(capsys, "corpora", "list").splitlines()
    assert [line.split()[0] for line in lines] == list(corpora.names())


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(_output(capsys, "corpora", "list", "--json"))["corpora"]
    assert [row["name"] for row in listed] == list(corpora.names())
    for row in listed:
        assert row["bytes"] == corpora.path(row["name"]).stat().st_size
        assert row["kind"] == corpora.describe(row["name"]).kind


def test_path_is_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Path(_output(capsys, "corpora", "path", "toy").rstrip("\n"))
    assert shown.read_text(encoding="utf-8") == corpora.load("toy")


@pytest.mark.parametrize("name", corpora.names())
def test_show_prints_the_sample_unchanged(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert _output(capsys, "corpora", "show", name) == corpora.load(name)


def test_show_some_lines(capsys: pytest.CaptureFixture[str]) -> None:
    first = corpora.load("garden_zh").splitlines(keepends=True)[:3]
    assert _output(capsys, "corpora", "show", "garden_zh", "--lines", "3") == "".join(first)
    assert _output(capsys, "corpora", "show", "garden_zh", "--lines", "0") == ""


def test_generate_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _output(capsys, "corpora", "generate", "--count", "7", "--seed", "4").splitlines()
    assert lines == grammar.sentences(7, seed=4)


def test_generate_trees(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _output(capsys, "corpora", "generate", "--trees").splitlines()
    assert [nltk.Tree.fromstring(line) for line in lines] == grammar.generate(10)


@pytest.mark.parametrize(
    "args", [["show", "nothing"], ["path", "nothing"], ["show", "toy", "--lines", "-1"], ["generate", "--count", "-1"]]
)
def test_mistakes_exit_with_2_and_print_nothing(capsys: pytest.CaptureFixture[str], args: list[str]) -> None:
    assert run(["corpora", *args]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err != "" and "Traceback" not in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out  # for bash, click may remark on its version to standard error
    assert "_SEQTREE_COMPLETE" in script and f"{shell}_complete" in script


def test_completion_of_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "csh"]) == 2
    assert "csh" in capsys.readouterr().err
