"""The two LSTM layers, against torch's and against central differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqtree.nn import Recurrent, lstm
from seqtree.nn.lstm import can_be_packed, lstm_layer


def arguments(dtype: torch.dtype, steps: int = 7, batch: int = 3, width: int = 5, size: int = 4) -> list[Tensor]:
    torch.manual_seed(0)
    shapes = [(steps, batch, width), (batch, size), (batch, size), (4 * size, width), (4 * size, size), (4 * size,)]
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("at_once", [1, 36, 84, 1 << 17], ids=["1 step", "3 steps", "7 steps", "all"])
def test_equals_torch_with_gradients(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lstm, "AT_ONCE", at_once)  # a step has 3 x 4 units
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


LENGTHS = [None, [7, 7, 7], [7, 5, 1]]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_reading_gives_what_learning_gives(dtype: torch.dtype, both: bool, lengths: list[int] | None) -> None:
    torch.manual_seed(0)
    layers = Recurrent("lstm", 5, 4, 2, bidirectional=both, last_size=None if both else 3).eval()
    x = torch.randn(7, 3, 5).to(dtype)
    state = tuple(torch.randn(4 if both else 2, 3, 4).to(dtype) for _ in range(2))
    given = None if lengths is None else torch.tensor(lengths)
    learnt, learnt_end = layers(x, state, given)
    with torch.no_grad():
        if not can_be_packed(x):
            pytest.skip(f"this processor has no layers in {dtype}")
        for _ in range(2):  # the first lays the weights out
            read, end = layers(x, state, given)
    inside = torch.arange(7)[:, None] < (torch.full((3,), 7) if given is None else given)
    torch.testing.assert_close(read[inside], learnt[inside])
    if lengths != LENGTHS[2]:  # at padding, the end is undefined
        for mine, other in zip(end, learnt_end, strict=True):
            torch.testing.assert_close(mine, other)


def test_weights_are_laid_out_anew_when_they_have_changed() -> None:
    layers, x = Recurrent("lstm", 5, 4, bidirectional=True).eval(), torch.randn(3, 1, 5)
    for parameter in layers.parameters():
        with torch.no_grad():
            layers(x)
            parameter.add_(torch.randn_like(parameter))
            read, _ = layers(x)
        torch.testing.assert_close(read, layers(x)[0])
