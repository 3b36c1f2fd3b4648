"""Work for other processes: to die in it, and to tell when they begin."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path


def large_results() -> Callable[[int], bytes]:
    """What makes a byte of 0, and of 1 so many that the process is killed before half of them are read."""
    return _large_result


def _large_result(item: int) -> bytes:
    if item:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return b"a" * (1 << 28 if item else 1)


def made_at(place: Path) -> Callable[[str], str]:
    """What makes capitals; that it is there is told by a file."""
    place.touch()
    return str.upper
