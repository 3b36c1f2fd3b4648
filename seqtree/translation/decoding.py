"""Decoding: the best targets by beam search, and the probability of a target that is given (forced decoding)."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from seqtree.translation.network import END, START, Memory, TranslatorNetwork


class Hypothesis(NamedTuple):
    """A target in numbers, without its end, and its score: log probability / length ** penalty, the end counted."""

    tokens: list[int]
    score: float


class Forced(NamedTuple):
    """The log probability of every token of B targets (T, B), ends included, and the weights of attention (T, B, S)."""

    log_probabilities: Tensor
    weights: Tensor | None


class _Beam:
    """A search for B sources at once with K hypotheses each; what has been done is kept as tables to be read back.

    Of the K best candidates of a step, those that end are finished; the K best that do not end go on. So a beam of 1 is
    the greedy decoder. A source is done when K of its hypotheses are finished and none that goes on is better, at its
    present length, than the best that are asked for; or at its limit, where all end.
    """

    def __init__(
        self, network: TranslatorNetwork, memory: Memory, limits: Tensor, width: int, penalty: float, best: int
    ) -> None:
        self.network, self.memory, self.limits, self.width, self.penalty = network, memory, limits, width, penalty
        count, device = len(memory), memory.end.device
        self.sources = torch.arange(count, device=device)  # those still searched, by number
        self.scores = torch.full((count, width), -torch.inf, dtype=memory.end.dtype, device=device)
        self.scores[:, 0] = 0.0
        self.tokens = torch.full((count * width,), START, device=device)
        self.state = tuple(part.repeat_interleave(width, dim=1) for part in memory.first)
        self.found = torch.zeros(count, dtype=torch.long, device=device)
        self.best = torch.full((count, best), -torch.inf, dtype=memory.end.dtype, device=device)  # of what is finished
        self.history: list[tuple[Tensor, Tensor]] = []  # token and parent of each hypothesis (all B, K), by step
        self.finished: list[tuple[Tensor, ...]] = []  # source, parent, score of what ended, by step
        self.shape = (count, width)

    def run(self) -> list[list[Hypothesis]]:
        """The best finished hypotheses of each source, best first."""
        step = 0
        while len(self.sources):
            step += 1
            self._advance(step)
        return self._read_back()

    def _advance(self, step: int) -> None:
        """One step for all sources that are not done."""
        network, width, count = self.network, self.width, len(self.sources)
        output, state, _ = network.decode(self.memory, self.tokens[None], self.state)
        chances = network.output(output[0]).float().log_softmax(dim=1).view(count, width, -1)
        chances[:, :, START] = -torch.inf
        last = self.limits[self.sources] <= step
        if bool(last.any()):
            chances[last, :, :END] = -torch.inf
            chances[last, :, END + 1 :] = -torch.inf
        total = (self.scores[:, :, None] + chances).flatten(1)  # (B, K V)
        tokens = chances.shape[2]
        best, place = total.topk(2 * width, dim=1)
        parent, token = place // tokens, place % tokens
        ends = (token == END) & best.isfinite()
        self._finish(step, ends[:, :width], parent[:, :width], best[:, :width])
        best = best.masked_fill(token == END, -torch.inf)
        self.scores, order = best.topk(width, dim=1)
        better = self.best[self.sources, -1] >= self.scores[:, 0] / step**self.penalty
        going = self.scores[:, 0].isfinite() & ~(better & (self.found[self.sources] >= width))
        self._keep(token.gather(1, order), parent.gather(1, order), state, going)

    def _finish(self, step: int, ends: Tensor, parent: Tensor, score: Tensor) -> None:
        score = score / step**self.penalty
        row, place = ends.nonzero(as_tuple=True)
        self.finished.append((self.sources[row], parent[row, place], score[row, place]))
        self.found[self.sources] += ends.sum(dim=1)
        both = torch.cat([self.best[self.sources], score.masked_fill(~ends, -torch.inf)], dim=1)
        self.best[self.sources] = both.topk(self.best.shape[1], dim=1).values

    def _keep(self, token: Tensor, parent: Tensor, state: tuple[Tensor, ...], going: Tensor) -> None:
        """Go on with these hypotheses (B, K) of the sources that are ``going`` on (B,)."""
        tokens, parents = (torch.zeros(self.shape, dtype=torch.long, device=token.device) for _ in range(2))
        tokens[self.sources], parents[self.sources] = token, parent
        self.history.append((tokens, parents))
        rows = going.nonzero()[:, 0]
        if len(rows) < len(going):
            self.sources, self.memory = self.sources[rows], self.memory[rows]
            self.scores, token, parent = self.scores[rows], token[rows], parent[rows]
        self.tokens = token.flatten()
        taken = (rows[:, None] * self.width + parent).flatten()
        self.state = tuple(part[:, taken] for part in state)

    def _read_back(self) -> list[list[Hypothesis]]:
        """The best finished hypotheses of each source, read from their ends to their starts, all at once."""
        lengths = torch.cat([torch.full_like(columns[0], n) for n, columns in enumerate(self.finished)])
        source, place, score = (torch.cat(column) for column in zip(*self.finished, strict=True))
        order = score.argsort(descending=True, stable=True)
        order = order[source[order].argsort(stable=True)]
        ended = torch.bincount(source, minlength=self.shape[0])
        rank = torch.arange(len(order), device=order.device) - (ended.cumsum(0) - ended)[source[order]]
        order = order[rank < self.best.shape[1]]
        source, place, score, lengths = (column[order] for column in (source, place, score, lengths))
        read = torch.zeros(len(order), len(self.history), dtype=torch.long, device=order.device)
        for step in range(len(self.history) - 1, -1, -1):
            tokens, parents = (table[source, place] for table in self.history[step])
            read[:, step] = tokens
            place = torch.where(step < lengths, parents, place)
        rows = zip(read.tolist(), lengths.tolist(), score.tolist(), strict=True)
        made = iter([Hypothesis(row[:length], value) for row, length, value in rows])
        return [list(islice(made, count)) for count in ended.clamp(max=self.best.shape[1]).tolist()]


def beam_search(
    network: TranslatorNetwork, memory: Memory, limits: Tensor, width: int, penalty: float, best: int = 1
) -> list[list[Hypothesis]]:
    """The ``best`` targets for each source that a beam of ``width`` finds, best first, at least one.

    ``limits`` (B,): the most tokens of each target, its end counted. ``penalty``: the exponent of the length by which
    log probabilities are divided; 0 compares them as they are.
    """
    return _Beam(network, memory, limits, width, penalty, best).run()


def forced(network: TranslatorNetwork, memory: Memory, targets: Tensor) -> Forced:
    """How probable targets (T, B) are, token by token; each has its end in it, after which the values mean nothing."""
    output, weights = network.teacher_forced(memory, targets)
    chances = network.output(output).float().log_softmax(dim=2)
    return Forced(chances.gather(2, targets[:, :, None])[:, :, 0], weights)
