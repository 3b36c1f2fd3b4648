"""The LSTM layer of our own, against torch's and against central differences."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtree.nn import Recurrent
from seqtree.nn.lstm import lstm_layer


def arguments(dtype: torch.dtype, steps: int = 7, batch: int = 3, width: int = 5, size: int = 4) -> list[Tensor]:
    torch.manual_seed(0)
    shapes = [(steps, batch, width), (batch, size), (batch, size), (4 * size, width), (4 * size, size), (4 * size,)]
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


def test_equals_torch_with_gradients() -> None:
    ours, theirs = arguments(torch.float64), arguments(torch.float64)
    x, h, c, w_ih, w_hh, bias = theirs
    weights = [w_ih, w_hh, bias, torch.zeros_like(bias)]
    expected = torch.lstm(x, [h[None], c[None]], weights, True, 1, 0.0, True, False, False)
    got = lstm_layer(*ours)
    for ours_part, theirs_part in zip(got, expected, strict=True):
        torch.testing.assert_close(ours_part, theirs_part.view_as(ours_part), rtol=1e-10, atol=1e-10)
    for parts in (got, expected):
        (parts[0].sin().sum() + parts[1].pow(2).sum() + parts[2].pow(3).sum()).backward()
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad is not None and b.grad is not None
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-10, atol=1e-10)


def test_gradient_check() -> None:
    assert torch.autograd.gradcheck(lstm_layer, arguments(torch.float64, steps=3, batch=2))


def test_bfloat16_stays_near_float32_and_the_cell_state_is_float32() -> None:
    torch.manual_seed(0)
    layer, plain = Recurrent("lstm", 800, 800), nn.LSTM(800, 800)  # large enough to go our own way
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(6, 2, 800)
    expected, _ = plain(x)
    got, (h, c) = layer(x.bfloat16())
    assert (got.dtype, h.dtype, c.dtype) == (torch.bfloat16, torch.bfloat16, torch.float32)
    assert (got - expected).norm() < 0.01 * expected.norm()
    got.float().pow(2).sum().backward()
    expected.pow(2).sum().backward()
    for (name, ours), theirs in zip(layer.named_parameters(), plain.parameters(), strict=True):
        assert ours.grad is not None and theirs.grad is not None
        assert (ours.grad - theirs.grad).norm() < 0.02 * theirs.grad.norm(), name
