"""Random numbers that depend on a seed alone, whatever other threads do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

_LOCK = threading.RLock()  # torch has one generator for the whole process


@contextmanager
def seeded(seed: int, gpus: Sequence[torch.device] = ()) -> Iterator[None]:
    """Inside, torch's random numbers are those of ``seed``; afterwards its generator is as it was before.

    Only one thread at a time is inside. ``gpus`` are the GPUs whose generators are put back as well.
    """
    with _LOCK, torch.random.fork_rng(devices=list(gpus)):
        torch.manual_seed(seed)
        yield
