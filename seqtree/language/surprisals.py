"""Surprisals: how little a language model expected each token of a text or of its lines, always in float32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.language.batches import Ids, inputs_and_targets, line_rows, shift_inputs, surrounded_lines
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.pieces import MOST, ROWS, WARM_UP, WINDOW, Pieces, plan, validation_window
from seqtree.nn.recurrent import State
from seqtree.text.documents import line_bounds
from seqtree.text.vocabulary import Vocabulary

CONTEXT = 64  # tokens on each side of a window that a bidirectional model reads besides
LEAST_LOGARITHM = -1e30  # of a probability; 0 times minus infinity would be no number
MAX_LOGITS = 1 << 21  # numbers; 8 MiB, once more for their logarithms: larger arrays are laid out anew each time
LINES = 1 << 18  # tokens of lines that are sorted by length together


def surprisals(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    ids: np.ndarray,
    lines: bool = False,
    labels: Ids | None = None,
    details: bool = False,
) -> Iterator[Tensor]:
    """Surprisals in nats of ``ids`` (N,), in parts (T,) in order: each after all before it, or before it in its line.

    Before the first token of a text, and with ``lines`` of each line, is the sentence start, read from the zero state.
    ``labels`` are the classes of the lines, as conditions. With ``details`` parts are (T, 3): beside the surprisal,
    the entropy in nats of the distribution that the token was predicted from, and the token's rank in it, from 1.
    """
    network.eval()
    if lines:
        return _line_surprisals(network, vocabulary, ids, labels, details)
    size = WINDOW if network.config.bidirectional else ROWS * MOST
    return streamed_surprisals(network, vocabulary, in_windows(ids, size), details)


def in_windows(ids: np.ndarray, size: int = WINDOW) -> Iterator[np.ndarray]:
    """Parts of ids (N,), ``size`` long but for the last."""
    return (ids[i : i + size] for i in range(0, len(ids), size))


@torch.inference_mode()
def streamed_surprisals(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, windows: Iterable[np.ndarray], details: bool = False
) -> Iterator[Tensor]:
    """Surprisals in nats (T,) of each window of ids (T,) after all before it; with ``details`` (T, 3), as above.

    A long window is read in pieces side by side. With a bidirectional network, each token is among ``CONTEXT`` on each
    side: it reads a window ahead. All windows but the last are to have ``WINDOW`` tokens then.
    """
    network.eval()
    if network.config.bidirectional:
        yield from _surrounded_surprisals(network, vocabulary, windows, details)
        return
    state, before, joined = network.recurrent.zero_state(1, network.decoder.weight), vocabulary.start, True
    for ids in windows:
        found, done = [], 0
        while joined and (shape := plan(network.config, len(ids) - done))[0] > 1:
            rows, length = shape
            pieces = Pieces(network, vocabulary, ids[done:], range(rows), length, WARM_UP, state, before)
            nats = [cross_entropies(network, output, targets, details) for output, targets in pieces.states()]
            if joined := pieces.joined:
                found.append(torch.cat(nats).transpose(0, 1).flatten(0, 1))
                state, done = tuple(part[:, -1:].contiguous() for part in pieces.ended), done + rows * length
                before = int(ids[done - 1])
        for window in in_windows(ids[done:]):
            output, targets, state = next_states(network, vocabulary, window, state, before)
            found.append(cross_entropies(network, output, targets, details))
            before = int(window[-1])
        yield torch.cat(found).cpu()


def states_and_targets(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, ids: np.ndarray
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each window of ids (N,), the states (T, H) that a network predicts from, and what follows them (T,)."""
    state, before = network.recurrent.zero_state(1, network.decoder.weight), vocabulary.start
    for window in in_windows(ids):
        output, targets, state = next_states(network, vocabulary, window, state, before)
        before = int(window[-1])
        yield output, targets


def next_states(
    network: RecurrentLanguageModel, vocabulary: Vocabulary, ids: np.ndarray, state: State, before: int
) -> tuple[Tensor, Tensor, State]:
    """The states (T, H) that ``ids`` (T,) are predicted from, these ids as targets (T,), and the state after them.

    The network is in ``state``; ``before`` is the token before the first of them.
    """
    targets = torch.from_numpy(np.asarray(ids, dtype=np.int64))
    inputs = shift_inputs(torch.cat([torch.tensor([before]), targets[:-1]]), vocabulary)
    output, state = network.hidden_states(inputs[:, None].to(network.device), state)
    return output[:, 0], targets.to(network.device), state


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
    """Cross-entropies (...) of targets (...) after hidden states (..., H), a bounded number of logits at a time.

    With ``details`` (..., 3): cross-entropy, entropy and rank.
    """
    rows = max(1, MAX_LOGITS // network.vocabulary_size)
    states, rights = output.flatten(0, -2), targets.flatten()
    shape = (len(rights), 3) if details else (len(rights),)
    found = torch.empty(shape, dtype=output.dtype, device=output.device)  # made first: a part made between two
    nats = found[:, 0] if details else found  # blocks of logits would lie where the next block might have fitted
    for i in range(0, len(rights), rows):
        logits, right = network.decoder(states[i : i + rows]), rights[i : i + rows]
        nats[i : i + rows] = F.cross_entropy(logits, right, reduction="none")
        if details:
            found[i : i + rows, 2] = 1 + (logits > logits.gather(1, right[:, None])).sum(dim=1)
            logits = logits.log_softmax(dim=1)
            found[i : i + rows, 1] = -(logits.exp() * logits.clamp_min(LEAST_LOGARITHM)).sum(dim=1)
        del logits  # before the next ones are made
    return found.view(*targets.shape, *found.shape[1:])
