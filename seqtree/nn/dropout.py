"""Dropout for recurrent networks: one mask for all time steps, or a fresh one for each, and whole rows of an embedding.

Formulas: Gal and Ghahramani 2016 (masks held over time), Merity, Keskar and Socher 2018 (embedding rows, weight-drop).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def dropout_mask(shape: Sequence[int], share: float, like: Tensor) -> Tensor:
    """0 for a ``share`` of the places (to the nearest 1/65536), and for the rest what keeps the expectation.

    One 64-bit random number serves four places: torch's own Bernoulli draws take longer than the products they guard.
    """
    dropped, places = round(share * 65536), math.prod(shape)
    numbers = torch.empty((places + 3) // 4, dtype=torch.int64, device=like.device).random_(-(2**63), None)
    kept = numbers.view(torch.int16)[:places].view(*shape) >= dropped - 32768
    return kept.to(like.dtype).mul_(65536 / (65536 - dropped))


def weight_dropout(weight: Tensor, share: float, training: bool) -> Tensor:
    """Drop a ``share`` of the single weights of a matrix, of any shape (weight-drop)."""
    if not training or share == 0.0:
        return weight
    return weight * dropout_mask(weight.shape, share, weight)


def sequence_dropout(input: Tensor, share: float, training: bool, locked: bool = True) -> Tensor:
    """Drop a ``share`` of the units of ``input`` (T, B, H); ``locked``: the same at every time step; (T, B, H)."""
    if not training or share == 0.0:
        return input
    return input * dropout_mask((1 if locked else len(input), *input.shape[1:]), share, input)


def row_dropout(weight: Tensor, share: float, training: bool) -> Tensor:
    """Drop a ``share`` of the rows of an embedding ``weight`` (V, E): whole tokens, wherever they occur; (V, E)."""
    if not training or share == 0.0:
        return weight
    return weight * dropout_mask((weight.shape[0], 1), share, weight)
