"""``seqtree models``, and the parsers that come with seqtree where commands take one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused
from language_helpers import model as language_model
from parsing_helpers import small_parser

from seqtree import shipped

SENTENCE = "the cat sat on the mat"
TREES = "(S (NP (DT the) (NN cat)) (VP (VBD sat) (PP (IN on) (NP (DT the) (NN mat)))))\n"
F1 = {"treebank": 51.5, "GUM": 52.0}
EXPECTED = "expected a model file, a run folder, or one of the parsers that come with seqtree: default, open"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch)


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second parser comes with seqtree: ``open``, which has learned nothing."""
    models = tmp_path / "models"
    shutil.copytree(shipped.FOLDER, models)
    for name in shipped.cards().keys() - {"default"}:
        for file in models.glob(f"{name}.*"):
            file.unlink()
    small_parser().save(models / "open.safetensors")
    card = {"kind": "parser", "licence": "any use", "parameters": 1234, "f1": F1}
    (models / "open.json").write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setattr(shipped, "FOLDER", models)


def _parsed(command: Run, *options: object) -> str:
    code, out, err = command("parse", "--format", "bracket", SENTENCE, *options)
    assert (code, err) == (0, "")
    return out


def test_the_list_is_that_of_the_cards(command: Run) -> None:
    code, out, err = command("models")
    assert (code, err) == (0, "")
    for line, (name, card) in zip(out.splitlines(), shipped.cards().items(), strict=True):
        figures = "  ".join(f"{trees} {f1:.2f}" for trees, f1 in card.f1.items())
        size = f"{card.file.stat().st_size / 1e6:.1f} MB"
        assert re.split("  +", line, maxsplit=4) == [
            name,
            card.licence,
            size,
            f"{card.parameters:,} parameters",
            f"F1: {figures}",
        ]


@pytest.mark.usefixtures("two")
def test_the_list_in_columns_and_as_json(command: Run) -> None:
    first, second = command("models")[1].splitlines()
    assert first.startswith("default  ")
    assert second.startswith("open     any use  ")
    assert second.endswith(" MB  1,234 parameters  F1: treebank 51.50  GUM 52.00")
    assert first.index(" MB  ") == second.index(" MB  ")
    code, out, _ = command("models", "--json")
    rows = json.loads(out)["models"]
    assert (code, out.count("\n"), [row["name"] for row in rows]) == (0, 1, ["default", "open"])
    size = (shipped.FOLDER / "open.safetensors").stat().st_size
    expected = {"name": "open", "kind": "parser", "licence": "any use", "parameters": 1234, "f1": F1, "bytes": size}
    assert rows[1] == expected


@pytest.mark.usefixtures("two")
def test_a_parser_by_its_name(command: Run) -> None:
    default, other = TREES, _parsed(command, "--model", shipped.FOLDER / "open.safetensors")
    assert other != default
    assert _parsed(command, "--model", "open") == other
    assert _parsed(command, "--model", "default") == _parsed(command) == default
    Path("t.mrg").write_text(TREES, encoding="utf-8")
    scores = [json.loads(command("parser", "eval", name, "t.mrg", "--json")[1]) for name in ("default", "open")]
    assert scores[0]["exact_match"] == 100 > scores[1]["exact_match"]


@pytest.mark.usefixtures("two")
def test_the_variable_names_the_parser_where_no_option_does(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parser(seed=1).save("mine.safetensors")
    wanted = {name: _parsed(command, "--model", name) for name in ("default", "open", "mine.safetensors")}
    for name, tree in wanted.items():
        monkeypatch.setenv("SEQTREE_PARSER", name)
        assert _parsed(command) == tree
        assert _parsed(command, "--model", "open") == wanted["open"]
    monkeypatch.setenv("SEQTREE_PARSER", "")
    assert _parsed(command) == wanted["default"]


@pytest.mark.usefixtures("two")
def test_a_run_of_that_name_is_meant_by_it_but_not_without_it(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    default = _parsed(command)
    Path("default").mkdir()
    small_parser(seed=1).save("default/model.safetensors")
    mine = _parsed(command, "--model", "./default")
    assert mine != default
    assert _parsed(command, "--model", "default") == mine
    assert _parsed(command) == default
    monkeypatch.setenv("SEQTREE_PARSER", "default")
    assert _parsed(command) == mine


@pytest.mark.usefixtures("two")
def test_scores_of_words_take_the_same_names(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    language_model().save("m.safetensors")
    Path("t.txt").write_text(SENTENCE + "\n", encoding="utf-8")

    def scored(parser: str) -> str:
        code, out, err = command("lm", "score", "m.safetensors", "t.txt", "--by", "word", "--parser", parser)
        assert (code, err) == (0, "")
        return out

    default, other = scored("default"), scored("open")
    assert default != other
    assert scored("shipped") == default
    monkeypatch.setenv("SEQTREE_PARSER", "open")
    assert (scored("shipped"), scored("default")) == (other, default)
    for wrong, said in (("nowhere", f"no such model file; {EXPECTED}"), ("", "an empty name")):
        refused(command("lm", "score", "m.safetensors", "t.txt", "--by", "word", "--parser", wrong), said)


@pytest.mark.usefixtures("two")
def test_wrong_names(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says which of them is wrong, the option or the variable, and what was expected."""
    language_model().save("lm.safetensors")
    Path("noise").write_bytes(b"noise")
    Path("folder").mkdir()
    for name, said in (
        ("opne", f"opne: no such model file; {EXPECTED}"),
        ("runs/opne", f"runs/opne: no such model file; {EXPECTED}"),
        ("folder", f"folder/model.safetensors: no such model file; {EXPECTED}"),
        ("lm.safetensors", "lm.safetensors: holds a language-model (for seqtree lm), expected a parser"),
        ("noise", "noise: a text; expected a model, in a run folder or a .safetensors file"),
    ):
        monkeypatch.delenv("SEQTREE_PARSER", raising=False)
        result = command("parse", "a cat", "--model", name)
        refused(result, f"seqtree: error: {said}")
        assert result[2].count("\n") == 1
        monkeypatch.setenv("SEQTREE_PARSER", name)
        result = command("parse", "a cat")
        refused(result, f"seqtree: error: SEQTREE_PARSER: {said}")
        assert result[2].count("\n") == 1
        assert _parsed(command, "--model", "default") == TREES
    monkeypatch.setenv("SEQTREE_PARSER", "open")
    refused(command("parse", "a cat", "--device", "none"), "seqtree: error: device 'none': expected")


def test_a_name_that_no_shipped_model_has(command: Run) -> None:
    names = ", ".join(shipped.cards("parser"))
    refused(command("parse", "--model", "nothing", "a cat"), f"parsers that come with seqtree: {names}")
