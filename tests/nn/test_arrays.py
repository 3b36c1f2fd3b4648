"""Layers in NumPy against those of torch, in float64, in float32 and where products are in bfloat16."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from seqtree.nn.arrays import ArrayCharacters, ArrayLinear, ArrayLSTM, Arrays, part, wide
from seqtree.nn.casting import product
from seqtree.nn.recurrent import Recurrent
from seqtree.nn.words import CharacterEncoder

T, E, H = 9, 6, 5


def _noisy(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.to(dtype).parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.6)
    return module.eval()


def _arrays(module: nn.Module) -> Arrays:
    return {name: parameter.detach().numpy() for name, parameter in module.named_parameters()}


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("length", [1, 2, T])
def test_an_lstm_of_both_directions(layers: int, length: int) -> None:
    made = _noisy(Recurrent("lstm", E, H, layers, bidirectional=True), torch.float64)
    x = torch.randn(length, 1, E, dtype=torch.float64)
    with torch.no_grad():
        expected = made(x)[0][:, 0].numpy()
    found = ArrayLSTM(_arrays(made), layers, rounded=False)(x[:, 0].numpy())
    assert found.shape == (length, 2 * H)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="no bfloat16 on this processor")
def test_an_lstm_in_bfloat16_number_by_number() -> None:
    made = _noisy(Recurrent("lstm", 20, 16, 2, bidirectional=True), torch.float32)
    x = torch.randn(30, 1, 20)
    with torch.inference_mode():
        expected = made(x.bfloat16())[0][:, 0].float().numpy()
    found = ArrayLSTM(_arrays(made), 2, rounded=True)(x[:, 0].numpy())
    assert np.mean(found == expected) > 0.9  # elsewhere the order of a sum's terms showed
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer(bias: bool) -> None:
    made = _noisy(nn.Linear(E, H, bias=bias), torch.float32)
    x = torch.randn(T, E)
    with torch.no_grad():
        exact, rounded = made(x).numpy(), product(made, x.bfloat16()).float().numpy()
    np.testing.assert_allclose(ArrayLinear(_arrays(made))(x.numpy()), exact, rtol=1e-5, atol=1e-6)
    found = ArrayLinear(_arrays(made), rounded=True)(wide(x.numpy(), rounded=True))
    assert np.mean(found == rounded) > 0.9
    np.testing.assert_allclose(found, rounded, rtol=0.01, atol=0.01)


def test_words_from_their_characters() -> None:
    made = _noisy(CharacterEncoder(7, E, H), torch.float64)
    spellings = np.array([-1, 3, -1, 0, 6, 2, 2, -1, -1, 5, 1, -1])  # the third word has no characters
    with torch.no_grad():
        expected = made(torch.from_numpy(spellings), 4).numpy()
    np.testing.assert_allclose(ArrayCharacters(_arrays(made))(spellings), expected, rtol=1e-10, atol=1e-12)


def test_arrays_of_a_part_and_in_wider_types() -> None:
    half = np.array([1.5, 1.0 + 2**-9], np.float16)
    assert part({"a.b.c": half, "ab.c": half, "a.d": half}, "a").keys() == {"b.c", "d"}
    assert wide(half).dtype == np.float32
    assert wide(half, rounded=True).tolist() == [1.5, 1.0]
    exact = half.astype(np.float32)
    assert wide(exact) is exact
    assert wide(exact, rounded=True) is not exact
    assert exact[1] == half[1]
