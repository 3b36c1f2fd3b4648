"""The convolutional layer: depth, zero padding, stride (chapter 4; LeCun et al. 1998)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from seqtree.reference.activations import RELU, Activation
from seqtree.reference.network import Array, Network, array, initial


def cross_correlate(x: Array, filters: Array) -> Array:
    """y_kij = sum_dmn w_kdmn x_d,i+m,j+n: x (D, H, W), filters (K, D, M, N) -> (K, H-M+1, W-N+1)."""
    windows = sliding_window_view(x, filters.shape[2:], axis=(1, 2))  # (D, H-M+1, W-N+1, M, N)
    sums: Array = np.einsum("dijmn,kdmn->kij", windows, filters)
    return sums


def output_size(size: int, filter_size: int, padding: int, stride: int) -> int:
    """(W - F + 2P) / S + 1, rounded down: the number of filter positions along one side of an image.

    >>> output_size(5, 3, padding=1, stride=2)
    3
    """
    return (size - filter_size + 2 * padding) // stride + 1


class Convolution(Network):
    """a_kij = f(sum_dmn w_kdmn x_d,iS+m,jS+n + b_k) on a zero-padded image: what deep learning calls a convolution.

    W (filters, depth, M, N) and b (filters,); ``size`` is (M, N); the stride S and the padding are the same along both
    sides. Images are (depth, height, width).
    """

    def __init__(
        self,
        depth: int,
        filters: int,
        size: tuple[int, int],
        rng: np.random.Generator,
        padding: int = 0,
        stride: int = 1,
        f: Activation = RELU,
    ) -> None:
        super().__init__()
        self.padding, self.stride, self.f = padding, stride, f
        self.parameters = {"W": initial(rng, filters, depth, *size), "b": np.zeros(filters)}

    def forward(self, x: Array) -> Array:
        """a (filters, height', width') for x (depth, height, width); :func:`output_size` gives the sides."""
        P, S = self.padding, self.stride
        self.x = np.pad(array("x", x, self.parameters["W"].shape[1], "height", "width"), ((0, 0), (P, P), (P, P)))
        net = cross_correlate(self.x, self.parameters["W"])[:, ::S, ::S]
        self.a = self.f(net + self.parameters["b"][:, None, None])
        return self.a.copy()

    def backward(self, da: Array) -> Array:
        """dE/dx (depth, height, width) from dE/da (filters, height', width').

        The error map is first spread out to its size at stride 1, with zeros in between. dW is the input
        cross-correlated with it, db its sum, and dx the zero-padded map cross-correlated with the filters rotated by
        180 degrees.
        """
        P, S, W = self.padding, self.stride, self.parameters["W"]
        (_, height, width), (M, N) = self.x.shape, W.shape[2:]
        delta = np.zeros((len(W), height - M + 1, width - N + 1))
        delta[:, ::S, ::S] = array("da", da, *self.a.shape) * self.f.slope(self.a)
        windows = sliding_window_view(self.x, delta.shape[1:], axis=(1, 2))  # (depth, M, N, height-M+1, width-N+1)
        self.gradients = {"W": np.einsum("dmnij,kij->kdmn", windows, delta), "b": delta.sum(axis=(1, 2))}
        padded = np.pad(delta, ((0, 0), (M - 1, M - 1), (N - 1, N - 1)))
        dx = cross_correlate(padded, W.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1])  # (depth, height, width), with padding
        return dx[:, P : height - P, P : width - P]
