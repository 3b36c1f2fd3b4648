"""Weights in another number format, and products with them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KEPT = "cast_to"  # the attribute of a weight that holds its copies


def cast(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """``weight`` in ``dtype``; without gradients, the copy is kept for the next call.

    It is made anew after torch has changed the weight in place, and after ``forget``, because not every change shows: a
    fused optimiser's does not. For a single sentence, casting all weights of a network takes a tenth of the time.
    """
    if weight.dtype == dtype or torch.is_grad_enabled():
        return weight.to(dtype)
    version = weight.data_ptr(), 0 if weight.is_inference() else weight._version
    copies = weight.__dict__.setdefault(KEPT, {})
    if dtype not in copies or copies[dtype][0] != version:
        copies[dtype] = version, weight.detach().to(dtype)
    copy: Tensor = copies[dtype][1]
    return copy


def product(layer: nn.Linear, input: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """``layer(input)``, the product taken in ``dtype`` (None: in the input's, which the result has in any case).

    While weights learn they are cast each time, which pays for many rows only.
    """
    dtype = dtype or input.dtype
    bias = None if layer.bias is None else cast(layer.bias, dtype)
    return F.linear(input.to(dtype), cast(layer.weight, dtype), bias).to(input.dtype)


def forget(weights: Iterable[Tensor]) -> None:
    """Keep no copies of these weights, because they are about to learn."""
    for weight in weights:
        weight.__dict__.pop(KEPT, None)
