"""Several computations at once, each on one CPU thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")


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
