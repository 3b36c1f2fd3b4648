"""Adapter: a trained model with the interface of NLTK's language models.

>>> from seqtree.language.model import LanguageModel
>>> model = LanguageModel.untrained("the cat sat\\non the mat\\n", unit="word", hidden=8, embedding=4).to_nltk()
>>> round(sum(model.score(word, ["<s>", "the"]) for word in model.vocab), 6)
1.0
>>> len(model.generate(3, text_seed=["the"], random_seed=1))
3
"""

from __future__ import annotations

import math
import random
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, NoReturn

import nltk.lm
import nltk.lm.api
import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError, SeqtreeError
from seqtree.language.config import SamplingSettings
from seqtree.language.model import LanguageModel
from seqtree.language.sampling import choose, gumbel_noise, never_sampled
from seqtree.text.config import END, NEWLINE, START, UNKNOWN
from seqtree.text.perplexity import perplexity

MAX_CACHED_NUMBERS = 1 << 22  # in all cached distributions
MAX_CACHED_CONTEXTS = 256


class NltkLanguageModel(nltk.lm.api.LanguageModel):  # type: ignore[misc]  # NLTK is not typed
    """``model`` as an ``nltk.lm.api.LanguageModel``: score, logscore (base 2), entropy, perplexity, generate.

    A context is a sequence of tokens of any length, all of which count. One or more ``<s>`` at its beginning mean the
    start of the text, and so does an empty context: unlike NLTK's own models, this one has no unigram score. A
    character model reads ``<s>`` and ``</s>`` as the newline. Unseen tokens are ``<unk>``. Of a model of single lines,
    only what follows the last line end in a context counts.

    order: the n-gram length for NLTK's padding and truncation; it does not affect scores. Left padding with more than
    one ``<s>`` gives n-grams that end in ``<s>``, which no model predicts: exclude them from an entropy.
    Raises InputError for a bidirectional model, or an order below 1.
    """

    def __init__(self, model: LanguageModel, order: int = 2) -> None:
        if model.network.config.bidirectional:
            raise InputError(
                "a bidirectional model reads both sides of a token, so it cannot predict the next one: "
                "train one without --bidirectional"
            )
        if order < 1:
            raise InputError(f"order {order} of the n-grams: expected 1 or more")
        counts = dict.fromkeys(model.vocabulary.tokens[1:], 1)  # <unk> is always in NLTK's vocabularies
        super().__init__(order, nltk.lm.Vocabulary(counts, unk_cutoff=1, unk_label=UNKNOWN))
        self.model = model
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_recent", "_versions", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        self._recent: OrderedDict[tuple[int, ...], npt.NDArray[np.float64]] = OrderedDict()
        self._versions, self._lock = self.model.network.versions(), threading.Lock()

    def score(self, word: str, context: Sequence[str] | None = None) -> float:
        """p(word | context), an unseen word as ``<unk>``; the sum over all words of ``vocab`` is 1."""
        return self.unmasked_score(word, context)

    def unmasked_score(self, word: str, context: Sequence[str] | None = None) -> float:
        """The same as ``score``, because the model itself maps unseen words to ``<unk>``."""
        return float(self._distribution(self._ids(context))[self.model.vocabulary.index(self._model_token(word))])

    def perplexity(self, text_ngrams: Iterable[Sequence[str]]) -> float:
        """2 to the power of the n-grams' entropy, infinite where a float would overflow."""
        return perplexity(math.log(2) * self.entropy(text_ngrams))

    def fit(self, text: Iterable[Any], vocabulary_text: Iterable[str] | None = None) -> NoReturn:
        """Raises SeqtreeError: the model is already trained."""
        raise SeqtreeError(
            "this model is already trained and cannot be fitted through NLTK; train one with "
            "seqtree lm train (--init-from continues from a model)"
        )

    def context_counts(self, context: Sequence[str] | None = None) -> NoReturn:
        """Raises SeqtreeError: a neural network has no counts."""
        raise SeqtreeError("a recurrent model has no counts of contexts; score gives its probabilities")

    def generate(
        self,
        num_words: int = 1,
        text_seed: Sequence[str] | None = None,
        random_seed: int | random.Random | None = None,
    ) -> str | list[str]:
        """One token (a string) or, if ``num_words`` is not 1, a list of tokens, sampled to continue ``text_seed``.

        The same seed, a number or a ``random.Random``, gives the same tokens; ``<unk>`` and ``<s>`` are never drawn.
        Raises InputError if ``num_words`` is negative or the model's probabilities are not finite.
        """
        if num_words < 0:
            raise InputError(f"{num_words} words to generate: expected 0 or more")
        if isinstance(random_seed, Integral):  # also one of NumPy
            random_seed = int(random_seed)
        generator = random_seed if isinstance(random_seed, random.Random) else random.Random(random_seed)
        vocabulary, settings = self.model.vocabulary, SamplingSettings(num_words)
        reader = self.model.reader()
        banned, noise = never_sampled(vocabulary), gumbel_noise(settings, len(vocabulary), generator.getrandbits(64))
        for token in self._ids(text_seed):
            reader.read(token)
        words: list[str] = []
        while len(words) < num_words:
            reader.logits[banned] = -np.inf
            token = choose(reader.logits, settings, next(noise))
            words.append(vocabulary.tokens[token])
            if len(words) < num_words:
                reader.read(token)
        return words[0] if num_words == 1 else words

    def _model_token(self, token: str) -> str:
        """A token as in the model's vocabulary."""
        return NEWLINE if token in (START, END) and self.model.vocabulary.unit == "char" else token

    def _ids(self, context: Sequence[str] | None) -> tuple[int, ...]:
        """Token indices of a context, without its ``<s>`` padding on the left."""
        tokens = list(context or ())
        if isinstance(context, str) and self.model.vocabulary.unit == "word":
            raise InputError(f"the context {context!r} is a string; expected a sequence of words")
        pads = next((i for i, token in enumerate(tokens) if token != START), len(tokens))
        return tuple(self.model.vocabulary.encode([self._model_token(token) for token in tokens[pads:]]).tolist())

    def _distribution(self, ids: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Probabilities (V,) of the next token, cached for the most recent contexts until the weights change."""
        versions = self.model.network.versions()
        with self._lock:
            if versions != self._versions:
                self._recent.clear()
                self._versions = versions
            if ids in self._recent:
                self._recent.move_to_end(ids)
                return self._recent[ids]
        made = self.model.next_distribution(ids)
        with self._lock:
            if versions == self._versions:
                self._recent[ids] = made
            if len(self._recent) > max(1, min(MAX_CACHED_CONTEXTS, MAX_CACHED_NUMBERS // len(self.model.vocabulary))):
                self._recent.popitem(last=False)
        return made
