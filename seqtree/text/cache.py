"""The cache folder: what is kept between runs, what is known of it, and how much room it may take.

``KEY.tokens`` is an encoded text (see ``tokenfile``), ``KEY.features`` are arrays made of images, and
``NAME-VERSION.sample`` is a folder with a small model that was trained on an embedded text. ``KEY.json`` says of which
files each was made and what it was like when it was last checked; that file's time is when it was last used.
``NAME.read`` is what the first reading of large files found, so that they need not be read again as long as they are
unchanged. ``.lock`` files are there while a process makes something that others wait for. All of it may be deleted at
any time.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqtree.errors import InputError
from seqtree.files import in_turn, scratch_folder, temporary_name, write_atomically

TOKENS, FEATURES, SAMPLE, KNOWN, READ = ".tokens", ".features", ".sample", ".json", ".read"
OF_A_SAMPLE = ("model.safetensors", "config.json")  # the files in its folder
NO_FOLDER = "none, for there is no home folder: SEQTREE_CACHE names one"
DEFAULT_LIMIT = 20.0  # GB
LIMIT = "SEQTREE_CACHE_LIMIT"
SETTLED = 2.0  # seconds since the last change of a file from which its time tells it from any later state
STALE = 24 * 3600.0  # seconds; an older temporary file was left behind by a killed process


@dataclass(frozen=True)
class Entry:
    """What is kept of texts or images: its path, its bytes, when it was last used (by ``time.time``), their names."""

    path: Path
    size: int
    used: float
    texts: tuple[str, ...]

    def remove(self) -> None:
        """Delete it; a process that is reading it goes on undisturbed (not on Windows).

        Of a folder, only what belongs there. Raises OSError if it may not be removed.
        """
        if self.path.suffix == SAMPLE:
            for path in _files(self.path):
                path.unlink(missing_ok=True)
            self.path.rmdir()
        else:
            self.path.unlink(missing_ok=True)
        self.path.with_suffix(KNOWN).unlink(missing_ok=True)


def cache_folder() -> Path | None:
    """$SEQTREE_CACHE, else $XDG_CACHE_HOME/seqtree, else ~/.cache/seqtree (it may not exist yet).

    None without a home folder: $HOME is empty, or is not set and the user is not known to the system. A relative
    $XDG_CACHE_HOME does not count, as its specification has it.
    """
    if os.environ.get("SEQTREE_CACHE"):
        return Path(os.path.expanduser(os.environ["SEQTREE_CACHE"]))
    if os.path.isabs(os.environ.get("XDG_CACHE_HOME", "")):
        return Path(os.environ["XDG_CACHE_HOME"]) / "seqtree"
    home = "" if os.environ.get("HOME") == "" else os.path.expanduser("~")
    return Path(home) / ".cache" / "seqtree" if os.path.isabs(home) else None


def ready_folder() -> Path:
    """The cache folder, made if it is not there yet. Raises OSError if there can be none."""
    folder = cache_folder()
    if folder is None:
        raise OSError("there is no home folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def instead(error: OSError) -> str:
    """The warning that a ``temporary_folder`` is used, as the cache folder cannot be."""
    return (
        f"the cache folder {cache_folder() or '~/.cache/seqtree'} cannot be used ({error.strerror or error}): using a "
        "temporary one; set SEQTREE_CACHE to a folder with free space"
    )


def temporary_folder() -> Path:
    """A ``scratch_folder``, deleted when the process ends."""
    folder = scratch_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def size_limit() -> int:
    """How many bytes all of them together may take: $SEQTREE_CACHE_LIMIT in GB, 20 by default. Raises InputError."""
    said = os.environ.get(LIMIT) or str(DEFAULT_LIMIT)
    if not re.fullmatch(r"\d+(\.\d+)?", said):
        raise InputError(f"{LIMIT} is {said!r}: expected the most that the cache may take in GB, such as 20 or 0.5")
    return int(float(said) * 1e9)


def entries(folder: Path | None) -> list[Entry]:
    """What a cache folder keeps, what was used last first. Raises OSError for a folder that cannot be read."""
    found = []
    for path in _listed(folder, TOKENS, FEATURES, SAMPLE):
        with suppress(FileNotFoundError):  # removed by another process meanwhile
            if path.suffix != SAMPLE or _is_sample(path):
                size, used = sum(file.stat().st_size for file in _files(path)), _last_use(path)
                found.append(Entry(path, size, used, tuple(_known(path).get("texts", ()))))
    return sorted(found, key=lambda entry: -entry.used)


def make_room(folder: Path, kept: Path) -> list[Entry]:
    """Remove what has been unused longest until the limit holds, but for ``kept``; what was removed.

    What belongs to another user, and may not be removed, stays, as does all of a folder that cannot be read.
    """
    limit, total, removed = size_limit(), 0, list[Entry]()
    try:
        _remove_stale(folder)
        found = entries(folder)
    except OSError:
        return removed
    for entry in sorted(found, key=lambda entry: entry.path != kept):
        total += entry.size
        if total > limit and entry.path != kept:
            with suppress(OSError):
                entry.remove()
                removed.append(entry)
    return removed


def note_use(path: Path, texts: Sequence[str]) -> None:
    """Write down that a file of the cache, which is sound, is used now, for these texts; the first ones named stay."""
    known = _known(path)
    with suppress(OSError):  # a folder that may only be read, a file that has been removed meanwhile
        facts = {"texts": list(known.get("texts") or texts), "state": _state(path)}
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


def readings(folder: Path | None) -> list[Path]:
    """The files of what is remembered. Raises OSError as ``entries`` does."""
    return _listed(folder, READ)


def _listed(folder: Path | None, *endings: str) -> list[Path]:
    """What is in a folder with these endings, in order; nothing if there is no such folder. Raises OSError."""
    try:
        names = os.listdir(folder) if folder else []
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if folder and Path(name).suffix in endings]


def _is_sample(path: Path) -> bool:
    """Whether that is the folder of a sample; nothing is removed from any other, nor where a link leads."""
    return bool(re.fullmatch(r"\w+-\d[\w.+]*", path.stem)) and path.is_dir() and not path.is_symlink()


def _files(path: Path) -> Iterator[Path]:
    """The files of an entry; of a folder those that belong there, with what a killed process has left of them."""
    if path.suffix != SAMPLE:
        yield path
        return
    for name in OF_A_SAMPLE:
        yield from path.glob(name)
        yield from path.glob(temporary_name(name, "*"))


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
    for path in folder.glob("*.lock"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE:
                with in_turn(path, _leave):  # which removes it
                    pass


def _leave() -> None:
    """Do not wait for a lock that another process has."""
    raise BlockingIOError
