"""The conditional random field against all paths, one by one."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from seqtree.nn.crf import CRF

MAY = ([1, 1, 0, 1], [[1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 1], [1, 0, 1, 1]], [1, 0, 1, 1])
ALL = ([1] * 3, [[1] * 3] * 3, [1] * 3)
LENGTHS = torch.tensor([5, 3, 1])


class Case(NamedTuple):
    """A field, emissions (T, B, K) of three sentences, and the paths of each with their scores."""

    field: CRF
    emissions: Tensor
    paths: list[dict[tuple[int, ...], Tensor]]


def case(may: tuple[list[int], list[list[int]], list[int]] = MAY, learned: bool = True, scale: float = 1.0) -> Case:
    torch.manual_seed(3)
    field = CRF(may, learned).double()
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    emissions = (scale * torch.randn(5, 3, len(may[0]), dtype=torch.float64)).requires_grad_()
    start, transitions, end = field.steps
    paths = []
    for row, length in enumerate(LENGTHS.tolist()):
        scores = {}
        for path in itertools.product(range(len(may[0])), repeat=length):
            score = start[path[0]] + end[path[-1]] + sum(emissions[t, row, tag] for t, tag in enumerate(path))
            score = score + sum(transitions[a, b] for a, b in itertools.pairwise(path))
            if score > -torch.inf:
                scores[path] = score
        paths.append(scores)
    return Case(field, emissions, paths)


CASES = [case(), case(ALL), case(learned=False), case(ALL, learned=False), case(scale=60.0)]


@pytest.mark.parametrize("one", CASES)
def test_the_sum_over_all_paths(one: Case) -> None:
    sums = torch.stack([torch.stack(list(paths.values())).logsumexp(0) for paths in one.paths])
    torch.testing.assert_close(one.field.log_partition(one.emissions, LENGTHS), sums.detach())


@pytest.mark.parametrize("one", CASES)
def test_marginal_probabilities(one: Case) -> None:
    found = one.field.marginals(one.emissions, LENGTHS)
    expected = torch.zeros_like(found)
    for row, paths in enumerate(one.paths):
        chances = torch.stack(list(paths.values())).softmax(0)
        for path, chance in zip(paths, chances.tolist(), strict=True):
            for place, tag in enumerate(path):
                expected[place, row, tag] += chance
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("one", CASES)
@pytest.mark.parametrize("count", [1, 4, 60])
def test_the_best_paths(one: Case, count: int) -> None:
    found = one.field.best(one.emissions, LENGTHS, count)
    for row, paths in enumerate(one.paths):
        expected = sorted(paths.items(), key=lambda pair: -float(pair[1].detach()))[:count]
        scores = [score for score in found.scores[row].tolist() if score > -torch.inf]
        assert scores == pytest.approx([float(score.detach()) for _, score in expected])
        length = int(LENGTHS[row])
        assert [tuple(path[:length]) for path in found.tags[row].tolist()[: len(scores)]] == [p for p, _ in expected]


@pytest.mark.parametrize("one", CASES)
def test_the_loss_and_its_gradient(one: Case) -> None:
    gold = [min(paths) for paths in one.paths]
    tags = torch.zeros(5, 3, dtype=torch.int64)
    for row, path in enumerate(gold):
        tags[: len(path), row] = torch.tensor(path)
    slow = sum(
        torch.stack(list(paths.values())).logsumexp(0) - paths[path]
        for paths, path in zip(one.paths, gold, strict=True)
    )
    fast = one.field.loss(one.emissions, LENGTHS, tags)
    torch.testing.assert_close(fast, slow)
    inputs = [one.emissions, *one.field.parameters()]
    expected = torch.autograd.grad(slow, inputs, retain_graph=True)  # type: ignore[arg-type]
    for mine, theirs in zip(torch.autograd.grad(fast, inputs), expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_what_stands_at_padding_does_not_count() -> None:
    one = case()
    changed = one.emissions.detach().clone()
    changed[3:, 1] = 1e4
    changed[1:, 2] = -1e4
    for method in (one.field.log_partition, one.field.marginals):
        torch.testing.assert_close(method(changed, LENGTHS), method(one.emissions, LENGTHS))
    assert torch.equal(one.field.best(changed, LENGTHS).tags, one.field.best(one.emissions, LENGTHS).tags)


def test_the_best_path_has_the_probability_of_its_score() -> None:
    one = case(ALL)
    best = one.field.best(one.emissions, LENGTHS)
    loss = one.field.loss(one.emissions, LENGTHS, best.tags[:, 0].t().contiguous())
    partition = one.field.log_partition(one.emissions, LENGTHS)
    assert float(partition.sum() - best.scores.sum()) == pytest.approx(float(loss.detach()))
