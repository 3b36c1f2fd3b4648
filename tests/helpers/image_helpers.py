"""Files of images for tests."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seqtree.images.data import ImageSet


def idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    """An array as an IDX file of unsigned bytes."""
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write_part(folder: Path, part: str, data: ImageSet, zipped: bool = False) -> Path:
    """The two files of ``part`` (train or t10k) in ``folder``; the file of images."""
    folder.mkdir(exist_ok=True)
    for kind, array in (("labels-idx1", data.labels), ("images-idx3", data.images)):
        path = folder / f"{part}-{kind}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(idx_bytes(array), mtime=0) if zipped else idx_bytes(array))
    return path


def write_pictures(folder: Path, data: ImageSet) -> None:
    """Each image as a picture in the folder of its class."""
    for number, (image, label) in enumerate(zip(data.images, data.labels.tolist(), strict=True)):
        path = folder / str(data.names[label] if data.names else label)
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path / f"{number:05}.png")
