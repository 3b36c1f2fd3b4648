"""The documentation works: the Python and console blocks of every page run, in order, in one empty folder a page.

A ``python`` block runs in this process, and the blocks of a page share their names. Of a ``console`` block each line
that begins with ``$ seqtree`` runs and must succeed; what it prints is not compared. A line may be continued with a
backslash, and piped or redirected: then it runs in a shell, else in this process, which takes less time.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from command_helpers import run_apart

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if page.exists()]
FENCE = re.compile(r"^```(python|console)[^\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    line: int  # of the page, counted from 1, where the block's first line stands
    text: str


def blocks(page: str) -> list[Block]:
    """The fenced ``python`` and ``console`` blocks of a page, in order."""
    return [Block(m[1], page.count("\n", 0, m.start(2)) + 1, m[2]) for m in FENCE.finditer(page)]


def commands(console: str) -> list[str]:
    """The lines of a console block that call seqtree, without their prompt, continued lines joined."""
    lines = console.replace("\\\n", " ").splitlines()
    return [line[2:] for line in lines if re.match(r"\$ seqtree\b", line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, programs = tmp_path / "work", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "seqtree").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m seqtree "$@"\n')
    (programs / "seqtree").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        if block.language == "python":
            code = "\n" * (block.line - 1) + block.text  # so that a traceback names the page's own line
            exec(compile(code, str(page), "exec", dont_inherit=True), names)
            continue
        for command in commands(block.text):
            code, said = (_in_shell if re.search(r"[|<>&;$`*]", command) else _here)(command)
            assert code == 0, f"{where}: $ {command}\n{said}"


def _in_shell(command: str) -> tuple[int, str]:
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(shell, capture_output=True, text=True, encoding="utf-8", timeout=600, check=False)
    return done.returncode, done.stderr


def _here(command: str) -> tuple[int, str]:
    threads = torch.get_num_threads()
    try:
        code, _, said = run_apart(shlex.split(command)[1:])
    finally:
        torch.set_num_threads(threads)
    return code, said


def test_blocks_are_found() -> None:
    page = "```sh\nno\n```\n\n```python\nx = 1\n```\ntext\n"
    page += "```console\n$ seqtree a \\\n    b\nout\n$ ls\n$ seqtree c\n```\n"
    python, console = blocks(page)
    assert python == Block("python", 6, "x = 1\n")
    assert console.line == 10
    assert commands(console.text) == ["seqtree a      b", "seqtree c"]
