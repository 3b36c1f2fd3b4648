"""AdamW and SGD by PyTorch's functions: its classes do the same, but load its compiler, half of a start."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from seqtree.nn.network import check_tensors
from seqtree.training.settings import TrainingSettings


@dataclass(frozen=True)
class _Group:
    """Parameters that are learned alike; ``factor`` is of the learning rate."""

    parameters: list[nn.Parameter]
    weight_decay: float
    factor: float = 1.0
    epsilon: float = 1e-8


class Optimizer:
    """Moves a network's parameters against their gradients, by AdamW (Loshchilov and Hutter 2019) or SGD.

    Vectors (biases) are not decayed. Beside AdamW, a parameter with a ``descent`` is learned by gradient descent with
    momentum at that many times the learning rate, so that a weight that has a gradient now and then moves by its size:
    an epsilon far above any gradient makes that of AdamW.
    """

    def __init__(self, network: nn.Module, settings: TrainingSettings) -> None:
        self.settings = settings
        self.adam = settings.optimizer == "adamw"
        alone = [p for p in network.parameters() if self.adam and hasattr(p, "descent")]
        ordinary = [p for p in network.parameters() if not (self.adam and hasattr(p, "descent"))]
        self.groups = [
            _Group([p for p in ordinary if p.ndim > 1], settings.weight_decay),
            _Group([p for p in ordinary if p.ndim <= 1], 0.0),
            *(_Group([p], settings.weight_decay / p.descent, p.descent, 1.0) for p in alone),
        ]
        self.parameters = [p for group in self.groups for p in group.parameters]
        self.state: dict[nn.Parameter, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient, at this learning rate."""
        for group in self.groups:
            if moved := [p for p in group.parameters if p.grad is not None]:
                (self._by_adamw if self.adam else self._by_sgd)(group, moved, rate * group.factor)

    def _by_adamw(self, group: _Group, moved: list[nn.Parameter], rate: float) -> None:
        for p in moved:
            if p not in self.state:
                self.state[p] = self._first(p)
        states = [self.state[p] for p in moved]
        adamw(
            list[Tensor](moved),
            _gradients(moved),
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=self.settings.beta2,
            lr=rate,
            weight_decay=group.weight_decay,
            eps=group.epsilon,
            maximize=False,
        )

    def _by_sgd(self, group: _Group, moved: list[nn.Parameter], rate: float) -> None:
        buffers = [self.state.get(p, {}).get("momentum_buffer") for p in moved]
        sgd(
            list[Tensor](moved),
            _gradients(moved),
            buffers,
            weight_decay=group.weight_decay,
            momentum=self.settings.momentum,
            lr=rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        for p, buffer in zip(moved, buffers, strict=True):
            if buffer is not None:
                self.state[p] = {"momentum_buffer": buffer}

    def _first(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """AdamW's means of a parameter's gradients and of their squares, and its number of steps, before the first."""
        means = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
        return means | {"step": torch.zeros((), dtype=torch.float32, device=parameter.device)}

    def tensors(self) -> dict[str, Tensor]:
        """What the next step needs, by the number of the parameter and a name, for the checkpoint."""
        numbered = enumerate(self.parameters)
        return {f"{number}.{name}": t for number, p in numbered for name, t in self.state.get(p, {}).items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint. Raises ValueError or IndexError if it does not fit."""
        found: dict[nn.Parameter, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            number, name = key.split(".")
            found.setdefault(self.parameters[int(number)], {})[name] = tensor
        for parameter, values in found.items():
            expected = self._first(parameter) if self.adam else {"momentum_buffer": parameter}
            check_tensors(values, expected)
            self.state[parameter] = {name: value.to(expected[name]) for name, value in values.items()}


def _gradients(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]
