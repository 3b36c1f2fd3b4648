"""Encoded text: arrays of token indices in memory, or in a memory-mapped cache file that is written atomically.

A cache file has the indices of all its streams, one after another, then a JSON header, then the header's SHA-256, its
length (8 bytes, little-endian) and ``MAGIC``. Its name is a hash of everything it was made from, so an intact file with
the right name is never out of date; a damaged one is treated as missing. The folder may be deleted at any time.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from seqtree.errors import SeqtreeError
from seqtree.files import atomic_file
from seqtree.text.vocabulary import Vocabulary

FORMAT_VERSION = 1
MAGIC = b"SEQTTOK1"
_TRAILER = 32 + 8 + len(MAGIC)
_CHUNK = 1 << 22  # bytes read at a time to check a file
_STALE = 24 * 3600.0  # seconds; an older temporary file was left behind by a killed process


@dataclass(frozen=True, eq=False)
class TokenStream:
    """One contiguous encoded text.

    ids: shape (tokens,), unsigned integers, an array or a read-only memory map. characters, bytes: the size of the
    normalised text (line endings, byte-order marks), bytes as UTF-8. unknown: the number of ``<unk>`` ids. labels: the
    number of the class of each line, for texts with classes.
    """

    ids: npt.NDArray[Any]
    characters: int
    bytes: int
    unknown: int
    labels: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class StreamCounts:
    """The sizes of one stream while it is being written."""

    ids: int = 0
    characters: int = 0
    bytes: int = 0
    unknown: int = 0


class Sink(Protocol):
    """Takes encoded ids in order."""

    def write(self, ids: npt.NDArray[Any]) -> None:
        """Append ids, shape (n,)."""


Fill = Callable[[Sink], list[StreamCounts]]


def smallest_dtype(size: int) -> np.dtype[Any]:
    """The smallest unsigned integer type (little-endian) for indices below ``size``."""
    return np.dtype("<u1" if size <= 1 << 8 else "<u2" if size <= 1 << 16 else "<u4")


class _MemorySink:
    def __init__(self) -> None:
        self.parts: list[npt.NDArray[Any]] = []

    def write(self, ids: npt.NDArray[Any]) -> None:
        self.parts.append(ids)


class _FileSink:
    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.crc = 0

    def write(self, ids: npt.NDArray[Any]) -> None:
        data = np.ascontiguousarray(ids).data.cast("B") if len(ids) else b""
        self.file.write(data)
        self.crc = zlib.crc32(data, self.crc)


def in_memory(vocabulary: Vocabulary, fill: Fill) -> list[TokenStream]:
    """The streams that ``fill`` writes, as arrays in memory."""
    sink = _MemorySink()
    counts = fill(sink)
    whole = np.concatenate([np.zeros(0, dtype=smallest_dtype(len(vocabulary))), *sink.parts])
    return _streams(whole, counts)


def in_cache(key: str, vocabulary: Vocabulary, fill: Fill, warn: Callable[[str], object]) -> list[TokenStream]:
    """The streams that ``fill`` writes, memory-mapped from a file in the cache folder.

    If writing there fails, ``warn`` gets a message and the file goes to a temporary folder, deleted when the process
    ends. Raises SeqtreeError if that has no space either.
    """
    folder = cache_folder()
    try:
        if folder is None:
            raise OSError("there is no home folder")
        return _build(folder, key, vocabulary, fill)
    except OSError as error:
        warn(
            f"the cache folder {folder or '~/.cache/seqtree'} cannot be used ({error.strerror or error}): using a "
            "temporary one; set SEQTREE_CACHE to a folder with free space"
        )
    try:
        return _build(_temporary_folder(), key, vocabulary, fill)
    except OSError as error:
        raise SeqtreeError(
            f"no space for the encoded text in {tempfile.gettempdir()} either ({error.strerror or error}): "
            "set SEQTREE_CACHE to a folder with free space"
        ) from error


def cached(key: str) -> tuple[Vocabulary, list[TokenStream]] | None:
    """The vocabulary and streams cached under ``key``, fully verified; None if there are none or they are damaged."""
    folder = cache_folder()
    if folder is None:
        return None
    try:
        return _open(folder / f"{key}.tokens", key)
    except (OSError, ValueError, KeyError, TypeError):
        return None


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


def _streams(whole: npt.NDArray[Any], counts: list[StreamCounts]) -> list[TokenStream]:
    streams = []
    start = 0
    for count in counts:
        ids = whole[start : start + count.ids]
        ids.flags.writeable = False
        streams.append(TokenStream(ids, count.characters, count.bytes, count.unknown))
        start += count.ids
    return streams


def _build(folder: Path, key: str, vocabulary: Vocabulary, fill: Fill) -> list[TokenStream]:
    folder.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder)
    target = folder / f"{key}.tokens"
    with atomic_file(target) as file:
        sink = _FileSink(file)
        counts = fill(sink)
        file.write(_header(key, vocabulary, counts, sink.crc))
    whole = np.memmap(target, dtype=smallest_dtype(len(vocabulary)), mode="r", shape=(sum(c.ids for c in counts),))
    return _streams(whole, counts)


def _header(key: str, vocabulary: Vocabulary, counts: list[StreamCounts], crc: int) -> bytes:
    header = {
        "format_version": FORMAT_VERSION,
        "key": key,
        "dtype": smallest_dtype(len(vocabulary)).str,
        "streams": [asdict(count) for count in counts],
        "crc32": crc,
        "vocabulary": vocabulary.to_json(),
    }
    data = json.dumps(header).encode("ascii")
    return data + hashlib.sha256(data).digest() + len(data).to_bytes(8, "little") + MAGIC


def _open(path: Path, key: str) -> tuple[Vocabulary, list[TokenStream]]:
    """The vocabulary and streams of a cache file; OSError, ValueError, KeyError or TypeError if it is damaged."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _TRAILER, 0))
        trailer = file.read()
        length = int.from_bytes(trailer[32:40], "little")
        start = size - _TRAILER - length
        if trailer[40:] != MAGIC or start < 0:
            raise ValueError("no trailer")
        file.seek(start)
        data = file.read(length)
        if hashlib.sha256(data).digest() != trailer[:32]:
            raise ValueError("damaged header")
        header = json.loads(data)
        if header["format_version"] != FORMAT_VERSION or header["key"] != key:
            raise ValueError("another format or key")
        if _crc32(file, start) != header["crc32"]:
            raise ValueError("damaged ids")
    counts = [StreamCounts(**stream) for stream in header["streams"]]
    dtype, total = np.dtype(header["dtype"]), sum(count.ids for count in counts)
    if total * dtype.itemsize != start:
        raise ValueError("another length")
    whole = np.memmap(path, dtype=dtype, mode="r", shape=(total,))
    return Vocabulary.from_json(header["vocabulary"]), _streams(whole, counts)


def _crc32(file: BinaryIO, length: int) -> int:
    """The checksum of the first ``length`` bytes, read, not memory-mapped, so that they do not stay in memory."""
    file.seek(0)
    crc = 0
    while length > 0:
        data = file.read(min(_CHUNK, length))
        if not data:
            raise ValueError("truncated")
        crc = zlib.crc32(data, crc)
        length -= len(data)
    return crc


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink()
        except OSError:
            continue  # already removed by another process, or not ours to remove


def _temporary_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="seqtree-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
