"""Perplexity, in one place for all who measure."""

from __future__ import annotations

import math


def perplexity(loss: float) -> float:
    """The perplexity of a mean surprisal in nats: e to its power, infinite where a float would overflow.

    >>> perplexity(0.0), perplexity(1000.0)
    (1.0, inf)
    """
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf
