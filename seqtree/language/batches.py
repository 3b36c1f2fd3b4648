"""Training batches: a token stream as parallel rows, read in windows, the hidden state carried from one to the next."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.language.config import StreamBatchSettings
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

Ids = npt.NDArray[np.int64]


class StreamBatches:
    """Windows over a stream cut into rows of equal length; each epoch starts at another offset.

    ``batch(epoch, step)`` gives (B, T + 1) tokens: of each row the T targets, and the token before the first of them.
    """

    def __init__(self, stream: TokenStream, vocabulary: Vocabulary, shape: StreamBatchSettings, seed: int) -> None:
        self.ids, self.vocabulary, self.rows, self.seed = stream.ids, vocabulary, shape.batch, seed
        self.row_length = len(stream) // self.rows
        self.steps_per_epoch = max(1, self.row_length // shape.window)
        self.window = min(shape.window, self.row_length)

    def batch(self, epoch: int, step: int) -> Ids:
        """Window ``step`` of ``epoch``."""
        start = self._offset(epoch) + step * self.window
        return np.stack([self._row(row * self.row_length + start, self.window) for row in range(self.rows)])

    def _offset(self, epoch: int) -> int:
        slack = self.row_length - self.steps_per_epoch * self.window
        return random.Random(self.seed * 1_000_003 + epoch).randint(0, slack) if epoch else 0

    def _row(self, start: int, count: int) -> Ids:
        """Tokens start - 1 to start + count - 1, with the sentence start before the first of all."""
        row = np.empty(count + 1, dtype=np.int64)
        row[0] = self.ids[start - 1] if start else self.vocabulary.start
        row[1:] = self.ids[start : start + count]
        return row


def inputs_and_targets(batch: Ids, vocabulary: Vocabulary, device: torch.device) -> tuple[Tensor, Tensor]:
    """The inputs and targets (T, B) of a batch (B, T + 1).

    An input is the token before its target, with the sentence start in the place of a sentence end: the pairs
    (s, w1), (w1, w2), ..., (wn, e) of chapter 5.
    """
    both = torch.from_numpy(batch).to(device).t().contiguous()
    return shift_inputs(both[:-1], vocabulary), both[1:]


def shift_inputs(previous: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Previous tokens as inputs: a sentence end becomes the start of the next sentence; same shape."""
    if vocabulary.start == vocabulary.end:
        return previous
    return torch.where(previous == vocabulary.end, vocabulary.start, previous)
