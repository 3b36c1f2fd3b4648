"""Choice of device and floating-point precision; one CPU thread in a process that was forked.

Torch's threads do not survive a fork: a child would wait for ever for those that its parent has used. One that asks for
more than one thread (``torch.set_num_threads``) still does; a process that was spawned has its own.
"""

from __future__ import annotations

import os
from functools import partial

import torch

from seqtree.errors import InputError

PRECISIONS = ("auto", "fp32", "bf16")

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is a GPU if there is one. InputError if it is invalid or not available."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name) if isinstance(name, (str, torch.device)) else None
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise InputError(f"device {name!r}: expected auto, cpu, cuda, cuda:N or mps")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device {name!r}: this machine or this torch has no CUDA; use --device cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device {name!r}: this machine has {torch.cuda.device_count()} CUDA device(s), from cuda:0")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("device 'mps': not available here; use --device cpu")
    return device


def gpus_of(device: torch.device) -> list[torch.device]:
    """The device, if it is a GPU that works by itself, beside the thread that gives it work (CUDA)."""
    return [device] if device.type == "cuda" else []


def choose_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """bfloat16, or None for float32; ``precision`` is ``auto`` (bfloat16 where it is fast), ``fp32`` or ``bf16``.

    Raises InputError for any other.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision {precision!r}: expected {', '.join(PRECISIONS)}")
    if precision == "bf16" or (precision == "auto" and _fast_bfloat16(device)):
        return torch.bfloat16
    return None


def _fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # newer torch only
    return device.type == "cpu" and bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
