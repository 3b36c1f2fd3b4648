"""The errors that seqtree raises; each message is one line: what, where, what was expected."""

from __future__ import annotations

from numbers import Integral


class SeqtreeError(Exception):
    """A failure at run time; the command line prints the message and exits with 1."""


class InputError(SeqtreeError, ValueError):
    """Invalid input or usage (a file, an option, a prompt); the command line exits with 2."""


class SettingError(InputError):
    """A setting that cannot be as it was given: its name, its value (if that says more), and what was expected.

    >>> print(SettingError("valid_share", "expected from 0 to below 1", 2.0))
    valid_share 2.0: expected from 0 to below 1
    """

    def __init__(self, name: str, expected: str, value: object = "") -> None:
        super().__init__(name, expected, value)
        self.name, self._said = name, (f" {value}: " if value != "" else ": ") + expected

    def __str__(self) -> str:
        return self.name + self._said

    @property
    def on_command_line(self) -> str:
        """The message, with the name of the option that gives the setting."""
        return f"--{self.name.replace('_', '-')}{self._said}"


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
