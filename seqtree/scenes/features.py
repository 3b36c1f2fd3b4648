"""What is known of each segment: colour, texture by a bank of filters, position, shape, and its neighbours' means.

Colour: means and deviations in RGB, Lab and HSV (hue as a point of its circle), and a histogram over the colours that
occur most. Texture: the responses of a bank of filters (Gaussians of L, a and b, Laplacians and derivatives of L, at
several scales: Winn, Criminisi and Minka 2005), as mean magnitudes, deviations and a histogram of textons, which are
the centres of responses that k-means finds; and a histogram of the like over the directions of gradients around a
pixel (Dalal and Triggs 2005). Histograms are of square roots of shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqtree.scenes.batches import Floats, Ids
from seqtree.scenes.segments import Image, neighbours_of, scene_library

VERSION = 1  # part of the cache's keys: raise it when an image's features change
COLOUR_SCALES, BLOB_SCALES, EDGE_SCALES = (1, 2, 4), (1, 2, 4, 8), (2, 4)
RESPONSES = 3 * len(COLOUR_SCALES) + len(BLOB_SCALES) + 2 * len(EDGE_SCALES)
COLOUR_CHANNELS, SHAPES = 10, 17  # of RGB, Lab and HSV; numbers that say where a segment is and what shape it has
DIRECTIONS, CELL = 8, 7  # of gradients; pixels from a cell to the next, and its width
CELLS = [(down, across) for down in (-CELL, 0, CELL) for across in (-CELL, 0, CELL)]
STRIDE = 2  # every so many pixels, both ways, are looked up among the textons
GRID = 6  # the image is divided into so many rows and columns, to say where a segment is
FAINT = 5.0  # the length of gradients, in Lab, that counts as much as noise
TRUNCATE = 3.0  # deviations, at which Gaussians end
SAMPLES = 300  # pixels of an image from which textons are learned
ROUNDS = 15  # of k-means


@dataclass(frozen=True)
class Textons:
    """Centres of colours (k, 3), of responses (k, 17) and of gradients (k, 72); ``scale`` (17,) divides responses."""

    colours: Floats
    responses: Floats
    scale: Floats
    gradients: Floats


def feature_count(colours: int, textons: int) -> int:
    """How many features a segment has by itself."""
    return 2 * COLOUR_CHANNELS + 2 * RESPONSES + colours + 2 * textons + SHAPES + GRID**2


class Pixels:
    """An image's pixels: ``colours`` (H, W, 10), ``responses`` (H, W, 17), and ``gradients`` (h, w, 72) at a stride.

    Raises InputError if scikit-image is not installed.
    """

    def __init__(self, image: Image) -> None:
        colour = scene_library("skimage.color")
        lab = colour.rgb2lab(image).astype(np.float32)
        hue, saturation, value = np.moveaxis(colour.rgb2hsv(image).astype(np.float32), 2, 0)
        circle = [saturation * wave(2 * np.pi * hue) for wave in (np.cos, np.sin)]
        hsv = np.stack([*circle, saturation, value], axis=2)
        self.lab: Floats = lab
        self.colours: Floats = np.concatenate([image.astype(np.float32) / 255, lab / 100, hsv], axis=2)
        self.responses = _responses(lab)
        self.gradients = _gradients(lab[:, :, 0])

    def samples(self, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Colours (s, 3), responses (s, 17) and gradients (s, 72) of some pixels."""
        found = []
        for array in (self.lab, self.responses, self.gradients):
            rows = array.reshape(-1, array.shape[2])
            found.append(rows[random.integers(len(rows), size=SAMPLES)])
        return found[0], found[1], found[2]


def _responses(lab: Floats) -> Floats:
    """The responses (H, W, 17) of the bank of filters."""
    from scipy.ndimage import gaussian_filter, gaussian_laplace

    light = lab[:, :, 0]
    found = [gaussian_filter(lab[:, :, i], s, truncate=TRUNCATE) for s in COLOUR_SCALES for i in range(3)]
    found += [s * s * gaussian_laplace(light, s, truncate=TRUNCATE) for s in BLOB_SCALES]
    for s in EDGE_SCALES:
        found += [s * gaussian_filter(light, s, order=order, truncate=TRUNCATE) for order in ((0, 1), (1, 0))]
    return np.stack(found, axis=2)


def _gradients(light: Floats) -> Floats:
    """Histograms of the directions of gradients in nine cells around every second pixel: (h, w, 72), length below 1."""
    from scipy.ndimage import gaussian_filter, uniform_filter

    down, across = (gaussian_filter(light, 1.0, order=order, truncate=TRUNCATE) for order in ((1, 0), (0, 1)))
    length, place = np.hypot(down, across), np.arctan2(down, across) % (2 * np.pi) * (DIRECTIONS / (2 * np.pi))
    lower = place.astype(np.int64)
    share = place - lower
    cells = np.zeros((DIRECTIONS, *light.shape), dtype=np.float32)
    for direction in range(DIRECTIONS):
        cells[direction] = length * ((lower % DIRECTIONS == direction) * (1 - share))
        cells[direction] += length * (((lower + 1) % DIRECTIONS == direction) * share)
        cells[direction] = uniform_filter(cells[direction], CELL)
    padded = np.pad(cells, ((0, 0), (CELL, CELL), (CELL, CELL)), mode="edge")
    height, width = light.shape
    views = [padded[:, CELL + y : CELL + y + height : STRIDE, CELL + x : CELL + x + width : STRIDE] for y, x in CELLS]
    found = np.moveaxis(np.concatenate(views), 0, 2)
    scaled: Floats = found / (np.linalg.norm(found, axis=2, keepdims=True) + FAINT)
    return scaled


def learn_textons(samples: list[tuple[Floats, Floats, Floats]], colours: int, textons: int) -> Textons:
    """The textons of the samples of some images: so many colours, and so many textons of each kind."""
    lab, responses, gradients = (np.concatenate(column) for column in zip(*samples, strict=True))
    scale = np.maximum(responses.std(axis=0), 1e-3)
    random = np.random.default_rng(0)
    return Textons(
        _centres(lab, colours, random),
        _centres(responses / scale, textons, random),
        scale,
        _centres(gradients, textons, random),
    )


def _centres(rows: Floats, count: int, random: np.random.Generator) -> Floats:
    """``count`` centres of rows (n, d) by k-means; one that loses all its rows begins again at another."""
    centres: Floats = rows[random.integers(len(rows), size=count)]
    for _ in range(ROUNDS):
        own = nearest(rows, centres)
        counts, sums = np.bincount(own, minlength=count), np.zeros(centres.shape, dtype=np.float32)
        np.add.at(sums, own, rows)
        empty = counts == 0
        centres = sums / np.maximum(counts, 1).astype(np.float32)[:, None]
        centres[empty] = rows[random.integers(len(rows), size=int(empty.sum()))]
    return centres


def nearest(rows: Floats, centres: Floats) -> Ids:
    """The number of the nearest centre to each row: (n, d), (k, d) -> (n,)."""
    scores = rows @ centres.T
    scores -= 0.5 * np.square(centres).sum(axis=1)
    found: Ids = scores.argmax(axis=1)
    return found


def segment_features(pixels: Pixels, segments: Ids, textons: Textons) -> Floats:
    """The features (n, F) of each segment alone; ``segments`` (H, W) are the numbers of the pixels' segments."""
    flat = segments.ravel()
    count = int(flat.max()) + 1
    area = np.bincount(flat, minlength=count).astype(np.float32)
    order = np.argsort(flat, kind="stable")
    starts = np.cumsum(area).astype(np.int64) - area.astype(np.int64)

    def means(values: Floats) -> Floats:
        sums: Floats = np.add.reduceat(values.reshape(len(flat), -1)[order], starts, axis=0)
        return sums / area[:, None]

    colours = means(pixels.colours)
    responses = pixels.responses / textons.scale
    middle, magnitude = means(responses), means(np.abs(responses))
    spreads = [
        np.sqrt(np.maximum(means(np.square(values)) - np.square(mean), 0))
        for values, mean in ((pixels.colours, colours), (responses, middle))
    ]
    histograms = _histograms(pixels, segments, responses, textons, count)
    return np.concatenate([colours, magnitude, *spreads, *histograms, _shapes(segments, means, area)], axis=1).astype(
        np.float32
    )


def _histograms(
    pixels: Pixels, segments: Ids, responses: Floats, textons: Textons, count: int
) -> list[npt.NDArray[np.floating]]:
    """How often each colour and texton occurs in each of ``count`` segments, as square roots of shares."""
    some = slice(None, None, STRIDE), slice(None, None, STRIDE)
    found, owners = [], segments[some].ravel()
    for values, centres in (
        (pixels.lab[some], textons.colours),
        (responses[some], textons.responses),
        (pixels.gradients, textons.gradients),
    ):
        kinds = len(centres)
        own = nearest(values.reshape(len(owners), -1), centres)
        table = np.bincount(owners * kinds + own, minlength=count * kinds).reshape(count, kinds)
        found.append(np.sqrt(table / np.maximum(table.sum(axis=1, keepdims=True), 1)))
    return found


def _shapes(segments: Ids, means: Callable[[Floats], Floats], area: Floats) -> npt.NDArray[np.floating]:
    """Where each segment is and what shape it has (n, 53), as shares of the image's height and width."""
    height, width = segments.shape
    count = len(area)
    row, column = np.indices(segments.shape)
    y, x = ((place + 0.5) / side for place, side in ((row, height), (column, width)))
    moments = means(np.stack([x, y, x * x, y * y, x * y], axis=2).astype(np.float32))
    middle, spread = moments[:, :2], np.maximum(moments[:, 2:4] - np.square(moments[:, :2]), 0)
    slant = moments[:, 4:] - moments[:, :1] * moments[:, 1:2]
    low, high = np.full((2, count, 2), [[[1.0]], [[0.0]]])
    for side, place in enumerate((x, y)):
        np.minimum.at(low[:, side], segments.ravel(), place.ravel())
        np.maximum.at(high[:, side], segments.ravel(), place.ravel())
    box = high - low + [1 / width, 1 / height]
    neighbours, lengths = neighbours_of(segments)
    border = np.bincount(neighbours.ravel(), np.repeat(lengths, 2), minlength=count)
    edges = segments[0], segments[-1], segments[:, 0], segments[:, -1]
    share = area / segments.size
    cells = np.minimum(y * GRID, GRID - 1).astype(np.int64) * GRID + np.minimum(x * GRID, GRID - 1).astype(np.int64)
    grid = np.bincount(segments.ravel() * GRID**2 + cells.ravel(), minlength=count * GRID**2).reshape(count, -1)
    return np.concatenate(
        [
            np.log(share)[:, None],
            (border / np.sqrt(area))[:, None],
            middle,
            np.abs(middle[:, :1] - 0.5),
            np.sqrt(spread),
            slant,
            low,
            high,
            (share / box.prod(axis=1))[:, None],
            np.stack([np.bincount(edge, minlength=count) / len(edge) for edge in edges], axis=1),
            grid / area[:, None],
        ],
        axis=1,
    )


def with_neighbours(features: Floats, neighbours: Ids) -> Floats:
    """Features (n, F) with the means of a segment's neighbours and of the neighbours' other neighbours: (n, 3 F)."""
    count = len(features)
    near = np.zeros((count, count), dtype=np.float32)
    near[neighbours[:, 0], neighbours[:, 1]] = near[neighbours[:, 1], neighbours[:, 0]] = 1
    further = ((near @ near > 0) & (near == 0)).astype(np.float32)
    np.fill_diagonal(further, 0)
    around = [(table @ features) / np.maximum(table.sum(axis=1, keepdims=True), 1) for table in (near, further)]
    return np.concatenate([features, *around], axis=1)
