"""Classification as a task: learning from labelled texts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqtree.classification.baseline import check_baseline, linear_accuracy
from seqtree.classification.batches import words_of
from seqtree.classification.config import OPTIONS, ClassifierRecipe, LabelledSettings
from seqtree.classification.evaluation import calibrate, check_labels, evaluate
from seqtree.classification.model import Classifier
from seqtree.errors import InputError
from seqtree.text.labelled import Labelled, rare_classes, read_labelled
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.text.reading import check_standard_input
from seqtree.training.batches import SentenceTask, at_most, spread_out
from seqtree.training.copying import start_encoder, start_grams, start_rest
from seqtree.training.counts import counted_words
from seqtree.training.progress import Display
from seqtree.training.start import known_before, with_start
from seqtree.training.task import Batch, Counted, Inputs
from seqtree.wording import counted

MAX_VALIDATION = 5000  # texts
SHAPE = ("bidirectional", "pooling", "ngrams", "character_ngrams")  # besides the word encoder's
READING = ("unit", "lower")


class ClassData(NamedTuple):
    """Labelled texts to train and to validate on."""

    training: list[Labelled]
    valid: list[Labelled]


class ClassifyTask(SentenceTask[ClassifierRecipe, Classifier, ClassData]):
    """Learning to classify; the best model is the one with the best accuracy.

    A batch's loss is the mean per text.
    """

    options = OPTIONS
    items = "texts"
    best = "+accuracy"

    def __init__(self, model: Classifier, data: ClassData, recipe: ClassifierRecipe) -> None:
        self.words = [model.words(item.text) for item in data.training]
        super().__init__(model, data, recipe, np.array([len(words) for words in self.words]))
        self.labels = model.classes.encode(item.label for item in data.training)
        check_labels(model, data.valid, model.classes.encode(item.label for item in data.valid))
        self.weights: Tensor | None = None
        if recipe.texts.class_weights == "balanced":
            counts = np.bincount(self.labels, minlength=len(model.classes))
            weights = len(self.labels) / (np.count_nonzero(counts) * counts.clip(min=1))
            self.weights = torch.from_numpy(weights.astype(np.float32))

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> ClassifierRecipe:
        recipe = OPTIONS.resolved(options)
        if recipe.texts.baseline:
            check_baseline()  # before anything is trained
        return with_start(recipe, options, Classifier.kind, network=SHAPE, texts=READING)

    @classmethod
    def read(cls, sources: Sequence[str], recipe: ClassifierRecipe, display: Display) -> ClassData:
        validation = recipe.validation
        check_standard_input((*sources, *validation.valid))
        training, valid = _read(sources, recipe.texts), []
        if validation.valid:
            valid = _read(validation.valid, recipe.texts)
        else:
            training, valid = spread_out(training, validation.valid_share, MAX_VALIDATION, attrgetter("label"))
        valid = at_most(valid, MAX_VALIDATION, "texts", display.warning)
        counts = Counter(item.label for item in training)
        if len(counts) < 2:
            only = f"every text is {training[0].label!r}" if training else "no text is left to train on"
            raise InputError(f"{', '.join(sources)}: {only}; expected two classes or more")
        for concern in rare_classes(dict(sorted(counts.items()))):
            display.warning(concern)
        return ClassData(training, valid)

    @classmethod
    def build(cls, data: ClassData, recipe: ClassifierRecipe, display: Display) -> Classifier:
        texts = recipe.texts
        words = [words_of(item.text, texts.unit, texts.lower) for item in data.training]
        lexicon = Lexicon.build(Counter(word for text in words for word in text), texts.min_count, known_before(recipe))
        classes = LabelSet(sorted({item.label for item in data.training}))
        start: Classifier | None = recipe.start_of(Classifier.kind)
        if start:
            classes = start.classes.extended(classes.names)
        seed, known = recipe.training.seed, start.known_grams if start else ()
        made = Classifier.over(lexicon, classes, texts.unit, texts.lower, recipe.network, seed, words, known)
        start_encoder(made.network.words, lexicon, recipe, display.message)
        if start:
            _start(made, start)
        return made

    def counted(self) -> Counted:
        return counted_words(self.model.network.words, (self.model.lexicon.encode(words) for words in self.words))

    def inputs(self) -> Inputs:
        return map(tuple, self.words), (tuple(self.model.words(item.text)) for item in self.data.valid)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for part in self.data:
            for item in part:
                digest.update(repr((item.label, item.text)).encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        model, texts = self.model, self.recipe.texts
        known = {
            "words": len(model.lexicon.words),
            "characters": len(model.lexicon.characters),
            "classes": len(model.classes),
        }
        read = {**texts.to_json(), "baseline": False}  # which is measured beside it, or not
        return {**super().identity(), "texts": read, "known": known}

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        model = self.model
        texts = model.batch([self.words[i] for i in batch])
        labels = torch.from_numpy(self.labels[batch]).to(model.device)
        return model.network.loss(texts, labels, self.weights) / len(batch), len(batch)

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    def evaluate(self) -> dict[str, float] | None:
        """Figures on the validation texts, on which the scales are fitted, too."""
        if not self.data.valid:
            return None
        measured = calibrate(self.model, self.data.valid, self.share)
        return {"loss": measured.loss, "accuracy": measured.accuracy, "macro_f1": measured.macro_f1}

    def measure(self, model: Classifier) -> tuple[dict[str, Any], str]:
        items = self.data.valid or self.data.training
        measured = evaluate(model, items)
        summary = f"{100 * measured.accuracy:.2f} % right, macro F1 {measured.macro_f1:.4f}, loss {measured.loss:.4f}"
        figures = measured.to_json()
        if self.recipe.texts.baseline:
            figures["baseline_accuracy"] = round(linear_accuracy(self.data.training, items), 6)
            summary += f"; a linear model over n-grams: {100 * figures['baseline_accuracy']:.2f} %"
        return figures, summary

    def describe(self) -> str:
        model, config, unit = self.model, self.model.network.config, self.recipe.texts.unit
        return (
            f"{counted(len(self.labels), 'training text')} of {counted(int(self.lengths.sum()), unit)}, "
            f"{counted(len(self.data.valid), 'validation text')}; {counted(len(model.classes), 'class')}; "
            f"{counted(len(model.lexicon.words), unit)} known; encoder {config.encoder}, pooling {config.pooling}, "
            f"n-grams of {config.ngrams} words and {config.character_ngrams} characters, "
            f"batch {self.recipe.batch.batch}"
        )


@torch.no_grad()
def _start(made: Classifier, start: Classifier) -> None:
    """Copy what a classifier that goes on from another has of it besides words."""
    start_rest(made.network, start.network, apart=("grams", "idf", "known"))
    made.scales = start.scales
    if made.network.config.has_ngrams:
        places = start_grams(made.network.grams, made.network.known, start.network.grams, start.network.known)
        made.network.idf[places] = start.network.idf


def _read(sources: Sequence[str], settings: LabelledSettings) -> list[Labelled]:
    return read_labelled(sources, settings.encoding, settings.label_column, settings.text_column)
