"""NLTK's trees in notebooks, where NLTK draws them by a package of its own choice, and fails without it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any


def draw_trees() -> None:
    """Have the notebook that this process belongs to, if any, draw NLTK's trees as ours, unless NLTK can."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and find_spec("svgling") is None:
        shell.display_formatter.formatters["image/svg+xml"].for_type_by_name("nltk.tree.tree", "Tree", _svg)


def _svg(tree: Any) -> str:
    from seqtree.drawing.tree_svg import draw_svg

    return draw_svg(tree)
