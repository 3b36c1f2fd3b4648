"""Treebanks: reading and normalising trees, lossless binarisation, spans and PARSEVAL."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.treebank.binary import BinaryTree as BinaryTree, binarise as binarise, restore as restore
    from seqtree.treebank.bracketed import parse_trees as parse_trees, write_tree as write_tree
    from seqtree.treebank.normalisation import normalise as normalise
    from seqtree.treebank.parseval import Parseval as Parseval, ParsevalFigures as ParsevalFigures
    from seqtree.treebank.sources import normalised_trees as normalised_trees, trees as trees
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "binary": "BinaryTree binarise restore",
            "bracketed": "parse_trees write_tree",
            "normalisation": "normalise",
            "parseval": "Parseval ParsevalFigures",
            "sources": "normalised_trees trees",
        },
    )
