"""A batch of texts in numbers: their words in windows, and their n-grams with weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import regex

from seqtree.text.batches import SentenceBatch, make_batch
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.text.ngrams import NGrams

Weights = npt.NDArray[np.float32]
_LETTERS = r"[\w\p{N}\p{M}\u200c\u200d]+"  # with the marks that combine with them, and joiners
_WORD = regex.compile(rf"{_LETTERS}(?:['’-]{_LETTERS})*|(?!\s)\X")


@dataclass(frozen=True)
class Grams:
    """The numbers (F,) of texts' distinct n-grams, how often each occurs (F,), and where each group begins (2 B,).

    A text has two groups: n-grams of words, and of characters.
    """

    numbers: Ids
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
    """The words of a text: runs of letters and digits, single marks and emoji; or its characters without white space.

    >>> words_of("Don't stop!", "word", True), words_of("a b", "char", False)
    (["don't", 'stop', '!'], ['a', 'b'])
    """
    text = text.lower() if lower else text
    if unit == "char":
        return [character for character in text if not character.isspace()]
    words: list[str] = _WORD.findall(text)
    return words


def make_text_batch(
    texts: Sequence[Sequence[str]], lexicon: Lexicon, ngrams: NGrams, known: Ids, window: int
) -> TextBatch:
    """The batch of texts (none empty) in words. A text longer than ``window`` is cut into windows of equal length.

    ``known``: see ``count_grams``.
    """
    windows = [(i, a, b) for i, text in enumerate(texts) for a, b in _windows(len(text), window)]
    windows.sort(key=lambda found: found[1] - found[2])
    parts = [texts[i][a:b] for i, a, b in windows]
    sentences = make_batch(parts, [lexicon.encode(part) for part in parts], lexicon)
    numbers, starts, _ = np.array(windows).T
    return TextBatch(sentences, numbers, starts, count_grams(texts, ngrams, known))


def count_grams(texts: Sequence[Sequence[str]], ngrams: NGrams, known: Ids) -> Grams:
    """The distinct n-grams of each text and their counts; only those whose hashes are in ``known``, which is sorted."""
    found = [group for text in texts for group in ngrams.hashes(text)]
    hashes = np.concatenate(found)
    group = np.repeat(np.arange(len(found)), [len(one) for one in found])
    places = np.searchsorted(known, hashes).clip(max=max(0, len(known) - 1))
    inside = known[places] == hashes if len(known) else np.zeros(len(hashes), dtype=bool)
    keys, counts = np.unique(group[inside] * len(known) + places[inside], return_counts=True)
    groups, numbers = np.divmod(keys, max(1, len(known)))
    return Grams(numbers, counts.astype(np.float32), np.searchsorted(groups, np.arange(len(found))))


def _windows(length: int, window: int) -> Iterable[tuple[int, int]]:
    count = -(-length // window)
    return pairwise(length * i // count for i in range(count + 1))
