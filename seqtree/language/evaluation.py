"""Measuring a language model: surprisals with the state carried over the whole text or line, always in float32."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.language.batches import Ids, inputs_and_targets, line_rows, shift_inputs, surrounded_lines
from seqtree.language.config import LanguageNetworkConfig
from seqtree.language.network import RecurrentLanguageModel
from seqtree.text.documents import line_bounds
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

WINDOW = 256
ROWS = 64  # pieces of a text that validation reads at once
CONTEXT = 64  # tokens on each side of a window that a bidirectional model reads besides
LEAST_LOGARITHM = -1e30  # of a probability; 0 times minus infinity would be no number
MAX_LOGITS = 1 << 22  # numbers; 16 MiB, once more for their logarithms
LINES = 1 << 18  # tokens of lines that are sorted by length together
MAX_GATES = 1 << 24  # numbers of a layer in a window of validation; 64 MiB


@dataclass(frozen=True)
class LanguageEvaluation:
    """loss: nats per token; perplexity exp(loss); bits per character and byte: all bits over the text's length.

    both_sides: whether each token was predicted from those after it as well (a bidirectional model).
    by_class: for texts with classes, the figures of each class among them: loss, perplexity, tokens, items.
    """

    loss: float
    perplexity: float
    bits_per_character: float
    bits_per_byte: float
    tokens: int
    unknown_tokens: int
    tokens_per_second: float
    both_sides: bool = False
    by_class: dict[str, dict[str, float]] | None = None

    @property
    def comparable(self) -> bool:
        """Whether the bits are those of the text itself, and so compare with those of other models."""
        return not self.reservations

    @property
    def reservations(self) -> list[str]:
        """Why the bits do not compare with those of other models."""
        unknown = f"{self.unknown_tokens:,} of {self.tokens:,} tokens are unknown and measured as <unk>, not as written"
        sides = "the model is bidirectional: each token was predicted from both sides"
        return [unknown] * bool(self.unknown_tokens) + [sides] * self.both_sides

    def to_json(self) -> dict[str, Any]:
        """The fields, ``by_class`` for texts with classes only, and ``comparable``."""
        figures = {name: value for name, value in asdict(self).items() if (name, value) != ("by_class", None)}
        return {**figures, "comparable": self.comparable}


def evaluate(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    stream: TokenStream,
    lines: bool = False,
    conditioned: bool = True,
) -> LanguageEvaluation:
    """Measure a whole stream from the zero state, one token after another; or each of its ``lines`` so.

    conditioned: whether the network is told the classes of a stream that has them.
    """
    began = time.perf_counter()
    parts = surprisals(network, vocabulary, stream.ids, lines, stream.labels if conditioned else None)
    tally = None if stream.labels is None else _ClassTally(stream.ids, stream.labels, vocabulary)
    totals = []
    for part in parts:
        totals.append(part.sum(dtype=torch.float64).item())
        if tally is not None:
            tally.add(part)
    total = math.fsum(totals)
    seconds = max(time.perf_counter() - began, 1e-9)
    loss, bits = total / len(stream), total / math.log(2)
    return LanguageEvaluation(
        loss,
        exp(loss),
        bits / stream.characters,
        bits / stream.bytes,
        len(stream),
        stream.unknown,
        len(stream) / seconds,
        network.config.bidirectional,
        tally.figures(network.classes.labels.names) if tally and network.classes else None,
    )


class _ClassTally:
    """Adds up surprisals by the classes of the lines that they are in."""

    def __init__(self, ids: np.ndarray, labels: Ids, vocabulary: Vocabulary) -> None:
        lengths = np.diff(line_bounds(ids, vocabulary.end))
        self.of_token, self.of_item = np.repeat(labels, lengths), labels
        self.nats, self.seen = np.zeros(int(labels.max()) + 1), 0

    def add(self, nats: Tensor) -> None:
        """The surprisals (T,) of the next tokens."""
        here = self.of_token[self.seen : self.seen + len(nats)]
        self.nats += np.bincount(here, weights=nats.double().numpy(), minlength=len(self.nats))
        self.seen += len(nats)

    def figures(self, names: Sequence[str]) -> dict[str, dict[str, float]]:
        tokens, items = np.bincount(self.of_token), np.bincount(self.of_item)
        found = {}
        for number in np.flatnonzero(items).tolist():
            count, loss = int(tokens[number]), float(self.nats[number] / tokens[number])
            found[names[number]] = {"loss": loss, "perplexity": exp(loss), "tokens": count, "items": int(items[number])}
        return found


def exp(loss: float) -> float:
    """e to the power of ``loss``, infinite where a float would overflow."""
    return math.exp(loss) if loss < 709 else math.inf


def surprisals(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    ids: np.ndarray,
    lines: bool = False,
    labels: Ids | None = None,
    details: bool = False,
) -> Iterator[Tensor]:
    """Surprisals in nats of ``ids`` (N,), in pieces (T,) in order: each after all before it, or before it in its line.

    Before the first token of a text, and with ``lines`` of each line, is the sentence start, read from the zero state.
    ``labels`` are the classes of the lines, as conditions. With ``details`` pieces are (T, 3): beside the surprisal,
    the entropy in nats of the distribution that the token was predicted from, and the token's rank in it, from 1.
    """
    network.eval()
    if lines:
        return _line_surprisals(network, vocabulary, ids, labels, details)
    return streamed_surprisals(network, vocabulary, in_windows(ids), details)


def in_windows(ids: np.ndarray, size: int = WINDOW) -> Iterator[np.ndarray]:
    """Pieces of ids (N,), ``size`` long but for the last."""
    return (ids[i : i + size] for i in range(0, len(ids), size))


@torch.inference_mode()
def streamed_surprisals(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, windows: Iterable[np.ndarray], details: bool = False
) -> Iterator[Tensor]:
    """Surprisals in nats (T,) of each window of ids (T,) after all before it; with ``details`` (T, 3), as above.

    With a bidirectional network, among ``CONTEXT`` tokens on each side: it reads a window ahead. All windows but the
    last are to have ``WINDOW`` tokens.
    """
    network.eval()
    if network.config.bidirectional:
        yield from _surrounded_surprisals(network, vocabulary, windows, details)
        return
    for output, targets in states_and_targets(network, vocabulary, windows):
        yield cross_entropies(network, output, targets, details).cpu()


def states_and_targets(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, windows: Iterable[np.ndarray]
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each window, the states (T, H) from which a network that reads forward predicts its ids, and these (T,)."""
    device, state = network.decoder.weight.device, None
    before = vocabulary.start
    for ids in windows:
        targets = torch.from_numpy(np.asarray(ids, dtype=np.int64))
        previous = torch.cat([torch.tensor([before]), targets[:-1]])
        before = int(targets[-1])
        inputs = shift_inputs(previous, vocabulary)
        output, state = network.hidden_states(inputs[:, None].to(device), state)
        yield output[:, 0], targets.to(device)


def _surrounded_surprisals(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, windows: Iterable[np.ndarray], details: bool
) -> Iterator[Tensor]:
    device, nothing = network.decoder.weight.device, np.zeros(0, dtype=np.int64)
    before = nothing
    for ids, after in pairwise(chain(windows, [nothing])):
        left, right = before[-CONTEXT:], after[:CONTEXT]
        window = surrounded(np.concatenate([left, ids, right]), vocabulary)
        output = network.surrounded_states(window[:, None].to(device))[len(left) : len(left) + len(ids), 0]
        targets = torch.from_numpy(np.asarray(ids, dtype=np.int64))
        yield cross_entropies(network, output, targets.to(device), details).cpu()
        before = ids


@torch.inference_mode()
def _line_surprisals(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, ids: np.ndarray, labels: Ids | None, details: bool
) -> Iterator[Tensor]:
    bounds, first = line_bounds(ids, vocabulary.end), 0
    while first < len(bounds) - 1:
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + LINES, side="right")) - 1)
        starts, ends = bounds[first:last] - bounds[first], bounds[first + 1 : last + 1] - bounds[first]
        shape = (int(ends[-1]), 3) if details else (int(ends[-1]),)
        found = torch.empty(shape, dtype=network.decoder.weight.dtype)
        order = np.argsort(starts - ends, kind="stable")  # the longest first
        room, least = ROWS * validation_window(network.config), 1 if network.config.bidirectional else ROWS
        done = 0
        while done < len(order):
            longest = int(ends[order[done]] - starts[order[done]])
            chosen = order[done : done + max(least, room // longest)]
            classes = None if labels is None else torch.from_numpy(labels[first + chosen]).to(network.device)
            some = ids[bounds[first] : bounds[last]]
            _measure(network, vocabulary, some, starts[chosen], ends[chosen], classes, found)
            done += len(chosen)
        yield found
        first = last


def _measure(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    ids: np.ndarray,
    starts: Ids,
    ends: Ids,
    classes: Tensor | None,
    found: Tensor,
) -> None:
    """Put into ``found`` (N,), or (N, 3) for the details, the surprisals of those lines of ``ids`` (N,).

    They come the longest first, and are read side by side.
    """
    longest, state = int(ends[0] - starts[0]), None
    window = longest if network.config.bidirectional else validation_window(network.config)
    for offset in range(0, longest, window):
        going = int(np.count_nonzero(ends - starts > offset))
        starts, ends = starts[:going], ends[:going]
        rows = line_rows(ids, starts, ends, offset, window)
        if network.config.bidirectional:
            context, lengths, targets = surrounded_lines(rows, vocabulary, network.device)
            output = network.surrounded_states(context, lengths)
        else:
            inputs, targets = inputs_and_targets(rows, vocabulary, network.device)
            state = state and tuple(part[:, :going].contiguous() for part in state)
            classes = None if classes is None else classes[:going]
            output, state = network.hidden_states(inputs, state, classes)
        real = targets >= 0  # (T, B)
        places = torch.from_numpy(starts + offset) + torch.arange(len(targets))[:, None]
        found[places[real.cpu()]] = cross_entropies(network, output[real], targets[real], found.dim() > 1).cpu()


def surrounded(ids: np.ndarray, vocabulary: Vocabulary) -> Tensor:
    """``ids`` (T,) between two sentence starts, which stand for every sentence end, as in training; (T + 2,)."""
    window = torch.from_numpy(np.concatenate([[vocabulary.start], ids, [vocabulary.end]]).astype(np.int64))
    return shift_inputs(window, vocabulary)


def cross_entropies(network: RecurrentLanguageModel, output: Tensor, targets: Tensor, details: bool = False) -> Tensor:
    """Cross-entropies (T,) of targets (T,) after hidden states (T, H), a bounded number of logits at a time.

    With ``details`` (T, 3): cross-entropy, entropy and rank.
    """
    rows = max(1, MAX_LOGITS // network.vocabulary_size)
    shape = (len(targets), 3) if details else (len(targets),)
    found = torch.empty(shape, dtype=output.dtype, device=output.device)  # made first: a part made between two
    nats = found[:, 0] if details else found  # blocks of logits would lie where the next block might have fitted
    for i in range(0, len(targets), rows):
        logits, right = network.decoder(output[i : i + rows]), targets[i : i + rows]
        nats[i : i + rows] = F.cross_entropy(logits, right, reduction="none")
        if details:
            found[i : i + rows, 2] = 1 + (logits > logits.gather(1, right[:, None])).sum(dim=1)
            logits = logits.log_softmax(dim=1)
            found[i : i + rows, 1] = -(logits.exp() * logits.clamp_min(LEAST_LOGARITHM)).sum(dim=1)
        del logits  # before the next ones are made
    return found


def validation_window(config: LanguageNetworkConfig) -> int:
    """Tokens of each row that validation reads at once: ``WINDOW``, fewer for a wide network."""
    return min(WINDOW, max(1, MAX_GATES // (ROWS * 4 * config.hidden)))
