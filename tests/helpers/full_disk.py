"""A disk that is full for some files."""

from __future__ import annotations

import builtins
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def full_disk(name: str, where: str, after: int = 0) -> Iterator[list[str]]:
    """Writing a file called ``name`` fails after so many times: at "write", "fsync" or "rename"."""
    failed: list[str] = []
    seen: list[str] = []

    def full(path: object) -> bool:
        if f".{name}." not in str(path) or not str(path).endswith(".tmp"):
            return False
        seen.append(str(path))
        if len(seen) <= after:
            return False
        failed.append(str(path))
        return True

    plain_open, plain_fsync, plain_replace = builtins.open, os.fsync, os.replace

    def opened(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = plain_open(path, mode, *args, **options)
        if where == "write" and "x" in mode and full(path):
            file.write(b"half of it")
            file.close()
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return file

    def fsync(descriptor: int) -> None:
        if where == "fsync" and full(os.readlink(f"/proc/self/fd/{descriptor}")):
            raise OSError(errno.ENOSPC, "No space left on device")
        plain_fsync(descriptor)

    def replace(source: Any, target: Any) -> None:
        if where == "rename" and full(source):
            raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))
        plain_replace(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "open", opened)
        patch.setattr(os, "fsync", fsync)
        patch.setattr(os, "replace", replace)
        yield failed


NO_PROC = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors have no names here")
WHERE = ["write", pytest.param("fsync", marks=NO_PROC), "rename"]
