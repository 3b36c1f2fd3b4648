"""One run, for every task: from options to a report."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from seqtree.errors import InputError
from seqtree.tasks import TASKS, named
from seqtree.training.budget import affordable, seconds_per_step
from seqtree.training.loop import Trainer, TrainingResult
from seqtree.training.progress import Display, clock
from seqtree.training.recipe import Recipe
from seqtree.training.run_folder import RunFolder
from seqtree.training.task import Task

AnyTask = Task[Any, Any, Any]
LIBRARIES = 130_000_000  # bytes that reading, optimiser and matrix products take besides


def train(
    task: str | type[AnyTask],
    *sources: str | Path,
    progress: Callable[[dict[str, Any]], object] | bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Train as ``seqtree TASK train SOURCES`` does, with the options' names: ``train("lm", "novel.txt", minutes=10)``.

    progress: True shows messages and a bar on stderr, False only warnings; a function is called with the record of
    every evaluation. Returns the report, the same as with ``--json``: ``model`` is the run folder, to be opened with
    ``seqtree.load``. Raises InputError, DivergenceError, OSError.
    """
    if isinstance(task, str) and task not in TASKS:
        raise InputError(f"task {task!r}: expected one of {', '.join(TASKS)}")
    kind: type[AnyTask] = named(TASKS[task].task) if isinstance(task, str) else task
    display = Display(quiet=progress is not True, callback=progress if callable(progress) else None)
    return fit(kind, [str(source) for source in sources], options, display)


def fit(task: type[AnyTask], sources: Sequence[str], options: Mapping[str, Any], display: Display) -> dict[str, Any]:
    """Train a task on ``sources`` (none: its sample) with ``options``, as ``train`` does, telling ``display``.

    Returns {figures of ``Task.measure``, steps, seconds, ITEMS_per_second, model, interrupted, best_step, measured_on}.
    """
    recipe = task.resolve(options)
    if recipe.run.threads:
        torch.set_num_threads(recipe.run.threads)
    try:
        return _run(task, sources or _sample(task, display), recipe, options, display)
    finally:
        display.close()


def run_name(source: str) -> str:
    """The name of a run folder for a source: ``novel.txt`` is novel, ``nltk:treebank/wsj_0001[:9]`` is treebank.

    >>> run_name("texts/novel.txt"), run_name("-"), run_name("nltk:treebank/wsj_0001[:9]")
    ('novel', 'stdin', 'treebank')
    """
    if source == "-":
        return "stdin"
    return Path(re.sub(r"^nltk:(\w+).*", r"\1", source)).resolve().stem


def _sample(task: type[AnyTask], display: Display) -> list[str]:
    """The embedded sample that is trained on where nothing is named."""
    name = task.options.sample
    if not name:
        display.message(f"no {task.options.argument} named: generating {task.own_data}")
        return []
    from seqtree import corpora

    display.message(f"no {task.options.argument} named: reading the embedded sample {name!r}")
    return [str(corpora.path(name))]


def _run(
    task: type[AnyTask], sources: Sequence[str], recipe: Recipe, options: Mapping[str, Any], display: Display
) -> dict[str, Any]:
    began = time.monotonic()
    out = recipe.run.out or Path("runs") / (run_name(sources[0]) if sources else task.own_data)
    run = RunFolder(Path(out))
    with run.opened(recipe.run.resume):
        data = task.read(sources, recipe, display)
        preset = options.get("preset") or (recipe.run.resume and run.preset)
        preset = preset or affordable(task, data, recipe, options, display, began)
        made = task.over(data, task.resolve({**options, "preset": preset}), display)
        display.message(_preflight(made))
        config = _config(made, sources, preset)
        result = Trainer(made, run, display, began).fit(recipe.run.resume, config)
        display.close()
        report = _report(made, run, result)
        if result.interrupted:
            display.message(f"interrupted and saved at step {result.steps:,}; continue with --resume")
            return report
        precision = None if recipe.run.precision == "auto" else recipe.run.precision  # as it will be used
        best = type(made.model).load(run.path, recipe.run.device, precision)
        figures, summary = made.measure(best)
        where = "validation" if made.validated else "training data"
        display.message(f"{where}: {summary}")
        return {**figures, **report, "best_step": result.best_step, "measured_on": where}


def _report(task: AnyTask, run: RunFolder, result: TrainingResult) -> dict[str, Any]:
    return {
        "steps": result.steps,
        "seconds": round(result.seconds, 3),
        f"{task.items}_per_second": round(result.items_per_second, 1),
        "model": str(run.path),
        "interrupted": result.interrupted,
    }


def _config(task: AnyTask, sources: Sequence[str], preset: str) -> dict[str, Any]:
    """What config.json says of a run: its sources with their whole paths, its preset, and every setting."""
    groups = {name: group.to_json() for name, group in task.recipe.groups.items() if name != "run"}
    run = task.recipe.run
    return {
        "kind": task.model.kind,
        task.options.argument: [_whole_path(source) for source in sources],
        "preset": preset,
        "init_from": run.init_from,
        "half": run.half,
        **groups,
        "fingerprint": task.fingerprint(),
    }


def _whole_path(source: str) -> str:
    return source if source == "-" or source.startswith("nltk:") else str(Path(source).resolve())


def _preflight(task: AnyTask) -> str:
    """Data, network, parameters, memory and time, before anything is spent."""
    budget = task.recipe.training
    parameters = sum(p.numel() for p in task.model.network.parameters())
    kept = 2 + (budget.optimizer == "adamw") + (budget.averaging != "none")  # a checkpoint has so many copies of them
    parts = [task.describe(), f"{parameters:,} parameters"]
    if activations := task.activations():  # writing a checkpoint takes two copies more of all it has
        memory = 4 * parameters * (kept + 1) + max(activations, 8 * parameters * kept) + LIBRARIES
        parts.append(f"about {memory / 1e6:,.0f} MB")
    if budget.minutes is not None:
        parts.append(f"{budget.minutes:g} minutes")
    else:
        steps = task.steps_per_epoch * (budget.epochs or 1.0)
        evaluation, report = task.measuring_seconds()
        expected = steps * seconds_per_step(task)
        expected += min(budget.evaluations, max(1, steps)) * evaluation + report
        parts.append(f"{budget.epochs:g} epochs, {steps:,.0f} steps, about {clock(expected)}")
    return "; ".join(parts)
