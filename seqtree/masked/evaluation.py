"""Measuring a masked language model: how well it guesses every so many words of a text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.masked.model import MaskedLanguageModel
from seqtree.text.lexicon import Ids
from seqtree.text.perplexity import perplexity
from seqtree.training.sharing import Share, alone

EVERY = 5  # one word in so many is hidden
LONGEST = 100  # words of a sentence; longer ones are cut


@dataclass(frozen=True)
class MaskedEvaluation:
    """``loss``: the mean of -log p (nats) of the words that were hidden and are among those guessed, ``guesses`` many.

    ``accuracy``: the share of them for which the right word was the most probable one. ``coverage``: the share of all
    hidden words that are among those guessed.
    """

    loss: float
    accuracy: float
    coverage: float
    guesses: int
    words_per_second: float

    @property
    def perplexity(self) -> float:
        return perplexity(self.loss)

    def to_json(self) -> dict[str, Any]:
        return {
            "loss": self.loss,
            "perplexity": self.perplexity,
            "accuracy": round(self.accuracy, 6),
            "coverage": round(self.coverage, 6),
            "guesses": self.guesses,
            "words_per_second": round(self.words_per_second, 1),
        }


def in_pieces(sentences: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Sentences, those of more than ``LONGEST`` words cut into pieces."""
    for words in sentences:
        yield from (words[first : first + LONGEST] for first in range(0, len(words), LONGEST))


def hidden_places(number: int, length: int) -> Ids:
    """The places that are hidden in a sentence of that number and length: every fifth, at least one."""
    first = number % min(EVERY, length)
    return np.arange(first, length, EVERY)


def can_be_measured(model: MaskedLanguageModel, sentences: Sequence[Sequence[str]]) -> bool:
    """Whether a hidden word of the sentences is among those that the model guesses."""
    return any(
        (model.targets([words[i] for i in hidden_places(number, len(words))]) >= 0).any()
        for number, words in enumerate(sentences)
    )


def evaluate(model: MaskedLanguageModel, sentences: Sequence[Sequence[str]], share: Share = alone) -> MaskedEvaluation:
    """Hide every fifth word of sentences and guess it; several processes may ``share`` the sentences.

    Raises InputError if no hidden word is among those that the model guesses.
    """
    numbered = list(enumerate(sentences))
    began = time.perf_counter()
    each = share(lambda some: _each(model, some), numbered)
    seconds = time.perf_counter() - began
    losses, right, guesses = (sum(values) for values in zip(*each, strict=True)) if each else (0.0, 0, 0)
    if not guesses:
        raise InputError("no hidden word is one of those that the model guesses")
    places = sum(len(hidden_places(number, len(words))) for number, words in numbered)
    return MaskedEvaluation(
        losses / guesses, right / guesses, guesses / places, guesses, sum(map(len, sentences)) / max(seconds, 1e-9)
    )


def _each(model: MaskedLanguageModel, sentences: Sequence[tuple[int, Sequence[str]]]) -> list[tuple[float, int, int]]:
    """Of each sentence the sum of -log p, how many guesses are right, and how many there are."""
    hidden = [(words, hidden_places(number, len(words))) for number, words in sentences]
    found = []
    for (words, places), scores in zip(hidden, model.log_probabilities(hidden), strict=True):
        targets = model.targets([words[i] for i in places])
        kept = np.flatnonzero(targets >= 0)
        wanted = targets[kept]
        loss = -float(scores[kept, wanted].astype(np.float64).sum())
        found.append((loss, int((scores[kept].argmax(axis=1) == wanted).sum()), len(kept)))
    return found
