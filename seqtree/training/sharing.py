"""Work on a list of items that several processes may do together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class Share(Protocol):
    """Calls a function on a list of items, or in several processes on parts of it; the results, joined in order."""

    def __call__(self, function: Callable[[Sequence[S]], list[T]], items: Sequence[S]) -> list[T]: ...


def alone(function: Callable[[Sequence[S]], list[T]], items: Sequence[S]) -> list[T]:
    """All of it by this process."""
    return function(items)
