"""Labelling the nodes of trees as a task: learning from labelled trees."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from seqtree.errors import InputError
from seqtree.text.lexicon import LabelSet, Lexicon, in_order
from seqtree.text.reading import check_standard_input
from seqtree.training.batches import SentenceTask, at_most, spread_out
from seqtree.training.copying import start_encoder, start_rest
from seqtree.training.counts import counted_words
from seqtree.training.progress import Display
from seqtree.training.start import known_before, with_start
from seqtree.training.task import Batch, Counted, Inputs
from seqtree.treebank.labelled import LabelledTree, labelled_trees
from seqtree.trees.batches import make_tree_batch
from seqtree.trees.config import OPTIONS, TreeRecipe
from seqtree.trees.evaluation import evaluate, labels_of
from seqtree.trees.flat import flat_trees
from seqtree.trees.model import TreeClassifier
from seqtree.wording import counted, some

MAX_VALIDATION = 2000  # trees
SHAPE = ("composition", "vector")  # besides the word encoder's


class TreeData(NamedTuple):
    """Labelled trees to train and to validate on."""

    training: list[LabelledTree]
    valid: list[LabelledTree]


class TreeTask(SentenceTask[TreeRecipe, TreeClassifier, TreeData]):
    """Learning to label nodes; the best model is the one with the best accuracy at the roots.

    A batch's loss is the mean per labelled node.
    """

    options = OPTIONS
    items = "nodes"
    best = "+root_fine"

    def __init__(self, model: TreeClassifier, data: TreeData, recipe: TreeRecipe) -> None:
        super().__init__(model, data, recipe, np.array([len(tree) for tree in data.training]))
        self.ids = [model.lexicon.encode(tree.words) for tree in data.training]
        self.labels = [labels_of(model, tree) for tree in data.training]
        for tree in data.valid:
            labels_of(model, tree)

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> TreeRecipe:
        return with_start(OPTIONS.resolved(options), options, TreeClassifier.kind, network=SHAPE)

    @classmethod
    def read(cls, sources: Sequence[str], recipe: TreeRecipe, display: Display) -> TreeData:
        reading, validation = recipe.reading, recipe.validation
        check_standard_input((*sources, *validation.valid, *reading.flat))
        training = labelled_trees(sources, reading.encoding, reading.malformed, display.warning)
        if validation.valid:
            valid = labelled_trees(validation.valid, reading.encoding, reading.malformed, display.warning)
            if not valid:
                raise InputError(f"{', '.join(validation.valid)}: no tree to validate on")
        else:
            training, valid = spread_out(training, validation.valid_share, MAX_VALIDATION, _root)
        valid = at_most(valid, MAX_VALIDATION, "trees", display.warning)
        if reading.flat:
            flat = flat_trees(reading.flat, reading.encoding, reading.parser)
            _warn_of_new_classes(training + valid, flat, ", ".join(reading.flat), display)
            training = training + flat
        known = {label for tree in training for label in tree.labels if label is not None}
        if len(known) < 2:
            only = f"every label is {min(known)!r}" if known else "no tree is left to train on"
            raise InputError(f"{', '.join(sources)}: {only}; expected two classes or more")
        if not validation.valid:  # a label below the root may be in trees that were held out only
            valid = [tree for tree in valid if known.issuperset(tree.labels)]
        return TreeData(training, valid)

    @classmethod
    def build(cls, data: TreeData, recipe: TreeRecipe, display: Display) -> TreeClassifier:
        words = Counter(word for tree in data.training for word in tree.words)
        lexicon = Lexicon.build(words, recipe.reading.min_count, known_before(recipe))
        classes = LabelSet(in_order({label for tree in data.training for label in tree.labels if label is not None}))
        start: TreeClassifier | None = recipe.start_of(TreeClassifier.kind)
        if start:
            classes = start.classes.extended(classes.names)
        made = TreeClassifier.over(lexicon, classes, recipe.network, recipe.training.seed)
        start_encoder(made.network.words, lexicon, recipe, display.message)
        if start:
            start_rest(made.network, start.network)
        return made

    def counted(self) -> Counted:
        return counted_words(self.model.network.words, self.ids)

    def inputs(self) -> Inputs:
        training, valid = self.data
        return (tuple(tree.words) for tree in training), (tuple(tree.words) for tree in valid)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for part in self.data:
            for tree in part:
                digest.update(repr((tree.words, tree.children, tree.labels)).encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        model = self.model
        known = {
            "words": len(model.lexicon.words),
            "characters": len(model.lexicon.characters),
            "classes": len(model.classes),
        }
        reading = self.recipe.reading.to_json()
        for name in ("flat", "parser"):  # the fingerprint has what is read by them
            del reading[name]
        return {**super().identity(), "reading": reading, "known": known}

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        rows, model = self.longest_first(batch), self.model
        trees = make_tree_batch([self.data.training[i] for i in rows], [self.ids[i] for i in rows], model.lexicon)
        labels = np.concatenate([self.labels[i] for i in rows])
        count = int(np.count_nonzero(labels >= 0))
        return model.network.loss(trees, labels) / count, count

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    def evaluate(self) -> dict[str, float] | None:
        if not self.data.valid:
            return None
        measured = evaluate(self.model, self.data.valid, self.share)
        figures = {"loss": measured.loss, "root_fine": measured.root.fine, "all_fine": measured.all.fine}
        if measured.root.binary is not None:
            figures["root_binary"] = measured.root.binary
        return figures

    def measure(self, model: TreeClassifier) -> tuple[dict[str, Any], str]:
        measured = evaluate(model, self.data.valid or self.data.training)
        summary = f"{100 * measured.root.fine:.2f} % of roots right, {100 * measured.all.fine:.2f} % of all nodes"
        if measured.root.binary is not None:
            summary += f"; {100 * measured.root.binary:.2f} % of roots rightly positive or negative"
        return measured.to_json(), summary

    def describe(self) -> str:
        model, config = self.model, self.model.network.config
        nodes = sum(int(np.count_nonzero(labels >= 0)) for labels in self.labels)
        return (
            f"{counted(len(self.labels), 'training tree')} of {counted(nodes, 'labelled node')}, "
            f"{counted(len(self.data.valid), 'validation tree')}; {counted(len(model.classes), 'class')}; "
            f"{counted(len(model.lexicon.words), 'word')}; encoder {config.encoder}, "
            f"composition {config.composition} of width {config.vector}, batch {self.recipe.batch.batch}"
        )


def _warn_of_new_classes(
    trees: Sequence[LabelledTree], flat: Sequence[LabelledTree], place: str, display: Display
) -> None:
    """Say so if texts without trees have labels that no tree has: it may be meant, or another set of labels."""
    known = {label for tree in trees for label in tree.labels}
    if new := in_order({tree.labels[-1] for tree in flat if tree.labels[-1] is not None} - known):
        display.warning(
            f"{place}: {len(new)} of its classes {'is' if len(new) == 1 else 'are'} in no tree: {some(new, 5)}"
        )


def _root(tree: LabelledTree) -> str | None:
    """The label of the whole tree."""
    return tree.labels[-1]
