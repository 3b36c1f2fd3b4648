"""Model files: one ``.safetensors`` file with everything a model needs, and no code.

The safetensors header has a single metadata entry, ``seqtree``, a JSON object::

    {"version": 1, "kind": "language-model", "contents": {config, vocabulary, ...}, "checksum": sha256}

The checksum covers version, kind, contents and every tensor's name, type, shape and bytes, so a flipped byte is
detected, unless it is in padding. Opening a file runs no code: it has JSON and raw numbers only. Equal models give
equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from safetensors import SafetensorError, safe_open

from seqtree.errors import InputError, ModelFileError
from seqtree.files import write_atomically

if TYPE_CHECKING:  # only weights need NumPy, or torch, which takes long to import
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    Array = npt.NDArray[np.generic]
    Part = tuple[str, str, Sequence[int], Array]  # of a file: its name, the type and shape of its numbers, and these

VERSION = 1


def save(path: Path, kind: str, contents: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a model file atomically.

    ``kind`` is what the file contains (``language-model``, ``checkpoint``); ``contents`` must be JSON-serialisable;
    ``tensors`` may be on any device. Raises OSError if the disk is full or the folder read-only, and then keeps the
    previous file.
    """
    from safetensors.torch import save as to_safetensors

    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    body = {"version": VERSION, "kind": kind, "contents": contents}
    header = json.dumps({**body, "checksum": _checksum(body, _of_tensors(ready))}, ensure_ascii=False, sort_keys=True)
    write_atomically(path, to_safetensors(ready, metadata={"seqtree": header}))


def load(path: Path) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """Read a model file: its kind, its contents and its tensors, on the CPU.

    Raises ModelFileError if there is no such file, or it is damaged or of a newer version.
    """
    with _opened(path, "pt") as (found, file):
        # copies: aligned like any torch tensor, and not mapped to a file that may be replaced
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (no iteration)
    return *_checked(path, found, _of_tensors(tensors)), tensors


def load_arrays(path: Path) -> tuple[str, dict[str, Any], dict[str, Array]]:
    """What ``load`` reads, with arrays for tensors and without torch.

    Raises ModelFileError as it does, and for numbers that NumPy does not have (bfloat16).
    """
    with _opened(path, "np") as (found, file):
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iteration)
    return *_checked(path, found, _of_arrays(arrays)), arrays


def _checked(path: Path, found: dict[str, Any], parts: Iterable[Part]) -> tuple[str, dict[str, Any]]:
    """The kind and the contents in a header that fits the tensors of its file. Raises ModelFileError."""
    body = {key: found.get(key) for key in ("version", "kind", "contents")}
    if found.get("checksum") != _checksum(body, parts):
        raise ModelFileError(f"{path}: damaged: its contents do not match its checksum; restore it from a copy")
    if not isinstance(body["contents"], dict):
        raise ModelFileError(f"{path}: damaged: its contents are not a JSON object")
    return str(found.get("kind")), dict(found["contents"])


def header(path: Path) -> dict[str, Any]:
    """The header of a model file alone: version, kind, contents and checksum, as they stand there, none compared.

    Raises ModelFileError if there is no such file, or it is damaged or of a newer version.
    """
    with _opened(path, "np") as (found, _):
        return found


@contextmanager
def _opened(path: Path, framework: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """The header of a model file, and the file of its tensors. Raises ModelFileError for what is wrong with either."""
    if not path.exists():
        raise ModelFileError(f"{path}: no such model file")
    if path.is_dir():
        raise ModelFileError(f"{path}: a folder; expected a .safetensors model file")
    if not path.is_file():
        raise ModelFileError(f"{path}: a device or pipe; expected a .safetensors model file")
    try:
        with path.open("rb") as held, safe_open(_name(path, held), framework=framework, device="cpu") as file:
            yield _header(path, file.metadata()), file
    except (SafetensorError, UnicodeDecodeError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        if _is_text(path):
            raise ModelFileError(f"{path}: a text; expected a model, in a run folder or a .safetensors file") from None
        raise ModelFileError(f"{path}: damaged or not a safetensors file ({str(error).splitlines()[0]})") from error


def _is_text(path: Path) -> bool:
    """Whether a file begins with characters; a model's has the length of its header there, with zero bytes."""
    with path.open("rb") as file:
        start = file.read(64)
    return min(start, default=0) >= ord("\t") and b"\xff" not in start


def texts(values: Any) -> tuple[str, ...]:
    """A list of strings from JSON as a tuple. Raises InputError for anything else."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f"expected a list of texts, not {type(values).__name__}")
    return tuple(values)


def _name(path: Path, held: BinaryIO) -> str:
    """A name of an open file in UTF-8, which safetensors asks for; a file's own name may be other bytes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return f"/dev/fd/{held.fileno()}"
    return str(path)


def _header(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    if not metadata or "seqtree" not in metadata:
        raise ModelFileError(f"{path}: a safetensors file, but not one written by seqtree")
    try:
        header = json.loads(metadata["seqtree"])
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: damaged: its seqtree header is not JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("version"), int):
        raise ModelFileError(f"{path}: damaged: its seqtree header has no version")
    if header["version"] > VERSION:
        raise ModelFileError(
            f"{path}: format version {header['version']} is newer than this seqtree reads ({VERSION}): upgrade seqtree"
        )
    if header["version"] < 1:
        raise ModelFileError(f"{path}: unknown format version {header['version']}, expected 1 to {VERSION}")
    return header


def _checksum(body: Mapping[str, Any], parts: Iterable[Part]) -> str:
    digest = hashlib.sha256(json.dumps(body, ensure_ascii=True, sort_keys=True).encode())
    for name, dtype, shape, numbers in parts:
        digest.update(f"{name}|torch.{dtype}|{tuple(shape)}|".encode())
        digest.update(numbers.reshape(-1).view("uint8").data if numbers.size else b"")
    return digest.hexdigest()


def _of_tensors(tensors: Mapping[str, Tensor]) -> Iterator[Part]:
    import torch

    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        yield name, str(tensor.dtype).removeprefix("torch."), tensor.shape, tensor.view(-1).view(torch.uint8).numpy()


def _of_arrays(arrays: Mapping[str, Array]) -> Iterator[Part]:
    for name in sorted(arrays):
        yield name, str(arrays[name].dtype), arrays[name].shape, arrays[name]
