"""Max and mean pooling (chapter 4)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from seqtree.reference.network import Array, Network, array


class Pooling(Network):
    """One number for each window of ``size`` x ``size``, ``stride`` (by default ``size``) apart.

    Rows and columns left over at the bottom and right are ignored. Images are (depth, height, width).
    """

    def __init__(self, size: int, stride: int | None = None) -> None:
        super().__init__()
        self.size, self.stride = size, stride or size

    def windows(self, x: Array) -> Array:
        """The windows (depth, height', width', size, size) of x, as a view, writable if x is."""
        S = self.stride
        every = sliding_window_view(x, (self.size, self.size), axis=(1, 2), writeable=x.flags.writeable)
        return every[:, ::S, ::S]


class MaxPooling(Pooling):
    """The maximum of each window; its error goes to the position of that maximum (the first, if there are several)."""

    def forward(self, x: Array) -> Array:
        """(depth, height', width') for x (depth, height, width)."""
        x = array("x", x, "depth", "height", "width")
        self.shape, windows = x.shape, self.windows(x)
        flat = windows.reshape(*windows.shape[:3], -1)
        self.place = flat.argmax(axis=-1)
        highest: Array = flat.max(axis=-1)
        return highest

    def backward(self, dy: Array) -> Array:
        """dE/dx (depth, height, width) from dE/dy (depth, height', width')."""
        dx = np.zeros(self.shape)
        windows = self.windows(dx)
        dy = array("dy", dy, *windows.shape[:3])
        for d, i, j in np.ndindex(dy.shape):
            m, n = divmod(int(self.place[d, i, j]), self.size)
            windows[d, i, j, m, n] += dy[d, i, j]
        return dx


class MeanPooling(Pooling):
    """The mean of each window; its error is spread evenly over the window.

    If the windows tile the image exactly, dx is the Kronecker product of dy and a window of 1/size^2.
    """

    def forward(self, x: Array) -> Array:
        """(depth, height', width') for x (depth, height, width)."""
        x = array("x", x, "depth", "height", "width")
        self.shape = x.shape
        means: Array = self.windows(x).mean(axis=(-2, -1))
        return means

    def backward(self, dy: Array) -> Array:
        """dE/dx (depth, height, width) from dE/dy (depth, height', width')."""
        dx = np.zeros(self.shape)
        windows = self.windows(dx)
        dy = array("dy", dy, *windows.shape[:3])
        for d, i, j in np.ndindex(dy.shape):
            windows[d, i, j] += dy[d, i, j] / self.size**2
        return dx
