"""A batch of texts in numbers: their words in windows, and their n-grams with weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqtree.text.batches import SentenceBatch, make_batch
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.text.ngrams import NGrams

Weights = npt.NDArray[np.float32]
_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Grams:
    """The buckets (F,) of texts' distinct n-grams, how often each occurs (F,), and where each group begins (2 B,).

    A text has two groups: n-grams of words, and of characters.
    """

    buckets: Ids
    counts: Weights
    offsets: Ids


@dataclass(frozen=True)
class TextBatch:
    """B texts. ``windows`` are W windows of them, longest first; ``text`` and ``start`` (W,) say where each begins."""

    windows: SentenceBatch
    text: Ids
    start: Ids
    grams: Grams

    def __len__(self) -> int:
        return len(self.grams.offsets) // 2


def words_of(text: str, unit: str, lower: bool) -> list[str]:
    """The words of a text: runs of letters and digits, and single marks; or its characters without white space.

    >>> words_of("Don't stop!", "word", True), words_of("a b", "char", False)
    (["don't", 'stop', '!'], ['a', 'b'])
    """
    text = text.lower() if lower else text
    return _WORD.findall(text) if unit == "word" else [character for character in text if not character.isspace()]


def make_text_batch(texts: Sequence[Sequence[str]], lexicon: Lexicon, ngrams: NGrams, window: int) -> TextBatch:
    """The batch of texts (none empty) in words. A text longer than ``window`` is cut into windows of equal length."""
    windows = [(i, a, b) for i, text in enumerate(texts) for a, b in _windows(len(text), window)]
    windows.sort(key=lambda found: found[1] - found[2])
    parts = [texts[i][a:b] for i, a, b in windows]
    sentences = make_batch(parts, [lexicon.encode(part) for part in parts], lexicon)
    numbers, starts, _ = np.array(windows).T
    return TextBatch(sentences, numbers, starts, count_grams(texts, ngrams))


def count_grams(texts: Sequence[Sequence[str]], ngrams: NGrams) -> Grams:
    """The distinct n-grams of each text and their counts."""
    found = [np.unique(group, return_counts=True) for text in texts for group in ngrams.features(text)]
    sizes = [len(buckets) for buckets, _ in found]
    return Grams(
        np.concatenate([buckets for buckets, _ in found]),
        np.concatenate([counts for _, counts in found]).astype(np.float32),
        np.cumsum([0, *sizes[:-1]]),
    )


def _windows(length: int, window: int) -> Iterable[tuple[int, int]]:
    count = -(-length // window)
    return pairwise(length * i // count for i in range(count + 1))
