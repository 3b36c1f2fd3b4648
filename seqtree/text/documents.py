"""How a text is read: as one document, or with each of its lines as an item of its own."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqtree.text.config import NEWLINE, TextSettings

if TYPE_CHECKING:
    from seqtree.text.tokenizers import LineTokens

CHUNK = 1 << 22  # tokens that are looked through at a time
_LINE_ENDS = re.compile(f"{NEWLINE}{{2,}}")


class Characters:
    """Converts a text, block by block, to characters.

    With ``lines``, blank lines are left out, and the last line gets the line end that it lacks: as words have it.
    opened: whether the current line already has characters.
    """

    def __init__(self, lines: bool, opened: bool = False) -> None:
        self._lines = lines
        self._open = opened

    def feed(self, block: str) -> str:
        """The characters of the next block."""
        if not self._lines:
            return block
        text = _LINE_ENDS.sub(NEWLINE, block)
        if not self._open:
            text = text.removeprefix(NEWLINE)
        self._open = not text.endswith(NEWLINE) if text else self._open
        return text

    def finish(self) -> str:
        """The last line's end if it lacks one; the next block begins a new text."""
        text = NEWLINE if self._open else ""
        self._open = False
        return text


def token_reader(settings: TextSettings, opened: bool = False) -> Characters | LineTokens:
    """What converts a text to tokens, block by block; the blocks of words must end as those of ``line_blocks`` do.

    opened: whether the line that the first block begins in already has tokens.
    """
    if settings.unit == "char":
        return Characters(settings.lines, opened)
    from seqtree.text.tokenizers import LineTokens  # here, so that character models do without NLTK

    return LineTokens(settings.tokenizer, opened)


def leaves_open(block: str, opened: bool, settings: TextSettings) -> bool:
    """Whether the last line of a block lacks its end, so that the next one is ``opened``; known without its tokens."""
    if settings.unit == "char":
        return settings.lines and (not block.endswith(NEWLINE) if block else opened)
    _, ends, rest = block.rpartition(NEWLINE)
    return bool(rest.strip()) or (opened and not ends)


def line_bounds(ids: npt.NDArray[Any], end: int) -> npt.NDArray[np.int64]:
    """Where each line of a stream (N,) begins, and N: (lines + 1,). A line ends after ``end``, the last one at N."""
    ends = [np.flatnonzero(some == end) + i * CHUNK + 1 for i, some in enumerate(chunks(ids))]
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), *ends])
    return bounds if bounds[-1] == len(ids) else np.append(bounds, len(ids))


def long_lines(ids: npt.NDArray[Any], end: int, least: int) -> Iterator[bytes]:
    """The lines of a stream (N,) that have so many tokens, each as the bytes of its ids."""
    for start, stop in pairwise(line_bounds(ids, end).tolist()):
        if stop - start >= least:
            yield ids[start:stop].astype(np.int64).tobytes()


def chunks(ids: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """A stream (N,), ``CHUNK`` ids at a time; of what is mapped from a file, no more than these stay in memory."""
    mapped = getattr(ids, "_mmap", None) if hasattr(mmap, "MADV_DONTNEED") else None
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)
