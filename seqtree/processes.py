"""Work shared by several processes of this machine, its results in order."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from seqtree.errors import InputError, SeqtreeError
from seqtree.lazy import without

if TYPE_CHECKING:
    from concurrent.futures import Future
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

A = TypeVar("A")
B = TypeVar("B")

KILLED = "one of the processes was killed (out of memory?); fewer --processes need less"
NOT_STARTED = "no process could be started ({}); fewer --processes need less"
AHEAD = 3  # items a process that wait for it or whose results wait to be taken
alone = False  # whether this process does nothing but run a command; others can be started without harm, then


def ending_signals() -> list[int]:
    """SIGINT, SIGTERM and, but where it is ignored (as ``nohup`` has it) or there is none (Windows), SIGHUP."""
    found: list[int] = [signal.SIGINT, signal.SIGTERM]
    hangup: int | None = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        found.append(hangup)
    return found


def in_processes(make: Callable[[], Callable[[A], B]], items: Iterable[A], processes: int) -> Iterator[B]:
    """What a function makes of each item, in their order, whatever process was given it; the others wait meanwhile.

    Each process makes the function once, by ``make``, which is pickled for it, as are items and results; it begins with
    that before the first item is asked for. A few items are read ahead, however many there are. What precedes an
    InputError of ``items`` comes before it. Raises what the function raises, in place of the first result what ``make``
    raised or why it cannot be pickled, and SeqtreeError if a process is killed, or if none could be started.
    """
    pool = _Pool(make, processes)
    waiting: deque[Future[B]] = deque()
    source, error = iter(items), None
    try:
        while True:
            try:
                waiting.append(pool.submit(next(source)))
            except StopIteration:
                break
            except InputError as raised:
                error = raised
                break
            while len(waiting) >= AHEAD * processes or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.close()
    if error is not None:
        raise error


class _Pool:
    """Processes, each with a thread here that starts it and gives it items one by one.

    Each has a connection of its own: one that is killed while it writes a result ends that connection, and nobody waits
    for the rest. (A queue that processes share, such as that of ``concurrent.futures``, would be waited for forever.)
    """

    def __init__(self, make: Callable[[], Callable[[Any], Any]], size: int) -> None:
        self.make, self.size, self.closed = make, size, False
        self.items: SimpleQueue[tuple[Future[Any], Any] | None] = SimpleQueue()
        self.processes: list[BaseProcess] = []
        self.failed = 0  # of the processes
        self.lock = threading.Lock()  # of ``processes``, ``closed`` and ``failed``
        for _ in range(size):
            threading.Thread(target=self._work, daemon=True).start()

    def submit(self, item: Any) -> Future[Any]:
        """The result of an item, once a process has made it."""
        from concurrent.futures import Future

        future: Future[Any] = Future()
        self.items.put((future, item))
        return future

    def close(self) -> None:
        """Start nothing more, and kill the processes: nobody waits for what they still do, if that is anything."""
        with self.lock:
            self.closed = True
            for process in self.processes:
                process.kill()
        for _ in range(self.size):
            self.items.put(None)

    def _work(self) -> None:
        try:
            started = self._started()
        except Exception as error:
            self._give_up(error)
            return
        if started is None:
            return
        process, connection = started
        with connection:
            while (given := self.items.get()) is not None:
                _give(connection, *given)
        process.join()

    def _started(self) -> tuple[BaseProcess, Connection[Any, Any]] | None:
        """A new process, and the end of its connection here; none if nobody waits for it any longer."""
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        with self.lock, ExitStack() as held:
            if self.closed:
                return None
            connection, end = map(held.enter_context, context.Pipe())
            process = context.Process(target=_serve, args=(end, self.make))
            process.start()
            self.processes.append(process)
            end.close()
            held.pop_all()
            return process, connection

    def _give_up(self, error: Exception) -> None:
        """Leave the items to the other processes, or, if none of all could be started, say so for each item."""
        with self.lock:
            self.failed += 1
            others = self.failed < self.size
        if others:
            return
        if isinstance(error, OSError):
            error = SeqtreeError(NOT_STARTED.format(error.strerror or error))
        while (given := self.items.get()) is not None:
            given[0].set_exception(error)


def _give(connection: Connection[Any, Any], future: Future[Any], item: Any) -> None:
    """Have an item worked on at the other end of a connection, and its future told what became of it."""
    try:
        connection.send(item)
        made, value = connection.recv()
    except (EOFError, OSError):
        made, value = False, SeqtreeError(KILLED)
    except Exception as error:  # an item that cannot be pickled
        made, value = False, error
    if made:
        future.set_result(value)
    else:
        future.set_exception(value)


def _serve(connection: Connection[Any, Any], make: Callable[[], Callable[[Any], Any]]) -> None:
    """In a new process: leave Ctrl-C to the one that it works for, end with it, and work on what it gives."""
    global alone
    alone = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    function = _made(make)
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        try:
            told = True, function(item)
        except Exception as error:
            told = False, error
        connection.send(told)


def _made(make: Callable[[], Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """The function, or one that raises what kept it from being made."""
    try:
        with without("sklearn", "scipy"):
            return make()
    except Exception as error:
        failure = error

    def fail(item: Any) -> Any:
        raise failure

    return fail


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however that did."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
