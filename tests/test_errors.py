"""What the checks of arguments say."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest

from seqtree.errors import InputError, SettingError, check_count


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


@pytest.mark.parametrize(("value", "shown"), [((), ""), ((0,), " 0"), ((None,), " None")])
def test_a_setting_is_named_as_where_it_was_given(value: tuple[object, ...], shown: str) -> None:
    for error in (made := SettingError("valid_share", "expected less", *value), pickle.loads(pickle.dumps(made))):
        assert (str(error), error.on_command_line) == (
            f"valid_share{shown}: expected less",
            f"--valid-share{shown}: expected less",
        )
