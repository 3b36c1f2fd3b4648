"""``Classifier``: a trained classifier of texts; load it, classify with it, measure it. An NLTK classifier too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from nltk.classify.api import ClassifierI
from nltk.probability import DictionaryProbDist
from torch import Tensor

from seqtree.classification.batches import TextBatch, make_text_batch, words_of
from seqtree.classification.config import ClassifierNetworkConfig
from seqtree.classification.network import ClassifierNetwork, ClassScores
from seqtree.errors import InputError
from seqtree.model import Model, untrained
from seqtree.modelfile import texts
from seqtree.nn.parallel import in_batches
from seqtree.text.lexicon import Ids, LabelSet, Lexicon
from seqtree.text.ngrams import NGrams, frequent
from seqtree.text.reading import several

UNITS = ("word", "char")
HIGHEST = 20.0  # scale of scores
Probabilities = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Classification:
    """The classes of a text by their probabilities (classes,), in the order of the classifier's ``classes``.

    ``label`` is the most probable class, or None where its probability is below what was asked for. ``words`` are the
    text's, and ``attention`` (n,) is the share of each in the text's vector, for a classifier by attention.
    """

    label: str | None
    probabilities: Probabilities
    words: tuple[str, ...]
    attention: tuple[float, ...] | None

    @property
    def probability(self) -> float:
        """That of the most probable class."""
        return float(self.probabilities.max())


class Classifier(Model[ClassifierNetwork], ClassifierI):  # type: ignore[misc]  # NLTK is not typed
    """Texts in, classes with probabilities out.

    ``unit``: what texts are made of, words or characters; ``lower``: whether they are read in lower case.
    ``scales`` multiply the scores by words and by n-grams, so that probabilities are what they say (Guo et al. 2017).
    """

    kind = "classifier"

    def __init__(
        self,
        lexicon: Lexicon,
        classes: LabelSet[str],
        unit: str,
        lower: bool,
        network: ClassifierNetwork,
        scales: Sequence[float] = (1.0, 1.0),
    ) -> None:
        if len(classes) < 2:
            raise InputError("a classifier needs two classes or more")
        if unit not in UNITS or not isinstance(lower, bool):
            raise InputError(f"unit {unit!r}, lower {lower!r} are not a classifier's")
        if len(scales) != 2 or not all(0.0 <= scale <= HIGHEST for scale in scales) or not any(scales):
            raise InputError(f"scales {scales}: expected two numbers from 0 to {HIGHEST}, not both 0")
        self.lexicon, self.classes, self.network = lexicon, classes, network
        self.unit, self.lower, self.scales = unit, lower, tuple(scales)
        config = network.config
        self.ngrams = NGrams(config.ngrams, config.character_ngrams)

    @classmethod
    def over(
        cls,
        lexicon: Lexicon,
        classes: LabelSet[str],
        unit: str,
        lower: bool,
        config: ClassifierNetworkConfig,
        seed: int = 0,
        texts: Sequence[Sequence[str]] = (),
        more: Ids | Sequence[int] = (),
    ) -> Classifier:
        """A classifier with random weights over these words and classes, and the n-grams of ``texts`` in words.

        more: the hashes of n-grams that have weights whether these texts have them or not.
        """
        ngrams = NGrams(config.ngrams, config.character_ngrams)
        found = (np.unique(np.concatenate(ngrams.hashes(text))) for text in texts if config.has_ngrams)
        known, counts = frequent(found, config.max_ngrams, more)
        network = untrained(partial(ClassifierNetwork, lexicon, len(classes), len(known), config), seed)
        if config.has_ngrams:
            network.known.copy_(torch.from_numpy(known))
            network.idf.copy_(torch.from_numpy(1.0 + np.log((1.0 + len(texts)) / (1.0 + counts))))
        return cls(lexicon, classes, unit, lower, network)

    def contents(self) -> dict[str, Any]:
        return {
            "lexicon": self.lexicon.to_json(),
            "classes": list(self.classes.names),
            "unit": self.unit,
            "lower": self.lower,
            "scales": list(self.scales),
            "ngrams": len(self.known_grams),
            "network": self.network.config.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> Classifier:
        lexicon, classes = Lexicon.from_json(contents["lexicon"]), LabelSet(texts(contents["classes"]))
        config = ClassifierNetworkConfig.from_json(contents["network"])
        network = ClassifierNetwork(lexicon, len(classes), int(contents["ngrams"]), config)
        return cls(
            lexicon, classes, contents["unit"], contents["lower"], network, [float(s) for s in contents["scales"]]
        )

    @property
    def known_grams(self) -> Ids:
        """The hashes (F,) of the n-grams that have weights."""
        known: Ids = self.network.known.numpy(force=True) if self.network.config.has_ngrams else np.zeros(0, np.int64)
        return known

    def batch(self, texts: Sequence[Sequence[str]]) -> TextBatch:
        """The batch of texts (none empty) in words."""
        return make_text_batch(texts, self.lexicon, self.ngrams, self.known_grams, self.network.config.window)

    def labels(self) -> list[str]:
        """The classes. NLTK's ``ClassifierI``."""
        return list(self.classes.names)

    def classify(self, featureset: str) -> str | None:
        """The most probable class of a text; None for a text without a word. NLTK's ``ClassifierI``."""
        return self.classify_many([featureset])[0]

    def classify_many(self, featuresets: Iterable[str]) -> list[str | None]:
        """``classify`` for each text, in batches. NLTK's ``ClassifierI``."""
        return [found.label if found else None for found in self.classifications(featuresets)]

    def prob_classify(self, featureset: str) -> DictionaryProbDist:
        """The probability of each class. NLTK's ``ClassifierI``. Raises InputError for a text without a word."""
        return self.prob_classify_many([featureset])[0]

    def prob_classify_many(self, featuresets: Iterable[str]) -> list[DictionaryProbDist]:
        """``prob_classify`` for each text, in batches. NLTK's ``ClassifierI``."""
        return [self._distribution(found) for found in self.classifications(featuresets)]

    def _distribution(self, found: Classification | None) -> DictionaryProbDist:
        if found is None:
            raise InputError("a text without a word has no classes")
        return DictionaryProbDist(dict(zip(self.classes.names, found.probabilities.tolist(), strict=True)))

    def words(self, text: str) -> list[str]:
        """The words of a text as the classifier reads them. Raises InputError for anything but a string."""
        if not isinstance(text, str):
            raise InputError(f"a text is a string, not {type(text).__name__}")
        return words_of(text, self.unit, self.lower)

    def classifications(self, given: Iterable[str], reject: float = 0.0) -> Iterator[Classification | None]:
        """The classification of each text in its order, None for one without a word.

        reject: below this probability, no class is the label. Texts are taken some thousands at a time and classified
        in batches of like length, on all of torch's threads. Raises InputError for a probability that is none.
        """
        check_reject(reject)
        return in_batches(partial(self._classify, reject=reject), map(self.words, several(given)), self.device)

    @torch.inference_mode()
    def _classify(self, given: Sequence[Sequence[str]], reject: float) -> list[Classification]:
        self.network.eval()
        batch = self.batch(given)
        scores = self.network(batch)
        chances = self._scaled(scores).softmax(dim=1).cpu().numpy()
        attention: list[list[float]] = [[] for _ in given]
        if scores.attention is not None:
            weights = scores.attention.float().t().tolist()
            texts, starts, lengths = batch.text.tolist(), batch.start.tolist(), batch.windows.lengths.tolist()
            windows = np.bincount(batch.text).tolist()
            for text, _, length, row in sorted(zip(texts, starts, lengths, weights, strict=True)):
                attention[text] += [weight / windows[text] for weight in row[:length]]
        labels = [self.classes.names[i] if p >= reject else None for i, p in zip(*_best(chances), strict=True)]
        return [
            Classification(label, row, tuple(words), tuple(seen) or None)
            for label, row, words, seen in zip(labels, chances, given, attention, strict=True)
        ]

    def _scaled(self, scores: ClassScores) -> Tensor:
        found = [scale * part.float() for scale, part in zip(self.scales, scores.parts, strict=False)]
        return sum(found[1:], found[0])

    def scores(self, given: Iterable[str]) -> Iterator[Scores | None]:
        """The scores (1 or 2, classes) of each text by words and by n-grams, if there are any, before they are scaled.

        None for a text without a word.
        """
        return in_batches(self._scores, map(self.words, several(given)), self.device)

    @torch.inference_mode()
    def _scores(self, given: Sequence[Sequence[str]]) -> list[Scores]:
        self.network.eval()
        parts = self.network(self.batch(given)).parts
        return list(torch.stack(parts, dim=1).float().cpu().numpy())


def check_reject(reject: float) -> None:
    """Raises InputError unless it is a probability, below which a text is given no class."""
    if not 0.0 <= reject <= 1.0:
        raise InputError(f"reject {reject}: expected a probability, from 0 to 1")


def _best(chances: Probabilities) -> tuple[list[int], list[float]]:
    """The most probable class of each text, and its probability."""
    best = chances.argmax(axis=1)
    return best.tolist(), chances[np.arange(len(best)), best].tolist()
