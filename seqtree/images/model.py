"""``ImageClassifier``: a trained network with all that it needs to be used; load it, classify with it, measure it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree import modelfile
from seqtree.errors import InputError, ModelFileError
from seqtree.images.data import ImageSet
from seqtree.images.network import Frame, ImageNetwork, NetworkConfig

KIND = "image-classifier"
AT_ONCE = 1000  # images


class ImageClassifier:
    """Images of unsigned bytes in, classes out; ``classes`` are their names, in the order of their labels."""

    def __init__(self, classes: Sequence[str], network: ImageNetwork) -> None:
        if len(classes) != network.classes:
            raise InputError(f"{len(classes)} names for a network of {network.classes} classes")
        self.classes, self.network = tuple(classes), network

    @classmethod
    def untrained(cls, data: ImageSet, classes: Sequence[str], config: NetworkConfig, seed: int = 0) -> ImageClassifier:
        """A classifier with random weights for images like those of ``data``."""
        deviation = float(data.images.std()) or 1.0
        frame = Frame(*data.size, mean=float(data.images.mean()), deviation=deviation)
        with torch.random.fork_rng(devices=[]):  # without asking for a GPU
            torch.manual_seed(seed)
            return cls(classes, ImageNetwork(config, frame, len(classes)))

    @classmethod
    def load(cls, path: str | Path) -> ImageClassifier:
        """Open a model file or a run folder; no code in it is run.

        Raises InputError if there is none, ModelFileError if it is damaged or holds something else.
        """
        path = Path(path)
        if path.is_dir():
            path = path / "model.safetensors"
        contents, tensors = modelfile.load(path, KIND)
        try:
            classes, frame = contents["classes"], Frame(**contents["frame"])
            network = ImageNetwork(NetworkConfig.from_json(contents["network"]), frame, len(classes))
            network.load_state_dict(tensors)
        except (KeyError, TypeError, RuntimeError, InputError) as error:
            raise ModelFileError(f"{path}: its parts do not fit together ({error})") from error
        return cls(classes, network.eval())

    def save(self, path: str | Path) -> None:
        """Write the model file, whole or not at all. Raises OSError."""
        contents = {
            "classes": list(self.classes),
            "network": self.network.config.to_json(),
            "frame": self.network.frame.to_json(),
        }
        modelfile.save(Path(path), KIND, contents, self.network.state_dict())

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self.network.frame.height, self.network.frame.width

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """(N, H, W) -> (N, classes), some at a time. Raises InputError for images of another size."""
        self._fits(images.shape[1:])
        self.network.eval()
        return torch.cat([self.network(part) for part in images.split(AT_ONCE)])

    def probabilities(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """The probability of each class for images (N, H, W): (N, classes). Raises InputError for another size."""
        device = self.network.output.weight.device
        logits = self.logits(torch.from_numpy(np.ascontiguousarray(images)).to(device))
        return self.network.probabilities(logits).cpu().numpy()

    def predict(self, images: npt.NDArray[np.uint8]) -> list[str]:
        """The name of the most probable class for each of the images (N, H, W)."""
        return [self.classes[label] for label in self.probabilities(images).argmax(axis=1)]

    def _fits(self, size: Sequence[int]) -> None:
        if tuple(size) != self.size:
            found, expected = ("x".join(map(str, sides)) for sides in (size, self.size))
            raise InputError(f"images of {found} pixels; the model reads {expected}")
