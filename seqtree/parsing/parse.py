"""The parser's result for one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nltk.tree import Tree

from seqtree.drawing.tree_svg import draw_svg
from seqtree.treebank.binary import BinaryTree, restore


@dataclass(frozen=True)
class Parse:
    """One tree for a sentence, with the merges in the order in which they were made.

    ``scores`` and ``margins`` have one number for each of ``binary.merges``: its score, and the difference to the best
    other merge at that step (infinite if there was no other; negative if a beam did not take the best).
    ``log_probability`` (natural logarithm) is that of the labelled tree, over all orders of merges kept in the beam;
    None without a beam, and for parsers trained to compare whole trees.
    """

    binary: BinaryTree
    scores: tuple[float, ...]
    margins: tuple[float, ...]
    log_probability: float | None = None

    @property
    def score(self) -> float:
        """The sum of the merge scores."""
        return sum(self.scores)

    @property
    def tree(self) -> Tree:
        """The tree without empty labels; its leaves are the words as given."""
        return restore(self.binary)

    def _repr_svg_(self) -> str:
        """The tree as a picture, for notebooks."""
        return draw_svg(self.tree)

    def with_words(self, change: Callable[[str], str]) -> Parse:
        """The parse with each word replaced by ``change(word)``."""
        return replace(self, binary=replace(self.binary, words=tuple(map(change, self.binary.words))))
