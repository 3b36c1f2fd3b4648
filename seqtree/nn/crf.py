"""A linear-chain conditional random field over the tags of sentences (Lafferty, McCallum and Pereira 2001).

A path of tags y has the score s(y) = start[y_1] + sum_t emission[t, y_t] + sum_t transition[y_t, y_t+1] + end[y_T], and
the probability exp s(y) / Z. Z comes from the forward algorithm, tags' marginal probabilities from forward and backward
together (Rabiner 1989, with scaling), and the best paths from Viterbi's. A path with a step that is not allowed has no
probability.

Emissions are (T, B, K), sentences longest first; ``lengths`` (B,) are at least 1. What is at padding does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seqtree.nn.padding import outside


class Steps(NamedTuple):
    """Scores of ``start`` (K,), ``transitions`` (K, K) from a tag to the next, and ``end`` (K,); -inf: impossible."""

    start: Tensor
    transitions: Tensor
    end: Tensor


class Paths(NamedTuple):
    """``tags`` (B, n, T) of each sentence's n best paths, best first, and their scores (B, n); -inf: there is none."""

    tags: Tensor
    scores: Tensor


class _Chances(NamedTuple):
    """log Z (B,), marginal probabilities of tags (T, B, K), and summed ones of starts, steps and ends."""

    partition: Tensor
    tags: Tensor
    start: Tensor
    transitions: Tensor
    end: Tensor


class CRF(nn.Module):
    """Scores of paths; ``allowed`` says which tags may start, follow one another, and end: (K,), (K, K), (K,).

    learned: whether steps have scores of their own; without, all paths that are allowed differ by emissions only.
    """

    def __init__(self, allowed: Sequence[Sequence[Any]], learned: bool = True) -> None:
        super().__init__()
        start, transitions, end = allowed
        self.apart = not learned and all(map(all, (start, *transitions, end)))  # whether tags do not depend on others
        for name, may in zip(Steps._fields, allowed, strict=True):
            forbidden = ~torch.tensor(may, dtype=torch.bool, device="cpu")
            self.register_buffer(f"no_{name}", forbidden, persistent=False)
            if learned:
                self.register_parameter(name, nn.Parameter(torch.zeros(forbidden.shape)))
            else:
                self.register_buffer(name, torch.zeros(forbidden.shape, device="cpu"), persistent=False)

    @property
    def steps(self) -> Steps:
        """The scores of steps."""
        names = Steps._fields
        return Steps(*(getattr(self, name).masked_fill(getattr(self, f"no_{name}"), -torch.inf) for name in names))

    def loss(self, emissions: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
        """-log p of the paths ``tags`` (T, B), summed over the sentences; they must be allowed."""
        steps = self.steps
        partition: Tensor = _Partition.apply(emissions, *steps, lengths)  # type: ignore[no-untyped-call]
        return partition.sum() - _score(emissions, lengths, tags, steps)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """The probability of each tag at each place, over all paths: (T, B, K), 0 at padding."""
        if self.apart:
            return emissions.softmax(dim=2).masked_fill(outside(len(emissions), lengths)[:, :, None], 0.0)
        return _chances(emissions, self.steps, lengths).tags

    @torch.no_grad()
    def log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """log Z (B,): a path's score less this is its log probability."""
        return _chances(emissions, self.steps, lengths).partition

    @torch.no_grad()
    def best(self, emissions: Tensor, lengths: Tensor, count: int = 1) -> Paths:
        """The ``count`` best paths of each sentence, by Viterbi's algorithm with as many best at every tag."""
        if self.apart and count == 1:
            top, tags = emissions.masked_fill(outside(len(emissions), lengths)[:, :, None], 0.0).max(dim=2)  # (T, B)
            return Paths(tags.t()[:, None], top.sum(dim=0)[:, None])
        start, transitions, end = self.steps
        scores = emissions.new_full((*emissions.shape[1:], count), -torch.inf)  # of the best paths that end in a tag
        scores[:, :, 0] = start + emissions[0]
        came = []  # from which of the tags' paths before it each of them came
        active = _active(lengths, len(emissions))
        for place in range(1, len(emissions)):
            n = active[place]
            ways = scores[:n, :, :, None] + transitions[:, None]  # (n, K, count, K)
            found, origin = _largest(ways.flatten(1, 2), count)  # (n, count, K)
            scores[:n] = found.transpose(1, 2) + emissions[place, :n, :, None]
            came.append(origin.transpose(1, 2).flatten(1))  # (n, K count)
        found, at = _largest((scores + end[:, None]).flatten(1)[:, :, None], count)
        return Paths(_traced(came, at[:, :, 0], lengths, count), found[:, :, 0])


def _largest(ways: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` largest along the second axis, and where; -inf where there are not so many."""
    if count == 1:
        return ways.max(dim=1, keepdim=True)
    missing = count - ways.shape[1]
    if missing > 0:
        ways = torch.cat([ways, ways.new_full((len(ways), missing, ways.shape[2]), -torch.inf)], dim=1)
    found, origin = ways.topk(count, dim=1)
    return found, origin.masked_fill(found == -torch.inf, 0)


def _traced(came: list[Tensor], at: Tensor, lengths: Tensor, count: int) -> Tensor:
    """The tags (B, count, T) of paths that end ``at`` (B, count) a tag's path."""
    places = len(came) + 1
    tags = at.new_zeros(len(at), count, places)
    for place in range(places - 1, 0, -1):
        tags[:, :, place] = at // count
        n = len(came[place - 1])
        at = torch.cat([came[place - 1].gather(1, at[:n]), at[n:]])
    tags[:, :, 0] = at // count
    return tags.masked_fill(outside(places, lengths).t()[:, None], 0)


def _active(lengths: Tensor, places: int) -> list[int]:
    """How many sentences, longest first, have a word at each place."""
    counts: list[int] = (~outside(places, lengths)).sum(dim=1).tolist()
    return counts


def _score(emissions: Tensor, lengths: Tensor, tags: Tensor, steps: Steps) -> Tensor:
    """The scores of paths ``tags`` (T, B), summed."""
    inside = ~outside(len(emissions), lengths)  # (T, B)
    emitted = emissions.gather(2, tags[:, :, None])[:, :, 0]
    stepped = steps.transitions[tags[:-1], tags[1:]]
    last = tags.gather(0, (lengths - 1)[None])[0]
    ends = steps.start[tags[0]].sum() + steps.end[last].sum()
    return emitted[inside].sum() + stepped[inside[1:]].sum() + ends


def _chances(emissions: Tensor, steps: Steps, lengths: Tensor) -> _Chances:
    """Forward and backward, each place's values scaled to add up to 1; in float64, which needs no logarithms."""
    dtype = torch.float32 if emissions.device.type == "mps" else torch.float64
    top = emissions.amax(dim=2, keepdim=True)
    emitted = (emissions - top).to(dtype).exp()  # (T, B, K)
    start, transitions, end = (part.to(dtype).exp() for part in steps)
    active = _active(lengths, len(emissions))
    forward, scales = torch.zeros_like(emitted), emitted.new_ones(emitted.shape[:2])
    for place, n in enumerate(active):
        before = forward[place - 1, :n] @ transitions if place else start
        reached = before * emitted[place, :n]
        scales[place, :n] = total = reached.sum(dim=1)
        forward[place, :n] = reached / total[:, None]
    rows = torch.arange(len(lengths), device=lengths.device)
    ended = forward[lengths - 1, rows] @ end
    backward, onward = torch.zeros_like(emitted), torch.zeros_like(emitted)
    backward[lengths - 1, rows] = end / ended[:, None]
    for place in range(len(active) - 2, -1, -1):
        n = active[place + 1]
        onward[place, :n] = emitted[place + 1, :n] * backward[place + 1, :n] / scales[place + 1, :n, None]
        backward[place, :n] = onward[place, :n] @ transitions.t()
    tags = forward * backward
    inside = ~outside(len(emissions), lengths)
    tops = torch.where(inside, top[:, :, 0].to(dtype), 0.0).sum(dim=0)
    crossed = transitions * (forward.flatten(0, 1).t() @ onward.flatten(0, 1))
    lasts = tags[lengths - 1, rows].sum(dim=0)
    return _Chances(scales.log().sum(dim=0) + tops + ended.log(), tags, tags[0].sum(dim=0), crossed, lasts)


class _Partition(torch.autograd.Function):
    """log Z (B,). Its gradients are the marginal probabilities of tags and steps."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, start: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        chances = _chances(emissions, Steps(start, transitions, end), lengths)
        ctx.save_for_backward(*(part.to(emissions.dtype) for part in chances[1:]))
        return chances.partition.to(emissions.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        tags, start, transitions, end = ctx.saved_tensors
        (gradient,) = gradients  # the same for all sentences: ``loss`` adds them up
        first = gradient[0]
        return tags * gradient[None, :, None], start * first, transitions * first, end * first, None
