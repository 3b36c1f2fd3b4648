"""Training batches: a text as parallel rows, read in windows, the hidden state carried on; or its lines one by one."""

from __future__ import annotations

import random
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.language.config import LanguageRecipe, StreamBatchSettings
from seqtree.text.documents import chunks, line_bounds
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.batches import similar_lengths

Ids = npt.NDArray[np.int64]
PADDING = -1  # before the first token of a line and after its last
DROPPED, UNKNOWN = 1, 2  # the streams of random numbers that leave out classes, and words
COUNTED = range(1000, 1 << 27)  # tokens of a text that tells of unknown words, of which few are left after so many


class UnknownWords:
    """Reads some words of a stream as ``<unk>``, so that a model learns when to expect a word that it does not know.

    At every step others, a word seen N times with probability D / (D + N), where D is ``dropout``. A text that has
    ``<unk>`` of its own, is one of characters, or has fewer or more words than ``COUNTED`` is read as it is.
    """

    def __init__(self, stream: TokenStream, vocabulary: Vocabulary, dropout: float, seed: int) -> None:
        self.stream, self.vocabulary, self.dropout, self.seed = stream, vocabulary, dropout, seed

    def read(self, tokens: Ids, epoch: int, step: int) -> Ids:
        """The tokens (B, T) of a step, as they are read in it."""
        if self._probabilities is None:
            return tokens
        chances = np.random.default_rng((self.seed, epoch, step, UNKNOWN)).random(tokens.shape)
        return np.where(chances < self._probabilities[tokens], self.vocabulary.unknown, tokens)

    @cached_property
    def _probabilities(self) -> npt.NDArray[np.float64] | None:
        """Of each token (V + 1,) to be unknown, ``PADDING`` at the end; None if all are read as they are."""
        stream, vocabulary = self.stream, self.vocabulary
        if not self.dropout or vocabulary.unit == "char" or stream.unknown or len(stream) not in COUNTED:
            return None
        counts = np.zeros(len(vocabulary) + 1)
        for ids in chunks(stream.ids):
            counts += np.bincount(ids, minlength=len(counts))
        found: npt.NDArray[np.float64] = self.dropout / (self.dropout + counts)
        found[[vocabulary.start, vocabulary.end, PADDING]] = 0.0
        return found


class StreamBatches:
    """Windows over a stream cut into rows of equal length; each epoch starts at another offset.

    ``batch(epoch, step)`` gives (B, T + 1) tokens: of each row the T targets, and the token before the first of them.
    """

    def __init__(self, stream: TokenStream, vocabulary: Vocabulary, shape: StreamBatchSettings, seed: int) -> None:
        self.ids, self.vocabulary, self.rows, self.seed = stream.ids, vocabulary, shape.batch, seed
        self.row_length = len(stream) // self.rows
        self.steps_per_epoch = max(1, self.row_length // shape.window)
        self.window = min(shape.window, self.row_length)
        self.unknown = UnknownWords(stream, vocabulary, shape.word_dropout, seed)

    def batch(self, epoch: int, step: int) -> Ids:
        """Window ``step`` of ``epoch``."""
        start = self._offset(epoch) + step * self.window
        rows = np.stack([self._row(row * self.row_length + start, self.window) for row in range(self.rows)])
        return self.unknown.read(rows, epoch, step)

    def _offset(self, epoch: int) -> int:
        slack = self.row_length - self.steps_per_epoch * self.window
        return random.Random(self.seed * 1_000_003 + epoch).randint(0, slack) if epoch else 0

    def _row(self, start: int, count: int) -> Ids:
        """Tokens start - 1 to start + count - 1, with the sentence start before the first of all."""
        row = np.empty(count + 1, dtype=np.int64)
        row[0] = self.ids[start - 1] if start else self.vocabulary.start
        row[1:] = self.ids[start : start + count]
        return row


class LineBatches:
    """The lines of a stream, each once in an epoch and by itself, in another order every time.

    ``batch(epoch, step)`` gives (B, T + 1) tokens: of each of B lines of similar length the T targets, its end among
    them, and the token before the first of them; ``PADDING`` is before a line and after it. A step has about as many
    tokens as one of ``StreamBatches``: more rows where lines are short. Of lines with classes, a column before these
    tokens has the numbers of the classes: (B, T + 2). In each epoch, a share ``dropout`` of the lines has -1, no class.

    A line longer than one window and a half is read in pieces, together with other lines of as many pieces, in steps
    that follow one another, with its hidden state carried from one to the next (truncated backpropagation). Pieces are
    as long as the window, but the last has from half a window to one and a half: a step weighs as much as any other,
    and if it had but the ends of lines, lines would learn to end anywhere. With ``whole``, every line is read in one
    step. Memory: some 32 bytes a line.
    """

    def __init__(
        self,
        stream: TokenStream,
        vocabulary: Vocabulary,
        shape: StreamBatchSettings,
        seed: int,
        whole: bool = False,
        dropout: float = 0.0,
    ) -> None:
        self.ids, self.seed, self.labels, self.dropout = stream.ids, seed, stream.labels, dropout
        self.unknown = UnknownWords(stream, vocabulary, shape.word_dropout, seed)
        self.bounds = line_bounds(stream.ids, vocabulary.end)
        self.lengths = np.diff(self.bounds)
        self.window = int(self.lengths.max()) if whole else shape.window
        pieces = np.maximum(1, np.rint(self.lengths / self.window).astype(np.int64))
        order = np.argsort(pieces, kind="stable")
        counts, firsts = np.unique(pieces[order], return_index=True)
        self.kinds: list[tuple[int, Ids, int]] = []  # number of pieces, the lines that have so many, batches of them
        for count, lines in zip(counts.tolist(), np.split(order, firsts[1:]), strict=True):
            batches = round(int(self.lengths[lines].sum()) / (count * shape.batch * shape.window))
            self.kinds.append((count, lines, min(max(1, batches), len(lines))))
        self.steps_per_epoch = sum(count * batches for count, _, batches in self.kinds)
        self._steps = lru_cache(maxsize=2)(self._ordered)
        self._classes = lru_cache(maxsize=2)(self._conditions)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, epoch: int, step: int) -> Ids:
        """Batch ``step`` of ``epoch``."""
        lines, piece, last = self._steps(epoch)[step]
        width = int(self.lengths[lines].max()) if last else self.window
        rows = line_rows(self.ids, self.bounds[lines], self.bounds[lines + 1], piece * self.window, width)
        rows = self.unknown.read(rows, epoch, step)
        classes = self._classes(epoch)
        return rows if classes is None else np.column_stack([classes[lines], rows])

    def _conditions(self, epoch: int) -> Ids | None:
        """The class of each line in an epoch, -1 for none; None without classes."""
        if self.labels is None:
            return None
        left_out = np.random.default_rng((self.seed, epoch, DROPPED)).random(len(self)) < self.dropout
        return np.where(left_out, -1, self.labels)

    def _ordered(self, epoch: int) -> list[tuple[Ids, int, bool]]:
        """The lines of each step of an epoch, which of their pieces it reads, and whether that is the last."""
        batches = [
            (lines[chosen], count)
            for count, lines, steps in self.kinds
            for chosen in similar_lengths(self.lengths[lines], steps, self.seed, epoch)
        ]
        order = np.random.default_rng((self.seed, epoch)).permutation(len(batches)).tolist()
        steps = ((*batches[i], piece) for i in order for piece in range(batches[i][1]))
        return [(lines, piece, piece == count - 1) for lines, count, piece in steps]


def batches_of(stream: TokenStream, vocabulary: Vocabulary, recipe: LanguageRecipe) -> StreamBatches | LineBatches:
    """The batches that a recipe asks for."""
    shape, seed = recipe.batch, recipe.training.seed
    if recipe.text.lines:
        dropout = recipe.condition.condition_dropout
        return LineBatches(stream, vocabulary, shape, seed, recipe.network.bidirectional, dropout)
    return StreamBatches(stream, vocabulary, shape, seed)


def apart(batch: Ids, labels: bool, device: torch.device) -> tuple[Tensor | None, Ids]:
    """The classes (B,) of a batch with ``labels``, and its rows of tokens (B, T + 1)."""
    return (torch.from_numpy(batch[:, 0].copy()).to(device), batch[:, 1:]) if labels else (None, batch)


def line_rows(ids: npt.NDArray[Any], starts: Ids, ends: Ids, offset: int, width: int) -> Ids:
    """Rows (B, T + 1) of the lines from ``starts`` (B,) to ``ends`` (B,) in a stream: T <= ``width`` tokens each.

    They begin ``offset`` tokens after the start of the line, and the token before them comes first.
    """
    first = starts + offset
    last = np.minimum(ends, first + width)
    places = first[:, None] + np.arange(-1, int((last - first).max()))
    inside = (places >= starts[:, None]) & (places < last[:, None])
    rows = np.full(places.shape, PADDING, dtype=np.int64)
    rows[inside] = ids[places[inside]]
    return rows


def inputs_and_targets(batch: Ids, vocabulary: Vocabulary, device: torch.device) -> tuple[Tensor, Tensor]:
    """The inputs and targets (T, B) of a batch (B, T + 1).

    An input is the token before its target, with the sentence start in the place of a sentence end: the pairs
    (s, w1), (w1, w2), ..., (wn, e) of chapter 5.
    """
    both = torch.from_numpy(batch).to(device).t().contiguous()
    return shift_inputs(both[:-1], vocabulary), both[1:]


def shift_inputs(previous: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Previous tokens as inputs: an end, or padding, becomes the start of the next sentence; same shape."""
    return torch.where((previous == vocabulary.end) | (previous == PADDING), vocabulary.start, previous)


def surrounded_lines(batch: Ids, vocabulary: Vocabulary, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Of whole lines in a batch (B, T + 1): each between two sentence starts (T + 2, B), lengths (B,), targets (T, B).

    The last token of a line, its end, is a sentence start to those before it.
    """
    inputs, targets = inputs_and_targets(batch, vocabulary, device)
    after = shift_inputs(torch.cat([targets[-1:], torch.full_like(targets[-1:], PADDING)]), vocabulary)
    return torch.cat([inputs, after]), (targets != PADDING).sum(dim=0), targets
