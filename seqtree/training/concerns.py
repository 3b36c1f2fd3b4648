"""Warnings about the data to validate on, which a run gives before it trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqtree.training.progress import Display
from seqtree.training.run_folder import whole_path
from seqtree.training.settings import ValidationSettings
from seqtree.training.task import Task
from seqtree.wording import counted

MANY = 1 / 3  # of the validation items; single words and set phrases are in both parts of any data


def tell_of_validation(task: Task[Any, Any, Any], sources: Sequence[str], display: Display) -> None:
    """Tell of reasons to doubt the figures of validation: too few items, or items that are trained on as well."""
    learned, others = task.inputs()
    validated, count = [*map(hash, others)], task.validation_items
    known = {*map(hash, learned)} if validated else set()
    again = sum(one in known for one in validated)
    if again > MANY * len(validated):
        which = f"{again:,} of {len(validated):,} validation items are"
        display.warning(f"{which} in the training data, too: figures will look better than they are")
    for text in _texts_in_both(task, sources) if not validated else ():
        display.warning(f"{text} is trained on, too: figures of validation will look better than they are")
    if task.few_to_validate and task.holds_out:
        display.message(
            f"figures of {counted(count, 'held-out item')} say little; --valid-share 0 learns from all of them"
        )
    elif task.holds_out and not count:
        display.message("too few items to hold any out for validation: figures are of the training data")


def _texts_in_both(task: Task[Any, Any, Any], sources: Sequence[str]) -> list[str]:
    """The sources that are validated on as well."""
    validation = task.recipe.groups.get("validation")
    valid = validation.valid if isinstance(validation, ValidationSettings) else ()
    trained = {*map(whole_path, sources)}
    return [text for text in valid if not trained.isdisjoint(_with_folders(whole_path(text)))]


def _with_folders(path: str) -> list[str]:
    """A whole path, and those of all folders that it is in."""
    return [path, *map(str, Path(path).parents)]
