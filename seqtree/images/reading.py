"""Images to classify, from IDX files or from pictures (PNG, ...), which are made to look like the training images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqtree.errors import InputError
from seqtree.images.idx import Bytes, is_idx, read_images

DRAWN_SIZE = 20 / 28  # size of MNIST's digits relative to the image
MIN_CONTRAST = 32  # brightness difference from the background, below which nothing counts as drawn
DRAWN = 0.25  # of the brightest pixel; brighter pixels are drawn, when a picture is cropped


@dataclass(frozen=True)
class Reading:
    """One image (H, W), the name of its source, and the changes made to it."""

    name: str
    image: Bytes
    changes: tuple[str, ...] = ()


def read_inputs(path: str, size: tuple[int, int]) -> Iterator[Reading]:
    """The images of an IDX file, or the one picture of another file, with ``size`` (height, width) in pixels.

    Raises InputError for a file that is neither, IDX images of another size, and pictures if Pillow is missing.
    """
    try:
        idx = is_idx(Path(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    if not idx:
        yield _picture(path, size)
        return
    images = read_images(path)
    if images.shape[1:] != size:
        found, expected = ("x".join(map(str, sides)) for sides in (images.shape[1:], size))
        raise InputError(f"{path}: images of {found} pixels; the model reads {expected}")
    for number, image in enumerate(images):
        yield Reading(f"{path}[{number}]", image)


def _picture(path: str, size: tuple[int, int]) -> Reading:
    grey, changes = _grey(path).astype(int), []
    background = int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if min(background, 255 - background) < MIN_CONTRAST:
        background = round(background / 255) * 255
    drawn = grey - background
    if -drawn.min() > drawn.max():
        drawn = -drawn
        changes.append("dark on light: inverted")
    contrast = int(drawn.max())
    if contrast < MIN_CONTRAST:
        changes.append("nothing is drawn on it")
        drawn = np.zeros_like(drawn)
    elif background not in (0, 255):
        changes.append(f"background brightness {background}, contrast {contrast}: stretched to 0 and 255")
        drawn = drawn * 255 // contrast
    image = drawn.clip(0).astype(np.uint8)
    if image.shape != size:
        changes.append(f"{image.shape[1]} pixels wide, {image.shape[0]} high: resized and centred")
        image = centred(image, size)
    return Reading(path, image, tuple(changes))


def _grey(path: str) -> Bytes:
    """A picture's brightness (H, W); transparent areas become white around dark colours and black around light ones."""
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError(f"{path}: not an IDX file; pictures need Pillow: pip install 'seqtree[images]'") from error
    try:
        with Image.open(path) as picture:
            if picture.mode.startswith("I"):  # 16 bits per pixel
                return (np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8)
            if picture.has_transparency_data:
                light, opacity = np.moveaxis(np.asarray(picture.convert("LA")).astype(int), 2, 0)
                background = 0 if (light * opacity).sum() > 127 * opacity.sum() else 255
                blended: Bytes = ((light * opacity + background * (255 - opacity)) // 255).astype(np.uint8)
                return blended
            return np.array(picture.convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: neither an IDX file nor a picture that can be read ({error})") from error


def centred(image: Bytes, size: tuple[int, int]) -> Bytes:
    """The drawing, light on dark, cropped, scaled and centred by its centre of mass, as in MNIST."""
    from PIL import Image

    drawn = image > DRAWN * image.max()
    if drawn.any():
        rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
        image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(DRAWN_SIZE * side / found for side, found in zip(size, image.shape, strict=True))
    height, width = (max(1, round(scale * side)) for side in image.shape)
    small = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))
    result = np.zeros(size, np.uint8)
    mass = small / max(1, small.sum())
    middles = (mass.sum(axis=1) @ np.arange(height), mass.sum(axis=0) @ np.arange(width))
    top, left = (
        int(np.clip(round((side - 1) / 2 - middle), 0, side - length))
        for side, middle, length in zip(size, middles, small.shape, strict=True)
    )
    result[top : top + height, left : left + width] = small
    return result
