"""Stopping on request: SIGINT, SIGTERM and SIGHUP raise a flag, so that a run can save before it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seqtree.processes import ending_signals


class StopRequest:
    """``requested`` says whether a signal asked to stop.

    A plain attribute: an event's lock could be held by the very code that a second signal interrupts.
    """

    requested = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """A request that SIGINT, SIGTERM and SIGHUP make; a second signal interrupts at once. Other threads get none.

    A SIGHUP that is ignored, as ``nohup`` has it, stays ignored.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: Any) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = {number: signal.signal(number, request) for number in ending_signals()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
