"""Folders that hold a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqtree.errors import InputError
from seqtree.text.lexicon import in_order
from seqtree.text.lines import checked_argument
from seqtree.text.reading import files_in, reason, say
from seqtree.wording import also


def class_folders(folder: Path, suffixes: Sequence[str], what: str, deep: bool = True) -> dict[str, list[Path]]:
    """The files with one of ``suffixes`` in the folders of a folder, by the names of these, in order.

    deep: at any depth, not just directly in them. Hidden files and folders are not looked at. Of other folders it is
    said that they hold no ``what``, and of the other files of a class that they are not read. Raises InputError for a
    folder that cannot be read, and for a class whose name is no text.
    """
    found: dict[str, list[Path]] = {}
    empty: list[str] = []
    others: list[Path] = []
    try:
        for inside in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
            files = [file for file, hidden in files_in(inside) if not hidden]
            fitting = [file for file in files if file.suffix.lower() in suffixes and (deep or file.parent == inside)]
            if fitting:
                found[inside.name] = fitting
                others += sorted(set(files) - set(fitting))
            else:
                empty.append(str(inside))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {reason(error)}") from None
    for name in found:
        checked_argument(name, f"a folder in {folder}")
    if found and empty:
        say(f"{', '.join(empty)}: no {what} in it, so it is no class")
    if others:
        place = "" if deep else ", or not directly in the folder of a class"
        say(f"{others[0]} is not read{also(len(others) - 1, 'nor')}: it is no {what}{place}")
    return {name: found[name] for name in in_order(found)}
