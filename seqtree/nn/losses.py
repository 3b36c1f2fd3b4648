"""Softmax cross-entropy over a large vocabulary, exact or from a part of it, and fast on CPUs.

For logits z = h W^T + b and target y, the loss is -log softmax(z)_y; its gradient with respect to z is softmax(z) minus
the one-hot target. So the forward pass can compute all gradients at once, and nothing of size (tokens, vocabulary) is
kept for the backward pass. With label smoothing e, the target is 1 - e of the one-hot one and e / V of every token.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.nn.casting import few

COMMON, SHARE = 2000, 8  # of sampled softmax: tokens that are always scored; of the others, one in so many
MULTIPLE = 64  # of which the number of scored tokens is one


def _with_bias(hidden: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """``hidden``, with zeros after its N rows (``few(N)``, K), and ``weight`` (V, K), both in ``dtype``.

    Their product includes the bias: it becomes two weight columns, its rounded value and the rounding error, multiplied
    by ones. A separate addition would cost a third as much as the product. K is a multiple of 8.
    """
    count, size = hidden.shape
    width = -(-(size + 2) // 8) * 8
    h = torch.zeros(few(count), width, dtype=dtype, device=hidden.device)
    h[:count, :size] = hidden
    h[:count, size : size + 2] = 1.0
    w = torch.zeros(weight.shape[0], width, dtype=dtype, device=weight.device)
    w[:, :size] = weight
    w[:, size] = bias
    w[:, size + 1] = bias - w[:, size]
    return h, w


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        dtype: torch.dtype,
        smoothing: float = 0.0,
    ) -> Tensor:
        (count, size), kept = hidden.shape, 1.0 - smoothing
        h, w = _with_bias(hidden, weight, bias, dtype)
        p = torch.softmax(F.linear(h, w), dim=1)  # (few(N), V)
        rows = weight[targets]  # (N, H)
        loss = -p[:count].gather(1, targets[:, None]).float().clamp_min(1e-38).log().mean()
        expected = (p @ w[:, :size])[:count].to(weight.dtype)
        d_hidden = expected.sub_(rows, alpha=kept)  # (N, H); the one-hot part is exact
        both = p.t() @ h  # (V, K); column ``size``, from the ones, is the gradient of the bias
        exact = hidden.to(weight.dtype)
        d_weight = both[:, :size].to(weight.dtype).index_add_(0, targets, exact, alpha=-kept)  # (V, H)
        d_bias = both[:, size].to(bias.dtype).sub_(torch.bincount(targets, minlength=len(bias)), alpha=kept)  # (V,)
        if smoothing:
            mean, share = weight.mean(dim=0), smoothing / len(bias)
            above = (
                (exact * (rows - mean)).sum(dim=1) + bias[targets] - bias.mean()
            )  # the target's logit, from the mean
            loss = loss + smoothing * above.mean()
            d_hidden.sub_(mean, alpha=smoothing)
            d_weight.sub_(exact.sum(dim=0), alpha=share)
            d_bias.sub_(share * count)
        ctx.save_for_backward(d_hidden.div_(count), d_weight.div_(count), d_bias.div_(count))
        ctx.hidden_dtype = hidden.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        (gradient,) = gradients
        return (d_hidden * gradient).to(ctx.hidden_dtype), d_weight * gradient, d_bias * gradient, None, None, None


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    dtype: torch.dtype = torch.float32,
    smoothing: float = 0.0,
) -> Tensor:
    """Mean cross-entropy in nats of ``targets`` (N,) under softmax(hidden (N, H) weight (V, H)^T + bias (V,)).

    ``smoothing``: the share of each target that all tokens have equally. With bfloat16 as ``dtype`` and gradients
    enabled, the matrix products run in it and the probabilities, normalised in float32, are rounded to it: an unbiased
    error of about 0.002 nats per token. Otherwise torch computes the exact result in the type of ``weight``.
    """
    if dtype == torch.bfloat16 and torch.is_grad_enabled():
        loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, bias, targets, dtype, smoothing)  # type: ignore[no-untyped-call]
        return loss
    logits = F.linear(hidden.to(weight.dtype), weight, bias)
    return F.cross_entropy(logits, targets, label_smoothing=smoothing)


def sampled_cross_entropy(
    hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, dtype: torch.dtype = torch.float32
) -> Tensor:
    """``linear_cross_entropy`` by sampled softmax, for training; the most common tokens should come first.

    Scored are the first ``COMMON`` tokens, all targets, and one in ``SHARE`` of the others, each time from another one
    on. The latter stand for all that are not scored: each counts ``SHARE`` times in the sum over the vocabulary. So the
    sum is right on average, and the loss and its gradients nearly are. Jean, Cho, Memisevic and Bengio 2015 score a
    sample in the same way, drawn by frequency from all tokens. Some more common tokens are scored, up to a multiple of
    ``MULTIPLE``, because oneDNN compiles a product for each size that it meets. Their number depends on the sample,
    which leaves a small error in the average.
    """
    scored = torch.zeros(len(bias), dtype=torch.bool, device=targets.device)
    shifts = torch.zeros_like(bias)  # of the logits: the logarithm of how often each counts
    drawn = slice(COMMON + int(torch.randint(SHARE, ())), None, SHARE)
    scored[drawn], shifts[drawn] = True, math.log(SHARE)
    for certain in (slice(COMMON), targets):
        scored[certain], shifts[certain] = True, 0.0
    count = int(scored.sum())
    if len(more := (~scored).nonzero()[: -count % MULTIPLE, 0]):
        scored[: more[-1] + 1], shifts[: more[-1] + 1] = True, 0.0
    kept, places = scored.nonzero()[:, 0], scored.cumsum(0) - 1
    return linear_cross_entropy(hidden, weight[kept], bias[kept] + shifts[kept], places[targets], dtype)


def most_scored(tokens: int, targets: int) -> int:
    """How many of a vocabulary's tokens sampled softmax scores at most."""
    return min(tokens, COMMON + max(0, tokens - COMMON) // SHARE + targets + MULTIPLE)
