"""Parts of self-contained SVG pictures: no scripts, style sheets or fonts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from html import escape

from seqtree.drawing.characters import direction_of, widths

SIZE = 16  # pixels: one em
MARGIN = 16
INK, TAG_INK, LINE_INK = "#1b1b1b", "#0b6e99", "#8a8a8a"
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_OTHER_END = {"start": "end", "end": "start"}  # to SVG, a text begins where its reader begins
_EMS = (0.0, 0.6, 1.0)  # estimated width of a character that takes 0, 1 or 2 terminal columns


def picture(width: int, height: int, title: str, body: str) -> str:
    """An SVG element of the given size in pixels around ``body``; ``title`` is plain text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="sans-serif" font-size="{SIZE}" text-anchor="middle"><title>{escaped(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{body}</svg>'
    )


def group(name: str, elements: Iterable[str]) -> str:
    """A group of elements: "tags" in the second colour, any other in the first."""
    return f'<g class="{name}" fill="{TAG_INK if name == "tags" else INK}">{"".join(elements)}</g>'


def text(x: int, y: int, content: str, fill: str | None = None, anchor: str = "middle") -> str:
    """A text centred at ``x`` with its baseline at ``y``, right to left if its first letter is.

    ``fill``: its colour, by default that of its group. ``anchor``: what of it is at ``x``, its left end (start), its
    middle or its right end, whatever its direction.
    """
    direction = ""
    if direction_of(content) == "rtl":
        direction, anchor = ' direction="rtl"', _OTHER_END.get(anchor, anchor)
    colour = f' fill="{fill}"' if fill else ""
    place = "" if anchor == "middle" else f' text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}"{place}{direction}{colour}>{escaped(content)}</text>'


def pill(x: int, y: int, content: str, fill: str) -> str:
    """A pale ground in that colour for a text centred at ``x`` with its baseline at ``y``."""
    width = text_width(content) + SIZE // 2
    return (
        f'<rect x="{x - width // 2}" y="{y - SIZE}" width="{width}" height="{SIZE + 5}" rx="6" fill="{fill}" '
        'fill-opacity="0.18"/>'
    )


def text_width(content: str) -> int:
    """The estimated width in pixels."""
    return math.ceil(SIZE * sum(_EMS[width] for width in widths(content)))


def escaped(content: str) -> str:
    """Plain text for SVG, with U+FFFD for the characters that XML does not allow."""
    return escape(_NOT_IN_XML.sub("\ufffd", content))
