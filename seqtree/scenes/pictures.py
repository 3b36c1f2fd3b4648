"""Images and their labels from files: photographs as bytes in RGB, labels as numbers of classes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from seqtree.errors import InputError
from seqtree.images.reading import MAX_PIXELS, in_bytes
from seqtree.scenes.batches import Ids
from seqtree.scenes.segments import Image, scene_library

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def read_image(path: Path | BinaryIO, name: str = "", most: int = MAX_PIXELS) -> Image:
    """An image (H, W, 3) as bytes in RGB, turned as the camera was held; ``name`` is what an error calls it.

    It may have ``most`` pixels. Grey becomes RGB, transparency is dropped, and numbers of 16 bits are scaled to bytes.
    Raises InputError for a file that is missing or no image, or is cut off, and if Pillow is not installed.
    """
    with _opened(path, "an image", name or str(path), most) as picture:
        turned = scene_library("PIL.ImageOps").exif_transpose(picture)
        if turned.mode.startswith(("I", "F")):
            grey = in_bytes(np.asarray(turned, np.float64)).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        return np.asarray(turned.convert("RGBA").convert("RGB") if turned.mode == "PA" else turned.convert("RGB"))


def read_labels(path: Path, classes: int, size: tuple[int, int]) -> Ids:
    """The label of each pixel (H, W), 0 for void and 1 to ``classes``, of an image of ``size`` (height, width).

    Raises InputError for another size, a label outside the classes, a picture in colours, and as ``read_image`` does.
    """
    with _opened(path, "a picture of labels", str(path)) as picture:
        if picture.mode not in ("1", "L", "P") and not picture.mode.startswith("I"):
            expected = "expected numbers of classes, one a pixel: grey, or with a palette"
            raise InputError(f"{path}: a picture of kind {picture.mode}; {expected}")
        labels = np.asarray(picture).astype(np.int64)
    if labels.shape != size:
        (height, width), (tall, wide) = labels.shape, size
        raise InputError(f"{path}: labels for {width}x{height} pixels; expected {wide}x{tall}, as the image has")
    outside = (labels < 0) | (labels > classes)
    if outside.any():
        row, column = np.argwhere(outside)[0].tolist()
        raise InputError(
            f"{path}: the label {labels[row, column]} at row {row + 1}, column {column + 1}; expected 0 (void) to "
            f"{classes}, as classes.txt has them"
        )
    return labels


@contextmanager
def _opened(path: Path | BinaryIO, what: str, name: str, most: int = MAX_PIXELS) -> Iterator[Picture]:
    """The picture in a file, read to its end. Raises InputError."""
    pillow = scene_library("PIL.Image")
    try:
        with pillow.open(path) as picture:
            if picture.width * picture.height > most:
                size = f"{picture.width:,} x {picture.height:,} pixels"
                raise InputError(f"{name}: {size}; {what} may have {most:,}")
            picture.load()
            yield picture
    except InputError:
        raise
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{name}: expected {what}; {(error.strerror or str(error)).lower()}") from error
    except (OSError, SyntaxError, ValueError, EOFError, pillow.DecompressionBombError) as error:
        raise InputError(f"{name}: not {what} that can be read, or cut off ({error})") from error
