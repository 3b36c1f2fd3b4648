"""What the checks of arguments say."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from seqtree.errors import InputError, check_count


@pytest.mark.parametrize("value", [1, 20, np.int64(3)])
def test_counts(value: object) -> None:
    assert check_count("k", value) is None


@pytest.mark.parametrize("value", [None, "2", 1.5, 2.0, True, Fraction(3, 2)])
def test_what_is_no_whole_number(value: object) -> None:
    with pytest.raises(InputError, match=r"^k .*: expected a whole number$"):
        check_count("k", value)


@pytest.mark.parametrize("value", [0, -1, np.int64(0)])
def test_what_is_too_small(value: object) -> None:
    with pytest.raises(InputError, match=r"^k -?[01]: expected at least 1$"):
        check_count("k", value)
