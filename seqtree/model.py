"""What every trained model is: a network with all that it needs to be used, in one file; and opening any of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor

from seqtree import modelfile, shipped
from seqtree.errors import ModelFileError, check_count
from seqtree.nn.device import choose_device, choose_dtype
from seqtree.nn.network import Network, float32, load_state, skeleton, state_of
from seqtree.nn.randomness import seeded
from seqtree.tasks import TASKS, holds, named
from seqtree.wording import a, counted

N = TypeVar("N", bound=Network)
KNOWN = {  # what models know by name: the attribute, and what each of it is called
    "lexicon": "word",
    "vocabulary": "token",
    "source": "source token",
    "target": "target token",
    "tags": "tag",
    "labels": "label",
    "classes": "class",
}


class Model(Generic[N]):
    """A network and its vocabularies; a subclass says its ``kind``, its ``contents``, and how to be made of them."""

    kind: ClassVar[str]
    default_precision: ClassVar[str] = "auto"
    network: N

    @abstractmethod
    def contents(self) -> dict[str, Any]:
        """Everything but the weights as JSON values: settings, vocabularies, classes."""

    @classmethod
    @abstractmethod
    def from_contents(cls, contents: dict[str, Any]) -> Self:
        """A model without weights. Raises KeyError, TypeError, ValueError or InputError for invalid contents."""

    @classmethod
    def upgraded(cls, contents: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Contents and tensors of a file of an earlier seqtree as they are written today."""
        return contents, tensors

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu", precision: str | None = None) -> Self:
        """Open a model file, a run folder, or a model that comes with seqtree by its name; no code in it is run.

        path: a string may be such a name (``seqtree models`` lists them), unless a file or run of the same name is in
        the current folder; a ``Path`` never is.

        device: auto, cpu, cuda, cuda:N or mps. precision: auto, fp32 or bf16, for the larger products (None: as this
        kind of model is used best).
        Raises ModelFileError if there is no such file, or it is damaged or of another kind, InputError if there is no
        such device.
        """
        path = shipped.located(path, cls.kind)
        kind, contents, tensors = modelfile.load(path)
        if kind != cls.kind:
            raise ModelFileError(f"{path}: {holds(kind)}, expected {a(cls.kind)}")
        return cls._opened(path, contents, tensors).to(device, precision)

    @classmethod
    def from_arrays(
        cls,
        path: Path,
        contents: dict[str, Any],
        arrays: Mapping[str, npt.NDArray[Any]],
        device: str = "cpu",
        precision: str | None = None,
    ) -> Self:
        """What ``load`` makes of a file of this kind that has been read already (``modelfile.load_arrays``)."""
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return cls._opened(path, contents, tensors).to(device, precision)

    @classmethod
    def _opened(cls, path: Path, contents: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        try:
            contents, tensors = cls.upgraded(contents, tensors)
            with skeleton():
                model = cls.from_contents(contents)
            load_state(model.network, tensors)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError, OverflowError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ModelFileError(f"{path}: its parts do not fit together ({reason})") from error
        model.network.eval()
        return model

    def save(self, path: str | Path, half: bool = False) -> None:
        """Write the model file, whole or not at all; ``half``: with 16 bits per weight. Raises OSError."""
        tensors = state_of(self.network)
        if half:
            tensors = {
                name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
            }
        modelfile.save(Path(path), self.kind, self.contents(), tensors)

    def to(self, device: str = "cpu", precision: str | None = None) -> Self:
        """Move the model to a device and choose the format of its larger products. Raises InputError."""
        place = choose_device(device)
        self.network.to(place).products = choose_dtype(precision or self.default_precision, place)
        return self

    def __repr__(self) -> str:
        parts = ((getattr(self, name, None), noun) for name, noun in KNOWN.items())
        known = [counted(len(part), noun) for part, noun in parts if isinstance(part, Sized)]
        return f"<{type(self).__name__}: {', '.join([counted(self.network.parameter_count, 'parameter'), *known])}>"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.device


def load(path: str | Path, device: str = "cpu", precision: str | None = None) -> Model[Any]:
    """Open a run folder or a model file of any kind: a ``LanguageModel``, a ``Parser``, an ``ImageClassifier``.

    Or a model that comes with seqtree, by its name, as ``Model.load`` does: ``"default"`` is a parser.
    Raises ModelFileError if there is none, or it is damaged or no model, InputError if there is no such device.
    """
    path = shipped.located(path)
    kind, contents, tensors = modelfile.load(path)
    for entry in TASKS.values():
        if entry.kind == kind:
            model_class: type[Model[Any]] = named(entry.model)
            return model_class._opened(path, contents, tensors).to(device, precision)
    raise ModelFileError(f"{path}: {holds(kind)}, expected a model")


def untrained(make: Callable[[], N], seed: int) -> N:
    """A network with random weights, the same for the same seed; torch's own random numbers are left as they are.

    Raises InputError for a seed that is no whole number from 0.
    """
    check_count("seed", seed, 0)
    with float32(), seeded(seed):
        return make().eval()
