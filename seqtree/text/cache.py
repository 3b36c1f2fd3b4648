"""The cache folder: what is kept between runs, what is known of it, and how much room it may take.

``KEY.tokens`` is an encoded text (see ``tokenfile``), ``KEY.features`` are arrays made of images. ``KEY.json`` says of
which files and what it was like when it was last checked; that file's time is when it was last used. ``NAME.read`` is
what the first reading of large files found, so that they need not be read again as long as they are unchanged.
``.lock`` files are there while a process makes something that others wait for. All of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqtree.errors import InputError
from seqtree.files import write_atomically

TOKENS, FEATURES, KNOWN, READ = ".tokens", ".features", ".json", ".read"
DEFAULT_LIMIT = 20.0  # GB
LIMIT = "SEQTREE_CACHE_LIMIT"
SETTLED = 2.0  # seconds since the last change of a file from which its time tells it from any later state
STALE = 24 * 3600.0  # seconds; an older temporary file was left behind by a killed process


@dataclass(frozen=True)
class Entry:
    """What is kept of texts or images: its file, its bytes, when it was last used (by ``time.time``), their names."""

    path: Path
    size: int
    used: float
    texts: tuple[str, ...]

    def remove(self) -> None:
        """Delete it; a process that is reading it goes on undisturbed (not on Windows)."""
        for path in (self.path, self.path.with_suffix(KNOWN)):
            path.unlink(missing_ok=True)


def cache_folder() -> Path | None:
    """$SEQTREE_CACHE, else $XDG_CACHE_HOME/seqtree, else ~/.cache/seqtree (it may not exist yet).

    None without a home folder: $HOME is not set, and the user is not known to the system.
    """
    if os.environ.get("SEQTREE_CACHE"):
        return Path(os.environ["SEQTREE_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "seqtree"
    home = os.path.expanduser("~")
    return Path(home) / ".cache" / "seqtree" if os.path.isabs(home) else None


def size_limit() -> int:
    """How many bytes all of them together may take: $SEQTREE_CACHE_LIMIT in GB, 20 by default. Raises InputError."""
    said = os.environ.get(LIMIT) or str(DEFAULT_LIMIT)
    if not re.fullmatch(r"\d+(\.\d+)?", said):
        raise InputError(f"{LIMIT} is {said!r}: expected the most that the cache may take in GB, such as 20 or 0.5")
    return int(float(said) * 1e9)


def entries(folder: Path | None) -> list[Entry]:
    """What a cache folder keeps of texts and images, what was used last first."""
    found = []
    files = [path for ending in (TOKENS, FEATURES) for path in folder.glob(f"*{ending}")] if folder else []
    for path in sorted(files):
        with suppress(FileNotFoundError):  # removed by another process meanwhile
            size, used = path.stat().st_size, _last_use(path)
            found.append(Entry(path, size, used, tuple(_known(path).get("texts", ()))))
    return sorted(found, key=lambda entry: -entry.used)


def make_room(folder: Path, kept: Path) -> list[Entry]:
    """Remove what has been unused longest until the limit holds, but for ``kept``; what was removed."""
    _remove_stale(folder)
    limit, total, removed = size_limit(), 0, []
    found = entries(folder)
    for entry in sorted(found, key=lambda entry: entry.path != kept):
        total += entry.size
        if total > limit and entry.path != kept:
            entry.remove()
            removed.append(entry)
    return removed


def note_use(path: Path, texts: Sequence[str]) -> None:
    """Write down that a file of the cache, which is sound, is used now, for these texts; the first ones named stay."""
    known = _known(path)
    facts = {"texts": list(known.get("texts") or texts), "state": _state(path)}
    with suppress(OSError):  # a folder that may only be read
        if facts == known:
            os.utime(path.with_suffix(KNOWN))
        else:
            write_atomically(path.with_suffix(KNOWN), json.dumps(facts).encode("ascii"))


def unchanged(path: Path) -> bool:
    """Whether a file of the cache is as it was when it was checked."""
    return bool(_known(path)) and _known(path).get("state") == _state(path)


def remembered(folder: Path | None, name: str) -> Any:
    """What is kept under a name (JSON); None if nothing is."""
    try:
        data = (folder / f"{name}{READ}").read_bytes() if folder else b""
        return json.loads(data) if data else None
    except (OSError, ValueError):
        return None


def remember(folder: Path, name: str, facts: Any) -> None:
    """Keep facts (JSON) under a name, if the folder can be written to."""
    with suppress(OSError):
        write_atomically(folder / f"{name}{READ}", json.dumps(facts).encode("ascii"))


def state_of_files(files: Sequence[Path]) -> tuple[Any, bool]:
    """Facts of files (JSON) that any change alters, and whether that is certain: none was changed just now."""
    states = [_state(file) for file in files]
    settled = all(max(state[1:3]) < (time.time() - SETTLED) * 1e9 for state in states)
    return [[str(file.resolve()), state] for file, state in zip(files, states, strict=True)], settled


def name_of(facts: Any) -> str:
    """A name for facts (JSON): a SHA-256 in hex."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("ascii")).hexdigest()


def forget_readings(folder: Path | None) -> None:
    """Remove what is remembered of files."""
    for path in folder.glob(f"*{READ}") if folder else ():
        path.unlink(missing_ok=True)


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def _known(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.with_suffix(KNOWN).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _last_use(path: Path) -> float:
    known = path.with_suffix(KNOWN)
    return (known if known.exists() else path).stat().st_mtime


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("*.tmp"):
        with suppress(OSError):  # already removed by another process, or not ours to remove
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink()
