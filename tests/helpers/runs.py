"""Small runs of every task, and what they write."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seqtree import corpora
from seqtree.tasks import TASKS, named
from seqtree.training.fit import fit
from seqtree.training.progress import Display

EXACT = {"device": "cpu", "precision": "fp32"}  # options of a run whose numbers are the same everywhere


class Messages(Display):
    """A display that keeps what it is told in ``lines``."""

    def __init__(self) -> None:
        super().__init__(stream=io.StringIO())
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(f"warning: {text}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Planned:
    """A run before it is made: the task's name, its sources, its options."""

    task: str
    sources: tuple[str, ...]
    options: dict[str, Any]


def train(planned: Planned, display: Display | None = None) -> dict[str, Any]:
    """The report of a run."""
    return fit(named(TASKS[planned.task].task), planned.sources, planned.options, display or Messages())


def _budget(options: dict[str, Any], epochs: float) -> dict[str, float]:
    """The budget of a run whose options name none."""
    return {} if "minutes" in options else {"epochs": epochs}


def lm_recipe(out: Path, corpus: Path, **options: Any) -> Planned:
    """A small language model; ``network`` are options of its network."""
    small = {"preset": "tiny", "hidden": 8, "embedding": 5, "tied": False, "batch": 4, "window": 8}
    training = {**_budget(options, 2.0), "evaluations": 4, "warmup": 0.0, "learning_rate": 3e-3}
    options |= options.pop("network", {})
    return Planned("lm", (str(corpus),), {"out": str(out), **EXACT, **small, **training, **options})


def parser_recipe(out: Path, resume: bool = False, objective: str = "stepwise", **options: Any) -> Planned:
    """A small parser on the embedded trees, or on ``trees``."""
    small = {"preset": "tiny", "hidden": 8, "vector": 8, "scorer": 8, "words": 6, "characters": 6, "valid_share": 0.2}
    training = {**_budget(options, 2.0), "evaluations": 4, "resume": resume, "objective": objective}
    if "init_from" in options:
        del small["words"]
    trees = options.pop("trees", (str(corpora.path("toy")),))
    return Planned("parser", trees, {"out": str(out), **EXACT, **small, **training, **options})


def image_recipe(out: Path, data: Path | None = None, **options: Any) -> Planned:
    """A small image classifier, on generated digits or on ``data``."""
    small = {
        "plan": "conv 4x3 norm, pool 3, full 12 norm drop 0.2",
        "shift": 1,
        "turn": 5.0,
        "stretch": 0.0,
        "batch": 64,
    }
    training = {**_budget(options, 1.5), "learning_rate": 1e-2, "evaluations": 4, "ema_decay": 0.9}
    if "cell" in options or "preset" in options:
        del small["plan"]
    return Planned("image", (str(data),) if data else (), {"out": str(out), **EXACT, **small, **training, **options})


def metrics(run: Path) -> list[dict[str, Any]]:
    """The evaluations of a run without what depends on the clock."""
    return [{k: v for k, v in r.items() if k != "seconds" and not k.endswith("_per_second")} for r in records(run)]


def records(run: Path) -> list[dict[str, Any]]:
    """The evaluations of a run, as metrics.jsonl has them."""
    file = run / "metrics.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


class Clock:
    """The clock of training, in the place of ``time``: it goes on only while a ``timed`` method of a task runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self._monkeypatch = 100.0, monkeypatch
        for module in ("loop", "fit"):
            monkeypatch.setattr(f"seqtree.training.{module}.time", self)

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    perf_counter = monotonic

    def timed(self, kind: type[Any], name: str, seconds: float) -> None:
        """Let a method (or class method) of a class take so long."""
        found = kind.__dict__[name]

        def slow(*args: Any) -> Any:
            self.now += seconds
            return (found.__func__ if isinstance(found, classmethod) else found)(*args)

        self._monkeypatch.setattr(kind, name, classmethod(slow) if isinstance(found, classmethod) else slow)
