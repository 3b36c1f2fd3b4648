"""LSTM layers for CPUs: one for learning, with bfloat16 products, and one for reading, whose weights are laid out once.

Formulas: chapter 6, gates in torch's order (i, f, g, o). ``lstm_layer`` learns faster than oneDNN's where the weights
do not fit into the cache. oneDNN adds to the weight gradients at every time step, which moves them through memory T
times; here a step computes only the gradients of the gates, and one product over all steps then gives the gradient of
each weight matrix. Matrix products take bfloat16; everything else is float32, the cell state included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.nn.casting import cast, kept

AT_ONCE = 1 << 17  # rows times units whose derivatives are computed together, so that they stay in the cache
LSTM = 2  # torch's number of this kind of layer


class _LSTMLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        (steps, batch, _), size, dtype = x.shape, h.shape[1], x.dtype
        wide = torch.promote_types(dtype, torch.float32)
        w_ih, w_hh = w_ih.to(dtype), w_hh.to(dtype)
        gates = F.linear(x, w_ih).to(wide).add_(bias)  # (T, B, 4H); the activations are computed in place
        hs = torch.empty(steps + 1, batch, size, dtype=dtype)
        cs = torch.empty(steps + 1, batch, size, dtype=wide)
        hs[0], cs[0] = h, c
        tanh_c = torch.empty(steps, batch, size, dtype=wide)
        product = _product(w_hh, batch)
        for t in range(steps):
            gate = gates[t].add_(product(hs[t]))
            gate[:, : 2 * size].sigmoid_()
            gate[:, 2 * size : 3 * size].tanh_()
            gate[:, 3 * size :].sigmoid_()
            i, f, g, o = gate.split(size, dim=1)
            torch.mul(f, cs[t], out=cs[t + 1]).addcmul_(i, g)
            torch.tanh(cs[t + 1], out=tanh_c[t])
            torch.mul(o, tanh_c[t], out=hs[t + 1])
        ctx.save_for_backward(x, gates, hs, cs, tanh_c, w_ih, w_hh)
        return hs[1:].clone(), hs[steps].clone(), cs[steps].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        d_output, d_h, d_c = gradients
        x, gates, hs, cs, tanh_c, w_ih, w_hh = ctx.saved_tensors
        (steps, batch, width), size, dtype, wide = x.shape, hs.shape[2], x.dtype, gates.dtype
        forget = gates[:, :, size : 2 * size]
        d_gates = torch.empty(steps, batch, 4, size, dtype=dtype)
        d_output, d_h, d_c = d_output.to(wide), d_h.to(wide, copy=True), d_c.clone()
        product, count = _product(w_hh.t(), batch), max(1, AT_ONCE // (batch * size))
        for t in range(steps - 1, -1, -1):
            if (place := t % count) == count - 1 or t == steps - 1:  # of the steps from here on backward
                part = slice(t - place, t + 1)
                slopes, slope_c = _slopes(gates[part], cs[part], tanh_c[part])
            d_h += d_output[t]
            d_c.addcmul_(d_h, slope_c[place])
            torch.mul(slopes[place, :, :3], d_c[:, None], out=d_gates[t, :, :3])
            torch.mul(slopes[place, :, 3], d_h, out=d_gates[t, :, 3])
            d_c *= forget[t]
            d_h.copy_(product(d_gates[t].view(batch, 4 * size)))
        flat = d_gates.view(steps * batch, 4 * size)
        d_w_ih = (flat.t() @ x.reshape(-1, width)).to(wide)
        d_w_hh = (flat.t() @ hs[:-1].reshape(-1, size)).to(wide)
        d_bias = (torch.ones(1, len(flat), dtype=dtype) @ flat)[0].to(wide)
        return (flat @ w_ih).view_as(x), d_h.to(dtype), d_c, d_w_ih, d_w_hh, d_bias


def _product(weight: Tensor, rows: int) -> Callable[[Tensor], Tensor]:
    """The product of so many rows (B, K) with a weight (N, K), laid out once for all time steps where torch can."""
    if weight.dtype == torch.bfloat16 and _packs(weight.dtype):
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
        return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
    transposed = weight.t().contiguous()
    return lambda x: torch.mm(x, transposed)


def _slopes(gates: Tensor, c_before: Tensor, tanh_c: Tensor) -> tuple[Tensor, Tensor]:
    """Local derivatives: of c (for i, f, g) and h (for o) by the gates' inputs, (T, B, 4, H), and of h by c."""
    i, f, g, o = gates.split(c_before.shape[2], dim=2)
    slopes = torch.empty(*c_before.shape[:2], 4, c_before.shape[2], dtype=gates.dtype)
    torch.mul(i * g, 1 - i, out=slopes[:, :, 0])
    torch.mul(c_before * f, 1 - f, out=slopes[:, :, 1])
    torch.mul(i, 1 - g * g, out=slopes[:, :, 2])
    torch.mul(tanh_c * o, 1 - o, out=slopes[:, :, 3])
    return slopes, (1 - tanh_c * tanh_c).mul_(o)


def lstm_layer(
    x: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One layer over a sequence on the CPU: x (T, B, E), h (B, H), c (B, H) -> (T, B, H), (B, H), (B, H).

    ``weight_ih`` (4H, E), ``weight_hh`` (4H, H), ``bias`` (4H,), the sum of torch's two, and the cell state are float32
    if x is bfloat16, and float64 if x is. All six arguments get gradients.
    """
    output, h, c = _LSTMLayer.apply(x, h, c, weight_ih, weight_hh, bias)  # type: ignore[no-untyped-call]
    return output, h, c


@cache
def _packs(dtype: torch.dtype) -> bool:
    """Whether this build of torch and this processor have packed layers in a number format."""
    operators = torch.ops.mkldnn
    if not (torch.backends.mkldnn.is_available() and hasattr(operators, "_reorder_mkldnn_rnn_layer_weight")):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(operators._is_mkldnn_bf16_supported()))


def can_be_packed(x: Tensor) -> bool:
    """Whether ``packed_lstm_layer`` can read this input: on a CPU, without gradients."""
    return not torch.is_grad_enabled() and x.device.type == "cpu" and x.numel() > 0 and _packs(x.dtype)


def packed_lstm_layer(
    x: Tensor, h: Tensor, c: Tensor, weights: list[Tensor], backward: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """oneDNN's layer over sequences without padding: x (T, B, E), h and c (1, B, H) -> (T, B, H), (1, B, H), (1, B, H).

    ``weights`` are torch's two matrices and two biases of the layer; ``backward``: it reads from the end. The result is
    that of ``torch.lstm``, which lays the weights out anew in each call: for a single sentence that takes half of the
    time, and for a single step three quarters.
    """
    dtype, size = x.dtype, h.shape[2]
    w_ih, w_hh, *biases = weights

    def laid_out() -> tuple[Tensor, Tensor]:
        reorder = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight
        first, second = reorder(w_ih.detach().to(dtype), w_hh.detach().to(dtype), size, backward, True, False)
        return first, second

    packed = kept((w_ih, w_hh), ("packed", dtype, backward), laid_out)
    b_ih, b_hh = (cast(bias, dtype) for bias in biases)
    output, h, c, _ = torch.mkldnn_rnn_layer(
        x.contiguous(),
        *packed,
        b_ih,
        b_hh,
        h.to(dtype),
        c.to(dtype),
        reverse=backward,
        batch_sizes=[],
        mode=LSTM,
        hidden_size=size,
        num_layers=1,
        has_biases=True,
        bidirectional=False,
        batch_first=False,
        train=False,
    )
    return output, h, c
