"""Work shared by several processes: order, errors on both sides, and nothing that goes on alone."""

from __future__ import annotations

import errno
import math
import multiprocessing
import operator
import os
import pickle
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
from dying import large_results, made_at

from seqtree import processes
from seqtree.errors import InputError, SeqtreeError
from seqtree.processes import AHEAD, in_processes

SHOUTING = partial(operator.methodcaller, "upper")


def test_results_come_in_the_order_of_the_items() -> None:
    items = [40_000, 1, 20_000, 2, 5, 8]  # the first ones take longest
    found = in_processes(partial(locate, "math.factorial"), items, 2)
    assert list(found) == [math.factorial(n) for n in items]


def test_the_function_is_made_before_an_item_is_asked_for(tmp_path: Path) -> None:
    made = tmp_path / "made"

    def items() -> Iterator[str]:
        deadline = time.monotonic() + 30
        while not made.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield "a"

    assert list(in_processes(partial(made_at, made), items(), 2)) == ["A"]


def test_an_error_in_making_the_function_is_raised_for_the_first_item() -> None:
    results = in_processes(partial(operator.truediv, 1, 0), ["a"], 2)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_few_items_are_read_ahead_however_many_there_are() -> None:
    read = 0

    def items() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "a"

    results = in_processes(SHOUTING, items(), 2)
    assert next(results) == "A"
    assert read <= 2 * AHEAD
    results.close()


def test_what_precedes_an_error_of_the_items_comes_before_it() -> None:
    def items() -> Iterator[str]:
        yield from "abc"
        raise InputError("line 4 is wrong")

    results = in_processes(SHOUTING, items(), 2)
    assert [next(results) for _ in range(3)] == ["A", "B", "C"]
    with pytest.raises(InputError, match="line 4"):
        next(results)


def test_an_error_of_the_function_is_raised_in_its_place() -> None:
    results = in_processes(partial(locate, "math.sqrt"), [4.0, -1.0, 9.0], 2)
    assert next(results) == 2.0
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        next(results)


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(SeqtreeError, match="one of the processes was killed"):
        list(in_processes(partial(locate, "os._exit"), [9], 2))


def test_what_cannot_be_pickled_for_a_process_is_told() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        list(in_processes(lambda: str.upper, ["a", "b"], 2))


def _failing_starts(times: int) -> Any:
    """``start`` of a process that fails so often, as where the system has no room for another one."""
    start, left = SpawnProcess.start, iter(range(times))

    def failing(process: Any) -> None:
        if next(left, None) is not None:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        start(process)

    return failing


def test_that_no_process_could_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpawnProcess, "start", _failing_starts(2))
    with pytest.raises(SeqtreeError, match=r"^no process could be started \(Resource temporarily unavailable\); fewer"):
        list(in_processes(SHOUTING, iter("abcdefgh"), 2))


def test_processes_that_could_be_started_do_the_work_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpawnProcess, "start", _failing_starts(1))
    assert list(in_processes(SHOUTING, iter("abcdefgh"), 2)) == list("ABCDEFGH")


def test_nothing_goes_on_when_nobody_waits_for_it() -> None:
    before = multiprocessing.active_children()
    results = in_processes(partial(locate, "time.sleep"), [0.0, 600.0, 600.0], 2)
    assert next(results) is None
    results.close()
    deadline = time.monotonic() + 30
    while set(multiprocessing.active_children()) - set(before):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_process_that_is_killed_while_it_writes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of its result is there, and the rest never comes."""
    stopped = _give_of_a_slow_reader()
    monkeypatch.setattr(processes, "_give", stopped)
    results = in_processes(large_results, [0, 1, 0], 2)
    assert next(results) == b"a"
    with pytest.raises(SeqtreeError, match="one of the processes was killed"):
        list(results)


def _give_of_a_slow_reader() -> Any:
    give = processes._give

    def slow(connection: Any, future: Any, item: Any) -> None:
        if item:
            connection = _Late(connection)
        give(connection, future, item)

    return slow


class _Late:
    """A connection that is read from only after a while."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.send = connection, connection.send

    def recv(self) -> Any:
        time.sleep(3)
        return self.connection.recv()
