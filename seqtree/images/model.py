"""``ImageClassifier``: a trained network with all that it needs to be used; load it, classify with it, measure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.images.config import ImageNetworkConfig
from seqtree.images.data import ImageSet, check_images
from seqtree.images.idx import Bytes
from seqtree.images.network import Frame, ImageNetwork
from seqtree.model import Model, untrained
from seqtree.modelfile import texts

AT_ONCE = 1000  # images


def as_tensor(images: Bytes) -> Tensor:
    """Images as a tensor that shares their memory, or a copy where torch would warn: it may write to its tensors."""
    return torch.from_numpy(np.require(images, requirements=["C", "W"]))


class ImageClassifier(Model[ImageNetwork]):
    """Images of unsigned bytes in, classes out; ``classes`` are their names, in the order of their numbers.

    by_place: whether labels without names are the classes' places though they are named by numbers: they were named
    (``--names``) where it was trained on such labels.
    """

    kind = "image-classifier"
    default_precision = "fp32"

    def __init__(self, classes: Sequence[str], network: ImageNetwork, by_place: bool = False) -> None:
        if len(classes) != network.classes:
            raise InputError(f"{len(classes)} names for a network of {network.classes} classes")
        self.classes, self.network, self.by_place = tuple(classes), network, by_place

    @classmethod
    def untrained(cls, data: ImageSet, classes: Sequence[str], *, seed: int = 0, **shape: Any) -> ImageClassifier:
        """A classifier with random weights for images like those of ``data``.

        ``shape`` are fields of ``ImageNetworkConfig``.
        """
        return cls.over(data, classes, ImageNetworkConfig(**shape), seed).to()

    @classmethod
    def over(cls, data: ImageSet, classes: Sequence[str], config: ImageNetworkConfig, seed: int = 0) -> ImageClassifier:
        """A classifier with random weights for images like those of ``data``."""
        deviation = float(data.images.std()) or 1.0
        return cls.framed(Frame(*data.size, mean=float(data.images.mean()), deviation=deviation), classes, config, seed)

    @classmethod
    def framed(cls, frame: Frame, classes: Sequence[str], config: ImageNetworkConfig, seed: int) -> ImageClassifier:
        """A classifier with random weights for images as ``frame`` describes them."""
        return cls(classes, untrained(lambda: ImageNetwork(config, frame, len(classes)), seed))

    def contents(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "network": self.network.config.to_json(),
            "frame": self.network.frame.to_json(),
            **({"by_place": True} if self.by_place else {}),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> ImageClassifier:
        classes, frame = texts(contents["classes"]), Frame.from_json(contents["frame"])
        network = ImageNetwork(ImageNetworkConfig.from_json(contents["network"]), frame, len(classes))
        return cls(classes, network, contents.get("by_place") is True)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self.network.frame.height, self.network.frame.width

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """(N, H, W) -> (N, classes), some at a time. Raises InputError for images of another size."""
        self.check_size(images.shape[1:])
        self.network.eval()
        return torch.cat([self.network(part) for part in images.split(AT_ONCE)])

    def numbers(self, data: ImageSet) -> npt.NDArray[np.int64]:
        """The labels (N,) of images as numbers of the model's classes. Raises InputError for other labels."""
        return data.numbered(self.classes, self.by_place)

    def probabilities(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """The probability of each class for images (N, H, W), bytes: (N, classes). Raises InputError for others."""
        check_images(images)
        logits = self.logits(as_tensor(images).to(self.device))
        probabilities: npt.NDArray[np.float32] = self.network.probabilities(logits).cpu().numpy()
        return probabilities

    def predict(self, images: npt.NDArray[np.uint8]) -> list[str]:
        """The name of the most probable class for each of the images (N, H, W)."""
        return [self.classes[label] for label in self.probabilities(images).argmax(axis=1)]

    def check_size(self, size: Sequence[int]) -> None:
        """Raises InputError for images of another size than the model's."""
        if tuple(size) != self.size:
            found, expected = ("x".join(map(str, sides)) for sides in (size, self.size))
            raise InputError(f"images of {found} pixels; the model reads {expected}")
