"""The blocks of a text as counts of words and as indices, each by itself, so that several processes can share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqtree import processes
from seqtree.text.config import TextSettings
from seqtree.text.documents import leaves_open, token_reader
from seqtree.text.reading import utf8_length
from seqtree.text.vocabulary import Vocabulary

MAX_DISTINCT_WORDS = 2_500_000  # while counting, about 300 MB; beyond it the rarest are dropped
SHARED = 1 << 25  # bytes of text from which it takes longer to encode words than to start processes
MOST = 8  # processes, of which each has the vocabulary and a cache of words


class Block(NamedTuple):
    """A piece of ``part`` of a text, and whether the line that it begins in has tokens already; None: the part ends."""

    part: int
    opened: bool
    text: str | None


class Encoded(NamedTuple):
    """A block's part, its ids (n,), how many of them are ``<unk>``, and its length in characters and UTF-8 bytes."""

    part: int
    ids: npt.NDArray[Any]
    unknown: int
    characters: int
    bytes: int


def smallest_dtype(size: int) -> np.dtype[Any]:
    """The smallest unsigned integer type (little-endian) for indices below ``size``."""
    return np.dtype("<u1" if size <= 1 << 8 else "<u2" if size <= 1 << 16 else "<u4")


def encoding_processes(settings: TextSettings, size: int) -> int:
    """How many processes encode a text of so many bytes: all cores where it pays and where others can be started.

    Characters are encoded about as fast as they are read and sent to another process, so that it does not pay.
    """
    if settings.unit == "char" or size < SHARED or not processes.alone:
        return 1
    return min(MOST, processes.cores())


def encoded(
    parts: Iterable[tuple[int, str]], vocabulary: Vocabulary, settings: TextSettings, count: int = 1
) -> Iterator[Encoded]:
    """What becomes of a text in (part, block) pairs, parts in order, by ``count`` processes.

    Blocks of words are to end as those of ``line_blocks``.
    """
    blocks = _blocks(parts, settings)
    if count == 1:
        return map(Encoder(vocabulary, settings), blocks)
    return processes.in_processes(partial(Encoder, vocabulary, settings), blocks, count)


class Encoder:
    """Makes indices of blocks."""

    def __init__(self, vocabulary: Vocabulary, settings: TextSettings) -> None:
        self.vocabulary, self.settings = vocabulary, settings
        self.dtype = smallest_dtype(len(vocabulary))
        token_reader(settings)  # imports what it needs now

    def __call__(self, block: Block) -> Encoded:
        reader, text = token_reader(self.settings, block.opened), block.text or ""
        tokens = reader.finish() if block.text is None else reader.feed(text)
        ids = self.vocabulary.encode(tokens, self.dtype)
        return Encoded(block.part, ids, len(ids) - int(np.count_nonzero(ids)), len(text), utf8_length(text))


def count_words(blocks: Iterable[str], tokenizer: str, count: int = 1) -> Counter[str]:
    """The frequency of each token, ``</s>`` included, in a text given in blocks, by ``count`` processes.

    Exact up to MAX_DISTINCT_WORDS different tokens. Whenever there are more, the rarest are dropped, those seen once
    first, until at most half of that number are left; the count of a rare word can then be too low.
    """
    settings = TextSettings(unit="word", tokenizer=tokenizer)
    items, make = _blocks(((0, block) for block in blocks), settings), partial(_WordCounter, settings)
    found = map(make(), items) if count == 1 else processes.in_processes(make, items, count)
    counts: Counter[str] = Counter()
    for some in found:
        counts.update(some)
        if len(counts) > MAX_DISTINCT_WORDS:
            min_count = 1
            while len(counts) > MAX_DISTINCT_WORDS // 2:
                min_count += 1
                counts = Counter({word: number for word, number in counts.items() if number >= min_count})
    return counts


class _WordCounter:
    """Counts the words of blocks."""

    def __init__(self, settings: TextSettings) -> None:
        self.settings = settings
        token_reader(settings)  # imports what it needs now

    def __call__(self, block: Block) -> dict[str, int]:
        reader = token_reader(self.settings, block.opened)
        return dict(Counter(reader.finish() if block.text is None else reader.feed(block.text)))


def _blocks(parts: Iterable[tuple[int, str]], settings: TextSettings) -> Iterator[Block]:
    current, opened = 0, False
    for part, text in parts:
        if part != current:
            yield Block(current, opened, None)
            current, opened = part, False
        yield Block(part, opened, text)
        opened = leaves_open(text, opened, settings)
    yield Block(current, opened, None)
