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
    sentence's start and end around it, padded by the end; ``distinct`` are the U distinct words, ``spelled`` (N,) which
    of them each word is, and ``spellings`` (S + 2,) their characters one after another, -1 before, between and after
    them.
    """

    lengths: Ids
    offsets: Ids
    words: Ids
    distinct: tuple[str, ...]
    spelled: Ids
    spellings: Ids

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
    end = np.full(1, -1, dtype=np.int64)
    spellings = np.concatenate([end, *(part for word in number for part in (lexicon.spelling(word), end))])
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return SentenceBatch(lengths, offsets, np.ascontiguousarray(words.T), tuple(number), np.array(spelled), spellings)
