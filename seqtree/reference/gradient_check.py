"""Every gradient derived by hand against central differences (chapter 3).

A network must have no kink (ReLU, maxima) within 2 EPSILON of where it is checked: there, it has no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.reference.network import Array, Network

EPSILON = 1e-3  # rounding then costs about 1e-13 of E, and truncation no more
TOLERANCE = 1e-7
SMALL = 1e-3  # an entry below this share of the largest one is compared on that scale


@dataclass(frozen=True)
class Check:
    """One parameter of one network, or its "input": the largest relative error of its gradient's entries."""

    network: str
    parameter: str
    error: float
    passed: bool


def gradient_check(name: str, network: Network, x: Array, *given: Any, seed: int = 0) -> list[Check]:
    """Check the gradients of all parameters, and of the input x, in the order of the parameters.

    The error function is a sum of the outputs with random weights, so that no output can hide another. ``given`` is
    what else ``forward`` takes. A gradient passes with a relative error below TOLERANCE; one that is missing, of
    another shape, or not finite has an infinite error. The parameters are the same afterwards.
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
        worst = relative_error(by_hand.get(key), central_difference(error, values))
        checks.append(Check(name, key, worst, worst < TOLERANCE))
    return checks


def central_difference(error: Callable[[], float], values: Array) -> Array:
    """dE/dv for each entry v of ``values`` (in place: ``error`` reads them), in the shape of ``values``.

    The central difference D(h) = (E(v + h) - E(v - h)) / 2h is off by about h^2 E'''/6; (4 D(eps) - D(2 eps)) / 3 takes
    that away and leaves an error of the order of eps^4 (Richardson 1911).
    """
    slopes = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        kept, differences = values[place], []
        for h in (EPSILON, 2 * EPSILON):
            values[place] = kept + h
            above = error()
            values[place] = kept - h
            differences.append((above - error()) / (2 * h))
        values[place] = kept
        slopes[place] = (4 * differences[0] - differences[1]) / 3
    return slopes


def relative_error(by_hand: Array | None, slopes: Array) -> float:
    """The largest |a - d| / max(|a|, |d|, SMALL max|d|), a being the gradient by hand, d the differences; 0/0 is 0."""
    if by_hand is None or by_hand.shape != slopes.shape or not np.isfinite([by_hand, slopes]).all():
        return float("inf")
    scale = np.maximum(np.maximum(abs(by_hand), abs(slopes)), SMALL * abs(slopes).max())
    return float(np.max(abs(by_hand - slopes) / np.where(scale > 0, scale, 1.0)))
