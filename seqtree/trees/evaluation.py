"""Measuring a tree classifier: fine and binary accuracy, at the root and over all nodes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.text.lexicon import Ids
from seqtree.training.sharing import Share, alone
from seqtree.treebank.labelled import LabelledTree
from seqtree.trees.model import Probabilities, TreeClassifier
from seqtree.wording import some

NEUTRAL = 2  # among the five grades


class Accuracy(NamedTuple):
    """Shares of 1: of nodes whose class is right (``fine``), and of those that are rightly positive or negative.

    ``binary`` leaves out nodes that are neutral by their label; a node is taken for positive where classes 3 and 4
    together are more probable than 0 and 1 together. It is None for other classes than 0 to 4, and where there is
    no such node.
    """

    fine: float
    binary: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"fine": round(self.fine, 6), "binary": None if self.binary is None else round(self.binary, 6)}


@dataclass(frozen=True)
class TreeEvaluation:
    """Accuracy at the roots and over all labelled nodes; ``loss`` is the mean of -log p over these, in nats."""

    root: Accuracy
    all: Accuracy
    loss: float
    trees: int
    nodes: int
    trees_per_second: float

    def to_json(self) -> dict[str, Any]:
        return {
            "root": self.root.to_json(),
            "all": self.all.to_json(),
            "loss": self.loss,
            "trees": self.trees,
            "nodes": self.nodes,
            "trees_per_second": round(self.trees_per_second, 1),
        }


def evaluate(classifier: TreeClassifier, trees: Sequence[LabelledTree], share: Share = alone) -> TreeEvaluation:
    """Label trees and compare with their own labels; several processes may ``share`` the labelling.

    Raises InputError for a label that the classifier does not know, and if there is no tree.
    """
    if not trees:
        raise InputError("there is no tree to measure on")
    gold = [labels_of(classifier, tree) for tree in trees]
    began = time.perf_counter()
    chances = share(lambda some: [found.probabilities for found in classifier.labellings(some)], trees)
    seconds = time.perf_counter() - began
    roots = np.array([labels[-1] for labels in gold]), np.stack([part[-1] for part in chances])
    labels, every = np.concatenate(gold), np.concatenate(chances)
    labels, every = labels[labels >= 0], every[labels >= 0]
    loss = -np.log(every[np.arange(len(labels)), labels].clip(1e-38)).mean()
    return TreeEvaluation(
        accuracy(*roots, classifier.graded),
        accuracy(labels, every, classifier.graded),
        float(loss),
        len(trees),
        len(labels),
        len(trees) / seconds,
    )


def accuracy(labels: Ids, chances: Probabilities, graded: bool) -> Accuracy:
    """Accuracy for labels (N,) and probabilities (N, classes); ``graded``: the classes are the grades 0 to 4.

    >>> chances = np.array([[0.0, 0.3, 0.4, 0.2, 0.1], [0.1, 0.1, 0.2, 0.3, 0.3], [0.0, 0.0, 1.0, 0.0, 0.0]])
    >>> accuracy(np.array([2, 4, 1]), chances.astype(np.float32), graded=True)
    Accuracy(fine=0.3333333333333333, binary=1.0)
    """
    fine = float(np.mean(chances.argmax(axis=1) == labels))
    decided: npt.NDArray[np.bool_] = labels != NEUTRAL
    if not graded or not decided.any():
        return Accuracy(fine, None)
    positive = chances[:, NEUTRAL + 1 :].sum(axis=1) > chances[:, :NEUTRAL].sum(axis=1)
    return Accuracy(fine, float(np.mean((positive == (labels > NEUTRAL))[decided])))


def labels_of(classifier: TreeClassifier, tree: LabelledTree) -> Ids:
    """The numbers of a tree's labels (2 n - 1), -1 for None. Raises InputError for one that is not known."""
    labels = classifier.classes.encode(tree.labels)
    for number, name in zip(labels.tolist(), tree.labels, strict=True):
        if number < 0 and name is not None:
            names = classifier.classes.names
            raise InputError(f"{tree.place}: the label {name!r} is not one of the model's classes: {some(names)}")
    return labels
