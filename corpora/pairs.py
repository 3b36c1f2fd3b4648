"""Pairs of a source and its target that are generated, any number of them, to try sequence to sequence without data.

>>> generate("reverse", 2)
[('74254734595', '59543745247'), ('7629', '9267')]
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from seqtree.corpora.grammar import words
from seqtree.errors import InputError

__all__ = ["NAMES", "figures", "generate"]

_MONTHS = words("January February March April May June July August September October November December")
_DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_ONES = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = words("twenty thirty forty fifty sixty seventy eighty ninety")
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)


def generate(name: str, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """``count`` pairs of this kind, one of ``NAMES``; the same for the same seed, a longer list begins with a shorter.

    Sources may occur more than once. Raises InputError for another name or a negative number.
    """
    if name not in _MAKERS:
        raise InputError(f"there are no pairs {name!r} to generate; choose from {', '.join(NAMES)}")
    if count < 0:
        raise InputError(f"the number of pairs cannot be negative: {count}")
    generator = random.Random(seed)
    return [_MAKERS[name](generator) for _ in range(count)]


def figures(number: int) -> str:
    """A number from 0 to 999,999 in English words.

    >>> figures(41_906)
    'forty-one thousand nine hundred and six'
    """
    thousands, rest = divmod(number, 1000)
    if thousands:
        first = f"{figures(thousands)} thousand"
        joint = " and " if rest < 100 else " "
        return first + joint + figures(rest) if rest else first
    hundreds, rest = divmod(number, 100)
    if hundreds:
        first = f"{_ONES[hundreds]} hundred"
        return f"{first} and {figures(rest)}" if rest else first
    if number < 20:
        return _ONES[number]
    tens = _TENS[number // 10 - 2]
    return f"{tens}-{_ONES[number % 10]}" if number % 10 else tens


def _whole(generator: random.Random, below: int) -> int:
    """A whole number from 0 (by ``random()``, the only method with the same sequence in all Python versions)."""
    return int(generator.random() * below)


def _reversed(generator: random.Random) -> tuple[str, str]:
    """Up to twelve digits, and the same from the last to the first."""
    digits = "".join(str(_whole(generator, 10)) for _ in range(1 + _whole(generator, 12)))
    return digits, digits[::-1]


def _date(generator: random.Random) -> tuple[str, str]:
    """A day of two centuries as people write it, and in the form of ISO 8601."""
    day = _FIRST_DAY + timedelta(_whole(generator, (_LAST_DAY - _FIRST_DAY).days + 1))
    month, week = _MONTHS[day.month - 1], _DAYS[day.weekday()]
    end = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    forms = (
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{week}, {day.day} {month} {day.year}",
        f"{month} {day.day}{end}, {day.year}",
        f"the {day.day}{end} of {month} {day.year}",
        f"{day.day} {month[:3]} {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
        f"{day.day}.{day.month}.{day.year}",
    )
    return forms[_whole(generator, len(forms))], day.isoformat()


def _numeral(generator: random.Random) -> tuple[str, str]:
    """A number of up to six figures in English words, and in figures; every length is as likely."""
    number = _whole(generator, 10 ** (1 + _whole(generator, 6)))
    return figures(number), str(number)


_MAKERS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "reverse": _reversed,
    "dates": _date,
    "numerals": _numeral,
}
NAMES = tuple(_MAKERS)
