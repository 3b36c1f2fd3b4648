"""Encoded text: arrays of token indices in memory, or in a memory-mapped cache file that is written atomically.

A cache file has the indices of all its streams, one after another, then a JSON header, then the header's SHA-256, its
length (8 bytes, little-endian) and ``MAGIC``. Its name is a hash of everything it was made from, so an intact file with
the right name is never out of date; a damaged one is treated as missing. A file of up to ``CHECKED`` bytes is checked
whenever it is opened, a larger one only after it has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from seqtree.errors import SeqtreeError
from seqtree.files import atomic_file, in_turn
from seqtree.text.blocks import smallest_dtype
from seqtree.text.cache import (
    TOKENS,
    cache_folder,
    instead,
    make_room,
    note_use,
    ready_folder,
    size_limit,
    temporary_folder,
    unchanged,
)
from seqtree.text.vocabulary import Vocabulary

FORMAT_VERSION = 1
MAGIC = b"SEQTTOK1"
_TRAILER = 32 + 8 + len(MAGIC)
_CHUNK = 1 << 22  # bytes read at a time to check a file
CHECKED = 1 << 26


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
Make = Callable[[], tuple[Vocabulary, Fill]]


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


def in_cache(
    key: str, make: Make, warn: Callable[[str], object], texts: Sequence[str] = ()
) -> tuple[Vocabulary, list[TokenStream]]:
    """A vocabulary and the streams that are cached under ``key``, memory-mapped, or else made and cached now.

    make: gives the vocabulary, and what writes the streams. Of several processes that want the same, one makes it and
    the others wait. texts: the names of what it is made from, for ``seqtree cache list``. The texts that have been
    unused longest are removed where the cache has become larger than its limit.
    If writing there fails, ``warn`` gets a message and the file goes to a temporary folder, deleted when the process
    ends. Raises SeqtreeError if that has no space either.
    """
    size_limit()  # in order

    def waiting() -> None:
        warn("another process is encoding the same text: waiting for it")

    try:
        folder = ready_folder()
        if known := cached(key, texts):
            return known
        with in_turn(folder / f"{key}.lock", waiting):
            return cached(key, texts) or _kept(folder, key, make, texts)
    except OSError as error:
        warn(instead(error))
    try:
        return _build(temporary_folder(), key, make)
    except OSError as error:
        raise SeqtreeError(
            f"no space for the encoded text in {tempfile.gettempdir()} either ({error.strerror or error}): "
            "set SEQTREE_CACHE to a folder with free space"
        ) from error


def cached(key: str, texts: Sequence[str] = ()) -> tuple[Vocabulary, list[TokenStream]] | None:
    """The vocabulary and streams cached under ``key``, verified; None if there are none or they are damaged."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"{key}{TOKENS}"
    try:
        known = _open(path, key)
        note_use(path, texts)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return known


def _streams(whole: npt.NDArray[Any], counts: list[StreamCounts]) -> list[TokenStream]:
    streams = []
    start = 0
    for count in counts:
        ids = whole[start : start + count.ids]
        ids.flags.writeable = False
        streams.append(TokenStream(ids, count.characters, count.bytes, count.unknown))
        start += count.ids
    return streams


def _kept(folder: Path, key: str, make: Make, texts: Sequence[str]) -> tuple[Vocabulary, list[TokenStream]]:
    """What is made now, and stays in the cache folder; others go where there is too little room."""
    made, path = _build(folder, key, make), folder / f"{key}{TOKENS}"
    note_use(path, texts)
    make_room(folder, path)
    return made


def _build(folder: Path, key: str, make: Make) -> tuple[Vocabulary, list[TokenStream]]:
    vocabulary, fill = make()
    target = folder / f"{key}{TOKENS}"
    with atomic_file(target) as file:
        sink = _FileSink(file)
        counts = fill(sink)
        file.write(_header(key, vocabulary, counts, sink.crc))
    whole = np.memmap(target, dtype=smallest_dtype(len(vocabulary)), mode="r", shape=(sum(c.ids for c in counts),))
    return vocabulary, _streams(whole, counts)


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
        if not (size > CHECKED and unchanged(path)) and _crc32(file, start) != header["crc32"]:
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
