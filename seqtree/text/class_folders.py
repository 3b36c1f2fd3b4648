"""Folders that hold a folder for each class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqtree.errors import InputError
from seqtree.text.lexicon import in_order
from seqtree.text.lines import checked_argument
from seqtree.text.reading import say


def class_folders(folder: Path, holds: Callable[[Path], bool], what: str) -> dict[str, Path]:
    """The folders of a folder that are classes, by name, in order: those of which ``holds`` is true.

    Hidden ones are not looked at, and of others it is said that they hold no ``what``. Raises InputError for a folder
    that cannot be read, and for a class whose name is no text.
    """
    try:
        inside = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        found = {path.name: path for path in inside if holds(path)}
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
    for name in found:
        checked_argument(name, f"a folder in {folder}")
    if found and (others := sorted(str(path) for path in inside if path.name not in found)):
        say(f"{', '.join(others)}: no {what} in it, so it is no class")
    return {name: found[name] for name in in_order(found)}
