"""Features of images that are kept between runs, in the cache folder of encoded texts.

A file is the SHA-256 of its rest, then arrays in the safetensors format. Its name is a hash of everything that they
were made from, so that an intact file is never out of date; a damaged one is treated as missing, and one that cannot
be written is done without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from seqtree.files import write_atomically
from seqtree.text.cache import FEATURES, cache_folder, make_room, note_use

Arrays = dict[str, npt.NDArray[Any]]
DIGEST = 32  # bytes


def kept(key: str, about: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays under ``key`` (any text), made by ``make`` where the cache folder does not have them.

    ``about``: what ``seqtree cache list`` says that they are of.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    file = folder / f"{hashlib.sha256(key.encode()).hexdigest()}{FEATURES}"
    try:
        data = file.read_bytes()
        if hashlib.sha256(data[DIGEST:]).digest() == data[:DIGEST]:
            found: Arrays = load(data[DIGEST:])
            note_use(file, [about])
            return found
    except (OSError, SafetensorError):
        pass  # there is none, or it is damaged
    arrays = make()
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, hashlib.sha256(data).digest() + data)
        note_use(file, [about])
        make_room(folder, file)
    except OSError:
        pass  # they are made again next time
    return arrays
