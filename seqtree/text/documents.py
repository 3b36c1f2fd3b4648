"""How a text is read: as one document, or with each of its lines as an item of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqtree.text.config import NEWLINE, TextSettings

if TYPE_CHECKING:
    from seqtree.text.tokenizers import LineTokens

CHUNK = 1 << 22  # tokens that are searched for line ends at a time
_LINE_ENDS = re.compile(f"{NEWLINE}{{2,}}")


class Characters:
    """Converts a text, block by block, to characters.

    With ``lines``, blank lines are left out, and the last line gets the line end that it lacks: as words have it.
    """

    def __init__(self, lines: bool) -> None:
        self._lines = lines
        self._open = False  # whether the current line already has characters

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


def token_reader(settings: TextSettings) -> Characters | LineTokens:
    """What converts a text to tokens, block by block; the blocks of words must end as those of ``line_blocks`` do."""
    if settings.unit == "char":
        return Characters(settings.lines)
    from seqtree.text.tokenizers import LineTokens  # here, so that character models do without NLTK

    return LineTokens(settings.tokenizer)


def line_bounds(ids: npt.NDArray[Any], end: int) -> npt.NDArray[np.int64]:
    """Where each line of a stream (N,) begins, and N: (lines + 1,). A line ends after ``end``, the last one at N."""
    ends = [np.flatnonzero(ids[i : i + CHUNK] == end) + i + 1 for i in range(0, len(ids), CHUNK)]
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), *ends])
    return bounds if bounds[-1] == len(ids) else np.append(bounds, len(ids))
