"""Colours for classes, in pictures and on terminals of 256 colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Colour = Callable[[str], str | None]  # of a node, by its label: #rrggbb

_GRADES = ("#c0392b", "#787878", "#0b6e99")  # red, grey, blue
_KINDS = ("#0b6e99", "#b35c00", "#007a5e", "#a8326e", "#6a51a3", "#8a6d00", "#c0392b", "#5f5f5f")
_STEPS = (0, 95, 135, 175, 215, 255)  # of a colour's parts on a terminal
_HALFWAY = 0.179  # the luminance on which black and white have the same contrast
_PAINT = re.compile("\x1b\\[[0-9;]*m")


def class_colours(classes: Sequence[str]) -> dict[str, str]:
    """A colour ``#rrggbb`` for each class: from red through grey to blue for numbers, else one of eight in turn.

    >>> class_colours(["0", "1", "2"])
    {'0': '#c0392b', '1': '#787878', '2': '#0b6e99'}
    """
    if not all(name.lstrip("-").isdecimal() for name in classes):
        return {name: _KINDS[i % len(_KINDS)] for i, name in enumerate(classes)}
    return {name: ramp(_GRADES, i / max(1, len(classes) - 1)) for i, name in enumerate(classes)}


def ramp(colours: Sequence[str], share: float) -> str:
    """The colour at a share, 0 to 1, of the way from the first of these colours (``#rrggbb``) to the last.

    >>> ramp(["#ffffff", "#000000"], 0.2)
    '#cccccc'
    """
    place = min(max(share, 0.0), 1.0) * (len(colours) - 1)
    number = min(int(place), len(colours) - 2)
    low, high = (_parts(colour) for colour in colours[number : number + 2])
    return "#" + "".join(f"{round(a + (place - number) * (b - a)):02x}" for a, b in zip(low, high, strict=True))


def ink_on(ground: str) -> str:
    """Black or white, whichever is the easier to read on that ground: a contrast of 4.5 at least (WCAG 2.1)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _parts(ground))
    )
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _HALFWAY else "#ffffff"


def painted(text: str, colour: str | None) -> str:
    """The text in that colour on a terminal of 256 colours; as it is for None."""
    if colour is None or not text:
        return text
    red, green, blue = map(_nearest, _parts(colour))
    return f"\x1b[38;5;{16 + 36 * red + 6 * green + blue}m{text}\x1b[0m"


def unpainted(text: str) -> str:
    """The text without the colours of ``painted``."""
    return _PAINT.sub("", text)


def _parts(colour: str) -> list[int]:
    """Red, green and blue of ``#rrggbb``, from 0 to 255."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _nearest(value: int) -> int:
    return min(range(len(_STEPS)), key=lambda i: abs(_STEPS[i] - value))
