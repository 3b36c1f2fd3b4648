"""``seqtree cache``: the encoded texts, and features of images, that are kept between runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from seqtree.cli.options import json_option, print_json
from seqtree.errors import InputError
from seqtree.wording import counted

if TYPE_CHECKING:
    from seqtree.text.cache import Entry

SHORT = 12  # characters of a name that are shown
UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0))


@click.group()
def cache() -> None:
    """Encoded texts and features of images that are kept between runs: list them, clear them.

    They are made again when they are needed. They are in the folder SEQTREE_CACHE (by default ~/.cache/seqtree). When
    they take more than SEQTREE_CACHE_LIMIT, in GB (by default 20), what has been unused longest is removed.
    """


@cache.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Name, size, time since the last use and texts or image of each, what was used last first; then the sum."""
    from seqtree.text.cache import cache_folder, entries, size_limit

    found, limit, now = entries(cache_folder()), size_limit(), time.time()
    total = sum(entry.size for entry in found)
    if as_json:
        rows = [
            {"name": one.path.stem, "bytes": one.size, "seconds_unused": now - one.used, "texts": [*one.texts]}
            for one in found
        ]
        print_json({"entries": rows, "bytes": total, "limit_bytes": limit, "folder": str(cache_folder())})
        return
    for entry in found:
        texts = ", ".join(entry.texts) or "?"
        click.echo(f"{entry.path.stem[:SHORT]}  {entry.size / 1e6:10,.1f} MB  {_age(entry, now):>10}  {texts}")
    click.echo(
        f"{total / 1e6:,.1f} MB of at most {limit / 1e6:,.0f} MB, {counted(len(found), 'file')}, in {cache_folder()}"
    )


@cache.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def clear(names: tuple[str, ...]) -> None:
    """Remove all, or those of these NAMEs (or their beginnings), as list shows them.

    A run that is reading one goes on undisturbed (not on Windows).
    """
    from seqtree.text.cache import cache_folder, entries, forget_readings

    folder = cache_folder()
    found = entries(folder)
    for name in names:
        if not name or not any(entry.path.stem.startswith(name) for entry in found):
            raise InputError(
                f"{name or repr(name)}: nothing of that name in {folder}; expected one of seqtree cache list"
            )
    chosen = [entry for entry in found if not names or entry.path.stem.startswith(names)]
    for entry in chosen:
        entry.remove()
    if not names:
        forget_readings(folder)
    click.echo(f"removed {counted(len(chosen), 'file')}, {sum(entry.size for entry in chosen) / 1e6:,.1f} MB")


def _age(entry: Entry, now: float) -> str:
    seconds = max(0.0, now - entry.used)
    name, size = next(((name, size) for name, size in UNITS if seconds >= 2 * size), ("seconds", 1.0))
    return f"{seconds / size:.0f} {name}"
