"""Work shared by several processes of this machine, its results in order."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from seqtree.errors import InputError, SeqtreeError
from seqtree.lazy import without

if TYPE_CHECKING:
    from concurrent.futures import Future

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 3  # items a process that wait for it or whose results wait to be taken
alone = False  # whether this process does nothing but run a command; others can be started without harm, then
_function: Callable[[Any], Any] | None = None  # of a process that works for another


def in_processes(make: Callable[[], Callable[[A], B]], items: Iterable[A], processes: int) -> Iterator[B]:
    """What a function makes of each item, in their order, whatever process was given it; the others wait meanwhile.

    Each process makes the function once, by ``make``, which is pickled for it, as are items and results. A few items
    are read ahead, however many there are. What precedes an InputError of ``items`` comes before it. Raises what the
    function raises, and SeqtreeError if a process is killed.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin, (make,))
    waiting: deque[Future[B]] = deque()
    source, error, done = iter(items), None, False
    try:
        while True:
            try:
                waiting.append(pool.submit(_run, next(source)))
            except StopIteration:
                break
            except InputError as raised:
                error = raised
                break
            while len(waiting) >= AHEAD * processes or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        done = True
    except BrokenProcessPool as broken:
        raise SeqtreeError("one of the processes was killed (out of memory?); fewer --processes need less") from broken
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if not done:
            _kill(others)
    if error is not None:
        raise error


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _kill(others: list[Any]) -> None:
    """Let nothing go on whose result nobody waits for: kill the processes of this one, but for ``others``."""
    import multiprocessing

    for process in multiprocessing.active_children():
        if process not in others:
            process.kill()


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    """In a new process: leave Ctrl-C to the one that it works for, end with it, and make the function."""
    global _function, alone
    alone = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    with without("sklearn", "scipy"):
        _function = make()


def end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however that did."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(item: Any) -> Any:
    assert _function is not None
    return _function(item)
