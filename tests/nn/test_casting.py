"""Weights in another number format."""

import copy
import pickle

import pytest
import torch
from torch import nn

from seqtree.nn import Recurrent
from seqtree.nn.casting import cast, few, product
from seqtree.nn.network import Network


def test_a_copy_is_kept_until_the_weight_changes() -> None:
    weight = nn.Parameter(torch.randn(3, 2))
    with torch.no_grad():
        first = cast(weight, torch.bfloat16)
        assert first.dtype == torch.bfloat16
        assert cast(weight, torch.bfloat16) is first
        assert cast(weight, torch.float64).dtype == torch.float64
        assert cast(weight, torch.bfloat16) is first
        weight.mul_(2.0)
        torch.testing.assert_close(cast(weight, torch.bfloat16), 2.0 * first)
    weight.data = torch.ones(3, 2)
    with torch.inference_mode():
        assert (cast(weight, torch.bfloat16) == 1.0).all()
        assert cast(weight, torch.float32) is weight


def test_what_is_made_from_weights_is_not_pickled_with_them() -> None:
    layers, x = Recurrent("lstm", 50, 40, bidirectional=True).eval(), torch.randn(3, 1, 50)
    fresh = len(pickle.dumps(layers))
    with torch.no_grad():
        for dtype in (torch.float32, torch.bfloat16):
            expected, _ = layers(x.to(dtype))
        assert len(pickle.dumps(layers)) < 1.1 * fresh
        for copied in (copy.deepcopy(layers), pickle.loads(pickle.dumps(layers))):
            torch.testing.assert_close(copied(x.bfloat16())[0], expected)


class _Layer(Network):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)


@pytest.mark.parametrize("fused", [False, True])
def test_after_an_update_of_the_optimiser_the_copy_is_new(fused: bool) -> None:
    network = _Layer().eval()
    weight = network.linear.weight
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.5, fused=fused)
    with torch.no_grad():
        before = cast(weight, torch.bfloat16)
    network.train()
    network.linear(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    network.eval()
    with torch.no_grad():
        after = cast(weight, torch.bfloat16)
    assert not torch.equal(before, after)
    assert torch.equal(after, weight.detach().bfloat16())


def test_a_copy_that_is_learned_through_is_a_new_one() -> None:
    weight = nn.Parameter(torch.randn(3, 2))
    with torch.no_grad():
        kept = cast(weight, torch.bfloat16)
    made = cast(weight, torch.bfloat16)
    assert made is not kept
    made.sum().backward()
    assert weight.grad is not None
    assert (weight.grad == 1.0).all()


@pytest.mark.parametrize("rows", [0, 1, 16, 17, 300])
@pytest.mark.parametrize("bias", [True, False])
def test_a_product_of_any_number_of_rows_is_that_of_the_layer(rows: int, bias: bool) -> None:
    layer, x = nn.Linear(24, 5, bias=bias), torch.randn(rows, 24).bfloat16().float().requires_grad_()
    layer.weight.data = layer.weight.data.bfloat16().float()
    found, wanted = product(layer, x, torch.bfloat16), layer(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=0.01, atol=0.02)
    seeds = torch.ones_like(wanted)
    mine, others = (torch.autograd.grad(one, [x, *layer.parameters()], seeds) for one in (found, wanted))
    for one, other in zip(mine, others, strict=True):
        torch.testing.assert_close(one, other, rtol=0.01, atol=0.05)


def test_products_have_few_sizes() -> None:
    sizes = [few(count) for count in range(1, 5000)]
    assert all(count <= size <= max(count + 15, count * 9 / 8) for count, size in enumerate(sizes, 1))
    assert sizes == sorted(sizes)
    assert len(set(sizes)) <= 8 * 13
    assert all(few(size) == size for size in sizes)
