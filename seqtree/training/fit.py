"""One run, for every task: from options to a report."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from seqtree import shipped
from seqtree.errors import InputError, ModelFileError, SettingError
from seqtree.nn.parallel import on_threads
from seqtree.tasks import TASKS, named
from seqtree.training.budget import affordable, seconds_per_step
from seqtree.training.checkpoint import one_by_one
from seqtree.training.concerns import tell_of_validation
from seqtree.training.counts import start_from_counts
from seqtree.training.launch import launch
from seqtree.training.loop import Trainer, TrainingResult
from seqtree.training.progress import Display, clock
from seqtree.training.ranks import Place, Ranks
from seqtree.training.recipe import Recipe
from seqtree.training.report import Report
from seqtree.training.run_folder import OthersRunFolder, RunFolder, whole_path
from seqtree.training.task import Task
from seqtree.wording import counted

AnyTask = Task[Any, Any, Any]
SOME = 20  # batches that are looked at
OF_SOURCES = ("target", "label_column", "text_column", "word_column", "tag_column")  # settings about named sources
STARTED_FROM = ("init_from", "vectors")  # settings of a run that say where its first weights are from
LIBRARIES = 190_000_000  # bytes that reading, optimiser and matrix products take besides


def train(
    task: str | type[AnyTask],
    *sources: str | Path,
    progress: Callable[[dict[str, Any]], object] | bool = True,
    **options: Any,
) -> Report:
    """Train as ``seqtree TASK train SOURCES`` does, with the options' names: ``train("lm", "novel.txt", minutes=10)``.

    progress: True shows messages and a bar on stderr, False only warnings; a function is called with the record of
    every evaluation. Returns the report, the same as with ``--json``: ``model`` is the run folder, to be opened with
    ``seqtree.load``. Raises InputError, DivergenceError, OSError.
    """
    if not isinstance(task, type) and task not in TASKS:
        raise InputError(f"task {task!r}: expected one of {', '.join(TASKS)}")
    for source in sources:
        if not isinstance(source, str | Path) or source == "":
            raise InputError(f"source {source!r}: expected a path; several are arguments of their own")
    kind: type[AnyTask] = named(TASKS[task].task) if isinstance(task, str) else task
    display = Display(quiet=progress is not True, callback=progress if callable(progress) else None)
    return fit(kind, [str(source) for source in sources], options, display)


def fit(task: type[AnyTask], sources: Sequence[str], options: Mapping[str, Any], display: Display) -> Report:
    """Train a task on ``sources`` (none: its sample) with ``options``, as ``train`` does, telling ``display``.

    Returns {figures of ``Task.measure``, steps, seconds, ITEMS_per_second, model, interrupted, best_step, measured_on},
    the same in all processes that torchrun has started.
    """
    options = _as_begun(task, sources, task.options.with_preset(options), display)
    recipe, place = task.resolve(options), Place.of_environment()
    count = recipe.run.processes
    try:
        if count == 1:
            return _placed(task, sources, recipe, options, place, display)
        if place.size > 1:
            raise SettingError("processes", f"torchrun has started {place.size} already; leave it out", count)
        work, run = partial(_worker, task, sources, options), RunFolder(_out(task, sources, options.get("out")))
        report: Report = launch(work, count, display, run.checkpoint, "-" in (*sources, *_texts(options)))
        return report
    finally:
        display.close()


def _texts(options: Mapping[str, Any]) -> list[str]:
    """All that lists among the options hold."""
    return [str(text) for value in options.values() if isinstance(value, (list, tuple)) for text in value]


def _worker(
    task: type[AnyTask],
    sources: Sequence[str],
    options: Mapping[str, Any],
    place: Place,
    display: Display,
    again: bool,
) -> Report:
    """What each process of a run with --processes does."""
    recipe = task.resolve({**options, "resume": True} if again else options)
    if not recipe.run.threads:
        torch.set_num_threads(max(1, torch.get_num_threads() // place.size))
    return _placed(task, sources, recipe, options, place, display)


def _placed(
    task: type[AnyTask],
    sources: Sequence[str],
    recipe: Recipe,
    options: Mapping[str, Any],
    place: Place,
    display: Display,
) -> Report:
    """Train as the process that this is."""
    device = place.device(recipe.run.device)
    with on_threads(recipe.run.threads), place.joined(device) as ranks:
        if not ranks.leads:
            display = Display(io.StringIO(), quiet=True)
        recipe = replace(recipe, run=replace(recipe.run, device=device))
        if not sources:
            _check_nothing_of_sources(task, options)
            name, what = task.options.sample, task.options.argument
            if name or task.own_data:
                found = f"reading the embedded sample {name!r}" if name else f"generating {task.own_data}"
                display.message(f"no {what} named: {found}")
        return _run(task, sources or _sample(task), recipe, options, display, ranks)


def _check_nothing_of_sources(task: type[AnyTask], options: Mapping[str, Any]) -> None:
    """Raises InputError for an option about sources, of which none are named."""
    if given := [name for name in OF_SOURCES if options.get(name)]:
        raise SettingError(given[0], f"only with {task.options.argument.upper()} of your own; name them, too")


def run_name(source: str) -> str:
    """The name of a run folder for a source: ``novel.txt`` is novel, ``nltk:treebank/wsj_0001[:9]`` is treebank.

    >>> run_name("texts/novel.txt"), run_name("-"), run_name("nltk:treebank/wsj_0001[:9]")
    ('novel', 'stdin', 'treebank')
    """
    if source == "-":
        return "stdin"
    return Path(re.sub(r"^nltk:(\w+).*", r"\1", source)).resolve().stem


def _sample(task: type[AnyTask]) -> list[str]:
    """The embedded sample that is trained on where nothing is named; none where the task has data of its own."""
    if not task.options.sample:
        return []
    from seqtree import corpora

    return [str(corpora.path(task.options.sample))]


def _out(task: type[AnyTask], sources: Sequence[str], out: str | Path | None) -> Path:
    if out == "":
        raise InputError("out '': expected a folder")
    read = sources or _sample(task)
    return Path(out or Path("runs") / (run_name(read[0]) if read else task.own_data or "data"))


def _as_begun(
    task: type[AnyTask], sources: Sequence[str], options: Mapping[str, Any], display: Display
) -> Mapping[str, Any]:
    """The options, and for a run that goes on what it started from.

    Where that is gone, the run's own model is in its place, which knows as much by name, in the same order.
    """
    if not options.get("resume"):
        return options
    run = RunFolder(_out(task, sources, options.get("out")))
    begun, given = run.begun_with, {name: value for name, value in options.items() if value is not None}
    training = begun.get("training")
    if given.get("optimizer") == "sgd" and isinstance(training, dict) and training.get("optimizer") == "sgd":
        given.setdefault("learning_rate", training.get("learning_rate"))  # older runs began with that for AdamW
    for name in STARTED_FROM:
        start = begun.get(name)
        if not isinstance(start, str) or not all(_same(given[one], start) for one in STARTED_FROM if one in given):
            continue
        if start in shipped.cards() or Path(start).exists():
            if name == "vectors" and "vector_words" in task.options.names:
                given.setdefault("vector_words", begun.get("vector_words"))
            return {name: start, **given}
        if run.model.exists():
            display.message(f"{start}, from which this run began, is not there any more: its own model will do")
            given = {name: value for name, value in given.items() if name not in STARTED_FROM}
            return {**given, "init_from": str(run.model)}
    return given


def _same(start: str | Path, begun: str) -> bool:
    """Whether that is what a run began with."""
    return Path(start).resolve() == Path(begun).resolve()


def _run(
    task: type[AnyTask],
    sources: Sequence[str],
    recipe: Recipe,
    options: Mapping[str, Any],
    display: Display,
    ranks: Ranks,
) -> Report:
    began = time.monotonic()
    run = (RunFolder if ranks.leads else OthersRunFolder)(_out(task, sources, recipe.run.out))
    with ExitStack() as held:
        ranks.together(lambda: held.enter_context(run.opened(recipe.run.resume)))
        if recipe.run.resume:
            ranks.together(lambda: _check_start(run, recipe))
        data = ranks.together(lambda: task.read(sources, recipe, display))
        begun = ranks.led(lambda: run.begun_with if recipe.run.resume else {})
        preset: str | None = options.get("preset") or _preset(begun)
        preset = preset or ranks.led(lambda: affordable(task, data, recipe, options, display, began, ranks))
        if preset != (options.get("preset") or task.options.default):
            recipe = replace(task.resolve({**options, "preset": preset}), run=recipe.run)
        made = ranks.together(lambda: task.over(data, task.going_on(recipe, begun), display))
        if not (recipe.run.resume and run.checkpoint.exists()):
            ranks.together(lambda: start_from_counts(made.counted(), recipe.run, display.message))
        _check_shared(made, ranks)
        if ranks.leads:
            tell_of_validation(made, sources, display)
        display.message(_preflight(made, ranks))
        config = _config(made, sources, preset, begun)
        result = Trainer(made, run, display, began, ranks).fit(recipe.run.resume, config)
        display.close()
        report = _report(made, run, result)
        if result.interrupted:
            display.message(f"interrupted and saved at step {result.steps:,}; continue with --resume")
            return report
        if made.goes_on and not result.best_step:
            display.message("no evaluation was better than what the run started from, which is kept")
        figures, summary = ranks.led(lambda: _measured(made, run))
        where = "validation" if made.validation_items else "training data"
        display.message(f"{where}: {summary}")
        return Report({**figures, **report, "best_step": result.best_step, "measured_on": where})


def _preset(begun: Mapping[str, Any]) -> str | None:
    """The preset that config.json names; None without one."""
    name = begun.get("preset")
    return name if isinstance(name, str) else None


def _check_start(run: RunFolder, recipe: Recipe) -> None:
    """Raises InputError if a run that has begun is to start from something else: it does not start again."""
    begun = run.begun_with
    for name in STARTED_FROM:
        asked, was = getattr(recipe.run, name), begun.get(name)
        if asked == str(run.model):
            continue
        if begun and asked is not None and (was is None or not _same(asked, was)):
            began = f"the run in {run.path} began with {was or 'random weights'}"
            raise SettingError(name, f"{began}; leave the option out, or name another --out", asked)


def _check_shared(task: AnyTask, ranks: Ranks) -> None:
    """Raises InputError if processes train different things, or one of them would have nothing to do."""
    if ranks.size == 1:
        return
    ranks.check_alike({**one_by_one(task.identity()), **task.recipe.training.to_json()})
    some = range(min(task.steps_per_epoch, SOME))
    most = max(len(task.batch(0, step)) for step in some)
    ranks.together(lambda: ranks.check_rows(most, task.least_rows))


def _measured(task: AnyTask, run: RunFolder) -> tuple[dict[str, Any], str]:
    """The report's figures of the best model, and one line. Raises ModelFileError if that was taken away."""
    if not run.model.exists():
        raise ModelFileError(f"{run.model}: missing, though the run has ended; train again with another --out")
    chosen = task.recipe.run
    precision = None if chosen.precision == "auto" else chosen.precision  # as it will be used
    return task.measure(type(task.model).load(run.path, chosen.device, precision))


def _report(task: AnyTask, run: RunFolder, result: TrainingResult) -> Report:
    return Report(
        {
            "steps": result.steps,
            "seconds": round(result.seconds, 3),
            f"{task.items}_per_second": round(result.items_per_second, 1),
            "model": str(run.path),
            "interrupted": result.interrupted,
        }
    )


def _config(task: AnyTask, sources: Sequence[str], preset: str, begun: Mapping[str, Any]) -> dict[str, Any]:
    """What config.json says of a run: its sources with their whole paths, its preset, every setting, and how it began.

    begun: what it said before the run went on; nothing of a new run.
    """
    groups = {name: group.to_json() for name, group in task.recipe.groups.items() if name != "run"}
    run = task.recipe.run
    vector_words = {"vector_words": run.vector_words if run.vectors else begun.get("vector_words")}
    return {
        "kind": task.model.kind,
        task.options.argument: [whole_path(source) for source in sources],
        "preset": preset,
        "init_from": begun.get("init_from") if begun else run.init_from,
        "vectors": run.vectors or begun.get("vectors"),
        **(vector_words if run.vectors or begun.get("vectors") else {}),
        "counted_vectors": run.counted_vectors,
        "half": run.half,
        **groups,
        "fingerprint": task.fingerprint(),
    }


def _preflight(task: AnyTask, ranks: Ranks) -> str:
    """Data, network, parameters, memory and time, before anything is spent."""
    budget = task.recipe.training
    parameters = task.model.network.parameter_count
    kept = 2 + (budget.optimizer == "adamw") + (budget.averaging != "none")  # a checkpoint has so many copies of them
    parts = [task.describe(), counted(parameters, "parameter")]
    if activations := task.activations():  # writing a checkpoint takes two copies more of all it has
        memory = 4 * parameters * (kept + 1) + max(activations, 8 * parameters * kept) + LIBRARIES
        each = f" in each of {ranks.size} processes" if ranks.size > 1 else ""
        parts.append(f"about {memory / 1e6:,.0f} MB{each}")
    if budget.minutes is not None:
        parts.append(counted(budget.minutes, "minute"))
    else:
        steps = max(1.0, task.steps_per_epoch * budget.epochs)
        evaluation, report = task.measuring_seconds()
        expected = steps * seconds_per_step(task, ranks)
        expected += min(budget.evaluations, steps) * evaluation + report
        whole = counted(budget.epochs, "epoch"), counted(round(steps), "step"), f"about {clock(expected)}"
        parts.append(", ".join(whole))
    return "; ".join(parts)
