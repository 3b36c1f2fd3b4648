"""A trained model with the face of NLTK's language models, so that what is written for these takes it too.

>>> from seqtree.language.model import LanguageModel
>>> model = LanguageModel.untrained("the cat sat\\non the mat\\n", unit="word", hidden=8, embedding=4).to_nltk()
>>> round(sum(model.score(word, ["<s>", "the"]) for word in model.vocab), 6)
1.0
>>> len(model.generate(3, text_seed=["the"], random_seed=1))
3
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import nltk.lm
import nltk.lm.api
import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError, SeqtreeError
from seqtree.language.config import SamplingSettings
from seqtree.language.sampling import choose
from seqtree.text.config import END, NEWLINE, START, UNKNOWN

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel

REMEMBERED = 1 << 22  # numbers in remembered distributions
CONTEXTS = 256  # distributions remembered at most


class NltkLanguageModel(nltk.lm.api.LanguageModel):
    """``model`` as an ``nltk.lm.api.LanguageModel``: score, logscore (base 2), entropy, perplexity, generate.

    A context is a sequence of tokens, of any length: all of it counts. ``<s>`` at its beginning, however often, is the
    start of the text, and so is no context at all: unlike NLTK's own models, this one has no unigram score. For a model
    of characters ``<s>`` and ``</s>`` are read as the newline that they are. Unseen tokens are ``<unk>``.

    order: what NLTK's helpers shall pad or cut n-grams to; it changes no score. Padding more than one ``<s>`` to the
    left makes n-grams that end in ``<s>``; no model predicts these, so leave them out of an entropy.
    Raises InputError for a bidirectional model, or an order below 1.
    """

    def __init__(self, model: LanguageModel, order: int = 2) -> None:
        if model.network.config.bidirectional:
            raise InputError(
                "a bidirectional model reads both sides of a token and has no probability after a "
                "context: train one without --bidirectional"
            )
        if order < 1:
            raise InputError(f"order {order} of the n-grams: expected 1 or more")
        counts = dict.fromkeys(model.vocabulary.tokens[1:], 1)  # <unk> is always in NLTK's vocabularies
        super().__init__(order, nltk.lm.Vocabulary(counts, unk_cutoff=1, unk_label=UNKNOWN))
        self.model = model
        self._recent: OrderedDict[tuple[int, ...], npt.NDArray[np.float64]] = OrderedDict()

    @classmethod
    def from_model(cls, model: LanguageModel, order: int = 2) -> NltkLanguageModel:
        """The same as the constructor."""
        return cls(model, order)

    def score(self, word: str, context: Sequence[str] | None = None) -> float:
        """p(word | context), an unseen word as ``<unk>``; over the words of ``vocab`` it sums to 1."""
        return self.unmasked_score(word, context)

    def unmasked_score(self, word: str, context: Sequence[str] | None = None) -> float:
        """The same as ``score``: what the model has never seen is ``<unk>`` to it."""
        return float(self._distribution(self._ids(context))[self.model.vocabulary.index(self._read(word))])

    def fit(self, text: Iterable[Any], vocabulary_text: Iterable[str] | None = None) -> NoReturn:
        """Raises SeqtreeError: the model is trained already."""
        raise SeqtreeError(
            "this model is trained already and cannot be fitted through NLTK; train one with "
            "seqtree lm train (--init-from goes on from a model)"
        )

    def context_counts(self, context: Sequence[str] | None = None) -> NoReturn:
        """Raises SeqtreeError: a network keeps no counts."""
        raise SeqtreeError("a recurrent model keeps no counts of contexts; score gives its probabilities")

    def generate(
        self,
        num_words: int = 1,
        text_seed: Sequence[str] | None = None,
        random_seed: int | random.Random | None = None,
    ) -> str | list[str]:
        """One token (a string), or a list of ``num_words`` tokens, drawn one after another after ``text_seed``.

        The same seed, a number or a ``random.Random``, draws the same tokens; ``<unk>`` and ``<s>`` are never drawn.
        Raises InputError if ``num_words`` is negative or the model's probabilities are not finite.
        """
        if num_words < 0:
            raise InputError(f"{num_words} words to generate: expected 0 or more")
        generator = random_seed if isinstance(random_seed, random.Random) else random.Random(random_seed)
        vocabulary, stepper, settings = self.model.vocabulary, self.model.stepper, SamplingSettings(num_words)
        start, end = vocabulary.start, vocabulary.end
        banned = [vocabulary.unknown] + ([start] if start != end else [])
        state = stepper.zero_state()
        logits = stepper.step(start, state)
        for token in self._ids(text_seed):
            logits = stepper.step(start if token == end else token, state)
        words: list[str] = []
        while len(words) < num_words:
            logits[banned] = -np.inf
            token = choose(logits, settings, generator.random())
            words.append(vocabulary.tokens[token])
            if len(words) < num_words:
                logits = stepper.step(start if token == end else token, state)
        return words[0] if num_words == 1 else words

    def _read(self, token: str) -> str:
        """A token as the model has it."""
        return NEWLINE if token in (START, END) and self.model.vocabulary.unit == "char" else token

    def _ids(self, context: Sequence[str] | None) -> tuple[int, ...]:
        """Token indices of a context, without the ``<s>`` that pad its left."""
        tokens = list(context or ())
        if isinstance(context, str) and self.model.vocabulary.unit == "word":
            raise InputError(f"the context {context!r} is a string; expected a sequence of words")
        pads = next((i for i, token in enumerate(tokens) if token != START), len(tokens))
        return tuple(self.model.vocabulary.encode([self._read(token) for token in tokens[pads:]]).tolist())

    def _distribution(self, ids: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Probabilities (V,) after a context; those of the last contexts are remembered."""
        if ids in self._recent:
            self._recent.move_to_end(ids)
            return self._recent[ids]
        self._recent[ids] = self.model.next_distribution(ids)
        if len(self._recent) > max(1, min(CONTEXTS, REMEMBERED // len(self.model.vocabulary))):
            self._recent.popitem(last=False)
        return self._recent[ids]
