"""A batch of sentences for the parser's network: longest first, laid out flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seqtree.parsing.spans import Ids, Spans
from seqtree.text.lexicon import Lexicon


@dataclass(frozen=True)
class SentenceBatch:
    """B sentences, longest first, N words in all.

    ``lengths`` (B,), ``offsets`` (B,) where each sentence's words begin among all; ``words`` (T + 2, B) with the
    sentence's start and end around it, padded by the end; ``spellings`` (U, C) characters of the U distinct words,
    padded by -1, and ``spelled`` (N,) which of them each word is. The fences of a sentence, the n + 1 places between
    its words, begin at ``offsets + arange(B)``.
    """

    lengths: Ids
    offsets: Ids
    words: Ids
    spellings: Ids
    spelled: Ids

    @cached_property
    def single_words(self) -> Spans:
        """The spans of the N words."""
        sentence = np.repeat(np.arange(len(self.lengths)), self.lengths)
        start = np.arange(len(sentence)) - self.offsets[sentence]
        return Spans(sentence, start, start + 1)

    @cached_property
    def all_fences(self) -> Spans:
        """The N + B fences, as empty spans."""
        sentence = np.repeat(np.arange(len(self.lengths)), self.lengths + 1)
        place = np.arange(len(sentence)) - (self.offsets + np.arange(len(self.offsets)))[sentence]
        return Spans(sentence, place, place)

    def fences(self, sentence: Ids, place: Ids) -> Ids:
        """The number of the fence at ``place`` (0..n) of ``sentence``."""
        numbers: Ids = self.offsets[sentence] + sentence + place
        return numbers


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
    return SentenceBatch(lengths, offsets, np.ascontiguousarray(words.T), padded, np.array(spelled))
