"""From an image to what the network reads: reduced, cut into segments, each with its features; kept between runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from seqtree.scenes.batches import Floats, Ids, SceneGraph
from seqtree.scenes.cached import Arrays, kept
from seqtree.scenes.config import SegmentSettings
from seqtree.scenes.data import LabelledImage, pixels_by_label
from seqtree.scenes.features import VERSION, Pixels, Textons, learn_textons, segment_features, with_neighbours
from seqtree.scenes.segments import Image, neighbours_of, resized, segments_of

TEXTON_IMAGES = 100  # from which textons are learned, evenly from all


@dataclass(frozen=True)
class Prepared:
    """An image's segments (h, w), of the reduced image, their own features (n, F) and their neighbours (e, 2)."""

    segments: Ids
    features: Floats
    neighbours: Ids
    pixels: Ids | None = None

    @cached_property
    def graph(self) -> SceneGraph:
        """What the network reads: in every step of a training the same."""
        return SceneGraph(with_neighbours(self.features, self.neighbours), self.neighbours, self.pixels)


def prepared(image: Image, settings: SegmentSettings, textons: Textons) -> Prepared:
    """An image (H, W, 3) cut into segments with features. Raises InputError if scikit-image is not installed."""
    small = reduced(image, settings.side)
    segments = segments_of(small, settings)
    return Prepared(segments, segment_features(Pixels(small), segments, textons), neighbours_of(segments)[0])


def prepared_scene(one: LabelledImage, settings: SegmentSettings, textons: Textons) -> Prepared:
    """The same of an image of a folder, with its labels counted; the features come from the cache if they are there."""

    def make() -> Arrays:
        image = one.image
        found = prepared(image, settings, textons)
        return {
            "size": np.array(image.shape[:2]),
            "segments": found.segments.astype(np.int32),
            "features": found.features,
            "neighbours": found.neighbours,
        }

    key = json.dumps([VERSION, "features", one.fingerprint, settings.to_json(), digest(textons)])
    found = kept(key, str(one.image_file), make)
    height, width = found["size"].tolist()
    segments = found["segments"].astype(np.int64)
    pixels = pixels_by_label(resized(segments, height, width), one.labels((height, width)), one.classes)
    return Prepared(segments, found["features"], found["neighbours"], pixels)


def textons_of(images: Sequence[LabelledImage], settings: SegmentSettings) -> Textons:
    """The textons of the images of a folder, from the cache if they are there."""
    count = min(len(images), TEXTON_IMAGES)
    some = [images[i * len(images) // count] for i in range(count)]

    def make() -> Arrays:
        random = np.random.default_rng(0)
        samples = [Pixels(reduced(one.image, settings.side)).samples(random) for one in some]
        return asdict(learn_textons(samples, settings.colours, settings.textons))

    sizes = [settings.side, settings.colours, settings.textons]
    key = json.dumps([VERSION, "textons", [one.fingerprint for one in some], sizes])
    return Textons(**kept(key, f"textons of {some[0].image_file.parent}", make))


def reduced(image: Image, side: int) -> Image:
    """The image (H, W, 3), made smaller where its longer side is more than that."""
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer <= side:
        return image
    from PIL import Image as Pillow

    size = max(1, round(width * side / longer)), max(1, round(height * side / longer))
    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.LANCZOS))


def digest(textons: Textons) -> str:
    """SHA-256 of textons."""
    found = hashlib.sha256()
    for array in asdict(textons).values():
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
