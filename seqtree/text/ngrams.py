"""N-grams of a text, of its words and of the characters of each word, as hashes that are the same on every machine."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtree.text.lexicon import MAX_REMEMBERED, MAX_WORD_LENGTH, Ids

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_AT_ONCE = 1 << 22  # hashes to count at once
Hashes = npt.NDArray[np.uint64]


class NGrams:
    """Of up to ``words`` words and, inside words, of 2 to ``characters`` characters; 0 for none.

    Words are read in lower case. The two ends of a text, and those of a word, are parts of n-grams, too.
    """

    def __init__(self, words: int, characters: int) -> None:
        self.words, self.characters = words, characters
        self._known: dict[str, tuple[int, Hashes]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": {}}  # a copy makes its own

    def hashes(self, text: Sequence[str]) -> tuple[Ids, Ids]:
        """The hash of every n-gram of a text in words, and of every one of characters, repeated ones too."""
        known = [self._word(word) for word in text]
        single = np.array([number for number, _ in known], dtype=np.uint64)
        found = [single[:0]]
        if self.words:
            found.append(single)
            found += _grams(np.concatenate([_START, single, _END]), self.words)
        inside = [single[:0], *(hashes for _, hashes in known)]
        return np.concatenate(found).view(np.int64), np.concatenate(inside).view(np.int64)

    def _word(self, word: str) -> tuple[int, Hashes]:
        """The hash of a word, and those of the n-grams of its characters, its two ends included."""
        known = self._known.get(word)
        if known is None:
            known = _hash(word.lower()), self._inside(f"\x02{word.lower()}\x03")
            if len(self._known) < MAX_REMEMBERED and len(word) <= MAX_WORD_LENGTH:
                self._known[word] = known
        return known

    def _inside(self, word: str) -> Hashes:
        single = np.array([_hash(f"\x01{character}") for character in word], dtype=np.uint64)
        return np.concatenate([single[:0], *_grams(single, self.characters)])


def frequent(found: Iterable[Ids], most: int, more: Ids | Sequence[int] = ()) -> tuple[Ids, Ids]:
    """The ``most`` frequent of these hashes, and ``more``, in order; and how often each was found.

    Those that were found once are left out, unless there are no others.
    """
    hashes: Ids = np.unique(np.array(more, dtype=np.int64))
    counts = np.zeros_like(hashes)
    waiting, size = [hashes[:0]], 0
    for some in found:
        waiting.append(some)
        size += len(some)
        if size > _AT_ONCE:
            hashes, counts = _counted(hashes, counts, waiting)
            waiting, size = [], 0
    hashes, counts = _counted(hashes, counts, waiting)
    often = np.flatnonzero(counts >= min(2, counts.max(initial=0)))
    kept = np.isin(hashes, more)
    kept[often[np.argsort(-counts[often], kind="stable")[:most]]] = True
    return hashes[kept], counts[kept]


def _counted(hashes: Ids, counts: Ids, more: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Hashes with their counts, and those of ``more``, each of which counts one."""
    every, place = np.unique(np.concatenate([hashes, *more]), return_inverse=True)
    ones = np.ones(len(place) - len(hashes), dtype=np.int64)
    return every, np.bincount(place, np.concatenate([counts, ones])).astype(np.int64)


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return zlib.crc32(data) << 32 | zlib.crc32(data, 0x5EED)


_START, _END = (np.array([_hash(mark)], dtype=np.uint64) for mark in ("\x02", "\x03"))  # of a text


def _grams(single: Hashes, most: int) -> list[Hashes]:
    """The hashes of n-grams of 2 to ``most`` of these parts."""
    found, grams = [], single
    for length in range(2, most + 1):
        grams = _joined(grams[:-1], single[length - 1 :])
        found.append(grams)
    return found


def _joined(grams: Hashes, after: Hashes) -> Hashes:
    """The hashes of n-grams with one part more."""
    mixed: Hashes = (grams ^ (grams >> _SHIFT)) * _MIX + after
    return mixed[: len(after)] ^ (mixed[: len(after)] >> _SHIFT)
