"""Weights in another number format."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

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


def forget(weights: Iterable[Tensor]) -> None:
    """Keep no copies of these weights, because they are about to learn."""
    for weight in weights:
        weight.__dict__.pop(KEPT, None)
