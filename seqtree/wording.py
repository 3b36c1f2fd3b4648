"""Words in messages: numbers with their nouns, articles."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral


def counted(number: float, noun: str) -> str:
    """A number with its noun, in the plural but for one.

    >>> counted(1.0, "epoch"), counted(1 / 3, "minute"), counted(1234567, "step"), counted(2, "class")
    ('1 epoch', '0.333333 minutes', '1,234,567 steps', '2 classes')
    >>> counted(2, "epoch")
    '2 epochs'
    """
    written = f"{number:,}" if isinstance(number, Integral) else f"{number:g}"
    ending = "" if number == 1 else "es" if noun.endswith(("s", "x")) else "s"
    return f"{written} {noun}{ending}"


def some(names: Sequence[str], most: int = 10) -> str:
    """The first of some names, in words.

    >>> some(["a", "b"]), some(["a", "b", "c"], most=2)
    ('a, b', 'a, b, ...')
    """
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def also(count: int, word: str = "as") -> str:
    """After what is said of one: that it is so of as many more, if there are any; with ``nor`` after what is not so.

    >>> "a.txt is empty" + also(2), "a.txt is read" + also(0), "a.txt is not read" + also(1, "nor")
    ('a.txt is empty, as are 2 more', 'a.txt is read', 'a.txt is not read, nor is one more')
    """
    if not count:
        return ""
    return f", {word} {'is one' if count == 1 else f'are {count:,}'} more"


def a(kind: str) -> str:
    """The name of a kind with its article: ``a parser``, ``an image-classifier``."""
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"
