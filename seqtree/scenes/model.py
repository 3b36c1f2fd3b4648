"""``SceneParser``: a trained parser of scenes; load it, parse images with it, measure it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from seqtree.drawing.scenes import draw_scene, png
from seqtree.errors import InputError
from seqtree.model import Model, untrained
from seqtree.modelfile import texts
from seqtree.nn.margins import merged_alone
from seqtree.scenes.batches import Floats, Ids, SceneGraph, make_scene_batch
from seqtree.scenes.config import SceneNetworkConfig, SegmentSettings
from seqtree.scenes.merging import merge_scenes
from seqtree.scenes.network import SceneNetwork
from seqtree.scenes.preparing import Prepared, prepared
from seqtree.scenes.segments import Image, resized
from seqtree.text.reading import several

TOGETHER = 16  # scenes of a batch
FALL = 0.75  # the weight of a node to that of the node below it, where a segment is mixed with the nodes above it


@dataclass(frozen=True)
class SceneParse:
    """A scene's segments, and the tree over them; a notebook shows its picture.

    ``segments`` (H, W) are the numbers of the segments of the pixels of ``image`` (H, W, 3), n of them.
    ``probabilities`` (n, C) are those of the ``classes`` for each segment. ``merges`` (n - 1, 2) are the parts of each
    node that was made, in order: segments are 0 to n - 1, and the k-th merge makes node n + k; ``scores`` (n - 1,) are
    those of the merges, and ``nodes`` (n - 1, C) the probabilities of the classes of these nodes. All three are empty
    for a model without the tree.
    """

    image: Image = field(repr=False)
    classes: tuple[str, ...]
    segments: Ids = field(repr=False)
    probabilities: Floats
    merges: Ids
    scores: Floats
    nodes: Floats

    @property
    def labels(self) -> Ids:
        """The number of each segment's most probable class (n,), from 1 as in classes.txt."""
        found: Ids = self.probabilities.argmax(axis=1) + 1
        return found

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The label of each pixel (H, W), from 1."""
        return self.labels.astype(np.uint8)[self.segments]

    @property
    def shares(self) -> dict[str, float]:
        """The share of the image that each class found in it has, the largest first."""
        shares = np.bincount(self.pixels.ravel(), minlength=len(self.classes) + 1)[1:] / self.pixels.size
        return {self.classes[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable") if shares[i]}

    def picture(self) -> bytes:
        """A PNG file: the classes over the image, a legend, and the tree of merges beside it."""
        nodes = self.nodes.argmax(axis=1) + 1
        return png(draw_scene(self.image, self.segments, self.labels, self.classes, self.merges, nodes))

    _repr_png_ = picture

    def to_json(self) -> dict[str, Any]:
        """JSON values: the segments from the top, with their pixels and labels, and the merges."""
        area = np.bincount(self.segments.ravel(), minlength=len(self.probabilities)).tolist()
        best = self.probabilities.max(axis=1).tolist()
        return {
            "segments": [
                {"segment": i, "pixels": pixels, "label": self.classes[label - 1], "probability": round(chance, 6)}
                for i, (pixels, label, chance) in enumerate(zip(area, self.labels.tolist(), best, strict=True))
            ],
            "merges": [
                {"node": len(area) + i, "parts": parts, "score": round(score, 6), "label": self.classes[label]}
                for i, (parts, score, label) in enumerate(
                    zip(self.merges.tolist(), self.scores.tolist(), self.nodes.argmax(axis=1).tolist(), strict=True)
                )
            ],
        }


class SceneParser(Model[SceneNetwork]):
    """Images in; segments, their classes and the tree of their merges out."""

    kind = "scene-parser"

    def __init__(self, classes: tuple[str, ...], segments: SegmentSettings, network: SceneNetwork) -> None:
        if len(classes) < 2:
            raise InputError("a scene parser needs two classes or more")
        self.classes, self.segments, self.network = classes, segments, network

    @classmethod
    def over(
        cls, classes: tuple[str, ...], segments: SegmentSettings, config: SceneNetworkConfig, seed: int = 0
    ) -> SceneParser:
        """A scene parser with random weights, whose textons and means are 0."""
        make = partial(SceneNetwork, segments, len(classes), config)
        return cls(classes, segments, untrained(make, seed))

    def contents(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "segments": self.segments.to_json(),
            "network": self.network.config.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> SceneParser:
        classes, segments = texts(contents["classes"]), SegmentSettings.from_json(contents["segments"])
        config = SceneNetworkConfig.from_json(contents["network"])
        return cls(classes, segments, SceneNetwork(segments, len(classes), config))

    def parse(self, image: Image) -> SceneParse:
        """The parse of one image (H, W, 3), bytes in RGB. Raises InputError if scikit-image is not installed."""
        (found,) = self.parses([image])
        return found

    def parses(self, images: Iterable[Image]) -> Iterator[SceneParse]:
        """The parses of images (H, W, 3), bytes in RGB, in order, some at a time. Raises InputError for others."""
        textons = self.network.textons.arrays
        images = map(_checked, several(images, "images"))
        while some := list(islice(images, TOGETHER)):
            made = [prepared(image, self.segments, textons) for image in some]
            for image, one, parse in zip(some, made, self.parse_prepared(made), strict=True):
                yield SceneParse(image, self.classes, resized(one.segments, *image.shape[:2]), *parse)

    @torch.inference_mode()
    def parse_prepared(self, scenes: Sequence[Prepared]) -> list[tuple[Floats, Ids, Floats, Floats]]:
        """Probabilities, merges, their scores and the nodes' probabilities of each scene; see ``SceneParse``."""
        self.network.eval()
        order = sorted(range(len(scenes)), key=lambda i: -len(scenes[i].features))
        graphs, share = [scenes[i].graph for i in order], self.network.config.above
        found = {}
        for i, (chances, merges, scores, nodes) in zip(order, self._parsed(graphs), strict=True):
            sizes = np.bincount(scenes[i].segments.ravel())
            found[i] = with_nodes_above(chances, merges, sizes, share), merges, scores, nodes
        return [found[i] for i in range(len(scenes))]

    def _parsed(self, graphs: list[SceneGraph]) -> Iterator[tuple[Floats, Ids, Floats, Floats]]:
        batch, network = make_scene_batch(graphs), self.network
        hidden = network.hidden_units(batch.features)
        count, lengths = len(hidden), batch.lengths
        cuts, none = np.cumsum(lengths)[:-1], np.zeros(0, np.float32)
        if network.config.leaves_only:
            for part in np.split(_chances(network.alone(hidden)), cuts):
                yield part, np.zeros((0, 2), dtype=np.int64), none, np.zeros((0, part.shape[1]), np.float32)
            return
        merging = merge_scenes(network, batch, network.leaves(hidden))
        left, right, kept, made = merged_alone(count, merging.pairs.left, merging.pairs.right, merging.made)
        nodes = merging.vectors[torch.from_numpy(np.concatenate([np.arange(count), count + kept])).to(hidden.device)]
        segments = np.split(_chances(network.leaf_logits(hidden, nodes[:count])), cuts)
        inner = _chances(network.node_logits(nodes[count:]))
        number = np.concatenate([np.arange(count) - np.repeat(batch.offsets, lengths), np.zeros_like(made)])
        ends = np.cumsum(lengths - 1)
        for own, segment, start, end in zip(np.split(made, ends[:-1]), segments, ends - lengths + 1, ends, strict=True):
            number[count + own] = len(segment) + np.arange(len(own))
            merges = np.stack([number[left[own]], number[right[own]]], axis=1)
            yield segment, merges, merging.scores[start:end], inner[own]


def _checked(image: Image) -> Image:
    """An image as it is. Raises InputError for what is none, or has no pixel."""
    found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else f"{image!r:.60}"
    expected = "expected an array uint8 (height, width, 3), red, green and blue"
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(f"image {found}: {expected}")
    if not image.size:
        raise InputError(f"image {found}: it has no pixel; {expected}")
    return image


def with_nodes_above(chances: Floats, merges: Ids, sizes: Ids, share: float) -> Floats:
    """The probabilities (n, C) of segments, mixed with those of the nodes above them, which are their segments' means.

    A segment has the weight 1, its parent ``share`` FALL, the node above that ``share`` FALL^2, and so on. In a node's
    mean each segment counts as the square root of its ``sizes`` (n,), in pixels. ``merges`` as in ``SceneParse``.
    """
    count = len(chances)
    weights = np.concatenate([np.sqrt(sizes), np.zeros(len(merges))])
    sums = np.concatenate([chances * weights[:count, None], np.zeros((len(merges), chances.shape[1]))])
    for node, (one, other) in enumerate(merges.tolist(), count):
        weights[node], sums[node] = weights[one] + weights[other], sums[one] + sums[other]
    means, above = sums / weights[:, None], np.zeros_like(sums)
    for node in range(len(sums) - 1, count - 1, -1):
        above[merges[node - count]] = FALL * (means[node] + above[node])
    mixed = chances + share * above[:count]
    found: Floats = (mixed / mixed.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def _chances(logits: torch.Tensor) -> Floats:
    found: Floats = logits.float().softmax(dim=1).cpu().numpy()
    return found
