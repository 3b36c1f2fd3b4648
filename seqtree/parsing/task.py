"""Parsing as a task: learning from a treebank's trees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from nltk.tree import Tree
from torch import Tensor

from seqtree.errors import InputError
from seqtree.parsing.config import OPTIONS, ParserRecipe, ReadingSettings
from seqtree.parsing.evaluation import evaluate, shared_scores
from seqtree.parsing.gold import gold_tree, names_in
from seqtree.parsing.model import Parser
from seqtree.parsing.objectives import parser_loss, tag_loss
from seqtree.text.batches import make_batch
from seqtree.text.columns import Tagged, read_tagged
from seqtree.text.reading import check_standard_input
from seqtree.training.batches import SentenceTask, at_most, held_out
from seqtree.training.copying import start_encoder, start_rest
from seqtree.training.counts import counted_words
from seqtree.training.progress import Display
from seqtree.training.start import known_before, with_start
from seqtree.training.task import Batch, Counted, Inputs
from seqtree.treebank.binary import BinaryTree, binarise, restore
from seqtree.treebank.bracketed import words_of, write_tree
from seqtree.treebank.dialects import WRAPPERS
from seqtree.treebank.sources import normalised_trees
from seqtree.wording import counted, some

MAX_WORDS = 2000  # of a training tree; time and memory of a step grow with their square
MAX_VALIDATION = 2000  # trees
SHAPE = ("composition", "vector", "scorer")  # besides the word encoder's


class ParserData(NamedTuple):
    """Training trees, binary; gold trees to validate on; and training sentences with tags only."""

    training: list[BinaryTree]
    valid: list[Tree]
    tagged: Sequence[Tagged] = ()


class ParserTask(SentenceTask[ParserRecipe, Parser, ParserData]):
    """Learning to parse; the best model is the one with the best labelled F1.

    A batch's loss is the mean per word. Its rows are trees and, numbered after all of them, tagged sentences.
    """

    options = OPTIONS
    best = "+labelled_f1"

    def __init__(self, model: Parser, data: ParserData, recipe: ParserRecipe) -> None:
        self.gold = [gold_tree(tree, model.lexicon, model.tags, model.labels) for tree in data.training]
        self.tagged = [(one.words, model.lexicon.encode(one.words), model.tags.encode(one.tags)) for one in data.tagged]
        sizes = [len(tree) for tree in self.gold] + [len(words) for words, _, _ in self.tagged]
        super().__init__(model, data, recipe, np.array(sizes))

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> ParserRecipe:
        recipe = OPTIONS.resolved(options)
        whole_trees = recipe.objective.objective == "structured"
        recipe = replace(recipe, network=replace(recipe.network, whole_trees=whole_trees))
        return with_start(recipe, options, Parser.kind, network=SHAPE)

    @classmethod
    def read(cls, sources: Sequence[str], recipe: ParserRecipe, display: Display) -> ParserData:
        reading, validation = recipe.reading, recipe.validation
        check_standard_input((*sources, *reading.tagged, *validation.valid))
        training = normalised_trees(sources, reading.encoding, display.warning, MAX_WORDS, reading.malformed)
        if validation.valid:
            valid = normalised_trees(validation.valid, reading.encoding, display.warning, malformed=reading.malformed)
            if not valid:
                raise InputError(f"{', '.join(validation.valid)}: no tree with a word in it to validate on")
        else:
            training, valid = held_out(training, validation.valid_share, MAX_VALIDATION)
        if not training:
            raise InputError(f"{', '.join(sources)}: no tree is left to train on")
        binary = [binarise(tree) for tree in training]
        _warn_of_unknown_labels(binary, valid, display)
        tagged = _read_tagged(reading, binary, display) if reading.tagged else []
        return ParserData(binary, at_most(valid, MAX_VALIDATION, "trees", display.warning), tagged)

    @classmethod
    def build(cls, data: ParserData, recipe: ParserRecipe, display: Display) -> Parser:
        words = (one.words for one in data.tagged)
        lexicon, tags, labels = names_in(data.training, recipe.reading.min_count, known_before(recipe), words)
        start: Parser | None = recipe.start_of(Parser.kind)
        if start:
            tags, labels = start.tags.extended(tags.names), start.labels.extended(labels.names)
        parser = Parser.over(lexicon, tags, labels, recipe.network, recipe.training.seed)
        start_encoder(parser.network.words, lexicon, recipe, display.message)
        if start:
            start_rest(parser.network, start.network)
        return parser

    def counted(self) -> Counted:
        trees, tagged = (tree.words for tree in self.gold), (ids for _, ids, _ in self.tagged)
        return counted_words(self.model.network.words, chain(trees, tagged))

    def inputs(self) -> Inputs:
        trees, valid, tagged = self.data
        trained = chain((tree.words for tree in trees), (tuple(one.words) for one in tagged))
        return trained, (tuple(words_of(gold)) for gold in valid)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for tree in self.data.training:
            digest.update(repr((tree.words, tree.tags, tree.merges, sorted(tree.labels.items()))).encode())
        for one in self.data.tagged:
            digest.update(b"\1" + repr((one.words, one.tags)).encode())
        for gold in self.data.valid:
            digest.update(b"\0" + write_tree(gold).encode())
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        model = self.model
        known = {
            "words": len(model.lexicon.words),
            "characters": len(model.lexicon.characters),
            "tags": len(model.tags),
            "labels": len(model.labels),
        }
        return {**super().identity(), "objective": self.recipe.objective.to_json(), "known": known}

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        rows, network, settings = self.longest_first(batch), self.model.network, self.recipe.objective
        trees = [self.gold[i] for i in rows if i < len(self.gold)]
        tagged = [self.tagged[i - len(self.gold)] for i in rows if i >= len(self.gold)]
        losses = []
        if trees:
            sentences = make_batch(
                [tree.binary.words for tree in trees], [tree.words for tree in trees], self.model.lexicon
            )
            losses.append(parser_loss(network, sentences, trees, settings))
        if tagged:
            words, ids, tags = zip(*tagged, strict=True)
            losses.append(tag_loss(network, make_batch(words, ids, self.model.lexicon), tags, settings))
        count = int(self.lengths[batch].sum())
        return sum(losses[1:], losses[0]) / count, count

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    def evaluate(self) -> dict[str, float] | None:
        if not self.data.valid:
            return None
        scores = shared_scores(self.model, self.data.valid, self.share)
        return {
            "labelled_f1": scores.labelled.f1,
            "unlabelled_f1": scores.unlabelled.f1,
            "tag_accuracy": scores.tag_accuracy,
        }

    def measure(self, model: Parser) -> tuple[dict[str, Any], str]:
        measured = evaluate(model, self.data.valid or [restore(tree) for tree in self.data.training])
        scores = measured.scores
        summary = (
            f"labelled F1 {scores.labelled.f1:.2f}, unlabelled F1 {scores.unlabelled.f1:.2f}, tags "
            f"{scores.tag_accuracy:.2f} %"
        )
        return measured.to_json(), summary

    def describe(self) -> str:
        lexicon, config = self.model.lexicon, self.model.network.config
        words = sum(len(tree) for tree in self.gold)
        tagged = f"{counted(len(self.tagged), 'tagged sentence')}, " if self.tagged else ""
        return (
            f"{counted(len(self.gold), 'training tree')} of {counted(words, 'word')}, {tagged}"
            f"{counted(len(self.data.valid), 'validation tree')}; {counted(len(lexicon.words), 'word')}, "
            f"{counted(len(self.model.labels), 'label')}, {counted(len(self.model.tags), 'tag')}; encoder "
            f"{config.encoder}, composition {config.composition}, {self.recipe.objective.objective}, batch "
            f"{self.recipe.batch.batch}"
        )


def _read_tagged(reading: ReadingSettings, trees: Sequence[BinaryTree], display: Display) -> list[Tagged]:
    """The sentences of --tagged; InputError if they have none of the trees' tags."""
    known = {tag for tree in trees for tag in tree.tags if tag is not None}
    found = read_tagged(reading.tagged, None, reading.tag_column, reading.encoding, display.message, known)
    if not known & {tag for one in found for tag in one.tags}:
        shown = some(sorted({tag for one in found for tag in one.tags}), 5)
        raise InputError(
            f"{', '.join(reading.tagged)}: no tag ({shown}) is one of the trees'; expected another --tag-column"
        )
    return found


def _warn_of_unknown_labels(training: Sequence[BinaryTree], valid: Sequence[Tree], display: Display) -> None:
    """Say so if no constituent of the validation trees has a label that the training trees have."""
    known, wanted = (
        {label for tree in trees for chain in tree.labels.values() for label in chain} - {*WRAPPERS}
        for trees in (training, map(binarise, valid))
    )
    if wanted and not known & wanted:
        display.warning(
            f"no label of the validation trees ({some(sorted(wanted), 5)}) is known from the training trees, so "
            "labelled F1 will be 0 and cannot tell which model is best: the last one is kept"
        )
