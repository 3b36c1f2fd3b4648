"""Colours for classes, in pictures and on terminals of 256 colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

Colour = Callable[[str], str | None]  # of a node, by its label: #rrggbb

_LOW, _MIDDLE, _HIGH = (192, 57, 43), (120, 120, 120), (11, 110, 153)  # red, grey, blue
_KINDS = ("#0b6e99", "#b35c00", "#007a5e", "#a8326e", "#6a51a3", "#8a6d00", "#c0392b", "#5f5f5f")
_STEPS = (0, 95, 135, 175, 215, 255)  # of a colour's parts on a terminal
_PAINT = re.compile("\x1b\\[[0-9;]*m")


def class_colours(classes: Sequence[str]) -> dict[str, str]:
    """A colour ``#rrggbb`` for each class: from red through grey to blue for numbers, else one of eight in turn.

    >>> class_colours(["0", "1", "2"])
    {'0': '#c0392b', '1': '#787878', '2': '#0b6e99'}
    """
    if not all(name.lstrip("-").isdecimal() for name in classes):
        return {name: _KINDS[i % len(_KINDS)] for i, name in enumerate(classes)}
    return {name: _between(2 * i / max(1, len(classes) - 1)) for i, name in enumerate(classes)}


def painted(text: str, colour: str | None) -> str:
    """The text in that colour on a terminal of 256 colours; as it is for None."""
    if colour is None or not text:
        return text
    red, green, blue = (_nearest(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return f"\x1b[38;5;{16 + 36 * red + 6 * green + blue}m{text}\x1b[0m"


def unpainted(text: str) -> str:
    """The text without the colours of ``painted``."""
    return _PAINT.sub("", text)


def _between(place: float) -> str:
    """The colour at a place from 0 (low) through 1 to 2 (high)."""
    low, high = list(pairwise((_LOW, _MIDDLE, _HIGH)))[place > 1]
    share = place - (place > 1)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(low, high, strict=True))


def _nearest(value: int) -> int:
    return min(range(len(_STEPS)), key=lambda i: abs(_STEPS[i] - value))
