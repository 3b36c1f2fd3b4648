"""Several computations at once, each on one CPU thread; and sequences in batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")
S = TypeVar("S")

AT_ONCE = 2048  # sequences that are sorted by length together
BATCH_LENGTH = 2048  # of a batch's sequences together, padding included


def in_batches(
    function: Callable[[Sequence[S]], Sequence[B]],
    sequences: Iterable[S],
    device: torch.device,
    length: Callable[[S], int] = len,  # type: ignore[assignment]  # for what has a length
) -> Iterator[B | None]:
    """What ``function`` makes of each sequence, in their order; None for an empty one, whose ``length`` is 0.

    It is given sequences of like length, longest first, and returns as many results. Sequences are taken some thousands
    at a time, and batches are computed on all of torch's threads.
    """
    source = iter(sequences)
    while chunk := list(islice(source, AT_ONCE)):
        numbers = list(_batches([length(sequence) for sequence in chunk]))
        batches = [[chunk[i] for i in batch] for batch in numbers]
        # A batch of one sequence takes most of its time in Python, where threads only wait for each other.
        alone = next((i for i, batch in enumerate(batches) if len(batch) > 1), len(batches))
        results = [function(batch) for batch in batches[:alone]]
        results += in_parallel(function, batches[alone:], device)
        found: list[B | None] = [None] * len(chunk)
        for number, result in zip(chain.from_iterable(numbers), chain.from_iterable(results), strict=True):
            found[number] = result
        yield from found


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of the sequences that are not empty, longest first, as many at once as ``BATCH_LENGTH`` allows."""
    order = sorted((i for i, length in enumerate(lengths) if length), key=lambda i: -lengths[i])
    while order:
        size = max(1, BATCH_LENGTH // lengths[order[0]])
        yield order[:size]
        order = order[size:]


@contextmanager
def on_threads(count: int | None) -> Iterator[None]:
    """Inside, torch computes on that many CPU threads; None: on as many as before."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_parallel(function: Callable[[A], B], values: Sequence[A], device: torch.device) -> list[B]:
    """The results of ``function``, in the order of ``values``.

    On a CPU, as many calls run at once as torch may use threads: the matrix products of a parser are too small to gain
    from several threads each. If another thread of the caller first uses torch meanwhile, it too gets only one thread.
    Raises what ``function`` raises, after the calls that had started are done.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or min(threads, len(values)) < 2:
        return [function(value) for value in values]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, values))
    finally:
        torch.set_num_threads(threads)  # for threads created later
