"""What the parser, over a row, and the scenes' merger, over a graph, share in training: margins between merges.

Both merge the best-scoring pair of neighbours again and again. They learn from decisions, where the best correct merge
is to beat the best wrong one, or from whole trees, where the best correct tree is to beat every tree by kappa for each
of its wrong merges (Socher, Lin, Ng and Manning 2011). A greedy decoder finds trees that score below the correct one
although a wrong merge on the way to it was the best; so two trees are compared after each merge, and the margin is
asked for where it fails by most (the "max-violation" of Huang, Fayong and Guo 2012).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def decision_loss(scores: Tensor, candidates: Ids, correct: Flags, objective: str) -> Tensor:
    """The sum over S decisions between W merges, given the scores (k,) of all pairs.

    ``candidates`` (S, W) are numbers of pairs, -1 for none; ``correct`` (S, W) says which are correct merges.
    ``softmax``: -log of the probability that the correct ones have together; any other: a margin of 1 (hinge).
    """
    places = torch.from_numpy(candidates).to(scores.device)
    good = torch.from_numpy(correct).to(scores.device)
    padded = F.pad(scores, (1, 0), value=-torch.inf)
    scores = padded.index_select(0, (places + 1).flatten()).view_as(places)
    right = scores.masked_fill(~good, -torch.inf)
    if objective == "softmax":
        return (scores.logsumexp(dim=1) - right.logsumexp(dim=1)).sum()
    wrong = scores.masked_fill(good, -torch.inf)
    return (1.0 + wrong.amax(dim=1) - right.amax(dim=1)).relu().sum()


def largest_violations(ahead: Tensor, counts: Ids) -> Tensor:
    """How far wrong trees are ahead of correct ones where they are furthest: the sum over B pairs of trees.

    ``ahead`` (S,): by how much each merge of a wrong tree scores more than that of the correct tree in its place, one
    pair of trees after another; they have ``counts`` (B,) merges.
    """
    return _by_step(ahead, counts).cumsum(dim=1).amax(dim=1).relu().sum()


def merged_alone(leaves: int, left: Ids, right: Ids, made: Ids, first: int = 0) -> tuple[Ids, Ids, Ids, Ids]:
    """Of the pairs that a decoder scored, those that it ``made``, as a forest: (left, right, kept, made), (S,) each.

    ``left`` and ``right`` (k,) are the children of pair k, numbered as in ``compose_forest``. ``kept`` are the old
    numbers of the pairs in their new order, ``made`` the new numbers of the old ``made``; the numbers begin at
    ``first``, so that several such forests over the same leaves can be joined.
    """
    kept = np.sort(made)
    number = np.arange(leaves + len(left))
    number[leaves + kept] = leaves + first + np.arange(len(kept))
    return number[left[kept]], number[right[kept]], kept, first + np.searchsorted(kept, made)


def _by_step(values: Tensor, counts: Ids) -> Tensor:
    """Values (S,), tree by tree, as rows (B, W) that are filled up with zeros."""
    rows = np.repeat(np.arange(len(counts)), counts)
    steps = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = int(counts.max(initial=0)) + 1
    places = torch.from_numpy(rows * width + steps).to(values.device)
    return values.new_zeros(len(counts) * width).index_add(0, places, values).view(len(counts), width)


@contextmanager
def without_dropout(network: nn.Module) -> Iterator[None]:
    """Inside, the network computes as in use, not as in training."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
