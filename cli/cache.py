"""``seqtree cache``: the encoded texts, and features of images, that are kept between runs."""

from __future__ import annotations

from pathlib import Path

import click

ENDINGS = (".tokens", ".features")


@click.group()
def cache() -> None:
    """Encoded texts and features of images in the cache folder (SEQTREE_CACHE): list them, clear them.

    They are made again when needed.
    """


@cache.command("list")
def list_() -> None:
    """The files, the largest first, with their sizes, and the sum."""
    files = sorted(_files(), key=lambda file: -file.stat().st_size)
    for file in files:
        click.echo(f"{file.stat().st_size / 1e6:10,.1f} MB  {file}")
    click.echo(f"{sum(file.stat().st_size for file in files) / 1e6:10,.1f} MB in {len(files)} files")


@cache.command()
def clear() -> None:
    """Remove all of them; a run that is reading one goes on undisturbed (not on Windows)."""
    files = _files()
    freed = sum(file.stat().st_size for file in files)
    for file in files:
        file.unlink(missing_ok=True)
    click.echo(f"removed {len(files)} files, {freed / 1e6:,.1f} MB")


def _files() -> list[Path]:
    from seqtree.text.tokenfile import cache_folder

    folder = cache_folder()
    return [] if folder is None else sorted(file for ending in ENDINGS for file in folder.glob(f"*{ending}"))
