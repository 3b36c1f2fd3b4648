"""Training images a little moved, turned and stretched, a whole batch at once, and never twice the same."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.images.config import Augmentation


class AugmentedImages:
    """Batches of ``images`` (N, H, W), changed by torch's random numbers; outside them all is 0, the ground."""

    def __init__(self, images: Tensor, augmentation: Augmentation) -> None:
        self.augmentation = augmentation
        height, width = images.shape[1:]
        padded = F.pad(images, (augmentation.shift,) * 4)
        self.windows = padded.unfold(1, height, 1).unfold(2, width, 1)  # (N, 2 shift + 1, 2 shift + 1, H, W), a view

    def batch(self, numbers: Tensor) -> Tensor:
        """The images of these ``numbers`` (B,): (B, H, W), bytes, or float32 where they were not only moved."""
        shifts = torch.randint(self.windows.shape[1], (2, len(numbers)), device=numbers.device)
        images = self.windows[numbers, shifts[0], shifts[1]]
        a = self.augmentation
        return self._bent(images.float()) if a.turn or a.stretch or a.slant else images

    def _bent(self, images: Tensor) -> Tensor:
        """Each image under a linear map of its own about its middle, bilinear between pixels: (B, H, W)."""
        a, (count, height, width) = self.augmentation, images.shape
        random = torch.rand(4, count, 1, 1, dtype=images.dtype, device=images.device) * 2 - 1
        angle, slant = random[0] * math.radians(a.turn), random[1] * a.slant
        across, down = 1 + random[2] * a.stretch, 1 + random[3] * a.stretch
        y = torch.arange(height, dtype=images.dtype, device=images.device)[:, None] - (height - 1) / 2
        x = torch.arange(width, dtype=images.dtype, device=images.device) - (width - 1) / 2
        cos, sin = angle.cos(), angle.sin()
        x, y = cos * x - sin * y, sin * x + cos * y  # (B, H, W): where in the image each pixel comes from
        x, y = (x + slant * y) * across, y * down
        grid = torch.stack([x * (2 / width), y * (2 / height)], dim=3)  # from -1 to 1, edge to edge
        return F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]
