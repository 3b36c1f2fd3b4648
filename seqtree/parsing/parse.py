"""What the parser says of one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from nltk.tree import Tree

from seqtree.treebank.binary import BinaryTree, restore


@dataclass(frozen=True)
class Parse:
    """One tree for a sentence, with the merges in the order in which they were made.

    ``scores`` and ``margins`` have one number for each of ``binary.merges``: the merge's score, and by how much it beat
    the best other merge at that moment (infinite where there was no other; negative where a beam took another than the
    best). ``log_probability`` (natural) is a beam's: of the tree with its labels, over all orders of merges that the
    beam kept; None from the greedy decoder, and from parsers whose scores are of whole trees.
    """

    binary: BinaryTree
    scores: tuple[float, ...]
    margins: tuple[float, ...]
    log_probability: float | None = None

    @property
    def score(self) -> float:
        """The sum of the merges' scores."""
        return sum(self.scores)

    @property
    def tree(self) -> Tree:
        """The tree without empty labels; its leaves are the words as they were given."""
        return restore(self.binary)
