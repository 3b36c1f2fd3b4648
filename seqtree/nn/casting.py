"""Weights in another number format, products with them, and what else is made from weights and kept while they last."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KEPT = "kept"  # the attribute of a weight that holds what was made from it
T = TypeVar("T")


class _Kept(dict[Hashable, tuple[Any, Any]]):
    """What was made from a weight, by name, each with the version of the weights; not pickled with it."""

    def __reduce__(self) -> tuple[type[_Kept], tuple[()]]:
        return _Kept, ()


def kept(weights: tuple[Tensor, ...], name: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` makes from these weights; without gradients, it is kept under ``name`` for the next call.

    It is made anew after torch has changed a weight in place, and after ``forget``, because not every change shows: a
    fused optimiser's does not.
    """
    if torch.is_grad_enabled():
        return make()
    version = tuple((weight.data_ptr(), 0 if weight.is_inference() else weight._version) for weight in weights)
    known = weights[0].__dict__.setdefault(KEPT, _Kept())
    if name not in known or known[name][0] != version:
        known[name] = version, make()
    made: T = known[name][1]
    return made


def cast(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """``weight`` in ``dtype``. For a single sentence, casting all weights of a network takes a tenth of the time."""
    if weight.dtype == dtype or torch.is_grad_enabled():
        return weight.to(dtype)
    return kept((weight,), dtype, lambda: weight.detach().to(dtype))


def product(layer: nn.Linear, input: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """``layer(input)`` of rows (N, E), taken in ``dtype`` (None: in the input's, which the result has in any case).

    While weights learn they are cast each time, which pays for many rows only.
    """
    dtype = dtype or input.dtype
    bias = None if layer.bias is None else cast(layer.bias, dtype)
    rows = filled(input.to(dtype))
    return F.linear(rows, cast(layer.weight, dtype), bias)[: len(input)].to(input.dtype)


def filled(rows: Tensor) -> Tensor:
    """Rows (N, E) for a product in bfloat16 on a CPU, with zeros after them up to ``few(N)``; others as they are."""
    if rows.dtype != torch.bfloat16 or rows.device.type != "cpu" or len(rows) == (count := few(len(rows))):
        return rows
    return torch.cat([rows, rows.new_zeros(count - len(rows), rows.shape[1])])  # in half the time of F.pad


def few(count: int) -> int:
    """``count``, or up to an eighth (or 15) more: at most eight different numbers from a power of two to the next.

    oneDNN compiles a product for each size that it meets, which may take ten times as long as the product itself.
    """
    step = 1 << max(4, count.bit_length() - 4)
    return -(-count // step) * step


def forget(weights: Iterable[Tensor]) -> None:
    """Keep nothing that was made from these weights, because they are about to learn."""
    for weight in weights:
        weight.__dict__.pop(KEPT, None)
