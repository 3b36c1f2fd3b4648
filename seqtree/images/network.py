"""Networks from an image to its class: layers by plan (chapters 3 and 4), or a recurrent one over rows (chapter 5)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from seqtree.errors import InputError
from seqtree.images.layers import Layers, initialise
from seqtree.images.plan import parse_plan
from seqtree.nn.dropout import sequence_dropout
from seqtree.nn.recurrent import GATES, Recurrent

OBJECTIVES = ("softmax", "squared")
READOUTS = ("last", "mean")
WRONG, RIGHT = 0.1, 0.9  # the targets of sigmoid units


@dataclass(frozen=True)
class NetworkConfig:
    """A ``plan`` of layers, or a ``cell`` that reads the rows from the top; checked on construction (InputError).

    ``layers`` to ``dropout`` are the cell's: ``readout`` is its last state or the mean of its states, ``dropout`` the
    share dropped between layers and before the classes. ``objective``: the cross-entropy of a softmax, or the squared
    error of sigmoid units against .9 and .1 (chapter 3).
    """

    plan: str = ""
    cell: str = ""
    layers: int = 1
    hidden: int = 128
    bidirectional: bool = False
    readout: str = "last"
    dropout: float = 0.0
    objective: str = "softmax"

    def __post_init__(self) -> None:
        if self.cell and self.plan:
            raise InputError(f"{self.cell} reads the rows of an image and has no plan of layers")
        if not self.cell:
            parse_plan(self.plan)
        for name, allowed in (("cell", ("", *GATES)), ("readout", READOUTS), ("objective", OBJECTIVES)):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} {getattr(self, name)!r}: expected one of {', '.join(filter(None, allowed))}")
        for name in ("layers", "hidden"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: expected at least 1")
        if not 0.0 <= self.dropout < 1.0:
            raise InputError(f"dropout {self.dropout}: expected a share from 0 to below 1")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> NetworkConfig:
        """From the JSON form in a model file; raises InputError on unknown fields."""
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"network config: {error}") from error

    to_json = asdict


@dataclass(frozen=True)
class Frame:
    """What a network has to know of its images: height and width, and the mean and deviation of a training pixel."""

    height: int
    width: int
    mean: float
    deviation: float

    to_json = asdict


class ImageNetwork(nn.Module):
    """Images (B, H, W) of bytes -> logits (B, classes), float32.

    ``products`` is the type in which all but the last layer computes (None: float32).
    """

    def __init__(self, config: NetworkConfig, frame: Frame, classes: int) -> None:
        super().__init__()
        self.config, self.frame, self.classes = config, frame, classes
        self.products: torch.dtype | None = None
        size = (frame.height, frame.width)
        self.body = Rows(config, frame.width) if config.cell else Layers(parse_plan(config.plan), size)
        self.output = nn.Linear(self.body.output_size, classes)
        initialise(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, images: Tensor) -> Tensor:
        x = (images.float() - self.frame.mean) / self.frame.deviation
        logits: Tensor = self.output(self.body(x.to(self.products)).float())
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

    def __init__(self, config: NetworkConfig, width: int) -> None:
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
