"""Images to classify, from IDX files or from pictures (PNG, ...), which are made to look like the training images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.extras import needed
from seqtree.images.idx import Bytes, is_idx, read_images

if TYPE_CHECKING:
    from PIL.Image import Image

Numbers = npt.NDArray[np.int32]

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp")  # of pictures
DRAWN_SIZE = 20 / 28  # size of MNIST's digits relative to the image
MIN_CONTRAST = 32  # brightness difference from the background, below which nothing counts as drawn
FULL_CONTRAST = 224  # from this on, a picture is not stretched
MAX_PIXELS = 50_000_000  # of a picture, which takes some ten bytes for each
NOTHING_DRAWN = "nothing is drawn on it"
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
        yield picture(path, size)
        return
    images = read_images(path)
    if images.shape[1:] != size:
        found, expected = ("x".join(map(str, sides)) for sides in (images.shape[1:], size))
        raise InputError(f"{path}: images of {found} pixels; the model reads {expected}")
    for number, image in enumerate(images):
        yield Reading(f"{path}[{number}]", image)


def picture(path: str | Path, size: tuple[int, int]) -> Reading:
    """The picture in a file, light on dark, with ``size`` (height, width) in pixels, as a classifier reads it.

    Raises InputError for another file, and if Pillow is missing.
    """
    path = str(path)
    bands, frames = _bands(path)
    grounds = [(band, _ground(band)) for band in bands]
    band, background = max(grounds, key=lambda pair: int(np.abs(pair[0] - pair[1]).max()))
    drawn, changes = band - background, [f"the first of {frames:,} frames"] if frames > 1 else []
    if -drawn.min() > drawn.max():
        drawn = -drawn
        changes.append("dark on light: inverted")
    contrast = int(drawn.max())
    if contrast < MIN_CONTRAST:
        changes.append(NOTHING_DRAWN)
        drawn = np.zeros_like(drawn)
    elif background not in (0, 255) or contrast < FULL_CONTRAST:
        changes.append(f"background brightness {background}, contrast {contrast}: stretched to 0 and 255")
        drawn = drawn * 255 // contrast
    image = drawn.clip(0).astype(np.uint8)
    if image.shape != size:
        changes.append(f"{image.shape[1]} pixels wide, {image.shape[0]} high: resized and centred")
        image = centred(image, size)
    return Reading(path, image, tuple(changes))


def _ground(band: Numbers) -> int:
    """The brightness of the page: the median along the edges; nearly black is black, nearly white is white."""
    found = int(np.median(np.concatenate([band[0], band[-1], band[:, 0], band[:, -1]])))
    return round(found / 255) * 255 if min(found, 255 - found) < MIN_CONTRAST else found


def _bands(path: str) -> tuple[list[Numbers], int]:
    """Views of a picture, (H, W) from 0 to 255: its brightness and, if it has colours, red, green and blue.

    A colour that is hardly darker than the page, as yellow on white, is strong in one of these. Besides, the number of
    frames or pages, of which this is the first.
    """
    what = f"{path}: not an IDX file; pictures need Pillow"
    Image, ImageOps = (needed(f"PIL.{name}", "images", what) for name in ("Image", "ImageOps"))
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                size = f"{picture.width:,} x {picture.height:,} pixels"
                raise InputError(f"{path}: {size}; a picture may have {MAX_PIXELS:,}")
            turned = ImageOps.exif_transpose(picture)  # as the camera was held
            frames = getattr(picture, "n_frames", 1)
            if turned.mode.startswith(("I", "F")):
                return [in_bytes(np.asarray(turned, np.float64))], frames
            bands = [turned.convert("L")]
            if turned.mode not in ("1", "L", "LA"):
                bands += turned.convert("RGB").split()
            found = [np.asarray(band, np.int32) for band in bands]
            return _on_ground(found, turned) if turned.has_transparency_data else found, frames
    except InputError:
        raise
    except (EOFError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: neither an IDX file nor a picture that can be read ({error})") from error


def in_bytes(values: npt.NDArray[np.float64]) -> Numbers:
    """Numbers of other ranges as bytes: fractions up to 1, or 8, 12 or 16 bits; of any others, what lies between."""
    if not np.isfinite(values).all():
        raise ValueError("it has pixels that are not finite numbers")
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.rint(values)).all())
    ranges = [255, 4095, 65535] if whole and high > 1 else [1, 255, 4095, 65535]
    top = next((limit for limit in ranges if high <= limit), None) if low >= 0 else None
    first, last = (0.0, float(top)) if top else (low, max(high, low + 1e-300))
    return np.asarray((values - first) * (255 / (last - first)), np.int32)


def _on_ground(bands: list[Numbers], picture: Image) -> list[Numbers]:
    """The bands with white for what is transparent around dark colours, and black around light ones."""
    opacity = np.asarray(picture.convert("RGBA").getchannel("A"), np.int32)
    background = 0 if (bands[0] * opacity).sum(dtype=np.int64) > 127 * opacity.sum(dtype=np.int64) else 255
    return [(band * opacity + background * (255 - opacity)) // 255 for band in bands]


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
