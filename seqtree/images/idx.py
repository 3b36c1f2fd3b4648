"""The IDX format of MNIST: a magic number, the sizes, then the bytes; plain or gzipped.

The magic number is two zero bytes, the type (8: unsigned bytes) and the number of dimensions; each size is a big-endian
32-bit number (LeCun, Cortes and Burges, "The MNIST database").
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError

Bytes = npt.NDArray[np.uint8]
GZIP, UNSIGNED_BYTES = b"\x1f\x8b", 8


def read_images(path: str | Path) -> Bytes:
    """The images of an IDX file: (N, H, W). Raises InputError for any other file."""
    images = _read(Path(path), ("images", "rows", "columns"))
    if 0 in images.shape[1:]:
        raise InputError(f"{path}: images of {images.shape[1]}x{images.shape[2]} pixels")
    return images


def read_labels(path: str | Path) -> Bytes:
    """The labels of an IDX file: (N,). Raises InputError for any other file."""
    return _read(Path(path), ("labels",))


def is_idx(path: Path) -> bool:
    """Whether a file begins like IDX, or is gzipped. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        first = file.read(4)
    return first[:2] == GZIP or first[:3] == bytes([0, 0, UNSIGNED_BYTES])


def _read(path: Path, names: tuple[str, ...]) -> Bytes:
    data = _unpacked(path)
    start = 4 + 4 * len(names)
    if not data:
        raise InputError(f"{path} is empty; expected IDX {names[0]}")
    if data[:3] != bytes([0, 0, UNSIGNED_BYTES]) or len(data) < 4:
        raise InputError(
            f"{path}: not an IDX file of unsigned bytes: it begins with {data[:4].hex(' ')}, expected "
            f"00 00 08 {len(names):02x}"
        )
    if data[3] != len(names):
        raise InputError(f"{path}: {data[3]} dimensions; IDX {names[0]} have {len(names)} ({', '.join(names)})")
    if len(data) < start:
        raise InputError(f"{path}: ends after {len(data)} bytes, within its header of {start}")
    sizes = np.frombuffer(data, ">u4", len(names), offset=4).tolist()
    expected, found = math.prod(sizes), len(data) - start
    if expected != found:
        shape = " x ".join(f"{size:,} {name}" for size, name in zip(sizes, names, strict=True))
        what = "truncated" if found < expected else "too long"
        raise InputError(f"{path}: {what}: {found:,} bytes for {shape}, which are {expected:,}")
    if not sizes[0]:
        raise InputError(f"{path}: contains no {names[0]}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(sizes).copy()


def _unpacked(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == GZIP else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: a damaged or truncated gzip file ({error})") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
