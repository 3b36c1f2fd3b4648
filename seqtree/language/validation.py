"""Validation: the loss of a language model while it learns, many times faster than measuring it, and its time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from seqtree.language.batches import Ids
from seqtree.language.evaluation import evaluate
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.pieces import ROWS, WARM_UP, Pieces, plan
from seqtree.language.surprisals import cross_entropies, surprisals
from seqtree.text.corpus import beginning
from seqtree.text.documents import line_bounds
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.sharing import Share, alone

SAMPLE = 1024  # tokens that are measured to know how long all of them take
LONGER = 4 * SAMPLE  # of what is read side by side


@torch.no_grad()
def validation_loss(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    stream: TokenStream,
    warm_up: int = 64,
    rows: int = ROWS,
    lines: bool = False,
    share: Share = alone,
) -> float:
    """The loss of a stream in nats per token, read as ``rows`` pieces at once: many times faster than one by one.

    Each piece first reads the ``warm_up`` tokens before it, so that the figure stays within a few thousandths of
    ``evaluate``'s; it serves to compare evaluations of one run. ``lines`` are read side by side as by ``evaluate``.
    Several processes may ``share`` pieces or lines.
    """
    network.eval()
    if lines:
        bounds = line_bounds(stream.ids, vocabulary.end)
        sums = share(partial(_lines_sums, network, vocabulary, stream, bounds), range(len(bounds) - 1))
        return math.fsum(sums) / len(stream)
    if network.config.bidirectional or len(stream) < 2 * rows * warm_up:
        return evaluate(network, vocabulary, stream).loss
    sums = share(partial(_pieces_sums, network, vocabulary, stream, warm_up, rows), range(rows))
    return math.fsum(sums) / (len(stream) // rows * rows)


def _lines_sums(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, stream: TokenStream, bounds: Ids, lines: Sequence[int]
) -> list[float]:
    """Sums of the surprisals of neighbouring lines, of some at a time."""
    first, last = lines[0], lines[-1] + 1
    labels = None if stream.labels is None else stream.labels[first:last]
    parts = surprisals(network, vocabulary, stream.ids[bounds[first] : bounds[last]], True, labels)
    return [part.sum(dtype=torch.float64).item() for part in parts]


def _pieces_sums(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    stream: TokenStream,
    warm_up: int,
    rows: int,
    some: Sequence[int],
) -> list[float]:
    """The sum of the surprisals of neighbouring pieces, of which a stream has ``rows``."""
    first, start = network.recurrent.zero_state(1, network.decoder.weight), vocabulary.start
    pieces = Pieces(network, vocabulary, stream.ids, some, len(stream) // rows, warm_up, first, start)
    return [
        sum(
            cross_entropies(network, output, targets).sum(dtype=torch.float64).item()
            for output, targets in pieces.states()
        )
    ]


def seconds_per_token(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, stream: TokenStream, lines: bool = False
) -> tuple[float, float]:
    """How long a token of ``stream`` takes ``validation_loss`` and ``evaluate``, by measuring its beginning twice.

    ``evaluate`` is taken to find that the pieces of a text are joined, as those of LSTMs are.
    """

    def seconds(measured: Callable[..., object], tokens: int) -> float:
        sample, took = beginning(stream, min(tokens, len(stream)), vocabulary), []
        for _ in range(2):
            began = time.perf_counter()
            measured(network, vocabulary, sample, lines=lines)
            took.append(time.perf_counter() - began)
        return min(took) / len(sample)

    validation, evaluation = seconds(partial(validation_loss, warm_up=4), SAMPLE), seconds(evaluate, SAMPLE)
    rows, length = plan(network.config, len(stream))
    if rows > 1 and not lines:
        warm_up = LONGER // rows * WARM_UP // length  # as much of the sample as of the text
        piece = seconds(partial(validation_loss, warm_up=max(1, warm_up), rows=rows), LONGER)
        evaluation += (piece - evaluation) * min(1.0, rows * length / len(stream))
    return validation, evaluation
