"""Perplexity, where a float is large enough for it and where it is not."""

from __future__ import annotations

import math

import pytest

from seqtree.text.perplexity import perplexity


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(0.0, 1.0), (math.log(50), 50.0), (709.5, math.exp(709.5)), (710.0, math.inf), (math.inf, math.inf)],
)
def test_perplexity(loss: float, expected: float) -> None:
    assert perplexity(loss) == pytest.approx(expected)


def test_what_is_no_number_has_none() -> None:
    assert math.isnan(perplexity(math.nan))
