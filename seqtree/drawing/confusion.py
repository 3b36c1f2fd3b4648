"""The first filters of a classifier and its confusion table, as one SVG picture that needs nothing else."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import numpy as np
import numpy.typing as npt

from seqtree.drawing.svg import MARGIN, SIZE, picture, text, text_width
from seqtree.images.evaluation import ImageEvaluation
from seqtree.images.model import ImageClassifier

MAX_FILTERS = 64
CELL_HEIGHT = 26  # pixels
WRONG, RIGHT, LIGHT, DARK = "#c0392b", "#0b6e99", "#ffffff", "#1b1b1b"
FILTER_SIDE = 420  # pixels of the picture of filters, about


def plot(model: ImageClassifier, measured: ImageEvaluation) -> str:
    """The confusion table, true classes down and said ones across, with the filters below it."""
    table, width, height = _table(model.classes, measured.confusion)
    pixels = tiled(model.network.filters().cpu().numpy()[:MAX_FILTERS])
    zoom = max(1, round(FILTER_SIDE / max(pixels.shape[:2])))
    tall, wide = (zoom * side for side in pixels.shape[:2])
    encoded = base64.b64encode(png(pixels)).decode()
    top = MARGIN + height + 2 * SIZE
    whole = max(width, wide) + 2 * MARGIN
    caption = text(whole // 2, top, "first weights: red above zero, blue below")
    image = (
        f'<image class="filters" x="{(whole - wide) // 2}" y="{top + SIZE}" width="{wide}" height="{tall}" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{encoded}"/>'
    )
    title = f"{measured.images} images, {100 * measured.error:.2f} % wrong"
    body = f'<g transform="translate({(whole - width) // 2} {MARGIN})">{table}</g>{caption}{image}'
    return picture(whole, top + SIZE + tall + MARGIN, title, body)


def _table(classes: tuple[str, ...], confusion: tuple[tuple[int, ...], ...]) -> tuple[str, int, int]:
    """The table's elements, its width and its height; a cell is the darker, the larger its share of its row."""
    labels = max(text_width(name) for name in classes) + SIZE
    numbers = max(text_width(f"{count}") for row in confusion for count in row)
    cell = max(labels, numbers + SIZE // 2, CELL_HEIGHT)
    middle = (CELL_HEIGHT + SIZE) // 2 - 2
    parts = [text(labels + cell * j + cell // 2, middle, name) for j, name in enumerate(classes)]
    for i, row in enumerate(confusion):
        y = CELL_HEIGHT * (i + 1)
        parts.append(text(labels // 2, y + middle, classes[i]))
        for j, count in enumerate(row):
            if count:
                share = math.sqrt(count / sum(row))
                x, colour = labels + cell * j, RIGHT if i == j else WRONG
                parts.append(
                    f'<rect x="{x}" y="{y}" width="{cell}" height="{CELL_HEIGHT}" fill="{colour}" '
                    f'fill-opacity="{share:.3f}"/>'
                )
                ink = LIGHT if share > 0.6 else DARK
                parts.append(f'<g fill="{ink}">{text(x + cell // 2, y + middle, f"{count}")}</g>')
    return "".join(parts), labels + cell * len(classes), CELL_HEIGHT * (len(classes) + 1)


def tiled(filters: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Filters (N, h, w) side by side, in about a square: (H, W, 3), zero white, the largest of each in full colour."""
    count, height, width = filters.shape
    columns = max(1, round(math.sqrt(count * (height + 1) / (width + 1))))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), 200, np.uint8)
    for number, weights in enumerate(filters / np.abs(filters).max(axis=(1, 2), keepdims=True).clip(1e-12)):
        y, x = 1 + number // columns * (height + 1), 1 + number % columns * (width + 1)
        fade = np.rint(255 * (1 - np.abs(weights)))
        colours = np.stack([np.where(weights > 0, 255, fade), fade, np.where(weights < 0, 255, fade)], axis=2)
        canvas[y : y + height, x : x + width] = colours
    return canvas


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Colours (H, W, 3) as a PNG file: header, one block of data, end (PNG specification, 8 bits, true colour)."""
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
