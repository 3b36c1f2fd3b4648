"""Settings: frozen dataclasses whose fields carry their own help, choices and range.

The options of the command line, their defaults in ``--help``, ``config.json``, the presets and all checks come from
these fields. Modules that define settings import no torch, so that ``--help`` is quick.

>>> @dataclass(frozen=True)
... class Layer(Settings):
...     units: int = setting(8, "Units of the layer.", minimum=1)
>>> Layer(units=0)
Traceback (most recent call last):
seqtree.errors.SettingError: units 0: expected at least 1
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import Field as DataclassField, asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

from seqtree.errors import InputError, SettingError

GIVEN = (...,)  # all values but 0 and none
NOT_GIVEN = ((),)  # of an option that may be given several times
T = TypeVar("T")
S = TypeVar("S", bound="Settings")
_FIELDS: dict[Any, dict[str, Field]] = {}  # what is known of each class of settings


@dataclass(frozen=True)
class Setting:
    """What a field means: ``help`` (empty: not an option), allowed values, and how the command line spells it.

    ``above`` and ``below`` are bounds that a value may not reach. ``unset`` says what None, the default, stands for.
    ``only``: other settings of a recipe, and their values with which this one does anything (or ``GIVEN``): it needs
    all of them. ``one_of``: the same, but one of them is enough.
    """

    help: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    below: float | None = None
    metavar: str | None = None
    flags: str = ""
    unset: str = ""
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    one_of: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def expected(self) -> str:
        """The allowed values in words: ``from 0 to below 1``."""
        if self.choices:
            return f"one of {', '.join(filter(None, self.choices))}"
        low = f"more than {self.above:g}" if self.above is not None else _number(self.minimum, "at least {}")
        high = _number(self.below, "below {}") or _number(self.maximum, "{}")
        if low and high:
            return f"{low.replace('at least', 'from')} to {high}"
        return low or (f"at most {high}" if high else "a finite number")

    def allows(self, value: Any) -> bool:
        """Whether a value of the right type is in range."""
        if isinstance(value, str):
            return not self.choices or value in self.choices
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return True
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
            and (self.maximum is None or value <= self.maximum)
            and (self.below is None or value < self.below)
        )


def setting(
    default: T,
    help: str = "",
    *,
    choices: Sequence[str] = (),
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    metavar: str | None = None,
    flags: str = "",
    unset: str = "",
    only: Mapping[str, tuple[Any, ...]] | None = None,
    one_of: Mapping[str, tuple[Any, ...]] | None = None,
) -> T:
    """A field of ``Settings`` with this default; the other arguments are those of ``Setting``."""
    about = Setting(
        help, tuple(choices), minimum, above, maximum, below, metavar, flags, unset, only or {}, one_of or {}
    )
    made: T = field(default=default, metadata={"setting": about})
    return made


@dataclass(frozen=True)
class Field:
    """One field of settings: its name, its type (int, float, str, bool, or tuple for several strings), its default."""

    name: str
    type: type
    optional: bool
    default: Any
    about: Setting

    def check(self, value: Any) -> None:
        """Raises SettingError for a value of another type or out of range."""
        if value is None and self.optional:
            return
        if not self._is_of_type(value):
            what = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
            raise SettingError(self.name, f"expected {what.get(self.type, 'a list of texts')}", repr(value))
        if isinstance(value, float) and not math.isfinite(value):
            raise SettingError(self.name, "expected a finite number", value)
        if not self.about.allows(value):
            shown = repr(value) if isinstance(value, str) else value
            raise SettingError(self.name, f"expected {self.about.expected}", shown)

    def _is_of_type(self, value: Any) -> bool:
        if self.type is tuple:
            return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
        if self.type is float:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, self.type) and (self.type is bool or not isinstance(value, bool))


@dataclass(frozen=True)
class Settings:
    """Base of all settings; construction checks every field (SettingError)."""

    def __post_init__(self) -> None:
        for known in fields_of(type(self)).values():
            value = _plain(getattr(self, known.name))
            object.__setattr__(self, known.name, value)
            known.check(value)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """From the JSON form in a model file. Raises InputError for unknown fields and invalid values."""
        if not isinstance(values, dict):
            raise InputError(f"{cls.__name__}: expected an object, not {type(values).__name__}")
        if unknown := sorted(values.keys() - fields_of(cls).keys()):
            raise InputError(f"{cls.__name__}: unknown settings {', '.join(map(repr, unknown))}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def fields_of(kind: type[Settings]) -> dict[str, Field]:
    """The fields of a class of settings by name."""
    if kind not in _FIELDS:
        hints = get_type_hints(kind)
        _FIELDS[kind] = {one.name: _field(one, hints[one.name]) for one in fields(kind)}
    return _FIELDS[kind]


def _field(one: DataclassField[Any], hint: Any) -> Field:
    optional = get_origin(hint) is UnionType
    if optional:
        hint = next(part for part in get_args(hint) if part is not type(None))
    return Field(one.name, get_origin(hint) or hint, optional, one.default, one.metadata.get("setting", Setting("")))


def _plain(value: Any) -> Any:
    """A number of another library, such as NumPy's, as one of Python's own."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return int(value) if isinstance(value, Integral) else float(value)
    return value


def overridden(base: S, options: Mapping[str, Any]) -> S:
    """``base`` with its fields replaced by those options of the same name that were given (are not None).

    A path stands for its text, and a text or a list for a tuple where the field takes several texts.
    """
    given = {}
    for name, known in fields_of(type(base)).items():
        value = options.get(name)
        if isinstance(value, Path):
            value = str(value)
        if known.type is tuple and isinstance(value, (str, list, tuple)):
            value = (value,) if isinstance(value, str) else tuple(map(str, value))
        if value is not None:
            given[name] = value
    return replace(base, **given)


def check_effect(groups: Iterable[Settings], given: Container[str]) -> None:
    """Raises SettingError for one that was given (not as 0), but does nothing with the others.

    See ``Setting.only`` and ``Setting.one_of``.
    """
    known = {name: (one, getattr(group, name)) for group in groups for name, one in fields_of(type(group)).items()}
    for name, (one, _) in known.items():
        if name in given:
            needs = [[need] for need in one.about.only.items()] + [list(one.about.one_of.items())]
            for choice in filter(None, needs):
                if not any(_is_met(known[other][1], values) for other, values in choice):
                    raise SettingError(name, f"only {', or '.join(_in_words(*need) for need in choice)}")


def _is_met(value: Any, values: tuple[Any, ...]) -> bool:
    return bool(value) if values is GIVEN else value in values


def _in_words(name: str, values: tuple[Any, ...]) -> str:
    """A need as an option: ``with --optimizer sgd``."""
    option = f"--{name.replace('_', '-')}"
    if values in (NOT_GIVEN, (False,)):
        return f"without {option}"
    return f"with {option}" + ("" if values in (GIVEN, (True,)) else f" {' or '.join(map(str, values))}")


def _number(bound: float | None, form: str) -> str:
    return "" if bound is None else form.format(f"{bound:g}" if abs(bound) < 1e6 else f"{bound:,.0f}")
