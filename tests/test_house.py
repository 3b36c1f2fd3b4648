"""The house is as docs/architecture.md has it: which room imports which; and functions stay short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 40
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCES = {
    **{
        file: f"seqtree.{'.'.join(file.relative_to(ROOT / 'seqtree').with_suffix('').parts)}"
        for file in (ROOT / "seqtree").rglob("*.py")
    },
    **{file: f"seqtree.{folder}.{file.stem}" for folder in ("cli", "corpora") for file in (ROOT / folder).glob("*.py")},
}


def _table() -> dict[str, set[str]]:
    """The rooms of the page's table, and what each may import."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|$", PAGE, re.MULTILINE)
    allowed: dict[str, set[str]] = {}
    for room, may in rows:
        named = set(re.findall(r"`(\w+)`", may))
        if may.strip().startswith("all above"):
            allowed[room] = set(allowed) - named
        elif may.strip().startswith("everything"):
            allowed[room] = {name for name, _ in rows} - {room}
        else:
            allowed[room] = named
    allowed["training"] |= {"corpora"}  # the sample that is read where nothing is named
    return {room: others | {"errors", "lazy", "escapes", "extras"} for room, others in allowed.items()}


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


ALLOWED = _table()


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


def test_functions_are_short() -> None:
    long = []
    for file, name in SOURCES.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_LINES:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert long == []
