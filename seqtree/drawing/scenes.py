"""A parsed scene as a picture: the classes over the image, a legend, and the tree of merges beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqtree.drawing.canvas import system_font
from seqtree.drawing.characters import shortened
from seqtree.drawing.colours import class_colours
from seqtree.extras import needed

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Bytes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]
SHOWN = 0.55  # of a class's colour over the image
SMALLEST, WIDEST = 480, 1920  # pixels of a drawing's height and width; smaller images are enlarged
LONGEST = 16  # columns of a class's name, as on a terminal
LOWEST = 160  # pixels of a tree's height
MARGIN, LINE = 12, 22  # pixels
INK, PALE = (27, 27, 27), (138, 138, 138)
DOT = 4  # pixels: half of a node's width


def png(array: Bytes) -> bytes:
    """A PNG file of grey levels (H, W) or colours (H, W, 3). Raises InputError if Pillow is not installed."""
    file = io.BytesIO()
    needed("PIL.Image", "scenes", "pictures need Pillow").fromarray(array).save(file, "PNG")
    return file.getvalue()


def draw_scene(
    image: Bytes, segments: Ids, labels: Ids, classes: Sequence[str], merges: Ids, node_labels: Ids
) -> Bytes:
    """The picture of a parse, (H', W', 3).

    image (H, W, 3) and segments (H, W); labels (n,) of the segments, from 1 to the number of ``classes``. merges
    (n - 1, 2) are the parts of each node, in order, and node_labels (n - 1,) its labels; both may be empty. A node
    stands above its parts, the later it was made the higher, in the colour of its class.
    """
    from PIL import Image, ImageDraw

    factor = max(1, min(-(-SMALLEST // image.shape[0]), WIDEST // image.shape[1]))
    colours = scene_colours(classes)
    over = _overlay(image, segments, colours[labels - 1], factor)
    height, width = over.shape[:2]
    height = max(height, LOWEST) if len(merges) else height
    tree = 0 if not len(merges) else max(width, 6 * (len(merges) + 1))
    shown = np.unique([*labels[np.unique(segments)], *node_labels])
    columns = max(1, (width + tree) // 160)
    legend = LINE * -(-len(shown) // columns)
    total = (width + tree + MARGIN * (3 if tree else 2), height + legend + 3 * MARGIN)
    page = Image.new("RGB", total, (255, 255, 255))
    page.paste(Image.fromarray(over), (MARGIN, MARGIN))
    draw, font = ImageDraw.Draw(page), system_font(14)
    for i, label in enumerate(shown.tolist()):
        x, y = MARGIN + (i % columns) * 160, height + 2 * MARGIN + LINE * (i // columns)
        draw.rectangle((x, y + 3, x + 14, y + 17), fill=tuple(colours[label - 1].tolist()), outline=PALE)
        draw.text((x + 20, y + 1), shortened(classes[label - 1], LONGEST), fill=INK, font=font)
    if tree:
        box = (2 * MARGIN + width, MARGIN, tree, height)
        _draw_tree(draw, box, merges, colours[np.concatenate([labels, node_labels]) - 1])
    return np.asarray(page)


def scene_colours(classes: Sequence[str]) -> Bytes:
    """A colour for each class (C, 3): those of ``class_colours`` for up to eight, else hues all around the circle."""
    import colorsys

    if len(classes) <= 8:
        found = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in class_colours(classes).values()]
        if len({tuple(colour) for colour in found}) == len(classes):
            return np.array(found, dtype=np.uint8)
    tones = [
        colorsys.hsv_to_rgb(i / len(classes), (1.0, 0.6, 0.85)[i % 3], (0.85, 1.0, 0.55)[i % 3])
        for i in range(len(classes))
    ]
    colours: Bytes = np.rint(255 * np.array(tones)).astype(np.uint8)
    return colours


def _overlay(image: Bytes, segments: Ids, colours: Bytes, factor: int) -> Bytes:
    """The image, enlarged, under the colours (n, 3) of its segments, whose borders are drawn."""
    grey = image.mean(axis=2, keepdims=True)
    mixed = (1 - SHOWN) * grey + SHOWN * colours[segments]
    mixed, large = (array.repeat(factor, axis=0).repeat(factor, axis=1) for array in (mixed, segments))
    border = np.zeros(large.shape, dtype=np.bool_)
    border[:, 1:] |= large[:, 1:] != large[:, :-1]
    border[1:] |= large[1:] != large[:-1]
    mixed[border] = 255
    return np.rint(mixed).astype(np.uint8)


def _draw_tree(draw: ImageDraw, box: tuple[int, int, int, int], merges: Ids, colours: Bytes) -> None:
    """The tree in a box (left, top, width, height): segments at the bottom, in the tree's own order."""
    left, top, width, height = box
    count = len(merges) + 1
    across, level = _places(merges)
    x = left + (across + 0.5) * width / count
    y = top + height - DOT - level * (height - 2 * DOT) / level.max()
    for node, parts in enumerate(merges.tolist(), count):
        ends = sorted(x[part] for part in parts)
        draw.line((ends[0], y[node], ends[1], y[node]), fill=PALE)
        for part in parts:
            draw.line((x[part], y[node], x[part], y[part]), fill=PALE)
    for node in range(2 * count - 1):
        colour = tuple(colours[node].tolist())
        size = DOT if node >= count else min(DOT, max(2, int(0.4 * width / count)))
        draw.ellipse((x[node] - size, y[node] - size, x[node] + size, y[node] + size), fill=colour, outline=INK)


def _places(merges: Ids) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where each of 2 n - 1 nodes stands: across, in segments from the left, and its height over the segments."""
    count = len(merges) + 1
    across, level = np.zeros((2, 2 * count - 1))
    sizes = np.ones(2 * count - 1, dtype=np.int64)
    for node, (one, other) in enumerate(merges.tolist(), count):
        level[node] = 1 + max(level[one], level[other])
        sizes[node] = sizes[one] + sizes[other]
    starts = np.zeros(2 * count - 1, dtype=np.int64)
    for node in range(2 * count - 2, count - 1, -1):
        one, other = merges[node - count].tolist()
        starts[one], starts[other] = starts[node], starts[node] + sizes[one]
    across[:count] = starts[:count]
    for node, (one, other) in enumerate(merges.tolist(), count):
        across[node] = (across[one] + across[other]) / 2
    return across, level
