"""The processes that train one model together: data-parallel training with torch.distributed.

Every process, a *rank*, has the whole model and takes its part of the rows of every batch; their gradients are summed,
so that all take the same step. Rank 0 leads: it alone writes, evaluates and tells the user, by its clock. One process
alone is rank 0 of 1, for which everything here does nothing.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from seqtree.errors import InputError, SeqtreeError
from seqtree.nn.device import choose_device
from seqtree.nn.network import state_of

S = TypeVar("S")
T = TypeVar("T")
Rows = TypeVar("Rows", Tensor, "np.ndarray[Any, Any]")
APART = 2_654_435_761  # between the seeds of two ranks: far apart in the lowest 32 bits, all that a CPU generator takes
PATIENCE = timedelta(days=7)  # with the others, which may wait for an evaluation; that one has ended is known at once


class LostRankError(SeqtreeError):
    """Another process of the run has ended, so that this one cannot go on."""


class Place(NamedTuple):
    """Which process of a run this is: ``local`` counts those of this machine.

    They meet by a file of that name, ``store``, or else as the environment says, which torchrun has set.
    """

    rank: int = 0
    size: int = 1
    local: int = 0
    store: str = ""

    @classmethod
    def of_environment(cls) -> Place:
        """The place that torchrun has given this process; that of a process alone if there is none."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        if not all(os.environ.get(name, "").isdecimal() for name in names) or "MASTER_ADDR" not in os.environ:
            return cls()
        rank, size, local = (int(os.environ[name]) for name in names)
        return cls(rank, size, local)

    def device(self, name: str) -> str:
        """The device of this process for a run on the device called ``name``. Raises InputError."""
        if self.size == 1:
            return name
        device = choose_device(name)
        if device.index is not None:
            raise InputError(
                f"device {name!r}: each of {self.size} processes takes a GPU of its own; use --device cuda"
            )
        if device.type == "cuda" and self.local >= torch.cuda.device_count():
            raise InputError(f"device cuda: {torch.cuda.device_count()} GPUs here; expected one for each process")
        if device.type == "mps" and name != "auto":
            raise InputError("device mps: several processes can share the work of CPUs or CUDA GPUs only")
        return f"cuda:{self.local}" if device.type == "cuda" else "cpu"

    @contextmanager
    def joined(self, device: str) -> Iterator[Ranks]:
        """Inside, this process is one of the run's ranks. Raises InputError or LostRankError if it meets no others."""
        if self.size == 1:
            yield Ranks()
            return
        # Imported inside a group, this part of torch keeps it, with its threads, to the end: in default arguments.
        importlib.import_module("torch.distributed.nn.functional")
        if device.startswith("cuda"):
            torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo"
        store = dist.FileStore(self.store, self.size) if self.store else None  # type: ignore[attr-defined]
        try:
            dist.init_process_group(backend, store=store, rank=self.rank, world_size=self.size, timeout=PATIENCE)
        except (RuntimeError, ValueError) as error:
            if self.store:
                raise LostRankError(f"the other processes cannot be met ({_first_line(error)})") from error
            where = f"{os.environ['MASTER_ADDR']}:{os.environ.get('MASTER_PORT')}"
            raise InputError(f"the {self.size} processes cannot meet at {where} ({_first_line(error)})") from error
        try:
            yield Ranks(self.rank, self.size)
        finally:
            dist.destroy_process_group()


class Ranks:
    """One of ``size`` ranks, and what all of them do together, each by the same call at the same time.

    Raises LostRankError, whichever is called, if another process has ended.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """The seed of this rank's own random numbers; that of rank 0 is ``seed``."""
        return seed + self.rank * APART

    def part(self, rows: Rows, least: int = 1) -> Rows:
        """This rank's rows: those of ranks that have any are equally many but for one, and ``least`` or more.

        The first ranks have rows, the others none where there are too few.
        """
        parts = max(1, min(self.size, len(rows) // least))
        first, last = (-(-len(rows) * min(rank, parts) // parts) for rank in (self.rank, self.rank + 1))
        return rows[first:last]

    def check_rows(self, rows: int, least: int) -> None:
        """Raises InputError if batches of so many rows are too few for all ranks."""
        if rows < self.size * least:
            each = f"{least} of them" if least > 1 else "one"
            raise InputError(
                f"{self.size} processes, but a batch has {rows} rows: expected {each} at least for each process; "
                "choose a larger --batch or fewer processes"
            )

    def first(self, number: float) -> float:
        """Rank 0's number."""
        if self.size == 1:
            return number
        found = torch.tensor(number, dtype=torch.float64)
        with _talking():
            dist.broadcast(found, 0)
        return found.item()

    def any(self, flag: bool) -> bool:
        """Whether any rank says so."""
        if self.size == 1:
            return flag
        found = torch.tensor(int(flag))
        with _talking():
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return bool(found)

    def gathered(self, value: T) -> list[T]:
        """Every rank's value, by rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        with _talking():
            dist.all_gather_object(found, value)
        return found

    def joined_rows(self, carried: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of all ranks' rows, whose parts these are."""
        parts = self.gathered({name: tensor.cpu() for name, tensor in carried.items()} if self.size > 1 else carried)
        names = next((part.keys() for part in parts if part), ())
        return {name: torch.cat([part[name] for part in parts if part]) for name in names}

    def led(self, make: Callable[[], T]) -> T:
        """What rank 0 makes. Where it fails, so do all: rank 0 with its error, the others by leaving quietly."""
        if self.size == 1:
            return make()
        made: list[Any] = [0, None]
        error: Exception | None = None
        if self.leads:
            try:
                made[1] = make()
            except Exception as caught:
                made[0], error = _exit_code(caught), caught
        with _talking():
            dist.broadcast_object_list(made, 0)
        if made[0]:
            raise self.told(error, made[0])
        value: T = made[1]
        return value

    def alike(self, make: Callable[[], T]) -> T:
        """What every rank makes of the same, together with the others. Where it fails, rank 0 tells for all."""
        try:
            return make()
        except Exception as error:
            if self.leads or isinstance(error, LostRankError):
                raise
            raise SystemExit(_exit_code(error)) from error

    def together(self, make: Callable[[], T]) -> T:
        """What this rank makes, once all have made theirs. Where one fails, all do, and rank 0 tells its error."""
        if self.size == 1:
            return make()
        value, error = None, None
        try:
            value = make()
        except Exception as caught:
            error = caught
        said = self.gathered((_exit_code(error), str(error)) if error else (0, ""))
        rank, (code, text) = next(((rank, one) for rank, one in enumerate(said) if one[0]), (0, (0, "")))
        if code:
            other = (InputError if code == _exit_code(InputError()) else SeqtreeError)(f"process {rank}: {text}")
            raise self.told(error or other, code)
        return value  # type: ignore[return-value]

    def told(self, error: Exception | None, code: int = 1) -> BaseException:
        """What to raise for an error that all ranks meet: on rank 0 the error, elsewhere a quiet exit."""
        return error if error is not None and self.leads else SystemExit(code)

    def check_alike(self, facts: Mapping[str, Any]) -> None:
        """Raises InputError, naming the difference, if ranks differ in their facts, which have names."""
        first, *others = self.gathered(dict(facts))

        def check() -> None:
            for rank, other in enumerate(others, 1):
                names = [name for name in sorted(first.keys() | other.keys()) if first.get(name) != other.get(name)]
                if "data" in names:
                    raise InputError(f"process {rank} has other training or validation data than process 0")
                if names:
                    said = "; ".join(f"{name} is {other.get(name)}, not {first.get(name)}" for name in names)
                    raise InputError(f"process {rank} has other options than process 0, or another machine: {said}")

        self.together(check)

    def share_weights(self, network: nn.Module) -> None:
        """Give every rank rank 0's weights, should they have come out otherwise on another kind of machine."""
        if self.size > 1:
            with _talking():
                for tensor in state_of(network).values():
                    dist.broadcast(tensor, 0)

    def backward(self, parameters: Sequence[nn.Parameter], loss: Tensor | None, items: int) -> tuple[float, int]:
        """Make the gradients of the whole batch's mean loss; its value and its number of items.

        ``loss`` is the mean of this rank's part (None: it has no rows). A parameter has a gradient if it has one on any
        rank. Parts are weighted by their items, and summed in the order that torch.distributed has, always the same.
        """
        if self.size == 1 or (loss is not None and items):
            assert loss is not None
            loss.backward()
        if self.size == 1:
            return loss.item(), items  # type: ignore[union-attr]
        like = parameters[0]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        counts = like.new_tensor([*(p.grad is not None for p in parameters), 0.0, items])
        if loss is not None and items:
            counts[-2] = loss.detach() * items
        flat = torch.cat([*(gradient.flatten() * items for gradient in gradients), counts])
        with _talking():
            dist.all_reduce(flat)
        *there, summed, total = flat[-len(counts) :].tolist()
        total = max(total, 1.0)
        means = flat[: -len(counts)].div_(total).split([p.numel() for p in parameters])
        for parameter, mean, count in zip(parameters, means, there, strict=True):
            parameter.grad = mean.view_as(parameter) if count else None
        return summed / total, round(total)

    def share(self, function: Callable[[Sequence[S]], list[T]], items: Sequence[S]) -> list[T]:
        """What a function makes of a list of items, one list of results after another: each rank does a part of it.

        Where it fails on one rank, so do all, as with ``together``.
        """
        if self.size == 1:
            return function(items)
        first, last = (len(items) * rank // self.size for rank in (self.rank, self.rank + 1))
        mine = self.together(lambda: function(items[first:last]) if last > first else [])
        return [one for part in self.gathered(mine) for one in part]


@contextmanager
def _talking() -> Iterator[None]:
    """Around every call of torch.distributed."""
    try:
        yield
    except RuntimeError as error:
        raise LostRankError(f"another process of this run has ended ({_first_line(error)})") from error


def _exit_code(error: Exception) -> int:
    return 2 if isinstance(error, InputError) else 1


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
