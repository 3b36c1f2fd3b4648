"""``seqtree cache``: the encoded texts, features of images, and sample models, that are kept between runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqtree.cli.options import json_option, print_json
from seqtree.errors import InputError, SeqtreeError
from seqtree.wording import counted, some

if TYPE_CHECKING:
    from seqtree.text.cache import Entry

SHORT = 12  # characters of a name that are shown
SOME = 3  # files that are named where several could not be removed
UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0))


@click.group()
def cache() -> None:
    """Encoded texts, features of images and sample models that are kept between runs: list them, clear them.

    They are made again when they are needed. They are in the folder SEQTREE_CACHE (by default ~/.cache/seqtree). When
    they take more than SEQTREE_CACHE_LIMIT, in GB (by default 20), what has been unused longest is removed.
    """


@cache.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Name, size, time since the last use and texts or image of each, what was used last first; then the sum."""
    from seqtree.text.cache import NO_FOLDER, cache_folder, size_limit

    folder = cache_folder()
    found, limit, now = _found(folder), size_limit(), time.time()
    total = sum(entry.size for entry in found)
    if as_json:
        rows = [
            {"name": one.path.stem, "bytes": one.size, "seconds_unused": now - one.used, "texts": [*one.texts]}
            for one in found
        ]
        print_json({"entries": rows, "bytes": total, "limit_bytes": limit, "folder": str(folder) if folder else None})
        return
    for entry in found:
        texts = ", ".join(entry.texts) or "?"
        click.echo(f"{entry.path.stem[:SHORT]}  {entry.size / 1e6:10,.1f} MB  {_age(entry, now):>10}  {texts}")
    size = f"{total / 1e6:,.1f} MB of at most {limit / 1e6:,.0f} MB, {counted(len(found), 'file')}"
    click.echo(f"{size}, in {folder}" if folder else NO_FOLDER)


@cache.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def clear(names: tuple[str, ...]) -> None:
    """Remove all, or those of these NAMEs (or their beginnings), as list shows them.

    A run that is reading one goes on undisturbed (not on Windows). What may not be removed, as it belongs to another
    user, stays and is told of; the exit code is then 1.
    """
    from seqtree.text.cache import cache_folder, readings

    folder = cache_folder()
    found = _found(folder)
    for name in names:
        if not name or not any(entry.path.stem.startswith(name) for entry in found):
            raise InputError(
                f"{name or repr(name)}: nothing of that name in {folder or 'the cache'}; "
                "expected one of seqtree cache list"
            )
    chosen = [entry for entry in found if not names or entry.path.stem.startswith(names)]
    left: list[OSError] = []
    removed = [entry for entry in chosen if _done(entry.remove, left)]
    for path in () if names else readings(folder):
        _done(partial(path.unlink, missing_ok=True), left)
    click.echo(f"removed {counted(len(removed), 'file')}, {sum(entry.size for entry in removed) / 1e6:,.1f} MB")
    if left:
        shown = some([str(error.filename) for error in left], SOME)
        raise SeqtreeError(f"{counted(len(left), 'file')} could not be removed ({left[0].strerror}): {shown}")


def _done(remove: Callable[[], None], left: list[OSError]) -> bool:
    """Remove something; what stands in the way is added to ``left``."""
    try:
        remove()
    except OSError as error:
        left.append(error)
        return False
    return True


def _found(folder: Path | None) -> list[Entry]:
    """What a cache folder keeps. Raises SeqtreeError if it cannot be read."""
    from seqtree.text.cache import entries

    try:
        return entries(folder)
    except OSError as error:
        raise SeqtreeError(f"the cache folder {folder} cannot be read ({error.strerror})") from None


def _age(entry: Entry, now: float) -> str:
    seconds = max(0.0, now - entry.used)
    name, size = next(((name, size) for name, size in UNITS if seconds >= 2 * size), ("seconds", 1.0))
    return f"{seconds / size:.0f} {name}"
