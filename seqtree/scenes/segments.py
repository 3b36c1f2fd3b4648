"""An image cut into segments, and which of them are neighbours."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import numpy.typing as npt

from seqtree.extras import needed
from seqtree.scenes.batches import Ids
from seqtree.scenes.config import SegmentSettings

Image = npt.NDArray[np.uint8]  # (H, W, 3)


def scene_library(module: str) -> ModuleType:
    """A module of scikit-image or Pillow. Raises InputError where it is not installed."""
    return needed(module, "scenes", "scenes need scikit-image and Pillow")


def segments_of(image: Image, settings: SegmentSettings) -> Ids:
    """The number of each pixel's segment (H, W), from 0; segments are numbered by their middles, from the top.

    Raises InputError if scikit-image is not installed.
    """
    library = scene_library("skimage.segmentation")
    if min(image.shape[:2]) < 2:  # too little to be cut
        found = np.zeros(image.shape[:2], dtype=np.int64)
    elif settings.method == "slic":
        found = library.slic(
            image,
            settings.segments,
            settings.compactness,
            sigma=settings.sigma,
            start_label=0,
            enforce_connectivity=True,
        )
    else:
        found = library.felzenszwalb(image, settings.scale, settings.sigma, settings.min_size)
    return _from_the_top(found)


def neighbours_of(segments: Ids) -> tuple[Ids, Ids]:
    """The pairs of segments that touch (e, 2), the lower number first, and the lengths of their borders (e,) in pixels.

    >>> pairs, lengths = neighbours_of(np.array([[0, 0, 1], [2, 2, 1]]))
    >>> pairs.tolist(), lengths.tolist()
    ([[0, 1], [0, 2], [1, 2]], [1, 2, 1])
    """
    count = int(segments.max()) + 1
    sides = (segments[:, 1:], segments[:, :-1]), (segments[1:], segments[:-1])
    one, other = (np.concatenate([side[i].ravel() for side in sides]) for i in (0, 1))
    apart = one != other
    keys, lengths = np.unique(np.minimum(one, other)[apart] * count + np.maximum(one, other)[apart], return_counts=True)
    return np.stack(np.divmod(keys, count), axis=1), lengths


def resized(segments: Ids, height: int, width: int) -> Ids:
    """The segments (h, w) of an image for its pixels in another size."""
    down, across = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64)
        for new, old in zip((height, width), segments.shape, strict=True)
    )
    found: Ids = segments[down[:, None], across]
    return found


def _from_the_top(found: npt.NDArray[np.integer]) -> Ids:
    """The same segments, numbered from 0 by the mean of their rows, then of their columns."""
    _, flat, counts = np.unique(found, return_inverse=True, return_counts=True)
    rows, columns = (np.bincount(flat.ravel(), place.ravel()) / counts for place in np.indices(found.shape))
    number = np.empty(len(counts), dtype=np.int64)
    number[np.lexsort((columns, rows))] = np.arange(len(counts))
    return number[flat].reshape(found.shape)
