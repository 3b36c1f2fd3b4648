"""Atomic file writes, which leave the old or the new file even if the process is killed, and locks on run folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from seqtree.errors import InputError

LOCK = ".lock"  # the file in a run folder on which its process holds a lock


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write that becomes ``path`` at the end: temporary sibling, fsync, rename, fsync of the folder.

    Raises OSError (disk full, no permission), leaving the previous file untouched and no temporary one.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` by ``atomic_file``."""
    with atomic_file(path) as file:
        file.write(data)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # only POSIX systems can open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder for this process; InputError if another process has locked it. Also released if it is killed."""
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks; atomic writes still protect single files
        yield
        return
    with open(folder / LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{folder}: another run is writing here; wait for it or choose another --out") from error
        yield
