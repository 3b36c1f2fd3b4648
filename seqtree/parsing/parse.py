"""What the parser says of one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from nltk.tree import Tree

from seqtree.treebank.binary import BinaryTree, restore


@dataclass(frozen=True)
class Parse:
    """One tree for a sentence, with the merges in the order in which they were made.

    ``scores`` and ``margins`` have one number for each of ``binary.merges``: the merge's score, and by how much it beat
    the best other merge at that moment (infinite where there was no other). ``score`` is the tree's: the scores' sum.
    """

    binary: BinaryTree
    scores: tuple[float, ...]
    margins: tuple[float, ...]
    score: float

    @property
    def tree(self) -> Tree:
        """The tree without empty labels; its leaves are the words as they were given."""
        return restore(self.binary)
