"""Work on several CPU threads at once, each of which computes alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")


def in_parallel(function: Callable[[A], B], values: Sequence[A], device: torch.device) -> list[B]:
    """The results of ``function``, in the order of ``values``.

    On a CPU as many are computed at once as torch may use threads: products as small as a parser's gain nothing from
    several threads, but batches do. A thread of the caller's that asks torch for something for the first time meanwhile
    is given one thread as well. Raises what ``function`` raises, when what had begun is done.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or min(threads, len(values)) < 2:
        return [function(value) for value in values]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, values))
    finally:
        torch.set_num_threads(threads)  # for threads that are yet to come
