"""A batch of sentences in numbers: longest first, laid out flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seqtree.text.lexicon import Ids, Lexicon


@dataclass(frozen=True)
class SentenceBatch:
    """B sentences, longest first, N words in all.

    ``lengths`` (B,), ``offsets`` (B,) where each sentence's words begin among all; ``words`` (T + 2, B) with the
    sentence's start and end around it, padded by the end; ``spellings`` (U, C) characters of the U distinct words,
    padded by -1, and ``spelled`` (N,) which of them each word is; ``distinct`` are these words themselves.
    """

    lengths: Ids
    offsets: Ids
    words: Ids
    spellings: Ids
    spelled: Ids
    distinct: tuple[str, ...]

    @cached_property
    def sentence(self) -> Ids:
        """The sentence (N,) that each word is in."""
        numbers: Ids = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return numbers

    @cached_property
    def place(self) -> Ids:
        """The place (N,) of each word in its sentence, from 0."""
        places: Ids = np.arange(len(self.sentence)) - self.offsets[self.sentence]
        return places


def make_batch(sentences: Sequence[Sequence[str]], ids: Sequence[Ids], lexicon: Lexicon) -> SentenceBatch:
    """The batch of sentences (none empty, longest first) whose words have the indices ``ids``."""
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    words = np.full((len(sentences), int(lengths[0]) + 2), lexicon.words.end, dtype=np.int64)
    words[:, 0] = lexicon.words.start
    for row, row_ids in zip(words, ids, strict=True):
        row[1 : len(row_ids) + 1] = row_ids
    number: dict[str, int] = {}
    spelled = [number.setdefault(word, len(number)) for sentence in sentences for word in sentence]
    spellings = [lexicon.spelling(word) for word in number]
    padded = np.full((len(number), max(3, *map(len, spellings))), -1, dtype=np.int64)
    for row, spelling in zip(padded, spellings, strict=True):
        row[: len(spelling)] = spelling
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return SentenceBatch(lengths, offsets, np.ascontiguousarray(words.T), padded, np.array(spelled), tuple(number))
