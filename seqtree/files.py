"""Atomic file writes, which leave the old or the new file even if the process is killed; locks between processes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seqtree.errors import InputError, SeqtreeError

MAX_NAME = 200  # bytes of a name that its temporary sibling keeps
SET_TMPDIR = "set TMPDIR to a folder with free space"
_OPEN_FILES = re.compile(r"/proc/\d+/(?:task/\d+/)?fd")
LOCK = ".lock"  # the file in a run folder on which its process holds a lock


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write that becomes ``path`` at the end: temporary sibling, fsync, rename, fsync of the folder.

    The sibling has a random name and must not exist, so that two writers never share it and it is no link. Where
    ``path`` is a link, all this is done where the file is, and the link stays. What is no regular file, a device or a
    pipe, is written to as it stands, and what is open already (/dev/stdout) at its end.
    Raises OSError (disk full, no permission) that names ``path``, leaving the previous file untouched and no temporary
    one, and InputError for a link to nothing.
    """
    target = behind_links(path)
    temporary = target.with_name(temporary_name(target.name, secrets.token_hex(8)))
    try:
        if target.exists() and (not target.is_file() or _is_open_file(path)):
            with open(path, "ab") as straight:
                yield straight
            return
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    sync_folder(target.parent)


def behind_links(path: Path) -> Path:
    """The path of the file itself, which may not be there yet; what is no regular file keeps the path it has.

    Raises InputError for a link to nothing or to itself.
    """
    if not path.exists():
        if path.is_symlink():
            raise InputError(f"{path}: a link to nothing; expected a file, or a name that is not there yet")
    elif not path.is_file() or _is_open_file(path):  # such as /dev/stdout: a pipe has no path
        return path
    return Path(os.path.realpath(path))


def _is_open_file(path: Path) -> bool:
    """Whether links lead by way of the table of open files, as /dev/stdout and /dev/fd/3 do."""
    while path.is_symlink():
        if _OPEN_FILES.fullmatch(os.path.realpath(path.parent)):
            return True
        path = path.parent / os.readlink(path)
    return False


def temporary_name(name: str, token: str) -> str:
    """The name of a temporary sibling, within the 255 bytes that file systems allow; ``token`` may be a pattern."""
    kept = os.fsencode(name)[:MAX_NAME]
    return f".{os.fsdecode(kept)}.{token}.tmp"


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` by ``atomic_file``."""
    with atomic_file(path) as file:
        file.write(data)


def scratch_folder() -> Path:
    """A new folder for temporary files, of this user's alone. Raises SeqtreeError if there can be none."""
    try:
        return Path(tempfile.mkdtemp(prefix="seqtree-"))
    except OSError as error:
        reason = error.strerror or error
        raise SeqtreeError(f"temporary files cannot be written ({reason}): {SET_TMPDIR}") from error


@contextmanager
def scratch() -> Iterator[Path]:
    """A ``scratch_folder``, deleted when the context ends."""
    folder = scratch_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make sure that a folder's entries are on the disk."""
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


@contextmanager
def in_turn(file: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """Inside, this process alone has the lock ``file``; others wait for it, and say so first by calling ``waiting``.

    A process that is killed has no lock any more. The file is there only as long as a process has the lock or waits.
    Where there are no locks (Windows, some network folders), nobody waits. Raises OSError if it cannot be made.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    told = False
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waiting()
                told = True
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                yield
                return
            if not _is_file(descriptor, file):  # whoever had it has removed it
                continue
            try:
                yield
            finally:
                with suppress(OSError):  # what was done inside is done
                    file.unlink()
            return
        finally:
            os.close(descriptor)


def _is_file(descriptor: int, file: Path) -> bool:
    """Whether that is what a descriptor is of."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except FileNotFoundError:
        return False
