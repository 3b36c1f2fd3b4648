"""Validation: the loss of a language model while it learns, many times faster than measuring it, and its time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from seqtree.language.batches import Ids, shift_inputs
from seqtree.language.evaluation import ROWS, cross_entropies, evaluate, surprisals, validation_window
from seqtree.language.network import RecurrentLanguageModel
from seqtree.nn.recurrent import State
from seqtree.text.corpus import beginning
from seqtree.text.documents import line_bounds
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.sharing import Share, alone

SAMPLE = 1024  # tokens that are measured to know how long all of them take


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
    device, length = network.decoder.weight.device, len(stream) // rows
    lead = np.concatenate([np.full(warm_up + 1, vocabulary.start), stream.ids[: length * rows]]).astype(np.int64)
    pieces = np.stack([lead[r * length : (r + 1) * length + warm_up + 1] for r in some], axis=1)  # (., B)
    tokens = torch.from_numpy(pieces)
    inputs, targets = shift_inputs(tokens[:-1], vocabulary), tokens[1:]
    _, state = network.hidden_states(inputs[:warm_up].to(device))
    if 0 in some:  # the first piece starts the text
        state = _forget_first(state)
    total, window = 0.0, validation_window(network.config)
    for start in range(warm_up, len(inputs), window):
        output, state = network.hidden_states(inputs[start : start + window].to(device), state)
        flat = targets[start : start + window].flatten().to(device)
        total += cross_entropies(network, output.flatten(0, 1), flat).sum(dtype=torch.float64).item()
    return [total]


def seconds_per_token(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, stream: TokenStream, lines: bool = False
) -> tuple[float, float]:
    """How long a token of ``stream`` takes ``validation_loss`` and ``evaluate``, by measuring its beginning twice."""
    sample, took = beginning(stream, min(SAMPLE, len(stream)), vocabulary), []
    for measured in (partial(validation_loss, warm_up=4), evaluate):
        best = math.inf
        for _ in range(2):
            began = time.perf_counter()
            measured(network, vocabulary, sample, lines=lines)
            best = min(best, time.perf_counter() - began)
        took.append(best / len(sample))
    return took[0], took[1]


def _forget_first(state: State) -> State:
    for part in state:
        part[:, 0] = 0.0
    return state
