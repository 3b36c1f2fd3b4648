"""Scoring a text as it comes: the surprisal of every token, a bounded number of tokens at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.pieces import MOST, ROWS, WINDOW
from seqtree.language.surprisals import streamed_surprisals
from seqtree.text.config import TextSettings
from seqtree.text.documents import token_reader
from seqtree.text.reading import checked_text
from seqtree.text.vocabulary import Vocabulary

SCORED = 1 << 14  # tokens of lines that are scored at a time
TOGETHER = ROWS * MOST // WINDOW  # windows of a text that are read at a time

# From windows of ids (T,) that follow one another, the surprisals of each in nats (T,), or (T, 3) with details.
Surprisals = Callable[[Iterable[np.ndarray]], Iterator[Tensor]]


class TokenScore(NamedTuple):
    """A token, its surprisal in bits, and whether it is outside the vocabulary (scored as ``<unk>``).

    Where they are asked for: the entropy in bits of the distribution that it was predicted from, and its rank in it.
    """

    token: str
    surprisal: float
    unknown: bool
    entropy: float | None = None
    rank: int | None = None


def text_surprisals(network: RecurrentLanguageModel, vocabulary: Vocabulary, details: bool = False) -> Surprisals:
    """The surprisals that a network gives, of one text; with ``details``, entropies and ranks besides."""
    if network.config.bidirectional:
        return lambda windows: streamed_surprisals(network, vocabulary, windows, details)

    def read_together(windows: Iterable[np.ndarray]) -> Iterator[Tensor]:
        sizes: deque[list[int]] = deque()

        def longer() -> Iterator[np.ndarray]:
            for some in _growing(iter(windows)):
                sizes.append([len(ids) for ids in some])
                yield np.concatenate(some)

        for nats in streamed_surprisals(network, vocabulary, longer(), details):
            yield from nats.split(sizes.popleft())

    return read_together


def _growing(windows: Iterator[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """One window, two, four and so on: long texts are read many times as fast, and none waits for more than it has.

    What precedes an input error comes before it.
    """
    size, wrong = 1, None
    while wrong is None:
        some: list[np.ndarray] = []
        try:
            some.extend(islice(windows, size))
        except InputError as error:
            wrong = error
        if some:
            yield some
        elif wrong is None:
            return
        size = min(2 * size, TOGETHER)
    raise wrong


@dataclass(frozen=True)
class Scorer:
    """How lines become tokens, and what tells the surprisals of these."""

    settings: TextSettings
    vocabulary: Vocabulary
    surprisals: Surprisals

    def scores(self, lines: Iterable[str], independent: bool = False) -> Iterator[tuple[int, TokenScore]]:
        """The score of every token of ``lines``, which have their line ends, with the number of its line, from 1.

        ``independent``: each line is a text by itself; otherwise it is read after all lines before it, and a last line
        without a line end gets the end that training gives it. A text is scored as it comes: by a network some hundred
        tokens first, then as many as there were before; by a bidirectional one a few hundred each time.
        """
        numbered = ((number, line_tokens(line, self.settings, not independent)) for number, line in enumerate(lines, 1))
        if self.settings.lines:
            yield from self._scores(_batches(numbered))
        elif independent:
            for number, found in numbered:
                yield from self._scores(_windows(((number, token) for token in found), WINDOW))
        else:
            tokens = ((number, token) for number, found in numbered for token in found)
            yield from self._scores(_windows(tokens, WINDOW))

    def _scores(self, batches: Iterable[list[tuple[int, str]]]) -> Iterator[tuple[int, TokenScore]]:
        read: deque[tuple[list[tuple[int, str]], np.ndarray]] = deque()

        def windows() -> Iterator[np.ndarray]:
            for batch in batches:
                read.append((batch, self.vocabulary.encode([token for _, token in batch])))
                yield read[-1][1]

        for nats in self.surprisals(windows()):
            batch, ids = read.popleft()
            unknown = (ids == self.vocabulary.unknown).tolist()
            if nats.dim() == 1:
                bits = (nats.double() / np.log(2)).tolist()
                for (number, token), surprisal, unseen in zip(batch, bits, unknown, strict=True):
                    yield number, TokenScore(token, surprisal, unseen)
            else:
                rows = (nats.double() / torch.tensor([np.log(2), np.log(2), 1])).tolist()
                for (number, token), (surprisal, entropy, rank), unseen in zip(batch, rows, unknown, strict=True):
                    yield number, TokenScore(token, surprisal, unseen, entropy, int(rank))


def line_tokens(line: str, settings: TextSettings, whole: bool = True) -> list[str]:
    """The tokens of a line; a ``whole`` one gets the end that training gives it, where it has none.

    Raises InputError as ``checked_text``.
    """
    reader = token_reader(settings)
    return [*reader.feed(checked_text(line)), *(reader.finish() if whole or settings.lines else ())]


def _windows(tokens: Iterator[tuple[int, str]], size: int) -> Iterator[list[tuple[int, str]]]:
    return iter(lambda: list(islice(tokens, size)), [])


def _batches(lines: Iterable[tuple[int, list[str]]]) -> Iterator[list[tuple[int, str]]]:
    """The tokens of whole lines, as many at a time as are scored together."""
    batch: list[tuple[int, str]] = []
    for number, found in lines:
        batch += [(number, token) for token in found]
        if len(batch) >= SCORED:
            yield batch
            batch = []
    if batch:
        yield batch
