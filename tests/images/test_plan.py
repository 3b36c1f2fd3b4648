"""Layer plans: what can be written, what it means, how it is printed, and what is refused."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings, strategies as st

from seqtree.errors import InputError
from seqtree.images.layers import Layers
from seqtree.images.plan import (
    ACTIVATIONS,
    MAX_SIZE,
    POOLS,
    Conv,
    Full,
    Plan,
    Pool,
    parse_plan,
    plan_sizes,
    print_plan,
)

_SIZE, _SHARE = st.integers(1, MAX_SIZE), st.floats(0, 1, exclude_max=True)
_ACTIVATION = st.sampled_from(ACTIVATIONS)
_CONV = st.builds(Conv, _SIZE, _SIZE, st.integers(0, MAX_SIZE), _SIZE, _ACTIVATION, st.booleans(), _SHARE)
_POOL = st.builds(Pool, _SIZE, st.sampled_from(POOLS), _SHARE)
_FULL = st.builds(Full, _SIZE, _ACTIVATION, st.booleans(), _SHARE)
PLANS = st.tuples(st.lists(_CONV | _POOL, max_size=4), st.lists(_FULL, max_size=3)).map(lambda p: (*p[0], *p[1]))


@settings(max_examples=200)
@given(PLANS.filter(bool))
def test_a_printed_plan_is_read_as_itself(plan: Plan) -> None:
    text = print_plan(plan)
    assert parse_plan(text) == plan
    assert parse_plan(f"  {text.replace(',', ' , ').replace(' ', '  ')} ") == plan


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("conv 32x5", (Conv(32, 5),)),
        ("conv 6x5 pad 2 tanh,pool mean", (Conv(6, 5, pad=2, activation="tanh"), Pool(2, "mean"))),
        ("conv 8x3 norm leaky stride 2 drop .25", (Conv(8, 3, 0, 2, "leaky", True, 0.25),)),
        ("pool 3 max drop 0.5, full 10 maxout", (Pool(3, "max", 0.5), Full(10, "maxout"))),
        ("full 300 sigmoid norm", (Full(300, "sigmoid", True),)),
    ],
)
def test_what_a_plan_says(text: str, plan: Plan) -> None:
    assert parse_plan(text) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "step 1 '': expected conv CHANNELSxFIELD, pool or full UNITS"),
        ("pool,,pool", "step 2 ''"),
        ("dense 10", "step 1 'dense 10': expected conv CHANNELSxFIELD, pool or full UNITS"),
        ("pool, conv", "step 2 'conv': expected conv CHANNELSxFIELD, such as conv 32x5"),
        ("conv 32", "such as conv 32x5"),
        ("conv 32x", "such as conv 32x5"),
        ("conv -1x3", "such as conv 32x5"),
        (f"conv {'9' * 5000}x3", "such as conv 32x5"),
        ("full", "expected full UNITS, such as full 128"),
        ("full many", "expected full UNITS, such as full 128"),
        ("full ²", "expected full UNITS, such as full 128"),
        ("full 3, pool", "step 2 'pool': only full layers can follow a full layer"),
        ("conv 0x3", "channels 0: expected from 1 to 9999"),
        ("conv 3x10000", "field 10000: expected from 1 to 9999"),
        ("pool 0", "size 0: expected from 1 to 9999"),
        ("full 0", "units 0: expected from 1 to 9999"),
        ("conv 3x3 stride 0", "stride 0: expected from 1 to 9999"),
        ("conv 3x3 pad -1", "pad -1: expected from 0 to 9999"),
        ("conv 3x3 pad", "pad '': expected a number"),
        ("conv 3x3 pad two", "pad 'two': expected a number"),
        ("full 3 drop 1", "drop 1.0: expected a share from 0 to below 1"),
        ("full 3 drop nan", "drop nan: expected a share from 0 to below 1"),
        ("full 3 relu tanh", "'tanh' is a second activation"),
        ("full 3 norm norm", "'norm' is a second norm"),
        ("full 3 pad 1", "'pad' means nothing there; expected one of norm, relu, leaky"),
        ("pool relu", "'relu' means nothing there; expected one of max, mean, drop"),
        ("conv 3x3 channels 4", "'channels' means nothing there"),
        ("pool 2 3", "'3' means nothing there"),
    ],
)
def test_what_is_no_plan(text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as error:
        parse_plan(text)
    assert str(error.value).startswith("plan, step ")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (lambda: Conv(3, 3, activation="softplus"), "activation 'softplus': expected one of relu, leaky"),
        (lambda: Pool(kind="median"), "kind 'median': expected max or mean"),
        (lambda: Full(3, drop=-0.1), "drop -0.1: expected a share"),
    ],
)
def test_steps_are_checked_when_made(step: type, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        step()


def test_sizes_of_lenet() -> None:
    plan = parse_plan("conv 6x5 pad 2, pool, conv 16x5, pool, full 120, full 84")
    assert plan_sizes(plan, (28, 28)) == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,)]


def test_sizes_are_those_of_the_chapters() -> None:
    """(W - F + 2P)/S + 1, rounded down: 5x5 with 3x3 filters, stride 1 and 2; padding 1 and stride 2; not square."""
    sizes = [plan_sizes(parse_plan(f"conv 2x3 {rest}"), (5, 5))[0] for rest in ("", "stride 2", "pad 1 stride 2")]
    assert sizes == [(2, 3, 3), (2, 2, 2), (2, 3, 3)]
    assert plan_sizes(parse_plan("conv 2x2 stride 2, pool"), (5, 9)) == [(2, 2, 4), (2, 1, 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conv 3x9", "step 1 'conv 3x9' does not fit: what comes from below is 1 x 8x7"),
        ("conv 3x5, pool 4", "step 2 'pool 4' does not fit: what comes from below is 3 x 4x3"),
        ("pool, conv 3x4, full 9", "step 2 'conv 3x4' does not fit: what comes from below is 1 x 4x3"),
    ],
)
def test_steps_that_do_not_fit(text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        plan_sizes(parse_plan(text), (8, 7))


_SMALL_CONV = st.builds(
    Conv,
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(1, 2),
    _ACTIVATION,
    st.booleans(),
    st.sampled_from([0.0, 0.5]),
)
_SMALL_POOL = st.builds(Pool, st.integers(1, 3), st.sampled_from(POOLS))
_SMALL_FULL = st.builds(Full, st.integers(1, 5), _ACTIVATION, st.booleans())


@settings(max_examples=60)
@given(st.lists(_SMALL_CONV | _SMALL_POOL, max_size=3), st.lists(_SMALL_FULL, max_size=2))
def test_layers_have_the_sizes_of_their_plan(below: list[Conv | Pool], above: list[Full]) -> None:
    plan = (*below, *above)
    try:
        sizes = [(1, 9, 8), *plan_sizes(plan, (9, 8))]
    except InputError:
        with pytest.raises(InputError, match="does not fit"):
            Layers(plan, (9, 8))
        return
    layers = Layers(plan, (9, 8))
    expected = torch.Size(sizes[-1]).numel()
    assert layers.output_size == expected
    assert layers(torch.randn(3, 9, 8)).shape == (3, expected)
