"""Dropout for recurrent networks: of activations (one mask for all time steps or one each), weights and embedding rows.

Formulas: Gal and Ghahramani 2016 (locked masks), Merity, Keskar and Socher 2018 (embedding rows, weight-drop).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def dropout_mask(shape: Sequence[int], rate: float, like: Tensor) -> Tensor:
    """0 with probability ``rate`` (rounded to 1/65536), else 1 / (1 - rate), which keeps the expected value.

    Each 64-bit random number gives four entries: torch's own Bernoulli sampling takes longer than the matrix products
    around it.
    """
    dropped, entries = min(round(rate * 65536), 65535), math.prod(shape)
    numbers = torch.empty((entries + 3) // 4, dtype=torch.int64, device=like.device).random_(-(2**63), None)
    kept = numbers.view(torch.int16)[:entries].view(*shape) >= dropped - 32768
    return kept.to(like.dtype).mul_(65536 / (65536 - dropped))


def weight_dropout(weight: Tensor, rate: float, training: bool) -> Tensor:
    """Drop individual weights of a matrix of any shape (weight-drop)."""
    if not training or rate == 0.0:
        return weight
    return weight * dropout_mask(weight.shape, rate, weight)


def sequence_dropout(input: Tensor, rate: float, training: bool, locked: bool = True) -> Tensor:
    """Drop units of ``input`` (T, B, H), the same ones at every time step if ``locked``; (T, B, H)."""
    if not training or rate == 0.0:
        return input
    return input * dropout_mask((1 if locked else len(input), *input.shape[1:]), rate, input)


def token_dropout(vectors: Tensor, ids: Tensor, tokens: int, rate: float, training: bool) -> Tensor:
    """Drop some of ``tokens`` wherever they occur: ``vectors`` (T, B, E) of ``ids`` (T, B) -> (T, B, E).

    That is, rows of the embedding, which is left alone since it may be much larger.
    """
    if not training or rate == 0.0:
        return vectors
    return vectors * F.embedding(ids, dropout_mask((tokens, 1), rate, vectors))
