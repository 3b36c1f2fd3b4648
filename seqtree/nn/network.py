"""What every network has: its configuration, and the number format of its larger products."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from seqtree.nn.casting import forget
from seqtree.settings import Settings

_LOCK = threading.RLock()  # torch has one default type for the whole process


class Network(nn.Module):
    """A module with a ``config``; ``products`` is the type in which larger products compute (None: the weights')."""

    config: Settings
    products: torch.dtype | None = None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def parameter_count(self) -> int:
        """How many numbers are learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def train(self, mode: bool = True) -> Self:
        """As torch's; copies of weights in other number formats are kept only until the network learns again."""
        if mode:
            forget(self.parameters())
        return super().train(mode)


def state_of(module: nn.Module) -> dict[str, Tensor]:
    """The parameters and persistent buffers by name; tied ones once, by the first of their names."""
    seen: set[int] = set()
    kept = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            kept[name] = tensor.detach()
    return kept


def check_tensors(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raises ValueError, naming the tensor, if one is missing, surplus, of another shape or kind, or not finite."""
    if missing := expected.keys() - tensors.keys():
        raise ValueError(f"the tensor {min(missing)} is missing")
    for name, tensor in tensors.items():
        if name not in expected:
            raise ValueError(f"there is a tensor {name} for which there is no place")
        if tensor.shape != expected[name].shape:
            raise ValueError(f"the tensor {name} is {tuple(tensor.shape)}, expected {tuple(expected[name].shape)}")
        if tensor.is_floating_point() != expected[name].is_floating_point() or tensor.is_complex():
            raise ValueError(f"the tensor {name} holds {tensor.dtype}, expected {expected[name].dtype}")
        if tensor.is_floating_point() and not tensor.float().isfinite().all():
            raise ValueError(f"the tensor {name} holds numbers that are not finite")


@torch.no_grad()
def load_state(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Give a module, which may be on the meta device, these parameters and buffers, cast to its types.

    Raises ValueError as ``check_tensors`` does.
    """
    expected = state_of(module)
    check_tensors(tensors, expected)
    loaded = {name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()}
    if any(tensor.is_meta for tensor in expected.values()):
        _materialise(module, loaded)
    else:
        for name, tensor in expected.items():
            tensor.copy_(loaded[name])


def _materialise(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put tensors in the place of parameters and buffers on the meta device; what is tied stays tied."""
    named = module.state_dict(keep_vars=True)
    made: dict[int, Tensor] = {}
    for name, tensor in tensors.items():
        old = named[name]
        made[id(old)] = nn.Parameter(tensor, old.requires_grad) if isinstance(old, nn.Parameter) else tensor
    for part in module.modules():
        for group in (part._parameters, part._buffers):
            for name, held in group.items():
                if held is not None and id(held) in made:
                    group[name] = made[id(held)]  # type: ignore[assignment]


@contextmanager
def skeleton() -> Iterator[None]:
    """Inside, modules are made on the meta device: shapes only, no memory, no random numbers."""
    with float32(), torch.device("meta"), _WithoutInitialisation():
        yield


@contextmanager
def float32() -> Iterator[None]:
    """Inside, weights are made in float32, whatever torch's default is; one thread at a time is inside."""
    with _LOCK:
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(default)


class _WithoutInitialisation(TorchFunctionMode):
    """Leaves out random initialisation, for which torch would first import its compiler on the meta device."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        module, name = getattr(func, "__module__", ""), getattr(func, "__name__", "")
        if module == "torch.nn.init" or name in ("normal_", "uniform_"):
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
