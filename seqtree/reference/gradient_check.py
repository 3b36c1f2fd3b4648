"""Checks gradients derived by hand against central differences (chapter 3).

A network must not have a kink (ReLU, maxima), where no gradient exists, within 2 EPSILON of the point of the check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.network import Array, Network

EPSILON = 1e-3  # with it, both the rounding and the truncation error are about 1e-13 of E
TOLERANCE = 1e-7
SMALL = 1e-3  # an entry smaller than this fraction of the largest is compared relative to that fraction
FLOOR = 1e-5  # and to this at least (times E, if that is large): what is left of a slope of 0 is rounding


@dataclass(frozen=True)
class Check:
    """The largest relative error in the gradient of one parameter of a network, or of its "input"."""

    network: str
    parameter: str
    error: float
    passed: bool


def gradient_check(name: str, network: Network, x: Array, *given: Any, seed: int = 0) -> list[Check]:
    """Check the gradients of all parameters, in their order, and of the input x.

    The error function is a randomly weighted sum of the outputs, so that errors of outputs cannot cancel. ``given``:
    further arguments of ``forward``. A gradient passes with a relative error below TOLERANCE; one that is missing, not
    finite, or of the wrong shape has an infinite error. The parameters are unchanged afterwards.
    """
    x = np.array(x, dtype=np.float64)
    weights = np.random.default_rng(seed).normal(size=np.shape(network.forward(x, *given)))

    def error() -> float:
        return float(np.sum(weights * network.forward(x, *given)))

    network.gradients.clear()
    dx = network.backward(weights)
    by_hand = {**{key: value.copy() for key, value in network.gradients.items()}, "input": dx.copy()}
    checks = []
    for key, values in {**network.parameters, "input": x}.items():
        worst = relative_error(by_hand.get(key), central_difference(error, values), FLOOR * max(1.0, abs(error())))
        checks.append(Check(name, key, worst, worst < TOLERANCE))
    return checks


def central_difference(error: Callable[[], float], values: Array) -> Array:
    """dE/dv for each entry v of ``values``, in their shape; entries, which ``error`` reads, are varied in place.

    Raises InputError for values that are not floats: they cannot be varied.

    The central difference D(h) = (E(v + h) - E(v - h)) / 2h has an error of about h^2 E'''/6; (4 D(eps) - D(2 eps)) / 3
    cancels it, leaving an error of order eps^4 (Richardson 1911).
    """
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"expected numbers of type float, which can be varied, not {values.dtype}")
    slopes = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        original, differences = values[place], []
        for h in (EPSILON, 2 * EPSILON):
            values[place] = original + h
            above = error()
            values[place] = original - h
            differences.append((above - error()) / (2 * h))
        values[place] = original
        slopes[place] = (4 * differences[0] - differences[1]) / 3
    return slopes


def relative_error(by_hand: Array | None, slopes: Array, floor: float = 0.0) -> float:
    """The largest |a - d| / max(|a|, |d|, SMALL max|d|, floor) for a by hand and differences d; 0/0 is 0."""
    if by_hand is None or by_hand.shape != slopes.shape or not np.isfinite([by_hand, slopes]).all():
        return float("inf")
    least = max(floor, SMALL * float(abs(slopes).max(initial=0.0)))
    scale = np.maximum(np.maximum(abs(by_hand), abs(slopes)), least)
    return float(np.max(abs(by_hand - slopes) / np.where(scale > 0, scale, 1.0), initial=0.0))
