"""Calling ``seqtree`` in this process, and what a refusal looks like."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqtree.cli import run

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


def refused(result: tuple[int, str, str], *said: str) -> None:
    """Exit code 2, nothing on stdout, and one line at the end that says all this."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith(("seqtree: error: ", "Error: "))
    for part in said:
        assert part in last
