"""The standard streams of a command: UTF-8, no control characters on a terminal, and readers that leave early."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from seqtree.escapes import escaped, one_line


class PipeClosedError(Exception):
    """Whoever read our output has stopped (``seqtree ... | head``)."""


@contextmanager
def noticing_closed_pipe() -> Iterator[None]:
    """Inside, a broken pipe raises PipeClosedError."""
    try:
        yield
    except BrokenPipeError as error:  # click would make it exit code 1
        raise PipeClosedError from error


class _Messages(io.FileIO):
    """Standard error as bytes: what cannot be written, as its reader has gone or the disk is full, is left out.

    Messages are about the work; it goes on without them.
    """

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


class _Output(io.FileIO):
    """Standard output as bytes: an error has its name, as one of a file has."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = "standard output"
            raise


class _Terminal(io.TextIOWrapper):
    """Standard output on a terminal: it shows the control characters of texts, labels and names, and obeys none."""

    def write(self, text: str) -> int:
        super().write(escaped(text))
        return len(text)

    def write_painted(self, text: str) -> int:
        """Write a drawing with its own colours; its texts are visible characters only."""
        return super().write(text)


def write_painted(text: str) -> None:
    """Write a drawing, whose texts have no control characters (``drawing.characters.visible``), with its colours."""
    if isinstance(sys.stdout, _Terminal):
        sys.stdout.write_painted(text)
    else:
        sys.stdout.write(text)


def prepare_streams() -> None:
    """Results are UTF-8 whatever the locale; messages never fail, neither for a character nor for their reader.

    Python's warnings are messages as well: one line each, without the place in the program that they come from.
    A stream that was closed by whoever started us leads nowhere, so that no file of ours takes its place. Where Python
    buffers nothing (``-u``, PYTHONUNBUFFERED), each line is written as it ends.
    """
    warnings.formatwarning = _format_warning
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (it stays open)
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "replace")):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # not so for a stream that a test or a notebook put there
            reconfigure(encoding="utf-8", errors=errors)
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):  # not one that a test put there
        terminal, buffer = sys.stdout.isatty(), sys.stdout.detach()
        at_once = terminal or isinstance(buffer, io.RawIOBase)
        kind = _Terminal if terminal else io.TextIOWrapper
        sys.stdout = kind(_written_by(_Output, buffer), "utf-8", "surrogateescape", line_buffering=at_once)
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = io.TextIOWrapper(
            _written_by(_Messages, sys.stderr.buffer), "utf-8", "replace", line_buffering=True
        )


def _written_by(kind: type[io.FileIO], buffer: Any) -> Any:
    """A buffer for the file of this one that ``kind`` writes; the same one for the console of Windows."""
    raw = buffer if isinstance(buffer, io.RawIOBase) else getattr(buffer, "raw", None)
    return io.BufferedWriter(kind(raw.fileno(), "wb", closefd=False)) if type(raw) is io.FileIO else buffer


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    return f"warning: {one_line(str(message))}\n"


def flush_stdout() -> None:
    """Write what is still in the buffer now, while an error can be told."""
    with noticing_closed_pipe():
        sys.stdout.flush()


def abandon_stdout() -> None:
    """Let what cannot be written go nowhere, or the interpreter's last flush would complain of it once more."""
    with suppress(OSError, ValueError):  # a stream that a test put there has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
