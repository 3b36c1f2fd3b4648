"""The house is as docs/architecture.md has it: which room imports which; and functions stay short."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 40
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = runpy.run_path(str(ROOT / "docs" / "make_architecture.py"))
ALLOWED: dict[str, set[str]] = PICTURE["rooms"](PAGE)
SOURCES = {
    **{
        file: f"seqtree.{'.'.join(file.relative_to(ROOT / 'seqtree').with_suffix('').parts)}"
        for file in (ROOT / "seqtree").rglob("*.py")
    },
    **{file: f"seqtree.{folder}.{file.stem}" for folder in ("cli", "corpora") for file in (ROOT / folder).glob("*.py")},
}


def _imports(tree: ast.Module) -> Iterator[str]:
    """The modules of seqtree that a file imports when it runs, wherever in it."""
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in typing and (node.module or "").startswith("seqtree"):
            module = str(node.module)
            yield from [module] if module != "seqtree" else [f"seqtree.{alias.name}" for alias in node.names]


def test_every_room_is_in_the_table() -> None:
    rooms = {name.split(".")[1] for name in SOURCES.values()} - {"__init__", "__main__"}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_what_it_may(room: str) -> None:
    for file, name in SOURCES.items():
        if name.split(".")[1] != room:
            continue
        for module in _imports(ast.parse(file.read_text(encoding="utf-8"))):
            other = module.split(".")[1]
            assert other == room or other in ALLOWED[room] or other == "__version__", f"{name} imports {module}"


def test_the_picture_is_that_of_the_table() -> None:
    drawn = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    assert drawn == PICTURE["drawing"](PAGE) + "\n", "run: python docs/make_architecture.py"
    assert set(re.findall(r"<text[^>]*>(\w+)</text>", drawn)) == set(ALLOWED) - PICTURE["EVERYWHERE"]


def test_the_picture_has_the_imports_of_the_table() -> None:
    """Each of its lines is an import that the table allows, and by them one comes to all that a room may import."""
    direct = PICTURE["direct"](ALLOWED)

    def reached(room: str) -> set[str]:
        return direct[room].union(*map(reached, direct[room]))

    for room, others in direct.items():
        assert reached(room) >= ALLOWED[room] - PICTURE["EVERYWHERE"]
        assert others <= ALLOWED[room]


def test_benchmarks_take_their_arguments_from_a_parser() -> None:
    """Each answers --help, does nothing then, and refuses what it does not know."""
    for file in (ROOT / "benchmarks").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "__main__" not in text or "argparse.ArgumentParser(description=__doc__" in text, file.name


def test_functions_are_short() -> None:
    long = []
    for file, name in SOURCES.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_LINES:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert long == []
