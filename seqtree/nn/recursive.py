"""The recursive network: one composition function for every node, over whole forests at once.

Formulas: chapter 7, p = f(W [c1; c2] + b) with f = tanh or ReLU; ``max`` is p = ReLU(W max(c1, c2) + b); ``lstm`` is
the binary tree LSTM of Tai, Socher and Manning 2015 (a forget gate for each child), whose node vectors are [h; c];
``rntn`` is the recursive neural tensor network of Socher et al. 2013, p = tanh(x^T V x + W x + b) with x = [c1; c2].
ReLU is clipped at 20 (Hannun et al. 2014), or the vectors of a deep tree could grow without limit. The forward pass and
backpropagation through structure both process all nodes of one height at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from seqtree.nn.casting import cast, product
from seqtree.nn.config import MAX_ACTIVATION

Ids = npt.NDArray[np.int64]


class Composition(nn.Module):
    """Parent vectors (M, D) from the vectors of left and right children (M, D); ``kind`` is one of ``COMPOSITIONS``.

    ``size`` D is the width of a node vector, of which scorers read only the first half, h, in a tree LSTM.
    ``update_dropout``: the share of a tree LSTM's new candidate values, g, that is dropped in training, so that memory
    itself is never lost (Semeniuta, Severyn and Barth 2016). ``tensor`` V (D, 2 D, 2 D), of ``rntn``: a bilinear form
    of the children for each unit. It computes in the type of the children.
    """

    def __init__(self, kind: str, size: int, update_dropout: float = 0.0) -> None:
        super().__init__()
        self.kind, self.size, self.update_dropout = kind, size, update_dropout
        self.output_size = size // 2 if kind == "lstm" else size
        inputs = size if kind in ("max", "lstm") else 2 * size
        self.linear = nn.Linear(inputs, 5 * self.output_size if kind == "lstm" else size)
        gain = math.sqrt(2.0) if kind in ("relu", "max") else 1.0
        nn.init.uniform_(self.linear.weight, -gain * math.sqrt(3.0 / inputs), gain * math.sqrt(3.0 / inputs))
        nn.init.zeros_(self.linear.bias)
        if kind == "rntn":
            self.tensor = nn.Parameter(torch.empty(size, 2 * size, 2 * size))
            nn.init.uniform_(self.tensor, -0.25 / size, 0.25 / size)

    def extra_repr(self) -> str:
        return f"{self.kind}, {self.size}"

    def output(self, nodes: Tensor) -> Tensor:
        """The part of node vectors that scorers read: (..., D) -> (..., output_size)."""
        return nodes[..., : self.output_size]

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        if self.kind == "max":
            return F.hardtanh(product(self.linear, torch.maximum(left, right)), 0.0, MAX_ACTIVATION)
        if self.kind == "lstm":
            return self._tree_lstm(left, right)
        both = torch.cat([left, right], dim=1)  # (M, 2 D)
        net = product(self.linear, both)
        if self.kind == "rntn":
            net = net + self._bilinear(both)
        return F.hardtanh(net, 0.0, MAX_ACTIVATION) if self.kind == "relu" else net.tanh()

    def _bilinear(self, both: Tensor) -> Tensor:
        """x^T V x for each unit (M, D), for rows x (M, 2 D)."""
        half = F.linear(both, cast(self.tensor, both.dtype).flatten(0, 1)).view(len(both), self.size, 2 * self.size)
        return (half @ both[:, :, None])[:, :, 0]

    def _tree_lstm(self, left: Tensor, right: Tensor) -> Tensor:
        (h_left, c_left), (h_right, c_right) = left.chunk(2, dim=1), right.chunk(2, dim=1)
        i, f_left, f_right, o, g = product(self.linear, torch.cat([h_left, h_right], dim=1)).chunk(5, dim=1)
        g = F.dropout(g.tanh(), self.update_dropout, self.training)
        c = i.sigmoid() * g + (f_left + 1).sigmoid() * c_left + (f_right + 1).sigmoid() * c_right
        return torch.cat([o.sigmoid() * c.tanh(), c], dim=1)


def bound(net: Tensor, kind: str) -> Tensor:
    """Leaves from what a layer computes, within the bounds of the vectors that this kind of composition makes."""
    return net.tanh() if kind in ("tanh", "lstm", "rntn") else F.hardtanh(net, 0.0, MAX_ACTIVATION)


def compose_forest(composition: Composition, leaves: Tensor, left: Ids, right: Ids) -> Tensor:
    """The vectors of all nodes of a forest, N leaves (N, D) and M inner nodes: (N + M, D).

    Inner node N + k has the children ``left[k]`` and ``right[k]`` (M,), both numbered below N + k; a node may be the
    child of several.
    """
    groups = [torch.from_numpy(group).to(leaves.device) for group in levels(len(leaves), left, right)]
    children = torch.from_numpy(np.stack([left, right])).to(leaves.device)
    trained = [parameter for parameter in composition.parameters() if parameter.requires_grad]
    nodes: Tensor = _Forest.apply(composition, groups, children, leaves, *trained)  # type: ignore[no-untyped-call]
    return nodes


def levels(leaves: int, left: Ids, right: Ids) -> list[Ids]:
    """The inner nodes k grouped by height, lowest first; a node is one higher than its higher child."""
    height = np.zeros(leaves + len(left), dtype=np.int64)
    while True:
        above = 1 + np.maximum(height[left], height[right])
        if np.array_equal(above, height[leaves:]):
            break
        height[leaves:] = above
    order = np.argsort(above, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(above[order])) + 1) if len(order) else []


class _Forest(torch.autograd.Function):
    """Keeps one autograd graph per height; the backward pass runs through them from the top down."""

    @staticmethod
    def forward(
        ctx: Any, composition: Composition, groups: list[Tensor], children: Tensor, leaves: Tensor, *parameters: Tensor
    ) -> Tensor:
        count = len(leaves)
        nodes = torch.cat([leaves, leaves.new_empty(children.shape[1], leaves.shape[1])])
        ctx.parameters, ctx.graphs, ctx.count = parameters, [], count
        for group in groups:
            ids = children[:, group]  # (2, m)
            with torch.enable_grad():
                left, right = (nodes[side].requires_grad_() for side in ids)
                parent = composition(left, right)
            nodes[group + count] = parent.detach()
            if any(ctx.needs_input_grad[3:]):
                ctx.graphs.append((group + count, ids, left, right, parent))
        return nodes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        gradient = gradient.clone()
        totals = [torch.zeros_like(parameter) for parameter in ctx.parameters]
        for nodes, ids, left, right, parent in reversed(ctx.graphs):
            inputs = (left, right, *ctx.parameters)
            d_left, d_right, *partial = torch.autograd.grad(parent, inputs, gradient[nodes], retain_graph=True)
            gradient.index_add_(0, ids[0], d_left).index_add_(0, ids[1], d_right)
            for total, part in zip(totals, partial, strict=True):
                total += part
        return None, None, None, gradient[: ctx.count], *totals
