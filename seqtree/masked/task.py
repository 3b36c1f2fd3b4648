"""Guessing hidden words as a task: learning words in their sentences from plain text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from seqtree.errors import InputError
from seqtree.masked.config import OPTIONS, MaskedRecipe
from seqtree.masked.evaluation import can_be_measured, evaluate, in_pieces
from seqtree.masked.model import MaskedLanguageModel
from seqtree.text.batches import make_batch
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.text.reading import check_standard_input
from seqtree.training.batches import SentenceTask, evenly
from seqtree.training.copying import start_encoder
from seqtree.training.counts import counted_words
from seqtree.training.progress import Display
from seqtree.training.start import known_before, with_start
from seqtree.training.task import Batch, Counted, Inputs
from seqtree.treebank.plain import NumberedText, read_words
from seqtree.wording import counted

MAX_VALIDATION = 2000  # sentences


class MaskedData(NamedTuple):
    """A text, the numbers of its sentences to train on, and sentences to validate on."""

    text: NumberedText
    training: Ids
    valid: list[list[str]]


class MaskedTask(SentenceTask[MaskedRecipe, MaskedLanguageModel, MaskedData]):
    """Learning to guess hidden words; the best model has the least loss.

    A batch's loss is the mean of -log p over its guesses. Its rows are sentences and the epoch: which words are hidden
    depends on these and the seed alone. One that is among those guessed is hidden in every sentence.
    """

    options = OPTIONS
    items = "guesses"

    def __init__(self, model: MaskedLanguageModel, data: MaskedData, recipe: MaskedRecipe) -> None:
        names = data.text.names
        self.known, self.targets = model.lexicon.encode(names), model.targets(names)
        guessed = np.add.reduceat(self.targets[data.text.numbers] >= 0, data.text.starts[:-1], dtype=np.int64)
        self.sentences = data.training[guessed[data.training] > 0]
        if not len(self.sentences):
            raise InputError("no sentence has a word that is guessed")
        self.measured = data.valid or [data.text.words(i) for i in self.sentences[:MAX_VALIDATION].tolist()]
        if not can_be_measured(model, self.measured):
            raise InputError(
                f"none of the words hidden in {len(self.measured):,} sentences to measure on is guessed; expected more "
                "of them (--valid-share, --valid)"
            )
        super().__init__(model, data, recipe, data.text.lengths[self.sentences])

    @classmethod
    def resolve(cls, options: Any) -> MaskedRecipe:
        return with_start(OPTIONS.resolved(options), options, MaskedLanguageModel.kind)

    @classmethod
    def read(cls, sources: Sequence[str], recipe: MaskedRecipe, display: Display) -> MaskedData:
        plain, validation = recipe.plain, recipe.validation
        check_standard_input((*sources, *validation.valid))

        def sentences(specs: Sequence[str]) -> NumberedText:
            found = read_words(specs, plain.tokenized, plain.encoding, display.warning)
            return NumberedText.of(in_pieces(found))

        text = sentences(sources)
        count = len(text.starts) - 1
        if validation.valid:
            other = sentences(validation.valid)
            chosen = evenly(len(other.starts) - 1, 1.0, MAX_VALIDATION)
            valid, training = [other.words(i) for i in chosen], np.arange(count)
            if not valid:
                raise InputError(f"{', '.join(validation.valid)}: no sentence to validate on")
        else:
            held = evenly(count, validation.valid_share, MAX_VALIDATION)
            valid, training = [text.words(i) for i in held], np.setdiff1d(np.arange(count), held)
        if not len(training):
            raise InputError(f"{', '.join(sources)}: no sentence is left to train on")
        return MaskedData(text, training, valid)

    @classmethod
    def build(cls, data: MaskedData, recipe: MaskedRecipe, display: Display) -> MaskedLanguageModel:
        known = known_before(recipe)._replace(first=False)  # the words that are guessed come first
        lexicon = Lexicon.build(data.text.counts(), recipe.plain.min_count, known)
        model = MaskedLanguageModel.over(lexicon, recipe.network, recipe.training.seed)
        start_encoder(model.network.words, lexicon, recipe, display.message)
        if start := recipe.start_of(model.kind):
            model.network.guess.load_state_dict(start.network.guess.state_dict())
            model.network.norm.load_state_dict(start.network.norm.state_dict())
        return model

    def counted(self) -> Counted:
        sentences = (self.known[self.data.text.sentence(number)] for number in self.data.training.tolist())
        return counted_words(self.model.network.words, sentences)

    def inputs(self) -> Inputs:
        text, training, valid = self.data
        return (tuple(text.words(number)) for number in training.tolist()), map(tuple, valid)

    def fingerprint(self) -> str:
        text, training, valid = self.data
        digest = hashlib.sha256("\0".join(text.names).encode())
        for part in (text.numbers, text.starts, training):
            digest.update(part.tobytes())
        digest.update(repr(valid).encode())
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        lexicon = self.model.lexicon
        known = {"words": len(lexicon.words), "characters": len(lexicon.characters)}
        return {**super().identity(), "plain": self.recipe.plain.to_json(), "known": known}

    def batch(self, epoch: int, step: int) -> Batch:
        rows = super().batch(epoch, step)
        return np.stack([rows, np.full(len(rows), epoch)], axis=1)

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        rows, epoch = self.longest_first(batch[:, 0]), int(batch[0, 1])
        text, network = self.data.text, self.model.network
        ids = network.words.ids
        numbers = [text.sentence(number) for number in self.sentences[rows].tolist()]
        words = [[text.names[i] for i in one.tolist()] for one in numbers]
        sentences = make_batch(words, [self.known[one] for one in numbers], self.model.lexicon)
        hidden = np.concatenate([self._hidden(one, epoch, row) for one, row in zip(numbers, rows, strict=True)])
        targets = self.targets[np.concatenate(numbers)]
        guessed = np.flatnonzero(hidden & (targets >= 0))
        logits = network(sentences, ids(hidden), ids(guessed))
        return F.cross_entropy(logits, ids(targets[guessed])), len(guessed)

    def _hidden(self, numbers: np.ndarray, epoch: int, row: int) -> np.ndarray:
        """Which words of a sentence are hidden: a share of all, but at least one that is guessed."""
        chances = np.random.default_rng((self.recipe.training.seed, epoch, row)).random(len(numbers))
        guessed = self.targets[numbers] >= 0
        hidden: np.ndarray = chances < self.recipe.plain.mask
        if not (hidden & guessed).any():
            hidden[np.where(guessed, chances, 2.0).argmin()] = True
        return hidden

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    def evaluate(self) -> dict[str, float] | None:
        if not self.data.valid:
            return None
        measured = evaluate(self.model, self.data.valid, self.share)
        return {"loss": measured.loss, "accuracy": measured.accuracy}

    def measure(self, model: MaskedLanguageModel) -> tuple[dict[str, Any], str]:
        measured = evaluate(model, self.measured)
        right = f"{100 * measured.accuracy:.2f} % of {measured.guesses:,} hidden words guessed"
        return measured.to_json(), f"perplexity {measured.perplexity:.2f}, {right}"

    def describe(self) -> str:
        lexicon, config = self.model.lexicon, self.model.network.config
        return (
            f"{counted(len(self.sentences), 'training sentence')} of {counted(int(self.lengths.sum()), 'word')}, "
            f"{counted(len(self.data.valid), 'validation sentence')}; {counted(len(lexicon.words), 'word')}, of which "
            f"{len(self.model.network.bias):,} are guessed; encoder {config.encoder}, batch {self.recipe.batch.batch}"
        )
