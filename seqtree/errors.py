"""The errors that seqtree raises; each message is one line: what, where, what was expected."""

from __future__ import annotations

from numbers import Integral


class SeqtreeError(Exception):
    """A failure at run time; the command line prints the message and exits with 1."""


class InputError(SeqtreeError, ValueError):
    """Invalid input or usage (a file, an option, a prompt); the command line exits with 2."""


class ModelFileError(InputError):
    """A model or checkpoint file that is missing, damaged, of the wrong kind, or of an unsupported version."""


class DivergenceError(SeqtreeError):
    """Training still diverges (infinite or exploding losses) after every attempt to recover."""


def check_count(name: str, value: object, least: int = 1) -> None:
    """Raises InputError unless the argument of that name is a whole number of at least so many."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} {value!r}: expected a whole number")
    if value < least:
        raise InputError(f"{name} {value}: expected at least {least}")
