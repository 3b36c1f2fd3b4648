"""The layers of a plan, as one torch module.

Layers compute in the type of their input (float32 or bfloat16), to which the weights are cast. Images are channels-last
in memory, the fastest layout for convolutions on a CPU.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.images.plan import Conv, Full, Plan, Pool, Step, plan_sizes
from seqtree.nn.casting import cast
from seqtree.nn.dropout import dropout_mask

LEAK = 0.01  # the slope of leaky ReLU below zero


class Layers(nn.Module):
    """The steps of a plan: images (B, H, W) -> (B, output_size). Raises InputError for a step that does not fit.

    ``field`` is the receptive field, height and width, of the first layer with weights.
    """

    def __init__(self, plan: Plan, size: tuple[int, int]) -> None:
        super().__init__()
        sizes = [(1, *size), *plan_sizes(plan, size)]
        modules: list[tuple[str, nn.Module]] = []
        for number, (step, (below, above)) in enumerate(zip(plan, pairwise(sizes), strict=True), 1):
            modules += [(f"{name}{number}", module) for name, module in _modules(step, below, above)]
        for i, ((_, first), (_, second)) in enumerate(list(pairwise(modules))):
            if isinstance(first, Activation) and isinstance(second, nn.MaxPool2d):
                # activations are monotone, so pool first: there are fewer values to activate
                modules[i], modules[i + 1] = modules[i + 1], modules[i]
        self.steps = nn.Sequential(OrderedDict(modules))
        self.output_size = math.prod(sizes[-1])
        self.field = _first_field(plan, sizes)

    def forward(self, images: Tensor) -> Tensor:
        x = images[..., None].permute(0, 3, 1, 2)  # (B, 1, H, W), channels last
        flat: Tensor = self.steps(x).flatten(1)  # (B, output_size)
        return flat


def _first_field(plan: Plan, sizes: list[tuple[int, ...]]) -> tuple[int, int]:
    for step, below in zip(plan, sizes, strict=False):
        if isinstance(step, Conv):
            return step.field, step.field
        if isinstance(step, Full):
            return below[1], below[2]
    return sizes[-1][1], sizes[-1][2]


def _modules(step: Step, below: tuple[int, ...], above: tuple[int, ...]) -> list[tuple[str, nn.Module]]:
    """The modules of a step, in order: convolution, product or pooling, normalisation, activation, dropout."""
    modules: list[tuple[str, nn.Module]] = []
    if isinstance(step, Pool):
        modules.append(("pool", nn.MaxPool2d(step.size) if step.kind == "max" else nn.AvgPool2d(step.size)))
    else:
        outputs = above[0] * (2 if step.activation == "maxout" else 1)
        if isinstance(step, Conv):
            modules.append(("conv", Convolution(below[0], outputs, step)))
        else:
            modules += [("flat", nn.Flatten()), ("full", FullyConnected(math.prod(below), outputs, step))]
        if step.norm:
            norm = nn.BatchNorm2d if isinstance(step, Conv) else nn.BatchNorm1d
            modules.append(("norm", norm(outputs, momentum=None)))
        modules.append(("activation", Activation(step.activation)))
    if step.drop:
        modules.append(("drop", Dropout(step.drop)))
    return modules


def initialise(weight: Tensor, activation: str = "linear") -> None:
    """Uniform with variance 1 / inputs, or 2 / inputs before a ReLU (He et al. 2015)."""
    gain = math.sqrt(2.0) if activation in ("relu", "leaky") else 1.0
    bound = gain * math.sqrt(3.0 / weight[0].numel())
    nn.init.uniform_(weight, -bound, bound)


class Convolution(nn.Conv2d):
    """Chapter 4's cross-correlation: (B, C, H, W) -> (B, outputs, H', W'), without a bias if a norm follows."""

    def __init__(self, channels: int, outputs: int, step: Conv) -> None:
        super().__init__(channels, outputs, step.field, step.stride, step.pad, bias=not step.norm)
        initialise(self.weight, step.activation)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        bias = None if self.bias is None else cast(self.bias, input.dtype)
        return F.conv2d(input, cast(self.weight, input.dtype), bias, self.stride, self.padding)


class FullyConnected(nn.Linear):
    """W x + b: (B, inputs) -> (B, outputs), without a bias if a norm follows."""

    def __init__(self, inputs: int, outputs: int, step: Full) -> None:
        super().__init__(inputs, outputs, bias=not step.norm)
        initialise(self.weight, step.activation)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        bias = None if self.bias is None else cast(self.bias, input.dtype)
        return F.linear(input, cast(self.weight, input.dtype), bias)


class Activation(nn.Module):
    """An activation of a plan, always monotone; maxout halves the channels: (B, 2 C, ...) -> (B, C, ...)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def extra_repr(self) -> str:
        return self.kind

    def forward(self, input: Tensor) -> Tensor:
        match self.kind:
            case "relu":
                return input.relu()
            case "leaky":
                return F.leaky_relu(input, LEAK)
            case "tanh":
                return input.tanh()
            case "sigmoid":
                return input.sigmoid()
            case "maxout":
                return torch.maximum(*input.chunk(2, dim=1))
        return input


class Dropout(nn.Module):
    """Drops values at the given rate in training: (B, ...) -> (B, ...)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def extra_repr(self) -> str:
        return f"{self.rate}"

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return input
        if input.ndim == 2:
            return input * dropout_mask(input.shape, self.rate, input)
        last = input.permute(0, 2, 3, 1)  # channels last, so that the mask has the memory layout of the input
        return (last * dropout_mask(last.shape, self.rate, input)).permute(0, 3, 1, 2)
