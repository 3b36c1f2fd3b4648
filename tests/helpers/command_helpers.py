"""Calling ``seqtree`` in this process, what a refusal looks like, and how a process of its own ends."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import click
import pytest
from forked import Forked

from seqtree.cli import cli, run

Run = Callable[..., tuple[int, str, str]]


def caller(capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch, *first: str) -> Run:
    """Runs ``seqtree FIRST... ARGS...`` in ``folder``: exit code, stdout, stderr. ``stdin`` is what it may read."""
    monkeypatch.chdir(folder)

    def call(*args: object, stdin: bytes | None = None) -> tuple[int, str, str]:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = run([*first, *map(str, args)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


def run_apart(words: Sequence[str], command: click.Command = cli) -> tuple[int, str, str]:
    """Runs a command in this process where pytest does not catch what is printed: exit code, stdout, stderr."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run(list(words), command)
    written: list[str] = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return code, written[0], written[1]


def refused(result: tuple[int, str, str], *said: str) -> None:
    """Exit code 2, nothing on stdout, and one line at the end that says all this."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith(("seqtree: error: ", "Error: "))
    for part in said:
        assert part in last


def ended(process: subprocess.Popen[str] | Forked) -> tuple[int, str]:
    """The exit code of a process that ends, and what it wrote."""
    try:
        out, err = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, out + err


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The numbers of the processes that a command has started to share its work, the first one first."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process.pid and b"spawn_main" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except (OSError, ValueError):  # it has ended meanwhile
            continue
    return sorted(found)
