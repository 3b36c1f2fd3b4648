"""One thread that computes for all requests: what waits for the same operation is answered together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from seqtree.serve.operations import Json, Operation
from seqtree.serve.requests import ModelRequest

WAITING = 256  # requests
TOGETHER = 64  # requests of one batch
SECONDS = 15.0  # for one answer, the time that it waited included


class BusyError(Exception):
    """There is no room for another request, or no time for its answer."""


@dataclass(frozen=True, eq=False)
class _Job:
    operation: Operation
    model: Any
    request: ModelRequest
    future: Future[Json]

    def goes_with(self, other: _Job) -> bool:
        return self.operation is other.operation and self.model is other.model


class Worker:
    """Answers requests in their order, on a thread of its own; one whose asker has gone is left out."""

    def __init__(self, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self.room, self.seconds = waiting, seconds
        self._waiting: list[_Job] = []
        self._closed = False
        self._changed = threading.Condition()  # of ``_waiting`` and ``_closed``
        self._thread = threading.Thread(target=self._run, name="seqtree", daemon=True)
        self._thread.start()

    async def ask(self, operation: Operation, model: Any, request: ModelRequest) -> Json:
        """The answer to a request. Raises what the operation raises, and BusyError for lack of room or time."""
        job = _Job(operation, model, request, Future())
        with self._changed:
            if len(self._waiting) >= self.room:
                raise BusyError("too many requests are waiting; try again in a moment")
            self._waiting.append(job)
            self._changed.notify()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job.future), self.seconds)
        except TimeoutError:
            raise BusyError(f"no answer within {self.seconds:g} seconds; try a shorter text") from None

    def close(self) -> None:
        """Answer what waits, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._next():
            self._answer([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _next(self) -> list[_Job]:
        """What has waited longest, with all that goes with it; nothing once it is closed and nothing waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            jobs = [job for job in self._waiting if self._waiting[0].goes_with(job)][:TOGETHER]
            taken = set(jobs)
            self._waiting = [job for job in self._waiting if job not in taken]
            return jobs

    def _answer(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        operation, model = jobs[0].operation, jobs[0].model
        assert operation.answer is not None
        try:
            answers = operation.answer(model, [job.request for job in jobs])
        except Exception as error:  # whoever asked is told
            if len(jobs) > 1:  # find out whose request it was
                for job in jobs:
                    self._answer([job])
            else:
                jobs[0].future.set_exception(error)
            return
        for job, answer in zip(jobs, answers, strict=True):
            job.future.set_result(answer)
