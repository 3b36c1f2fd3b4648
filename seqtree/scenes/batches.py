"""A batch of scenes in numbers: the segments' features, and which of them are neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SceneGraph:
    """One scene of n segments: the ``features`` (n, F) of each and its ``neighbours`` (e, 2), the lower number first.

    ``pixels`` (n, 1 + C) counts the pixels of each segment by label, 0 for void; None for an image without labels.
    """

    features: Floats
    neighbours: Ids
    pixels: Ids | None = None

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class SceneBatch:
    """B scenes of N segments, the one with most segments first; segments are numbered across the batch.

    ``lengths`` (B,) counts the segments. ``row`` (E,) is the scene of each pair of neighbours, ``first`` and ``second``
    (E,) are their numbers.
    """

    features: Floats
    lengths: Ids
    row: Ids
    first: Ids
    second: Ids

    @property
    def offsets(self) -> Ids:
        """The number of each scene's first segment (B,)."""
        found: Ids = np.cumsum(self.lengths) - self.lengths
        return found


def labelled(pixels: Ids | None) -> Ids:
    """The pixels of a scene's segments by label. Raises ValueError for a scene without labels."""
    if pixels is None:
        raise ValueError("a scene without labels")
    return pixels


def make_scene_batch(scenes: Sequence[SceneGraph]) -> SceneBatch:
    """The batch of scenes, which are in order of size, the largest first."""
    lengths = np.array([len(scene) for scene in scenes])
    row = np.repeat(np.arange(len(scenes)), [len(scene.neighbours) for scene in scenes])
    shift = (np.cumsum(lengths) - lengths)[row]
    first, second = np.concatenate([scene.neighbours for scene in scenes]).T + shift
    return SceneBatch(np.concatenate([scene.features for scene in scenes]), lengths, row, first, second)
