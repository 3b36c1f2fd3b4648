"""A tree for papers: LaTeX's package forest draws it."""

from __future__ import annotations

from nltk.tree import Tree

from seqtree.drawing.trees import flatten

_NAMED = {
    "\\": "backslash",
    "^": "asciicircum",
    "~": "asciitilde",
    "<": "less",
    ">": "greater",
    "|": "bar",
}
_ESCAPED = str.maketrans(
    {**{mark: f"\\text{name}{{}}" for mark, name in _NAMED.items()}, **{mark: f"\\{mark}" for mark in "{}#$%&_"}}
)
_OF_FOREST = frozenset("[],=")  # what ends a node's text, or makes an option of it


def draw_latex(tree: Tree) -> str:
    r"""The tree as one line of LaTeX for the package forest (``\usepackage{forest}``); words are nodes, too.

    >>> print(draw_latex(Tree.fromstring("(S (NP (CD 5) (NN %)) (. .))")))
    \begin{forest} [S [NP [CD [5]] [NN [\%]]] [. [.]]] \end{forest}
    """
    nodes = flatten(tree)
    parts: list[str] = []
    waiting = [0]
    while waiting:
        place = waiting.pop()
        if place < 0:
            parts.append("]")
        else:
            parts.append(f" [{_text(nodes[place].text)}")
            waiting.append(-1)
            waiting += reversed(nodes[place].children)
    return f"\\begin{{forest}}{''.join(parts)} \\end{{forest}}"


def _text(text: str) -> str:
    """The text of a node, with what means something to LaTeX or forest written as itself, but for dashes and quotes."""
    escaped = text.translate(_ESCAPED)
    return f"{{{escaped}}}" if not text or _OF_FOREST & set(text) else escaped
