"""A network's layers in one line: ``conv 32x5, pool, conv 64x5 norm, pool, full 128 drop 0.5``.

Steps are separated by commas and follow chapter 4's pattern [[CONV]*N -> POOL?]*M -> [FC]*K; the layer that gives the
classes comes after them by itself::

    conv CHANNELSxFIELD [pad P] [stride S] [ACTIVATION] [norm] [drop SHARE]
    pool [SIZE] [max | mean] [drop SHARE]
    full UNITS [ACTIVATION] [norm] [drop SHARE]

ACTIVATION is relu (unless said otherwise), leaky, tanh, sigmoid, maxout (the largest of two) or linear; ``norm`` is
batch normalisation before it, ``drop`` dropout after it.

>>> plan = parse_plan("conv 6x5 pad 2 tanh,pool 2 mean, full 84")
>>> plan[0].channels, plan[1].kind, plan[2]
(6, 'mean', Full(units=84, activation='relu', norm=False, drop=0.0))
>>> print_plan(plan)
'conv 6x5 pad 2 tanh, pool mean, full 84'
>>> plan_sizes(plan, (28, 28))
[(6, 28, 28), (6, 14, 14), (84,)]
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from seqtree.errors import InputError

ACTIVATIONS = ("relu", "leaky", "tanh", "sigmoid", "maxout", "linear")
POOLS = ("max", "mean")
MAX_SIZE = 9999  # channels, units, pixels


@dataclass(frozen=True)
class Conv:
    """A convolution with ``field`` x ``field`` filters: (C, H, W) -> (channels, (H - F + 2P)/S + 1, ...), chapter 4."""

    channels: int
    field: int
    pad: int = 0
    stride: int = 1
    activation: str = "relu"
    norm: bool = False
    drop: float = 0.0

    def __post_init__(self) -> None:
        _check(self)

    def __str__(self) -> str:
        return f"conv {self.channels}x{self.field}{_rest(self)}"


@dataclass(frozen=True)
class Pool:
    """The maximum or the mean of each ``size`` x ``size`` field; what is left at the right and below is left out."""

    size: int = 2
    kind: str = "max"
    drop: float = 0.0

    def __post_init__(self) -> None:
        _check(self)

    def __str__(self) -> str:
        return "pool" + ("" if self.size == 2 else f" {self.size}") + _rest(self)


@dataclass(frozen=True)
class Full:
    """A layer of ``units``, each connected to everything below."""

    units: int
    activation: str = "relu"
    norm: bool = False
    drop: float = 0.0

    def __post_init__(self) -> None:
        _check(self)

    def __str__(self) -> str:
        return f"full {self.units}{_rest(self)}"


Step = Conv | Pool | Full
Plan = tuple[Step, ...]


def _check(step: Step) -> None:
    for name in ("channels", "field", "stride", "size", "units"):
        if not 1 <= getattr(step, name, 1) <= MAX_SIZE:
            raise InputError(f"{name} {getattr(step, name)}: expected from 1 to {MAX_SIZE}")
    if not 0 <= getattr(step, "pad", 0) <= MAX_SIZE:
        raise InputError(f"pad {getattr(step, 'pad', 0)}: expected from 0 to {MAX_SIZE}")
    if not 0.0 <= step.drop < 1.0:
        raise InputError(f"drop {step.drop}: expected a share from 0 to below 1")
    if getattr(step, "activation", "relu") not in ACTIVATIONS:
        raise InputError(f"activation {getattr(step, 'activation', '')!r}: expected one of {', '.join(ACTIVATIONS)}")
    if getattr(step, "kind", "max") not in POOLS:
        raise InputError(f"kind {getattr(step, 'kind', '')!r}: expected max or mean")


_NUMBERS: dict[str, type[int] | type[float]] = {"pad": int, "stride": int, "drop": float}
_WORDS: dict[str, tuple[str, Any]] = {
    "norm": ("norm", True),
    **{name: ("activation", name) for name in ACTIVATIONS},
    **{name: ("kind", name) for name in POOLS},
}


def _rest(step: Step) -> str:
    """The choices of a step that are not the usual ones, each with a space before it."""
    words = []
    for field in fields(step):
        value = getattr(step, field.name)
        if value == field.default:
            continue
        if field.name in _NUMBERS:
            words.append(f" {field.name} {value}")
        elif (field.name, value) in _WORDS.values():
            words.append(" norm" if value is True else f" {value}")
    return "".join(words)


def print_plan(plan: Plan) -> str:
    """The plan as ``parse_plan`` reads it, in the shortest form."""
    return ", ".join(map(str, plan))


def parse_plan(text: str) -> Plan:
    """The steps of a plan. Raises InputError that names the step which is not one."""
    steps: list[Step] = []
    for number, piece in enumerate(text.split(","), 1):
        words = piece.split()
        try:
            steps.append(_step(words))
        except InputError as error:
            raise InputError(f"plan, step {number} {' '.join(words)!r}: {error}") from None
        if isinstance(steps[-2:][0], Full) and not isinstance(steps[-1], Full):
            raise InputError(f"plan, step {number} {' '.join(words)!r}: only full layers can follow a full layer")
    return tuple(steps)


def _step(words: list[str]) -> Step:
    kind, rest = "".join(words[:1]), words[1:]
    if kind == "conv":
        channels, _, field = "".join(rest[:1]).partition("x")
        if not (_whole(channels) and _whole(field)):
            raise InputError("expected conv CHANNELSxFIELD, such as conv 32x5")
        return Conv(int(channels), int(field), **_choices(Conv, rest[1:]))
    if kind == "pool":
        if rest and _whole(rest[0]):
            return Pool(int(rest[0]), **_choices(Pool, rest[1:]))
        return Pool(**_choices(Pool, rest))
    if kind == "full":
        if not (rest and _whole(rest[0])):
            raise InputError("expected full UNITS, such as full 128")
        return Full(int(rest[0]), **_choices(Full, rest[1:]))
    raise InputError("expected conv CHANNELSxFIELD, pool or full UNITS")


def _whole(word: str) -> bool:
    return word.isdecimal() and len(word) < 10


def _choices(kind: type[Step], words: list[str]) -> dict[str, Any]:
    """The choices after the sizes, as fields of the step."""
    allowed = {field.name for field in fields(kind)}
    chosen: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, value = _WORDS.get(word, (word if word in _NUMBERS else "", None))
        if name not in allowed:
            known = [w for w, (n, _) in _WORDS.items() if n in allowed] + [w for w in _NUMBERS if w in allowed]
            raise InputError(f"{word!r} means nothing there; expected one of {', '.join(known)}")
        if name in chosen:
            raise InputError(f"{word!r} is a second {name}")
        if name in _NUMBERS:
            number = next(rest, "")
            try:
                value = _NUMBERS[name](number)
            except ValueError:
                raise InputError(f"{word} {number!r}: expected a number") from None
        chosen[name] = value
    return chosen


def plan_sizes(plan: Plan, image: tuple[int, int]) -> list[tuple[int, ...]]:
    """The size that each step makes of an image (height, width): (channels, height, width), or (units,).

    Raises InputError for a step that does not fit into what comes from below.
    """
    sizes: list[tuple[int, ...]] = []
    channels, *sides = 1, *image
    for number, step in enumerate(plan, 1):
        if isinstance(step, Full):
            sizes.append((step.units,))
            continue
        below = f"{channels} x {sides[0]}x{sides[1]}"
        if isinstance(step, Conv):
            channels = step.channels
            sides = [(side - step.field + 2 * step.pad) // step.stride + 1 for side in sides]
        else:
            sides = [side // step.size for side in sides]
        if min(sides) < 1:
            raise InputError(f"plan, step {number} '{step}' does not fit: what comes from below is {below}")
        sizes.append((channels, *sides))
    return sizes
