"""Padding: the places of a batch after the ends of its sequences."""

from __future__ import annotations

import torch
from torch import Tensor


def outside(places: int, lengths: Tensor) -> Tensor:
    """Whether a place (``places``, B) is padding: at or after the end of the sequence, of these lengths (B,)."""
    return torch.arange(places, device=lengths.device)[:, None] >= lengths
