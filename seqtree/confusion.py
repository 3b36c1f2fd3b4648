"""What was taken for what: how often each true class was given each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

Pairs = Mapping[tuple[str, str], int]  # how often by the true class and the one that was given


def pairs_of(table: Sequence[Sequence[int]], names: Sequence[str]) -> dict[tuple[str, str], int]:
    """The pairs of a table whose rows are true classes and whose columns are those given, in the order of ``names``."""
    return {(names[i], names[j]): count for i, row in enumerate(table) for j, count in enumerate(row) if count}


def mistakes(pairs: Pairs) -> list[tuple[int, str, str]]:
    """How often, which true class, and what it was taken for; the most frequent mistakes first."""
    return sorted(
        ((count, true, said) for (true, said), count in pairs.items() if count and true != said), reverse=True
    )


def by_frequency(pairs: Pairs) -> list[str]:
    """The names of all classes: by how many items are of them, most first; those that are only given come last."""
    names = sorted({name for pair in pairs for name in pair})
    counts: Counter[str] = Counter()
    for (true, _), count in pairs.items():
        counts[true] += count
    return sorted(names, key=lambda name: -counts[name])


def most_confused(pairs: Pairs, names: Sequence[str], most: int) -> list[str]:
    """At most that many of ``names``, in their order: those in the most frequent mistakes, both classes of each.

    Where there are too few mistakes, the first of the other names besides.
    """
    chosen = set[str]()
    for some in (*(both for _, *both in mistakes(pairs)), *([name] for name in names)):
        if len(chosen.union(some)) <= most:
            chosen.update(some)
    return [name for name in names if name in chosen]
