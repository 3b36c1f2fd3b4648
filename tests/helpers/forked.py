"""Programs of Python as processes that begin where all imports are done: each is forked from a server that has them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import TimeoutExpired

from seqtree.tasks import TASKS

_CONTEXT = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
_CONTEXT.set_forkserver_preload(["seqtree.training.fit", *(task.task.partition(":")[0] for task in TASKS.values())])


class Forked:
    """``python COMMAND...`` in a folder, as ``subprocess.Popen`` with pipes for what it says, but without its start."""

    def __init__(self, command: Sequence[str], folder: Path, said: Path) -> None:
        """``command`` is ``-m MODULE WORDS...`` or ``FILE WORDS...``; its output goes to ``said`` and a second file."""
        self.said = (said, said.with_suffix(".err"))
        self.process = _CONTEXT.Process(target=_run, args=(list(command), folder, self.said, dict(os.environ)))
        with contextlib.chdir(folder):  # the server, which begins with the first one, would find sources in its own
            self.process.start()
        assert self.process.pid is not None
        self.pid = self.process.pid

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.process.exitcode

    @property
    def returncode(self) -> int | None:
        """As ``poll``."""
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """What it has said when it ends. Raises TimeoutExpired."""
        self.process.join(timeout)
        if self.process.is_alive():
            raise TimeoutExpired(self.process.name, timeout)
        out, err = (path.read_text(encoding="utf-8") for path in self.said)
        return out, err


def _run(command: list[str], folder: Path, said: tuple[Path, Path], environment: Mapping[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
