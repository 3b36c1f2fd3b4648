"""Training batches: a token stream as parallel rows, read in windows, the hidden state carried from one to the next."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

MIN_TOKENS = 8


@dataclass(frozen=True)
class BatchShape:
    """Rows read in parallel, and tokens of each row in a step (the reach of truncated backpropagation)."""

    rows: int = 32
    window: int = 64

    def __post_init__(self) -> None:
        for name in ("rows", "window"):
            if getattr(self, name) < 1:
                raise InputError(f"{'batch' if name == 'rows' else name} {getattr(self, name)}: expected at least 1")

    def fitted(self, tokens: int, warn: Callable[[str], object]) -> BatchShape:
        """A shape that a corpus of ``tokens`` fills at least once, said aloud; InputError below ``MIN_TOKENS``."""
        if tokens < MIN_TOKENS:
            raise InputError(f"{tokens} training tokens are too few: at least {MIN_TOKENS} are needed")
        rows, window = self.rows, self.window
        while rows > 1 and tokens // rows < 4 * window:
            rows //= 2
        window = min(window, max(1, tokens // (2 * rows)))
        if (rows, window) != (self.rows, self.window):
            warn(f"small corpus ({tokens:,} tokens): batch {self.rows} -> {rows}, window {self.window} -> {window}")
        return BatchShape(rows, window)


class StreamBatches:
    """Windows over a stream cut into rows of equal length; each epoch starts at another offset.

    ``batch(epoch, step)`` gives (inputs, targets), each (T, B) int64. An input is the token before its target, with the
    sentence start in the place of a sentence end: the pairs (s, w1), (w1, w2), ..., (wn, e) of chapter 5.
    """

    def __init__(self, stream: TokenStream, vocabulary: Vocabulary, shape: BatchShape, seed: int) -> None:
        self.ids, self.vocabulary, self.shape, self.seed = stream.ids, vocabulary, shape, seed
        self.row_length = len(stream) // shape.rows
        self.steps_per_epoch = max(1, self.row_length // shape.window)
        self.window = min(shape.window, self.row_length)

    def batch(self, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Window ``step`` of ``epoch``."""
        start = self._offset(epoch) + step * self.window
        rows = [self._row(row * self.row_length + start, self.window) for row in range(self.shape.rows)]
        both = torch.from_numpy(np.stack(rows, axis=1))  # (T + 1, B)
        return shift_inputs(both[:-1], self.vocabulary), both[1:]

    def _offset(self, epoch: int) -> int:
        slack = self.row_length - self.steps_per_epoch * self.window
        return random.Random(self.seed * 1_000_003 + epoch).randint(0, slack) if epoch else 0

    def _row(self, start: int, count: int) -> np.ndarray:
        """Tokens start - 1 to start + count - 1, with the sentence start before the first of all."""
        row = np.empty(count + 1, dtype=np.int64)
        row[0] = self.ids[start - 1] if start else self.vocabulary.start
        row[1:] = self.ids[start : start + count]
        return row


def shift_inputs(previous: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Previous tokens as inputs: a sentence end becomes the start of the next sentence; same shape."""
    if vocabulary.start == vocabulary.end:
        return previous
    return torch.where(previous == vocabulary.end, vocabulary.start, previous)
