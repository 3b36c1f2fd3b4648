"""The chapters' pages: every example prints what it says, links lead somewhere, formulas are such as GitHub renders."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "chapters"
PAGES = sorted(FOLDER.glob("*.md"))
CHAPTERS = [page for page in PAGES if page.name != "README.md"]
PICTURES = sorted((FOLDER / "pictures").glob("*.svg"))
BY_THE_PARSER = {"merges", "tree"}  # these change with the trained parser
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)]+)\)")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
# What Markdown takes before the formula is read: emphasis, escapes, tags, links, and list items and headings in $$.
SPOILED = re.compile(r"(?<!\w)_|\*|\\[^A-Za-z]|<|\]\(|\n\s*[-+=#>]")

by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _only(language: str, page: str) -> str:
    """The fenced blocks of a language; every other line is empty, so that line numbers stay."""
    lines = [""] * (page.count("\n") + 1)
    for block in FENCE.finditer(page):
        if block[1] == language:
            first = page.count("\n", 0, block.start(2))
            lines[first : first + block[2].count("\n")] = block[2].splitlines()
    return "\n".join(lines) + "\n"


def _prose(page: str) -> str:
    """A page without its fenced blocks and code spans."""
    return re.sub(r"`[^`]*`", "", FENCE.sub("", page))


def test_blocks_keep_their_lines() -> None:
    page = "text\n```pycon\n>>> 1\n1\n```\n```console\n$ ls\n```\n```pycon\n>>> 2\n2\n```\n"
    assert _only("pycon", page).splitlines() == ["", "", ">>> 1", "1", "", "", "", "", "", ">>> 2", "2", "", ""]
    assert _prose(page) == "text\n\n\n\n"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_examples(page: Path) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    examples = doctest.DocTestParser().get_doctest(_only("pycon", _text(page)), {}, page.name, str(page), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=flags).run(examples, out=report.append)
    assert result.failed == 0, "".join(report)
    assert result.attempted > 20


@by_name
def test_links_and_pictures_exist(page: Path) -> None:
    targets = [target for target in LINK.findall(_prose(_text(page))) if "://" not in target]
    assert targets
    for target in targets:
        assert (page.parent / target).exists(), target


@by_name
def test_formulas_survive_markdown(page: Path) -> None:
    """No formula holds what Markdown would change, and none stands against a word; every $ belongs to one."""
    prose = _prose(_text(page))
    for match in FORMULA.finditer(prose):
        formula = match[1] or match[2]
        assert not SPOILED.search(formula), formula
        assert match[1] or not re.match(r"\s|.*(\s$|\n)", formula, re.DOTALL), formula
        before, after = prose[match.start() - 1 : match.start()], prose[match.end() : match.end() + 1]
        assert not re.match(r"[\w-]", before) and not re.match(r"\w", after), before + match[0] + after
    assert "$" not in FORMULA.sub("", prose)


@pytest.mark.parametrize("formula", [r"\mathbf{x}_i", "a*b", r"\{x\}", "a <b", "f[a](b)", "a\n- b", "= \n= 2"])
def test_spoiled_formulas_are_known(formula: str) -> None:
    assert SPOILED.search(formula)
    assert not SPOILED.search(r"\sum_i w_{ji} a_i + b_j - \frac{\partial E}{\partial x} [c_1; c_2]^T > 0")


def test_every_picture_is_shown_and_small_and_on_white() -> None:
    shown = {target for page in CHAPTERS for target in LINK.findall(_text(page)) if target.endswith(".svg")}
    assert shown == {f"pictures/{picture.name}" for picture in PICTURES}
    for picture in PICTURES:
        assert picture.stat().st_size < 40_000, picture.name
        root = ElementTree.parse(picture).getroot()
        ground = root.find("{http://www.w3.org/2000/svg}rect")
        assert ground is not None and ground.get("fill") == "#fff", picture.name
        assert (ground.get("width"), ground.get("height")) == (root.get("width"), root.get("height"))


@pytest.mark.parametrize("name", sorted({picture.stem for picture in PICTURES} - BY_THE_PARSER))
def test_pictures_are_made_as_they_are_shown(name: str) -> None:
    made = runpy.run_path(str(FOLDER / "make_pictures.py"))["PICTURES"][name]()
    assert made + "\n" == (FOLDER / "pictures" / f"{name}.svg").read_text(encoding="utf-8")


def test_every_picture_is_made() -> None:
    made = runpy.run_path(str(FOLDER / "make_pictures.py"))["PICTURES"]
    assert set(made) == {picture.stem for picture in PICTURES} >= BY_THE_PARSER


def test_every_reference_module_is_on_a_page_and_in_the_table() -> None:
    modules = {file.stem for file in (ROOT / "seqtree" / "reference").glob("*.py")} - {"__init__"}
    named = {module for page in CHAPTERS for module in re.findall(r"seqtree/reference/(\w+)\.py", _text(page))}
    imported = {name for page in CHAPTERS for name in re.findall(r"from seqtree\.reference\.(\w+)", _text(page))}
    assert named | imported | {"examples"} == modules
    table = _text(FOLDER / "README.md")
    assert {module for module in modules if f"`{module}`" in table} == modules


def test_every_chapter_is_in_the_table() -> None:
    table = LINK.findall(_text(FOLDER / "README.md"))
    assert [page.name for page in CHAPTERS] == [target for target in table if target.endswith(".md")]
    assert len(CHAPTERS) == 9
