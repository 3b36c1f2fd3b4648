"""Folders that hold a folder for each class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from seqtree.errors import InputError
from seqtree.text.lexicon import in_order
from seqtree.text.lines import checked_argument
from seqtree.text.reading import say

T = TypeVar("T")


def class_folders(folder: Path, items: Callable[[Path], T | None], what: str) -> dict[str, T]:
    """What ``items`` finds in the folders of a folder, by their names, in order: those in which it finds something.

    Hidden ones are not looked at, and of others it is said that they hold no ``what``. Raises InputError for a folder
    that cannot be read, and for a class whose name is no text.
    """
    try:
        inside = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        found = {path.name: those for path in inside if (those := items(path))}
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
    for name in found:
        checked_argument(name, f"a folder in {folder}")
    if found and (others := sorted(str(path) for path in inside if path.name not in found)):
        say(f"{', '.join(others)}: no {what} in it, so it is no class")
    return {name: found[name] for name in in_order(found)}
