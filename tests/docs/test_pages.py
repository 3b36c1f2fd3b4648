"""The documentation works: the Python and console blocks of every page run, in order, in one empty folder a page.

A ``python`` block runs in this process, and the blocks of a page share their names. Of a ``console`` block each line
that begins with ``$ seqtree`` runs and must succeed; what it prints is compared where the parsers that come along say
it. A line may be continued with a backslash, and piped or redirected: then it runs in a shell, else in this process,
which takes less time.
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


def printed(console: str, beginnings: tuple[str, ...]) -> list[tuple[str, str]]:
    """The commands of a console block that begin so and are followed by what they print, and that."""
    parts = re.split(r"^\$ (.*)\n", console, flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [(command, said) for command, said in pairs if said and command.startswith(beginnings)]


SHIPPED = ("seqtree parse ", "seqtree phrases trees default ")
SAID = [
    (f"{page.name}: {command}", command, said)
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"))
    for command, said in printed(block.text, SHIPPED)
]


@pytest.mark.parametrize(("command", "said"), [one[1:] for one in SAID], ids=[one[0] for one in SAID])
def test_what_the_parsers_that_come_along_say(command: str, said: str) -> None:
    code, found, told = run_apart(shlex.split(command)[1:])
    assert code == 0, told
    (text, figures), (expected, others) = _figures_apart(found), _figures_apart(said)
    assert text == expected
    assert figures == pytest.approx(others, abs=5e-4)  # processors with bfloat16 find slightly different ones


def _figures_apart(text: str) -> tuple[list[str], list[float]]:
    """A text without its decimal fractions, and these."""
    parts = re.split(r"(\d+\.\d+)", text.rstrip())
    return parts[::2], [float(figure) for figure in parts[1::2]]


def test_what_they_say_is_on_some_pages() -> None:
    assert len(SAID) > 2


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
    assert printed("$ seqtree a\nx\n\ny\n$ seqtree b\n$ ls\nz\n", ("seqtree a", "seqtree b")) == [
        ("seqtree a", "x\n\ny\n")
    ]
