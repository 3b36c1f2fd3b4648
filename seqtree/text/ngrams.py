"""Hashed n-grams of a text: sequences of its words, and of the characters of each word, as numbers of buckets.

The numbers are the same on every machine. Several n-grams may share a bucket (Weinberger et al. 2009).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqtree.text.lexicon import MAX_REMEMBERED, Ids

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
Hashes = npt.NDArray[np.uint64]


class NGrams:
    """Of up to ``words`` words and, inside words, of 2 to ``characters`` characters, into ``buckets``; 0 for none.

    Words are read in lower case.
    """

    def __init__(self, words: int, characters: int, buckets: int) -> None:
        self.words, self.characters, self.buckets = words, characters, buckets
        self._known: dict[str, tuple[int, Hashes]] = {}

    def features(self, text: Sequence[str]) -> tuple[Ids, Ids]:
        """The bucket of every n-gram of a text in words, and of every one of characters, repeated ones too."""
        known = [self._word(word) for word in text]
        single = np.array([number for number, _ in known], dtype=np.uint64)
        found, grams = [single[:0]], single
        for length in range(1, self.words + 1):
            if length > 1:
                grams = _joined(grams[:-1], single[length - 1 :])
            found.append(grams)
        return self._buckets(found), self._buckets([single[:0], *(inside for _, inside in known)])

    def _buckets(self, hashes: Sequence[Hashes]) -> Ids:
        return (np.concatenate(hashes) % np.uint64(self.buckets)).astype(np.int64)

    def _word(self, word: str) -> tuple[int, Hashes]:
        """The hash of a word, and those of the n-grams of its characters, its two ends included."""
        known = self._known.get(word)
        if known is None:
            known = _hash(word.lower()), self._inside(f"\x02{word.lower()}\x03")
            if len(self._known) < MAX_REMEMBERED:
                self._known[word] = known
        return known

    def _inside(self, word: str) -> Hashes:
        single = np.array([_hash(f"\x01{character}") for character in word], dtype=np.uint64)
        found, grams = [np.zeros(0, dtype=np.uint64)], single
        for length in range(2, self.characters + 1):
            grams = _joined(grams[:-1], single[length - 1 :])
            found.append(grams)
        return np.concatenate(found)


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return zlib.crc32(data) << 32 | zlib.crc32(data, 0x5EED)


def _joined(grams: Hashes, after: Hashes) -> Hashes:
    """The hashes of n-grams with one part more."""
    mixed: Hashes = (grams ^ (grams >> _SHIFT)) * _MIX + after
    return mixed[: len(after)] ^ (mixed[: len(after)] >> _SHIFT)
