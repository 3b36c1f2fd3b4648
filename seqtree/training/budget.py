"""What a budget has time for: how long a step takes, and which preset is trained where none is named."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from seqtree.errors import InputError
from seqtree.nn.device import gpus_of
from seqtree.nn.randomness import seeded
from seqtree.training.progress import Display
from seqtree.training.ranks import Ranks
from seqtree.training.recipe import Recipe
from seqtree.training.task import Task

AnyTask = Task[Any, Any, Any]
UPDATE = 1.1  # a step with the update of the weights, in times of its loss and gradient


def seconds_per_step(task: AnyTask, ranks: Ranks) -> float:
    """The time of this process's step, from the first one's loss and gradient, the best of three; changes nothing."""
    network: torch.nn.Module = task.model.network
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    times, gpus = [], gpus_of(task.model.device)
    with seeded(task.recipe.training.seed, gpus):
        for _ in range(3):
            network.train()
            task.start_epoch()
            began = _now(gpus)
            if len(rows := ranks.part(task.batch(0, 0), task.least_rows)):
                task.loss(rows)[0].backward()
            times.append(_now(gpus) - began)
            network.zero_grad(set_to_none=True)
    for buffer, before in buffers:
        buffer.copy_(before)
    task.start_epoch()
    return UPDATE * min(times)


def _now(gpus: Sequence[torch.device]) -> float:
    """The time in seconds, from when GPUs have done all that they were given."""
    for gpu in gpus:
        torch.cuda.synchronize(gpu)
    return time.perf_counter()


def affordable(
    task: type[AnyTask],
    data: Any,
    recipe: Recipe,
    options: Mapping[str, Any],
    display: Display,
    began: float,
    ranks: Ranks,
) -> str:
    """The preset for a recipe of options that name none: the default one, or another one if minutes are given.

    It is the largest that the minutes leave enough passes over the data for (``Recipe.passes``), by the time that its
    steps take here and now; and a smaller one if they leave too few steps for the default one (``least_steps``).
    ``began``: when the run did, by ``time.monotonic``.
    """
    default, minutes = task.options.default, recipe.training.minutes
    if minutes is None or recipe.start:
        return default

    time_for = partial(_time_for, task, data, began + 60 * minutes, ranks)
    names = list(next(iter(task.options.presets.values())))
    place = names.index(default)
    chosen, facts = default, []
    if recipe.least_steps and (steps := time_for(recipe)[0]) < recipe.least_steps:
        chosen = names[place - 1]
        facts.append(f"{default} would take {steps:,.0f} steps and pays from {recipe.least_steps:,} on")
    for name, larger in _larger(task, options, names[place + 1 :] if chosen == default else []).items():
        _, passes = time_for(replace(larger, run=recipe.run))
        facts.append(f"{name} would read the data {passes:.1f} times and pays from {larger.passes:g} times on")
        if passes < (larger.passes or 0.0):
            break
        chosen = name
    if facts:
        display.message(f"preset {chosen}: in {minutes:g} minutes, {', '.join(facts)}")
    return chosen


def _time_for(task: type[AnyTask], data: Any, end: float, ranks: Ranks, preset: Recipe) -> tuple[float, float]:
    """How many steps, and passes over the data, there is time for until the ``end``, by ``time.monotonic``."""
    tried = task.over(data, preset, Display(io.StringIO()))
    seconds = end - time.monotonic() - sum(tried.measuring_seconds())
    steps = max(0.0, seconds) / seconds_per_step(tried, ranks)
    return steps, steps / tried.steps_per_epoch


def _larger(task: type[AnyTask], options: Mapping[str, Any], names: Sequence[str]) -> dict[str, Recipe]:
    """The recipes of those of some presets, from the smallest on, that may be chosen unasked.

    Not those with which the given options do not go together.
    """
    recipes: dict[str, Recipe] = {}
    for name in names:
        with suppress(InputError):
            recipes[name] = task.resolve({**options, "preset": name})
    return {name: recipe for name, recipe in recipes.items() if recipe.passes is not None}
