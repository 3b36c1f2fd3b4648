"""Stopping on request: SIGINT and SIGTERM raise a flag, so that a run can save before it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StopRequest:
    """``requested`` says whether a signal asked to stop.

    A plain attribute: an event's lock could be held by the very code that a second signal interrupts.
    """

    requested = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """A request that SIGINT and SIGTERM make; a second signal interrupts at once. Other threads get none."""
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: Any) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
