"""Spans of many sentences at once, and tables that know something of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids


@dataclass(frozen=True)
class Spans:
    """k half-open spans: in which sentence of a batch, from which word, to before which; (k,) each."""

    sentence: Ids
    start: Ids
    end: Ids

    def __len__(self) -> int:
        return len(self.sentence)

    def __add__(self, other: Spans) -> Spans:
        """These spans and then those."""
        return Spans(*(np.concatenate(both) for both in zip(self.columns, other.columns, strict=True)))

    def __getitem__(self, chosen: Ids) -> Spans:
        return Spans(*(column[chosen] for column in self.columns))

    @property
    def columns(self) -> tuple[Ids, Ids, Ids]:
        return self.sentence, self.start, self.end


@dataclass(frozen=True)
class Pairs:
    """Pairs of neighbouring nodes: the nodes' numbers in the batch, (k,) each, and the spans they make together."""

    left: Ids
    right: Ids
    spans: Spans

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def concatenated(cls, parts: Sequence[Pairs]) -> Pairs:
        """All pairs of some, in their order."""
        none = np.zeros(0, dtype=np.int64)
        columns = [(part.left, part.right, *part.spans.columns) for part in parts] or [(none,) * 5]
        left, right, *spans = (np.concatenate(column) for column in zip(*columns, strict=True))
        return cls(left, right, Spans(*spans))


class SpanTable:
    """A number for some spans; 0 for all others."""

    def __init__(self, spans: Spans, values: Ids) -> None:
        self._width = int(spans.end.max(initial=0)) + 1
        keys = self._keys(spans)
        order = np.argsort(keys)
        self._sorted = np.append(keys[order], np.iinfo(np.int64).max)
        self._values = np.append(values[order], 0)

    def look_up(self, spans: Spans) -> Ids:
        """The numbers (k,) of ``spans``."""
        keys = self._keys(spans)
        keys[spans.end >= self._width] = -1
        at = np.searchsorted(self._sorted, keys)  # the last of them is beyond any key
        found: Ids = np.where(self._sorted[at] == keys, self._values[at], 0)
        return found

    def _keys(self, spans: Spans) -> Ids:
        keys: Ids = (spans.sentence * self._width + spans.start) * self._width + spans.end
        return keys


def word_spans(batch: SentenceBatch) -> Spans:
    """The spans of the N words of a batch."""
    return Spans(batch.sentence, batch.place, batch.place + 1)


def fence_spans(batch: SentenceBatch) -> Spans:
    """The N + B fences of a batch, as empty spans: the places between words, the ends of a sentence included."""
    sentence = np.repeat(np.arange(len(batch.lengths)), batch.lengths + 1)
    place = np.arange(len(sentence)) - (batch.offsets + np.arange(len(batch.offsets)))[sentence]
    return Spans(sentence, place, place)


def fence_numbers(batch: SentenceBatch, sentence: Ids, place: Ids) -> Ids:
    """The numbers of the fences at ``place`` (0..n) of ``sentence``."""
    numbers: Ids = batch.offsets[sentence] + sentence + place
    return numbers
