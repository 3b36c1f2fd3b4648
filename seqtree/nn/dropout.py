"""Dropout for recurrent networks: one mask for all time steps, or a fresh one for each, and whole rows of an embedding.

Formulas: Gal and Ghahramani 2016 (masks held over time), Merity, Keskar and Socher 2018 (embedding rows, weight-drop).
"""

from __future__ import annotations

import torch
from torch import Tensor


def _mask(shape: tuple[int, ...], share: float, like: Tensor) -> Tensor:
    kept = 1.0 - share
    return torch.empty(shape, dtype=like.dtype, device=like.device).bernoulli_(kept).div_(kept)


def sequence_dropout(input: Tensor, share: float, training: bool, locked: bool = True) -> Tensor:
    """Drop a ``share`` of the units of ``input`` (T, B, H); ``locked``: the same at every time step; (T, B, H)."""
    if not training or share == 0.0:
        return input
    return input * _mask((1 if locked else len(input), *input.shape[1:]), share, input)


def row_dropout(weight: Tensor, share: float, training: bool) -> Tensor:
    """Drop a ``share`` of the rows of an embedding ``weight`` (V, E): whole tokens, wherever they occur; (V, E)."""
    if not training or share == 0.0:
        return weight
    return weight * _mask((weight.shape[0], 1), share, weight)
