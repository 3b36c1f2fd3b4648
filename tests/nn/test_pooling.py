"""A sentence's vector from its words'."""

from __future__ import annotations

import pytest
import torch

from seqtree.classification.config import POOLINGS
from seqtree.nn.pooling import Pooling

LENGTHS = torch.tensor([4, 2])


@pytest.mark.parametrize("kind", POOLINGS)
def test_padding_does_not_count(kind: str) -> None:
    torch.manual_seed(0)
    pooling = Pooling(kind, 6)
    states = torch.randn(4, 2, 6)
    found = pooling(states, LENGTHS)
    assert found.shape == (2, pooling.output_size)
    alone = pooling(states[:2, 1:], LENGTHS[1:])
    torch.testing.assert_close(found[1:], alone)


def test_each_by_hand() -> None:
    states = torch.tensor([[[1.0, 2.0]], [[3.0, -4.0]]])
    lengths = torch.tensor([2])
    assert Pooling("mean", 2)(states, lengths).tolist() == [[2.0, -1.0]]
    assert Pooling("max", 2)(states, lengths).tolist() == [[3.0, 2.0]]
    assert Pooling("mean+max", 2)(states, lengths).tolist() == [[2.0, -1.0, 3.0, 2.0]]
    assert Pooling("last", 2)(states, lengths).tolist() == [[3.0, 2.0]]  # forward from the end, backward from the start
    assert Pooling("last", 2, directions=1)(states, lengths).tolist() == [[3.0, -4.0]]


def test_attention_is_a_weighted_mean() -> None:
    torch.manual_seed(0)
    pooling = Pooling("attention", 4)
    states = torch.randn(4, 2, 4)
    weights = pooling.weights(states, LENGTHS)
    torch.testing.assert_close(weights.sum(dim=0), torch.ones(2))
    assert weights[2:, 1].tolist() == [0.0, 0.0]
    torch.testing.assert_close(pooling(states, LENGTHS), torch.einsum("tb,tbd->bd", weights, states))
