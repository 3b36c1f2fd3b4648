"""Tagging as a task: learning from sentences whose words have tags."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError, SettingError
from seqtree.tagging.config import OPTIONS, TaggerRecipe
from seqtree.tagging.data import TagData, canonical, check_tags, names_in, read_sentences, tell_of_broken
from seqtree.tagging.evaluation import TagEvaluation, evaluate
from seqtree.tagging.model import Tagger, canonical_scheme
from seqtree.tagging.network import TaggerNetwork
from seqtree.text.batches import make_batch
from seqtree.text.reading import check_standard_input
from seqtree.training.batches import SentenceTask, at_most, held_out
from seqtree.training.copying import start_encoder, start_grams, start_rest
from seqtree.training.counts import counted_words
from seqtree.training.progress import Display
from seqtree.training.start import known_before, with_start
from seqtree.training.task import Batch, Counted, Inputs
from seqtree.wording import counted

MAX_VALIDATION = 5000  # sentences
SHAPE = ("crf", "ngrams", "intent_vector")  # besides the word encoder's


class TagTask(SentenceTask[TaggerRecipe, Tagger, TagData]):
    """Learning to tag; the best model has the best chunk F1, or the most right tags.

    With intents, it has the best mean of that and of the share of right sentences.

    A batch's loss is the mean per word of -log p of its sentences' tags, and of their intents.
    """

    options = OPTIONS

    def __init__(self, model: Tagger, data: TagData, recipe: TaggerRecipe) -> None:
        super().__init__(model, data, recipe, np.array([len(one.words) for one in data.training]))
        self.words = [model.lexicon.encode(one.words) for one in data.training]
        self.tags = [model.tags.encode(canonical(one.tags, data.scheme)) for one in data.training]
        self.intents = model.intents.encode([one.intent for one in data.training])
        self.best = "+" + ("chunk_f1" if data.scheme else "accuracy") + ("_and_sentences" if len(model.intents) else "")

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> TaggerRecipe:
        recipe = with_start(OPTIONS.resolved(options), options, Tagger.kind, network=SHAPE)
        start: Tagger | None = recipe.start_of(Tagger.kind)
        if start and (recipe.intents.intents or recipe.intents.intent) and not len(start.intents):
            raise SettingError("intents", f"the tagger {recipe.run.init_from} has none to go on from")
        if recipe.intents.intents or (start and len(start.intents)):
            recipe = replace(recipe, intents=replace(recipe.intents, intent=True))
        if recipe.intents.valid_intents and not (recipe.validation.valid and recipe.intents.intent):
            raise SettingError("valid_intents", "only with --valid, and --intents or --intent")
        return recipe

    @classmethod
    def read(cls, sources: Sequence[str], recipe: TaggerRecipe, display: Display) -> TagData:
        columns, validation, intents = recipe.columns, recipe.validation, recipe.intents
        check_standard_input((*sources, *validation.valid))
        training = read_sentences(sources, columns, display.message, intents.intents)
        if validation.valid:
            valid = read_sentences(validation.valid, columns, display.message, intents.valid_intents)
        else:
            training, valid = held_out(training, validation.valid_share, MAX_VALIDATION)
        if not training:
            raise InputError(f"{', '.join(sources)}: no sentence is left to train on")
        valid = at_most(valid, MAX_VALIDATION, "sentences", display.warning)
        if not intents.intent:
            training, valid = ([one._replace(intent=None) for one in part] for part in (training, valid))
        elif missing := next((one for one in (*training, *valid) if one.intent is None), None):
            raise InputError(f"{missing.place}: a sentence without an intent, where --intent expects one")
        scheme = check_tags(training, display.warning)
        tell_of_broken(valid, scheme, display.warning)
        return TagData(training, valid, scheme)

    @classmethod
    def build(cls, data: TagData, recipe: TaggerRecipe, display: Display) -> Tagger:
        known, words = known_before(recipe), (one.words for one in data.training)
        lexicon, tags, intents = names_in(data.training, data.scheme, recipe.columns.min_count, known)
        start: Tagger | None = recipe.start_of(Tagger.kind)
        if start:
            _check_scheme(start, data, recipe)
            tags, intents = start.tags.extended(tags.names), start.intents.extended(intents.names)
        seed, grams = recipe.training.seed, start.known_grams if start else ()
        tagger = Tagger.over(lexicon, tags, intents, data.scheme, recipe.network, seed, words, grams)
        start_encoder(tagger.network.words, lexicon, recipe, display.message)
        if start:
            _start(tagger.network, start.network)
        return tagger

    def counted(self) -> Counted:
        return counted_words(self.model.network.words, self.words)

    def inputs(self) -> Inputs:
        return (tuple(one.words) for one in self.data.training), (tuple(one.words) for one in self.data.valid)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for part in (self.data.training, self.data.valid):
            for one in part:
                digest.update(repr((one.words, one.tags, one.intent)).encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        model = self.model
        known = {
            "words": len(model.lexicon.words),
            "characters": len(model.lexicon.characters),
            "tags": len(model.tags),
            "intents": len(model.intents),
        }
        return {**super().identity(), "known": known}

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        rows = self.longest_first(batch)
        sentences = make_batch(
            [self.data.training[i].words for i in rows], [self.words[i] for i in rows], self.model.lexicon
        )
        count = int(sentences.lengths.sum())
        tags = np.concatenate([self.tags[i] for i in rows])
        return self.model.network.loss(sentences, tags, self.intents[rows]) / count, count

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    def evaluate(self) -> dict[str, float] | None:
        if not self.data.valid:
            return None
        measured = evaluate(self.model, self.data.valid, lambda message: None, self.share)
        figures = {"accuracy": measured.accuracy, "sentence_accuracy": measured.sentence_accuracy}
        if measured.chunk:
            figures["chunk_f1"] = measured.chunk.f1
        if measured.intent_accuracy is not None:  # whole sentences count as much as what decides without intents
            figures["intent_accuracy"] = measured.intent_accuracy
            figures[self.best[1:]] = (figures.get("chunk_f1", measured.accuracy) + measured.sentence_accuracy) / 2
        return figures

    def measure(self, model: Tagger) -> tuple[dict[str, Any], str]:
        warned: list[str] = []
        measured = evaluate(model, self.data.valid or self.data.training, warned.append)
        return measured.to_json(), "; ".join([summary(measured), *warned])

    def describe(self) -> str:
        model, config, data = self.model, self.model.network.config, self.data
        intents = f", {counted(len(model.intents), 'intent')}" if len(model.intents) else ""
        kind = f" ({data.scheme.upper()} chunks)" if data.scheme else ""
        return (
            f"{counted(len(data.training), 'training sentence')} of {counted(int(self.lengths.sum()), 'word')}, "
            f"{counted(len(data.valid), 'validation sentence')}; {counted(len(model.lexicon.words), 'word')}, "
            f"{counted(len(model.tags), 'tag')}{kind}{intents}; "
            f"encoder {config.encoder}, {'CRF' if config.crf else 'softmax'}, batch {self.recipe.batch.batch}"
        )


def _check_scheme(start: Tagger, data: TagData, recipe: TaggerRecipe) -> None:
    """Raises InputError if a tagger cannot go on with these tags: all are chunk tags of one form, or none is."""
    wanted, found = canonical_scheme(start.scheme), canonical_scheme(data.scheme)
    if wanted != found:
        theirs, ours = (
            f"chunk tags ({one.upper()})" if one else "no chunk tags" for one in (start.scheme, data.scheme)
        )
        raise InputError(
            f"{data.training[0].place}: {ours}; {recipe.run.init_from} has {theirs}, and goes on with such"
        )


@torch.no_grad()
def _start(network: TaggerNetwork, given: TaggerNetwork) -> None:
    """Copy what a tagger that goes on from another has of it besides words."""
    start_rest(network, given, apart=("grams",))
    if network.config.ngrams:
        mine, theirs = network.grams, given.grams
        start_grams(mine.weights.weight[:-1], mine.known, theirs.weights.weight[:-1], theirs.known)


def summary(measured: TagEvaluation) -> str:
    """The main figures in one line, in percent."""
    parts = [f"{100 * measured.accuracy:.2f} % of tags right"]
    if measured.chunk:
        parts.append(f"chunk F1 {100 * measured.chunk.f1:.2f}")
    if measured.intent_accuracy is not None:
        parts.append(f"intents {100 * measured.intent_accuracy:.2f} %")
    return ", ".join([*parts, f"whole sentences {100 * measured.sentence_accuracy:.2f} %"])
