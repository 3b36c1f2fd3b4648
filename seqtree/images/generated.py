"""Generated digits, for experiments without data: small bitmaps, shifted, scaled and slanted at random, with noise."""

from __future__ import annotations

import numpy as np

from seqtree.errors import SettingError, check_count
from seqtree.images.data import ImageSet
from seqtree.images.sources import SIDE, read_set

GENERATED = {"train": (2000, 0), "test": (1000, 1)}  # digits, and their seed
_ROWS = """
 ###    #    ###   ###     #  #####  ###  #####  ###   ###
#   #  ##   #   # #   #   ##  #     #         # #   # #   #
#   #   #       #     #  # #  ####  #        #  #   # #   #
#   #   #      #    ##  #  #      # ####    #    ###   ####
#   #   #     #       # #####     # #   #   #   #   #     #
#   #   #    #    #   #    #  #   # #   #  #    #   #     #
 ###   ###  #####  ###     #   ###   ###   #     ###   ###
"""
_LINES = [line.ljust(59) for line in _ROWS.strip("\n").split("\n")]
BITMAPS = np.array([[[c == "#" for c in line[6 * d : 6 * d + 5]] for line in _LINES] for d in range(10)])  # (10, 7, 5)


def digits(count: int, seed: int = 0) -> ImageSet:
    """``count`` images of 28x28 with their labels, the same for the same seed.

    Raises InputError unless ``count`` is a whole number from 1, and ``seed`` one from 0.
    """
    check_count("count", count)
    check_count("seed", seed, 0)
    random = np.random.default_rng(seed)
    labels = random.integers(10, size=count).astype(np.uint8)
    height, width, slant = (random.uniform(low, high, (count, 1, 1)) for low, high in ((17, 22), (10, 16), (-0.2, 0.2)))
    top, left = (random.uniform(-2, 2, (count, 1, 1)) + SIDE / 2 for _ in range(2))
    images = np.zeros((count, SIDE, SIDE))
    for part in (0.25, 0.75):  # two samples per pixel, so that edges are grey
        y = np.arange(SIDE)[:, None] + part - top  # (N, H, 1), from the digit's middle
        x = np.arange(SIDE) + part - left + slant * y  # (N, H, W)
        row = np.floor((y / height + 0.5) * 7).astype(int) + 0 * x.astype(int)
        column = np.floor((x / width + 0.5) * 5).astype(int)
        inside = (row >= 0) & (row < 7) & (column >= 0) & (column < 5)
        images += 0.5 * (BITMAPS[labels[:, None, None], row.clip(0, 6), column.clip(0, 4)] & inside)
    images = 220 * images * random.uniform(0.7, 1.0, (count, 1, 1)) + np.abs(random.normal(0, 12, images.shape))
    return ImageSet(images.clip(0, 255).astype(np.uint8), labels, "generated digits")


def read_part(data: str | None, part: str, labels: str | None = None, size: tuple[int, int] | None = None) -> ImageSet:
    """The ``part`` (train or test) of the images that DATA names, or of the generated digits: see ``read_set``."""
    if labels and not data:
        raise SettingError("labels", "without images; name these, too", labels)
    return read_set(data, part, labels, size) if data else digits(*GENERATED[part])
