"""The sums of gradients over several processes, added up while the rest of them is still being made.

Gradients are put into buckets, from the last parameter to the first, which is about the order in which backpropagation
makes them. A bucket is sent as soon as its gradients are there and those before it are sent, so that all processes send
the same buckets in the same order; Li et al. 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel
Training".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

BUCKET = 1 << 19  # numbers; a larger parameter has a bucket of its own


class GradientSums:
    """Sums of the gradients of some parameters, all of one type and on one device.

    talking: a context for calls of torch.distributed.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], talking: Callable[[], AbstractContextManager[None]]) -> None:
        self.parameters, self.talking = list(parameters), talking
        self.places: dict[nn.Parameter, tuple[int, Tensor]] = {}  # the bucket of each, and its part of that
        self.buckets: list[Tensor] = []
        group: list[nn.Parameter] = []
        for parameter in reversed(self.parameters):
            if group and sum(p.numel() for p in group) + parameter.numel() > BUCKET:
                self._add(group)
                group = []
            group.append(parameter)
        self._add(group)
        self.made: set[nn.Parameter] = set()
        self.missing: list[int] = []
        self.works: list[Any] = []

    def _add(self, group: Sequence[nn.Parameter]) -> None:
        flat = group[0].new_zeros(sum(p.numel() for p in group))
        for parameter, part in zip(group, flat.split([p.numel() for p in group]), strict=True):
            self.places[parameter] = len(self.buckets), part.view_as(parameter)
        self.buckets.append(flat)

    def backward(self, loss: Tensor | None, more: Sequence[float]) -> list[float]:
        """Make the sums over all processes of the gradients of their losses (None: it has none) the gradients here.

        A parameter has a gradient if it has one in any process. Returns the sums of the numbers ``more``.
        """
        self.made, self.works = set(), []
        self.missing = [0] * len(self.buckets)
        for bucket, _ in self.places.values():
            self.missing[bucket] += 1
        if loss is not None:
            hooks = [p.register_post_accumulate_grad_hook(self._take) for p in self.parameters]
            try:
                loss.backward()
            finally:
                for hook in hooks:
                    hook.remove()
        for parameter in self.parameters:
            if parameter not in self.made:
                self.places[parameter][1].zero_()
        while len(self.works) < len(self.buckets):
            self._send()
        like = self.parameters[0]
        facts = like.new_tensor([*(p in self.made for p in self.parameters), *more])
        with self.talking():
            self.works.append(dist.all_reduce(facts, async_op=True))
            for work in self.works:
                work.wait()
        there, sums = facts[: len(self.parameters)].tolist(), facts[len(self.parameters) :].tolist()
        for parameter, count in zip(self.parameters, there, strict=True):
            parameter.grad = self.places[parameter][1] if count else None
        return sums

    def divide(self, total: float) -> None:
        """Divide the sums by a number."""
        torch._foreach_div_(self.buckets, total)

    def _take(self, parameter: Tensor) -> None:
        """Put a gradient that is complete into its bucket, and send those buckets whose turn it is."""
        assert isinstance(parameter, nn.Parameter)
        assert parameter.grad is not None
        bucket, place = self.places[parameter]
        place.copy_(parameter.grad)
        parameter.grad = None
        self.made.add(parameter)
        self.missing[bucket] -= 1
        while len(self.works) < len(self.buckets) and not self.missing[len(self.works)]:
            self._send()

    def _send(self) -> None:
        with self.talking():
            self.works.append(dist.all_reduce(self.buckets[len(self.works)], async_op=True))
