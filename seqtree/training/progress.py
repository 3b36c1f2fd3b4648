"""What a run says while it trains: a live bar on a terminal, plain lines elsewhere; all of it to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from seqtree.escapes import one_line


class Display:
    """Messages, evaluations, and a bar with the time left.

    ``quiet`` leaves only warnings. ``callback`` is called with the record of every evaluation, a line of metrics.jsonl.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        quiet: bool = False,
        callback: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:
        self.quiet, self.callback = quiet, callback
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._drawn = 0.0
        self._validation = ""

    def message(self, text: str) -> None:
        """One line that matters."""
        if not self.quiet:
            self.console.print(one_line(text), markup=False)

    def warning(self, text: str) -> None:
        """One line that is said even to those who want quiet."""
        self.console.print(f"warning: {one_line(text)}", markup=False)

    def evaluation(
        self, record: Mapping[str, Any], figures: Mapping[str, float], best: str, improved: bool, items: str
    ) -> None:
        """One line for each evaluation; of ``figures``, those on validation data, if any, ``best`` is the first."""
        names = [best, *(name for name in figures if name != best)] if figures else []
        shown = [f"{name.replace('_', ' ')} {figures[name]:.5g}" for name in names]
        if shown:
            shown[0] += " *" if improved else ""
        self._validation = f"validation {shown[0]}  " if shown else ""
        parts = [f"step {record['step']:>7,}", f"epoch {record['epoch']:6.2f}"]
        parts += [f"train loss {record['train_loss']:.4f}"] if record["step"] else ["before training"]
        parts += ["validation " + "  ".join(shown)] if shown else []
        parts += [f"{record[f'{items}_per_second']:,.0f} {items}/s"] if record["step"] else []
        self.message("  ".join((*parts, clock(record["seconds"]))))
        if self.callback is not None:
            self.callback(dict(record))

    def step(self, progress: float, step: int, loss: float, speed: float, items: str, elapsed: float) -> None:
        """Move the bar, at most ten times a second; ``speed``: in items per second."""
        if self.quiet or not self.console.is_terminal or time.monotonic() - self._drawn < 0.1:
            return
        self._drawn = time.monotonic()
        if self._bar is None:
            columns = (BarColumn(30), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._bar.add_task("", total=1.0)
            self._bar.start()
        left = clock(elapsed * (1 - progress) / progress) if progress > 0 else "?"
        text = f"left {left}  step {step:,}  loss {loss:.3f}  {self._validation}{speed:,.0f} {items}/s"
        self._bar.update(self._bar.task_ids[0], completed=progress, description=text)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss.

    >>> clock(75), clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
