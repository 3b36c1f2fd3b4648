"""A tree as text for the terminal: upright with the words on one line, or indented with one node per line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nltk.tree import Tree

from seqtree.drawing.characters import columns, isolated, visible
from seqtree.drawing.colours import Colour, painted, unpainted

CELLS = 1 << 22  # lines times columns; a larger upright drawing is replaced by the indented one
LEVELS = 100  # of indentation to draw; in deeper trees the outermost levels are only counted
_STEPS = {4: ("├── ", "└── ", "│   "), 2: ("├╴", "└╴", "│ ")}
_Piece = tuple[int, str, str | None]  # of a line: its first column, text and colour
_COUNT = 8  # columns of "…123", the number of levels not drawn


@dataclass(frozen=True)
class Node:
    """A node or word of a tree; ``parent`` (-1 for the root) and ``children`` are indices into ``flatten``'s list.

    ``colour`` is that of its text, None for the usual one.
    """

    text: str
    is_word: bool
    depth: int
    parent: int
    children: list[int]
    colour: str | None = None

    @property
    def shown(self) -> str:
        """Its text for a terminal."""
        return painted(isolated(self.text), self.colour)


def draw(tree: Tree, width: int | None = None, colour: Colour | None = None) -> str:
    """A drawing of the tree in box-drawing characters, without a final newline.

    It is upright, with the words on the last line and their tags above them, if that fits into ``width`` columns (None:
    no limit), and otherwise indented, with one node per line and every tag beside its word. Indentation is narrower if
    lines are too long, and in very deep trees ``…123`` replaces the outermost 123 levels. Words keep their logical
    order from left to right in every script. ``colour`` gives the colour of a node by its label.

    >>> print(draw(Tree.fromstring("(S (NP (DT the) (NN cat)) (VP (VBD sat)))")))
           S
       ┌───┴───┐
       NP      VP
     ┌─┴──┐    │
     DT   NN  VBD
    the  cat  sat
    """
    nodes = flatten(tree, colour)
    for gap in (2,) if width is None else (2, 1):
        lines = _upright(nodes, gap, width)
        if lines:
            return "\n".join(lines).rstrip("\n")
    lines = _indented(nodes, 4, LEVELS)
    if width is not None and any(columns(unpainted(line)) > width for line in lines):
        lines = _indented(nodes, 2, max(_COUNT, (width - 30) // 2))
    return "\n".join(lines)


def flatten(tree: Tree, colour: Colour | None = None) -> list[Node]:
    """The nodes and words of a tree, parents before children and left before right, their texts made ``visible``.

    A node without children gets an empty word, so that every branch ends in a word.
    """
    nodes: list[Node] = []
    waiting: list[tuple[object, int, int]] = [(tree, -1, 0)]
    while waiting:
        item, parent, depth = waiting.pop()
        place = len(nodes)
        if parent >= 0:
            nodes[parent].children.append(place)
        if isinstance(item, Tree):
            label = str(item.label())
            nodes.append(Node(visible(label) or "·", False, depth, parent, [], colour(label) if colour else None))
            waiting.extend((child, place, depth + 1) for child in reversed(list(item) or [""]))
        else:
            nodes.append(Node(visible(item), True, depth, parent, []))
    return nodes


def is_tag(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a node is a part-of-speech tag (preterminal): its only child is a word."""
    return len(node.children) == 1 and nodes[node.children[0]].is_word


def heights(nodes: Sequence[Node]) -> list[int]:
    """The level of each node of ``flatten``: words 0, tags 1, any other node one above its highest child.

    Phrases are at level 2 or higher, even above words without a tag; at 1 or higher in a tree without tags.
    """
    lowest = 2 if any(is_tag(nodes, node) for node in nodes) else 1
    levels = [0] * len(nodes)
    for place in reversed(range(len(nodes))):
        node = nodes[place]
        if is_tag(nodes, node):
            levels[place] = 1
        elif not node.is_word:
            levels[place] = max(lowest, 1 + max(levels[child] for child in node.children))
    return levels


def spread(children: Sequence[Sequence[int]], widths: Sequence[int], gap: int) -> tuple[list[int], int]:
    """A layout without overlaps: the centre of each node in whole columns (or pixels), and the total width.

    children: of each node, with larger indices than the node; node 0 is the root. A parent is midway between its first
    and last child, and the subtrees of neighbours are at least ``gap`` apart, node widths included. Linear in the
    number of nodes.
    """
    left = [(max(width, 1) - 1) // 2 for width in widths]
    right = [max(width, 1) // 2 for width in widths]
    shifts = [0] * len(children)  # of a node's centre relative to its parent's
    for node in reversed(range(len(children))):
        below = children[node]
        if not below:
            continue
        spots = [0]
        for one, other in pairwise(below):
            spots.append(spots[-1] + right[one] + 1 + gap + left[other])
        middle = spots[-1] // 2
        for child, spot in zip(below, spots, strict=True):
            shifts[child] = spot - middle
        left[node] = max(left[node], middle + left[below[0]])
        right[node] = max(right[node], spots[-1] - middle + right[below[-1]])
    centres = [left[0]] * len(children)
    for node, below in enumerate(children):
        for child in below:
            centres[child] = centres[node] + shifts[child]
    return centres, left[0] + 1 + right[0]


def _upright(nodes: Sequence[Node], gap: int, width: int | None) -> list[str] | None:
    """The lines of the upright drawing; None if it is wider than ``width`` or has more than CELLS cells."""
    levels = heights(nodes)
    centres, whole = spread([node.children for node in nodes], [columns(node.text) for node in nodes], gap)
    if (width is not None and whole > width) or 2 * (levels[0] + 1) * whole > CELLS:
        return None
    tagged = any(is_tag(nodes, node) for node in nodes)
    rows: dict[tuple[int, int], list[_Piece]] = defaultdict(list)  # (level, 1 for labels, 0 for lines below)
    for node, level, centre in zip(nodes, levels, centres, strict=True):
        rows[level, 1].append((centre - (columns(node.text) - 1) // 2, node.text, node.colour))
        if node.is_word or is_tag(nodes, node):
            continue
        spots = [centres[child] for child in node.children]
        rows[level, 0].append((spots[0], _branches(spots, centre), None))
        for child, spot in zip(node.children, spots, strict=True):
            for between in range(levels[child] + 1, level):
                rows[between, 1].append((spot, "│", None))
                if between > 1 or not tagged:
                    rows[between, 0].append((spot, "│", None))
    return [_line(rows[row]) for row in sorted(rows, reverse=True)]


def _branches(spots: Sequence[int], middle: int) -> str:
    """The line between a node in column ``middle`` and its children in columns ``spots``."""
    if len(spots) == 1:
        return "│"
    line = ["─"] * (spots[-1] - spots[0] + 1)
    for spot in spots:
        line[spot - spots[0]] = "┬"
    line[0], line[-1] = "┌┐"
    line[middle - spots[0]] = "┼" if middle in spots else "┴"
    return "".join(line)


def _line(pieces: list[_Piece]) -> str:
    line, end = [], 0
    for column, text, colour in sorted(pieces, key=lambda piece: piece[:2]):
        line.append(" " * (column - end) + painted(isolated(text), colour))
        end = column + columns(text)
    return "".join(line).rstrip()


def _indented(nodes: Sequence[Node], step: int, levels: int) -> list[str]:
    """One line per node, tags with their words; ``step`` columns per level, at most ``levels`` levels drawn."""
    inner, last, guide = _STEPS[step]
    tags = [0] * len(nodes)  # the width of the widest tag among each node's children
    for node in nodes[1:]:
        if is_tag(nodes, node):
            tags[node.parent] = max(tags[node.parent], columns(node.text))
    lines = [_entry(nodes, nodes[0], columns(nodes[0].text))]
    guides: list[str] = []  # one for each node between the root and the current one
    for place, node in enumerate(nodes[1:], 1):
        parent = nodes[node.parent]
        if node.is_word and is_tag(nodes, parent):
            continue
        is_last = parent.children[-1] == place
        del guides[node.depth - 1 :]
        margin = _margin(guides, step, levels) + (last if is_last else inner)
        lines.append((margin + _entry(nodes, node, tags[node.parent])).rstrip())
        guides.append(" " * step if is_last else guide)
    return lines


def _margin(guides: list[str], step: int, levels: int) -> str:
    if len(guides) < levels:
        return "".join(guides)
    hidden = len(guides) + 1 - levels + _COUNT // step
    return f"…{hidden}".ljust(_COUNT) + "".join(guides[hidden:])


def _entry(nodes: Sequence[Node], node: Node, tags: int) -> str:
    """A node without its margin; ``tags`` is the width of the widest tag among its siblings, 0 if there is none."""
    if is_tag(nodes, node):
        return node.shown + " " * (tags - columns(node.text) + 2) + nodes[node.children[0]].shown
    return " " * (tags + 2 if tags and node.is_word else 0) + node.shown
