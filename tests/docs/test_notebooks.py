"""The notebooks work: their code runs, cell by cell, in an empty folder; what they show was kept, without errors."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def _code(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _show(value: Any) -> None:
    """Make what a notebook would show of the value of a cell."""
    for name in ("_repr_svg_", "_repr_png_", "_repr_html_", "__repr__"):
        if (show := getattr(type(value), name, None)) is not None:
            show(value)


def _run(source: str, name: str, names: dict[str, Any]) -> None:
    tree = ast.parse(source, name)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    if isinstance(last, ast.Expr):
        _show(eval(compile(ast.Expression(last.value), name, "eval"), names))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(_code(notebook), 1):
        _run("".join(cell["source"]), f"{notebook.name}, cell {number}", names)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_it_shows_was_kept(notebook: Path) -> None:
    cells = _code(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kept = [output for cell in cells for output in cell["outputs"]]
    assert kept
    assert {output["output_type"] for output in kept} <= {"stream", "execute_result", "display_data"}
    assert not any(output.get("name") == "stderr" for output in kept)


def test_the_page_lists_every_notebook() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[([\w-]+\.ipynb)\]\(\1\)", page, re.MULTILINE) != []
    assert sorted(re.findall(r"\(([\w-]+\.ipynb)\)", page)) == [notebook.name for notebook in NOTEBOOKS]
