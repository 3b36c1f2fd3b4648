"""A tree as a self-contained SVG picture: no scripts, style sheets or fonts."""

from __future__ import annotations

from nltk.tree import Tree

from seqtree.drawing.colours import Colour
from seqtree.drawing.svg import LINE_INK, MARGIN, SIZE, group, picture, pill, text, text_width
from seqtree.drawing.trees import flatten, heights, is_tag, spread

EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"></svg>'
LEVEL = 46  # pixels from one row of nodes to the next
GAP = 14  # pixels between neighbours


def draw_svg(tree: Tree, colour: Colour | None = None) -> str:
    """The tree as one SVG element without line breaks, on white.

    Each node is centred above its first and last child, tags in a second colour above their words, all words in a row
    at the bottom. An edge is a straight line to the next row, then vertical if the child is further down. Text widths
    are estimates: 1 em for a wide East Asian character, 0.6 em for any other. ``colour`` gives the colour of a node by
    its label.
    """
    nodes = flatten(tree, colour)
    levels = heights(nodes)
    centres, width = spread([node.children for node in nodes], [text_width(node.text) for node in nodes], GAP)
    across = [MARGIN + centre for centre in centres]
    down = [MARGIN + SIZE + LEVEL * (levels[0] - level) for level in levels]
    kinds: dict[str, list[str]] = {"edges": [], "labels": [], "tags": [], "words": []}
    for place, node in enumerate(nodes):
        kind = "words" if node.is_word else "tags" if is_tag(nodes, node) else "labels"
        if node.colour:
            kinds[kind].append(pill(across[place], down[place], node.text, node.colour))
        kinds[kind].append(text(across[place], down[place], node.text, node.colour))
        for child in node.children:
            kinds["edges"].append(_edge(across[place], down[place], across[child], down[child]))
    edges = f'<g class="edges" fill="none" stroke="{LINE_INK}">{"".join(kinds["edges"])}</g>'
    parts = [edges, *(group(name, kinds[name]) for name in ("labels", "tags", "words"))]
    sentence = " ".join(node.text for node in nodes if node.is_word)
    return picture(width + 2 * MARGIN, LEVEL * levels[0] + SIZE + 2 * MARGIN, sentence, "".join(parts))


def _edge(x: int, y: int, child_x: int, child_y: int) -> str:
    """An edge from below the baseline at ``y`` to above the text at ``child_y``."""
    top, bend, end = y + SIZE // 3, y + LEVEL - SIZE, child_y - SIZE
    return f'<path d="M{x} {top}L{child_x} {bend}{f"V{end}" if end > bend else ""}"/>'
