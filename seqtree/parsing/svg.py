"""A tree as an SVG picture that needs nothing else: no script, no style sheet, no font of its own."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from html import escape

from nltk.tree import Tree

from seqtree.parsing.drawing import character_columns, flatten, heights, is_tag, spread

EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"></svg>'
SIZE = 16  # pixels: one em
LEVEL = 46  # pixels from one row of nodes to the next
GAP = 14  # pixels between neighbours
MARGIN = 16
INK, TAG_INK, LINE_INK = "#1b1b1b", "#0b6e99", "#8a8a8a"
_EMS = (0.0, 0.6, 1.0)  # the estimated width of a character that takes 0, 1 or 2 columns of a terminal


def svg(tree: Tree) -> str:
    """The tree as one SVG element without line breaks, on white.

    Each node stands above the middle between its first and last child, tags in a second colour above their words, all
    words in a row at the bottom. An edge is straight down to the next row, and goes on vertically where a child is
    further down. Text widths are estimates: 1 em a wide East Asian character, 0.6 em any other.
    """
    nodes = flatten(tree)
    levels = heights(nodes)
    centres, width = spread([node.children for node in nodes], [text_width(node.text) for node in nodes], GAP)
    across = [MARGIN + centre for centre in centres]
    down = [MARGIN + SIZE + LEVEL * (levels[0] - level) for level in levels]
    kinds: dict[str, list[str]] = {"edges": [], "labels": [], "tags": [], "words": []}
    for place, node in enumerate(nodes):
        kind = "words" if node.is_word else "tags" if is_tag(nodes, node) else "labels"
        kinds[kind].append(text(across[place], down[place], node.text))
        for child in node.children:
            kinds["edges"].append(_edge(across[place], down[place], across[child], down[child]))
    edges = f'<g class="edges" fill="none" stroke="{LINE_INK}">{"".join(kinds["edges"])}</g>'
    parts = [edges, *(group(name, kinds[name]) for name in ("labels", "tags", "words"))]
    sentence = " ".join(node.text for node in nodes if node.is_word)
    return picture(width + 2 * MARGIN, LEVEL * levels[0] + SIZE + 2 * MARGIN, sentence, "".join(parts))


def picture(width: int, height: int, title: str, body: str) -> str:
    """An SVG element of that size in pixels around ``body``; ``title`` is plain text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="sans-serif" font-size="{SIZE}" text-anchor="middle"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{body}</svg>'
    )


def group(name: str, elements: Iterable[str]) -> str:
    """Elements of one kind: "tags" in the second colour, the others in the first."""
    return f'<g class="{name}" fill="{TAG_INK if name == "tags" else INK}">{"".join(elements)}</g>'


def text(x: int, y: int, content: str) -> str:
    """One text with its middle at ``x`` and its base line at ``y``, right to left if its first letter is so."""
    directions = (unicodedata.bidirectional(character) for character in content)
    first = next((direction for direction in directions if direction in ("L", "R", "AL")), "L")
    direction = "" if first == "L" else ' direction="rtl"'
    return f'<text x="{x}" y="{y}"{direction}>{escape(content)}</text>'


def text_width(content: str) -> int:
    """The estimated width in pixels."""
    return math.ceil(SIZE * sum(_EMS[character_columns(character)] for character in content))


def _edge(x: int, y: int, child_x: int, child_y: int) -> str:
    """From below the base line at ``y`` to above the text at ``child_y``."""
    top, bend, end = y + SIZE // 3, y + LEVEL - SIZE, child_y - SIZE
    return f'<path d="M{x} {top}L{child_x} {bend}{f"V{end}" if end > bend else ""}"/>'
