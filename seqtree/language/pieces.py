"""A text in pieces that are read side by side: many times as fast as token by token, and seen to be the same.

An LSTM forgets: what it puts out hangs on the last few hundred tokens, however it began. So each piece is read from
the zero state after the tokens before it. Whether that was enough is seen afterwards: where a piece began, the piece
before it must have ended in the same state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from seqtree.language.batches import Ids, shift_inputs
from seqtree.language.config import LanguageNetworkConfig
from seqtree.language.network import RecurrentLanguageModel
from seqtree.nn.recurrent import State
from seqtree.text.vocabulary import Vocabulary

ROWS = 64  # pieces of a text, or lines, that are read at once
WINDOW = 256  # tokens of each that are read at once
MAX_GATES = 1 << 24  # numbers of a layer in a window; 64 MiB
WARM_UP = 1024  # tokens before a piece, after which an LSTM is to have forgotten what came before them
LEAST, MOST = 2 * WARM_UP, 4 * WARM_UP  # tokens of a piece
SAME = 1e-4  # by which units may differ in one state; surprisals then differ by some 1e-5


class Pieces:
    """Of the pieces of ``length`` tokens of a text, ids (N,), ``some`` neighbours: 0 is the first piece, 1 the next.

    Each is read after the ``warm_up`` tokens before it; but the first piece in the state ``first`` (layers, 1, H),
    after the token ``before``.
    """

    def __init__(
        self,
        network: RecurrentLanguageModel,
        vocabulary: Vocabulary,
        ids: Ids,
        some: Sequence[int],
        length: int,
        warm_up: int,
        first: State,
        before: int,
    ) -> None:
        lead = warm_up + 1
        parts = [_part(ids, number * length - lead, (number + 1) * length, before) for number in some]
        tokens = torch.from_numpy(np.stack(parts, axis=1))  # (lead + length, B)
        self.network, self.warm_up = network, warm_up
        self.first = first if some[0] == 0 else None
        self.inputs, self.targets = shift_inputs(tokens[:-1], vocabulary), tokens[lead:]

    def states(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Of the next tokens of each piece: the states that they are predicted from, (T, B, H), and they, (T, B)."""
        network, size = self.network, validation_window(self.network.config)
        state = network.recurrent.zero_state(self.inputs.shape[1], network.decoder.weight)
        for inputs in self.inputs[: self.warm_up].split(size):
            _, state = network.hidden_states(inputs.to(network.device), state)
        if self.first is not None:
            for part, known in zip(state, self.first, strict=True):
                part[:, :1] = known
        self.began = state
        for inputs, targets in zip(self.inputs[self.warm_up :].split(size), self.targets.split(size), strict=True):
            output, state = network.hidden_states(inputs.to(network.device), state)
            yield output, targets.to(network.device)
        self.ended = state

    @property
    def joined(self) -> bool:
        """Whether, once all states were read, each piece but the first began as the one before it ended.

        Of an LSTM's cell only what is put out of it counts, its tanh: some units add up all they read, and are full.
        """
        states = zip(_seen(self.ended), _seen(self.began), strict=True)
        return all(bool(((ended[:, :-1] - began[:, 1:]).abs() <= SAME).all()) for ended, began in states)


def plan(config: LanguageNetworkConfig, tokens: int) -> tuple[int, int]:
    """How many pieces of how many tokens a text begins with; at most one piece: it is read token by token.

    Only those of LSTMs are joined: the slow units of a GRU are seen in its state, and a simple network may be chaotic.
    """
    rows = min(ROWS, tokens // LEAST) if config.cell == "lstm" and not config.bidirectional else 1
    return rows, min(MOST, tokens // max(1, rows))


def validation_window(config: LanguageNetworkConfig) -> int:
    """Tokens of each of ``ROWS`` rows that are read at once: ``WINDOW``, fewer for a wide network."""
    return min(WINDOW, max(1, MAX_GATES // (ROWS * 4 * config.hidden)))


def _part(ids: Ids, begin: int, end: int, before: int) -> Ids:
    """ids[begin:end] as int64, with ``before`` in front where they begin before the text."""
    missing = np.full(max(0, -begin), before, dtype=np.int64)
    return np.concatenate([missing, ids[max(0, begin) : end].astype(np.int64)])


def _seen(state: State) -> tuple[Tensor, ...]:
    return state[0], *(cell.tanh() for cell in state[1:])
