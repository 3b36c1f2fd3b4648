"""One thread that computes for all requests: what waits for the same operation is answered together."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
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


@dataclass(frozen=True)
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
        self.seconds = seconds
        self._queue: queue.Queue[_Job | None] = queue.Queue(waiting)
        self._held: deque[_Job] = deque()  # taken from the queue, but not of the batch before
        self._thread = threading.Thread(target=self._run, name="seqtree", daemon=True)
        self._thread.start()

    async def ask(self, operation: Operation, model: Any, request: ModelRequest) -> Json:
        """The answer to a request. Raises what the operation raises, and BusyError for lack of room or time."""
        job = _Job(operation, model, request, Future())
        try:
            self._queue.put_nowait(job)
        except queue.Full:
            raise BusyError("too many requests are waiting; try again in a moment") from None
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job.future), self.seconds)
        except TimeoutError:
            raise BusyError(f"no answer within {self.seconds:g} seconds; try a shorter text") from None

    def close(self) -> None:
        """Answer what waits, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._next()) is not None:
            jobs = [first]
            while len(jobs) < TOGETHER and (other := self._waiting()) is not None:
                (jobs if first.goes_with(other) else self._held).append(other)
            self._answer([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _next(self) -> _Job | None:
        return self._held.popleft() if self._held else self._queue.get()

    def _waiting(self) -> _Job | None:
        try:
            found = self._queue.get_nowait()
        except queue.Empty:
            return None
        if found is None:
            self._queue.put(None)
        return found

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
