"""``TreeClassifier``: a trained classifier of the nodes of trees; load it, label trees with it, measure it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from nltk.tree import Tree

from seqtree.drawing.colours import class_colours
from seqtree.drawing.tree_svg import draw_svg
from seqtree.errors import InputError
from seqtree.model import Model, untrained
from seqtree.modelfile import texts
from seqtree.nn.parallel import in_batches
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.text.reading import several
from seqtree.treebank.binary import binarise
from seqtree.treebank.labelled import LabelledTree, unlabelled
from seqtree.trees.batches import TreeBatch, make_tree_batch
from seqtree.trees.config import TreeNetworkConfig
from seqtree.trees.network import TreeNetwork

GRADES = ("0", "1", "2", "3", "4")  # very negative, negative, neutral, positive, very positive
Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Labelling:
    """A tree over n words and the probabilities (2 n - 1, classes) of the ``classes`` at each of its nodes.

    Nodes are in the tree's own order: the words, then the phrases, the root last (see ``LabelledTree``).
    """

    tree: LabelledTree
    classes: tuple[str, ...]
    probabilities: Probabilities

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each node (2 n - 1)."""
        return tuple(self.classes[i] for i in self.probabilities.argmax(axis=1))

    @property
    def label(self) -> str:
        """The class of the whole tree, that of its root."""
        return self.labels[-1]

    @property
    def labelled(self) -> Tree:
        """The tree with these labels, as an ``nltk.Tree``."""
        return self.tree.tree(self.labels)

    def _repr_svg_(self) -> str:
        """The tree as a picture, its nodes in the colours of their classes, for notebooks."""
        return draw_svg(self.labelled, class_colours(self.classes).get)


class TreeClassifier(Model[TreeNetwork]):
    """Binary trees in, a class with its probability at every node out."""

    kind = "tree-classifier"

    def __init__(self, lexicon: Lexicon, classes: LabelSet[str], network: TreeNetwork) -> None:
        if len(classes) < 2:
            raise InputError("a tree classifier needs two classes or more")
        self.lexicon, self.classes, self.network = lexicon, classes, network

    @classmethod
    def over(cls, lexicon: Lexicon, classes: LabelSet[str], config: TreeNetworkConfig, seed: int = 0) -> TreeClassifier:
        """A tree classifier with random weights over these words and classes."""
        return cls(lexicon, classes, untrained(partial(TreeNetwork, lexicon, len(classes), config), seed))

    def contents(self) -> dict[str, Any]:
        return {
            "lexicon": self.lexicon.to_json(),
            "classes": list(self.classes.names),
            "network": self.network.config.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> TreeClassifier:
        lexicon, classes = Lexicon.from_json(contents["lexicon"]), LabelSet(texts(contents["classes"]))
        config = TreeNetworkConfig.from_json(contents["network"])
        return cls(lexicon, classes, TreeNetwork(lexicon, len(classes), config))

    @property
    def graded(self) -> bool:
        """Whether its classes are the five grades of sentiment, 0 to 4, which can be read as negative and positive."""
        return self.classes.names == GRADES

    def label(self, tree: Tree) -> Tree:
        """A new tree with the most probable class at every node; the labels of ``tree`` do not matter.

        A node with more than two children is made binary from the left first, and one with a single child is left out.
        Raises InputError for a node without words.
        """
        (found,) = self.labellings([tree])
        return found.labelled

    def batch(self, trees: Sequence[LabelledTree]) -> TreeBatch:
        """The batch of trees, longest first."""
        return make_tree_batch(trees, [self.lexicon.encode(tree.words) for tree in trees], self.lexicon)

    def labellings(self, trees: Iterable[LabelledTree | Tree]) -> Iterator[Labelling]:
        """The classes of the nodes of each tree, in the order of the trees, whatever labels they have.

        Trees of NLTK are made binary as by ``label``. Trees are taken some thousands at a time and labelled in batches
        of like length, on all of torch's threads. Raises InputError for what is no tree of words.
        """
        given = several(trees, "trees")
        binary = (tree if isinstance(tree, LabelledTree) else unlabelled(binarise(tree)) for tree in given)
        for found in in_batches(self._label, binary, self.device):
            assert found is not None  # a tree has words
            yield found

    @torch.inference_mode()
    def _label(self, trees: Sequence[LabelledTree]) -> list[Labelling]:
        self.network.eval()
        batch = self.batch(trees)
        logits = self.network(batch)[self.network.words.ids(batch.nodes)]
        chances = logits.float().softmax(dim=1).cpu().numpy()
        parts = np.split(chances, batch.ends[:-1])
        return [Labelling(tree, self.classes.names, part) for tree, part in zip(trees, parts, strict=True)]
