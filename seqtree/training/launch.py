"""Several processes of this machine for one run: started, listened to, and started again when one of them is killed."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from torch import multiprocessing

from seqtree import processes
from seqtree.errors import SeqtreeError
from seqtree.files import scratch
from seqtree.text.reading import STANDARD_INPUT, copied
from seqtree.training.progress import Display
from seqtree.training.ranks import LostRankError, Place
from seqtree.training.signals import stop_requests

Work = Callable[[Place, Display, bool], Any]
MAX_FAILURES = 3  # one after another without a new checkpoint in between
LOGGING = "TORCH_CPP_LOG_LEVEL"
PATIENCE = 0.1  # seconds between two looks at whether the user wants to stop


class _Killed(Exception):
    """A process has ended without a word."""


class _Done(Exception):
    """The work is done; the argument is its result."""


def launch(work: Work, count: int, display: Display, checkpoint: Path, piped: bool = False) -> Any:
    """What ``work(place, display, again)`` returns in the first of ``count`` processes; ``again``: not the first time.

    work: a function that can be pickled. What it tells the display that it is given is told ``display`` here.
    When a process is killed, all are ended and started again, unless that has happened several times without a new
    ``checkpoint`` (a file). ``piped``: standard input is data, which every process gets.
    A request to stop is passed on to the first process; a second one ends all of them at once.
    Raises what the work raises, SeqtreeError if processes are killed again and again, KeyboardInterrupt.
    """
    failures, before = 0, _time_of(checkpoint)
    with scratch() as folder:
        data = _copy_of_input(folder) if piped else None
        while True:
            try:
                with _Processes(work, count, failures > 0, folder, data) as started:
                    return started.result(display)
            except _Killed as killed:
                now = _time_of(checkpoint)
                failures, before = (failures + 1 if now == before else 1), now
                said = str(killed)
            if failures > MAX_FAILURES:
                raise SeqtreeError(f"{said} again and again; what was saved is in {checkpoint.parent}")
            display.warning(f"{said}: all {count} begin again, from the last checkpoint")


class _Processes:
    """Processes at work, and a pipe from each; leaving the context ends those that are left."""

    def __init__(self, work: Work, count: int, again: bool, folder: Path, data: Path | None) -> None:
        descriptor, store = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        context = multiprocessing.get_context("spawn")
        self.begun: set[int] = set()
        self.pipes: list[Connection] = []
        self.lost = ""  # what one has said that another has left alone
        self.processes = []
        try:
            with _calm_children():
                for rank in range(count):
                    pipe, end = context.Pipe(duplex=False)
                    place = Place(rank, count, rank, store)
                    process = context.Process(target=_work, args=(work, place, again, end, data))
                    process.start()  # no daemon, which could not start others
                    end.close()  # so that reading from a process that has ended does not wait
                    self.pipes.append(pipe)
                    self.processes.append(process)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.join()

    def result(self, display: Display) -> Any:
        """What the first process returns. Raises what any raises, _Killed if one has ended without a word."""
        told = False
        with stop_requests() as stop:
            while True:
                sentinels = [process.sentinel for process in self.processes if process.exitcode is None]
                connection.wait([*(pipe for pipe in self.pipes if not pipe.closed), *sentinels], PATIENCE)
                codes = [(process.exitcode, rank) for rank, process in enumerate(self.processes) if process.exitcode]
                try:
                    for pipe in self.pipes:
                        for message in _messages(pipe):
                            self._do(*message, display=display)
                except _Done as done:
                    return done.args[0]
                if codes:  # one that was killed (its code is negative) before those that have lost it
                    raise KeyboardInterrupt if told else self._failure(*min(codes))
                if stop.requested and not told:
                    self._stop()
                    told = True

    def _do(self, what: str, *values: Any, display: Display) -> None:
        """What a process asks for. Raises its error, or _Done with its result."""
        if what == "error":
            raise values[0]
        if what == "result":
            raise _Done(values[0])
        if what == "begun":
            self.begun.add(values[0])
        elif what == "lost":
            self.lost = values[0]
        else:
            getattr(display, what)(*values)

    def _failure(self, code: int, rank: int) -> Exception:
        """What to raise for a process that has ended so."""
        if code > 0 and rank not in self.begun:
            return SeqtreeError(f"process {rank} cannot be started: it ended with exit code {code}")
        if code > 0:
            return _Killed(f"process {rank} ended with exit code {code}" + (f": {self.lost}" if self.lost else ""))
        memory = " (memory may have run out)" if -code == getattr(signal, "SIGKILL", 0) else ""
        return _Killed(f"process {rank} was killed by {signal.Signals(-code).name}{memory}")

    def _stop(self) -> None:
        """Ask the first process to save and end, which it does with all others."""
        if 0 not in self.begun:
            raise KeyboardInterrupt
        if os.name == "posix" and self.processes[0].pid:  # elsewhere the terminal has told them
            os.kill(self.processes[0].pid, signal.SIGINT)


class _Relay(Display):
    """A display in a process of a run, which has that of the command do everything."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__(quiet=True)
        self.pipe = pipe

    def message(self, text: str) -> None:
        self.pipe.send(("message", text))

    def warning(self, text: str) -> None:
        self.pipe.send(("warning", text))

    def evaluation(
        self, record: Mapping[str, Any], figures: Mapping[str, float], best: str, improved: bool, items: str
    ) -> None:
        self.pipe.send(("evaluation", record, figures, best, improved, items))

    def step(self, progress: float, step: int, loss: float, speed: float, items: str, elapsed: float) -> None:
        self.pipe.send(("step", progress, step, loss, speed, items, elapsed))

    def close(self) -> None:
        self.pipe.send(("close",))


def _work(work: Work, place: Place, again: bool, pipe: Connection, data: Path | None) -> None:
    """What each process does."""
    processes.alone = True
    threading.Thread(target=processes.end_with_parent, daemon=True).start()
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # so that a terminal interrupts the command only
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if data is not None:
        sys.stdin = data.open(encoding="utf-8")
    if place.rank:
        warnings.simplefilter("ignore")  # the first process tells
    pipe.send(("begun", place.rank))
    try:
        result = work(place, _Relay(pipe), again)
        if place.rank == 0:
            pipe.send(("result", result))
    except LostRankError as error:
        pipe.send(("lost", str(error)))
        sys.exit(1)  # which the command takes for one that was killed
    except BaseException as error:
        if place.rank == 0 or not isinstance(error, SystemExit):  # the first process tells for them
            pipe.send(("error", _portable(error, place.rank)))


def _portable(error: BaseException, rank: int) -> BaseException:
    """The error as it can be sent to another process, with a note where it came from."""
    error.add_note(f"in process {rank}:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    return error


def _messages(pipe: Connection) -> Iterator[tuple[Any, ...]]:
    """What has arrived by now; the pipe is closed once the process has ended."""
    try:
        while not pipe.closed and pipe.poll():
            yield pipe.recv()
    except (EOFError, OSError):  # the second in the middle of a message
        pipe.close()


@contextmanager
def _calm_children() -> Iterator[None]:
    """Inside, processes are started in which torch does not log what is raised as well, and that ignore SIGINT.

    So they do until they have begun: imports cannot be broken off in good order.
    """
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    level = os.environ.get(LOGGING)
    os.environ.setdefault(LOGGING, "FATAL")
    try:
        yield
    finally:
        if level is None:
            del os.environ[LOGGING]
        if main:
            signal.signal(signal.SIGINT, before)


def _copy_of_input(folder: Path) -> Path | None:
    """A file with all of standard input; None if there is none."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return None
    return copied(stream, folder, STANDARD_INPUT)


def _time_of(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None
