"""Networks from an image to its class: layers by plan (chapters 3 and 4), or a recurrent one over rows (chapter 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from seqtree.images.config import ImageNetworkConfig
from seqtree.images.layers import Layers, initialise
from seqtree.images.plan import parse_plan
from seqtree.nn.dropout import sequence_dropout
from seqtree.nn.network import Network
from seqtree.nn.recurrent import Recurrent
from seqtree.settings import Settings, setting

MAX_SIDE = 1 << 14  # pixels
WRONG, RIGHT = 0.1, 0.9  # the targets of sigmoid units


@dataclass(frozen=True)
class Frame(Settings):
    """What a network has to know of its images: height and width, and the mean and deviation of a training pixel."""

    height: int = setting(28, minimum=1, maximum=MAX_SIDE)
    width: int = setting(28, minimum=1, maximum=MAX_SIDE)
    mean: float = setting(0.0, minimum=0, maximum=255)
    deviation: float = setting(1.0, above=0, maximum=255)


class ImageNetwork(Network):
    """Images (B, H, W) of bytes -> logits (B, classes), float32.

    ``products`` is the type in which all but the last layer computes (None: float32).
    """

    config: ImageNetworkConfig

    def __init__(self, config: ImageNetworkConfig, frame: Frame, classes: int) -> None:
        super().__init__()
        self.config, self.frame, self.classes = config, frame, classes
        size = (frame.height, frame.width)
        self.body = Rows(config, frame.width) if config.cell else Layers(parse_plan(config.plan), size)
        self.output = nn.Linear(self.body.output_size, classes)
        initialise(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, images: Tensor) -> Tensor:
        dtype = self.output.weight.dtype
        x = (images.to(dtype) - self.frame.mean) / self.frame.deviation
        logits: Tensor = self.output(self.body(x.to(self.products)).to(dtype))
        return logits

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over images of -log softmax, or of the squared error 1/2 sum (target - sigmoid)^2 of all classes."""
        if self.config.objective == "softmax":
            return F.cross_entropy(logits, labels)
        targets = torch.full_like(logits, WRONG).scatter_(1, labels[:, None], RIGHT)
        return (targets - logits.sigmoid()).square().sum(dim=1).mean() / 2

    def probabilities(self, logits: Tensor) -> Tensor:
        """The softmax; or how far each sigmoid unit is from .1 to .9, as shares: (B, classes)."""
        if self.config.objective == "softmax":
            return logits.softmax(dim=1)
        outputs = ((logits.sigmoid() - WRONG) / (RIGHT - WRONG)).clamp(min=1e-6)
        return outputs / outputs.sum(dim=1, keepdim=True)

    def filters(self) -> Tensor:
        """The first weights as pictures (N, h, w): filters, or what each first unit has of the image or of a row."""
        weight = next(parameter for parameter in self.parameters() if parameter.ndim > 1)
        return weight.detach().view(-1, *self.body.field)

    @property
    def has_norms(self) -> bool:
        """Whether there is batch normalisation."""
        return any(isinstance(module, _BatchNorm) for module in self.modules())

    @torch.no_grad()
    def measure_norms(self, images: Tensor, batch: int) -> None:
        """Let batch normalisation measure ``images`` (N, H, W) anew, with the present weights and without dropout.

        Weights that are averages over many steps have met no batch yet: what was measured on the way is not theirs.
        """
        self.eval()
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                module.reset_running_stats()
                module.train()
        for part in images.tensor_split(math.ceil(len(images) / batch)):  # two images in each, or more
            self(part)
        self.eval()


class Rows(nn.Module):
    """A recurrent network over the rows of images (B, H, W), H steps of W inputs -> (B, output_size)."""

    def __init__(self, config: ImageNetworkConfig, width: int) -> None:
        super().__init__()
        self.readout, self.dropout = config.readout, config.dropout
        self.recurrent = Recurrent(
            config.cell, width, config.hidden, config.layers, dropout=config.dropout, bidirectional=config.bidirectional
        )
        self.directions = 1 + config.bidirectional
        self.output_size, self.field = config.hidden * self.directions, (1, width)

    def forward(self, images: Tensor) -> Tensor:
        states, last = self.recurrent(images.transpose(0, 1).contiguous())  # (H, B, D hidden), (layers D, B, hidden)
        ends = torch.cat(list(last[0][-self.directions :]), dim=1)
        output = states.mean(dim=0) if self.readout == "mean" else ends  # (B, D hidden)
        return sequence_dropout(output[None], self.dropout, self.training)[0]
