"""The models that come with seqtree: files, cards and page agree; and what a path or a name stands for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from language_helpers import model as language_model
from parsing_helpers import small_parser

import seqtree
from seqtree import LanguageModel, Parser, modelfile, shipped
from seqtree.errors import InputError, ModelFileError
from seqtree.text import penn_tokens

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "shipped-model.md").read_text(encoding="utf-8")
MOST_BYTES = 16_000_000  # of all of them
EXPECTED = "no such model file; expected a model file, a run folder, or one of the parsers that come with seqtree: "


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder, where the parsers that come with seqtree are ``default`` and ``open``, of 2 and 3 units."""
    models, current = tmp_path / "models", tmp_path / "current"
    for path in (models, current):
        path.mkdir()
    for name, hidden in (("default", 2), ("open", 3)):
        small_parser(hidden=hidden).save(models / f"{name}.safetensors")
        card = {"kind": "parser", "licence": "any use", "parameters": 1, "f1": {"treebank": 50.0}}
        (models / f"{name}.json").write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setattr(shipped, "FOLDER", models)
    monkeypatch.chdir(current)
    return current


def _units(path: str | Path) -> int:
    return Parser.load(path).network.config.hidden


# --- the cards


def test_every_card_has_its_file_and_every_file_its_card() -> None:
    files = {*shipped.FOLDER.iterdir()}
    cards = shipped.cards()
    assert shipped.DEFAULT in cards
    assert files == {file for name, card in cards.items() for file in (shipped.FOLDER / f"{name}.json", card.file)}
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES


@pytest.mark.parametrize("name", shipped.cards())
def test_a_card_is_that_of_its_file(name: str) -> None:
    card = shipped.cards()[name]
    model = seqtree.load(name)
    assert card.kind == model.kind == modelfile.load(card.file)[0]
    assert card.parameters == sum(parameter.numel() for parameter in model.network.parameters())
    assert {"treebank", "GUM", "MASC", "CRAFT"} <= {*card.f1}
    assert all(50 < f1 < 100 for f1 in card.f1.values())
    assert card.licence.strip() and card.licence.isprintable()


@pytest.mark.parametrize("name", shipped.cards())
def test_the_page_has_the_figures_of_the_cards(name: str) -> None:
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^ *\| (\w+): [^|]*\| ([\d.]+) \|", section, re.MULTILINE)
    f1 = shipped.cards()[name].f1
    assert name != shipped.DEFAULT or {trees for trees, _ in rows} == {*f1}
    for trees, figure in rows:
        assert figure == f"{f1[trees]:.2f}"


def test_cards_of_a_kind(folder: Path) -> None:
    assert [*shipped.cards()] == [*shipped.cards("parser")] == ["default", "open"]
    assert shipped.cards("tagger") == {}


# --- names and paths


def test_a_name_is_that_model(folder: Path) -> None:
    assert (_units("default"), _units("open")) == (2, 3)
    opened = seqtree.load("open")
    assert isinstance(opened, Parser)
    assert opened.network.config.hidden == 3


def test_a_file_or_a_run_of_that_name_comes_first(folder: Path) -> None:
    small_parser(hidden=4).save("default")
    Path("open").mkdir()
    small_parser(hidden=5).save("open/model.safetensors")
    assert (_units("default"), _units("open")) == (4, 5)
    assert shipped.default_parser() == shipped.FOLDER / "default.safetensors"


def test_a_file_of_that_name_that_is_no_model_is_not_passed_over(folder: Path) -> None:
    Path("open").write_text("opening hours\n", encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"^open: a text; expected a model"):
        Parser.load("open")


def test_another_folder_of_that_name_does_not_count(folder: Path) -> None:
    Path("open").mkdir()
    Path("open/config.json").write_text("{}", encoding="utf-8")
    assert _units("open") == 3


def test_a_run_without_a_model_so_far_counts(folder: Path) -> None:
    Path("open").mkdir()
    Path("open/checkpoint.safetensors").touch()
    for model in (Parser, LanguageModel):  # of which some come with seqtree, and none
        with pytest.raises(ModelFileError, match=r"^open: a run that has no model yet .* go on with --resume$"):
            model.load("open")


@pytest.mark.parametrize("path", ["./open", "open/", "nowhere", "OPEN", "open.safetensors", Path("open")])
def test_what_is_no_name(folder: Path, path: str | Path) -> None:
    with pytest.raises(ModelFileError, match=re.escape(f"{EXPECTED}default, open")):
        Parser.load(path)


@pytest.mark.parametrize("path", [None, 5, b"default", ""])
def test_what_is_no_path(path: object) -> None:
    with pytest.raises(InputError, match=r"^model .*: expected a path or a name$"):
        shipped.located(path)  # type: ignore[arg-type]


def test_models_of_other_kinds(folder: Path) -> None:
    """A name is that of a model of the kind that is asked for; where seqtree has none of a kind, none is offered."""
    with pytest.raises(ModelFileError, match=r"^default: no such model file$"):
        LanguageModel.load("default")
    language_model().save("default")
    with pytest.raises(ModelFileError, match=r"^default: holds a language-model .*, expected a parser$"):
        Parser.load("default")
    with pytest.raises(ModelFileError, match="one of the models that come with seqtree: default, open"):
        seqtree.load("nowhere")


@pytest.mark.parametrize("name", ["default", "open"])
def test_a_parser_takes_it_s_for_two_words_although_it_has_met_one(name):
    parser = Parser.load(name)
    assert "it's" in parser.lexicon.words
    words = penn_tokens("I think it's late, but I dont know.", parser.lexicon.words)
    tree = next(parser.parses([words])).tree
    assert tree.leaves() == ["I", "think", "it", "'s", "late", ",", "but", "I", "do", "nt", "know", "."]
    assert {("'s", "VBZ"), ("do", "VBP"), ("nt", "RB"), ("know", "VB")} <= set(tree.pos())
