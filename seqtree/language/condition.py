"""A class as the condition of a language model: p(text | class), 1 -> N in the words of chapter 5.

The class's learned vector v enters the first state, s_0 = tanh(W_s v), the input of every step, x_t + W_x v, or both.
Without a class v is 0, so that the network is exactly the one without a condition; some classes are left out in
training, so that one network learns both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqtree.errors import InputError
from seqtree.language.config import ConditionSettings
from seqtree.modelfile import texts
from seqtree.nn.recurrent import State
from seqtree.text.items import listed
from seqtree.text.lexicon import LabelSet

STORED = ("condition_in", "condition_size")  # settings that are the network's shape
DEVIATION = 0.5  # of the initial vectors


@dataclass(frozen=True)
class Classes:
    """The classes that a model knows, how many training texts each had, and how they enter the network."""

    labels: LabelSet[str]
    counts: tuple[int, ...]
    settings: ConditionSettings

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.labels) or not all(type(n) is int and 0 < n < 1 << 53 for n in self.counts):
            raise InputError(f"{len(self.counts)} counts above 0 are expected for {len(self.labels)} classes")

    def number(self, label: str) -> int:
        """The number of a class. Raises InputError, which lists some, for an unknown one."""
        (number,) = self.labels.encode([label]).tolist()
        if number < 0:
            raise InputError(f"unknown class {label!r}, expected {listed(self.labels.names)}")
        return int(number)

    def check_plain(self, text: str, place: object) -> None:
        """Raises InputError if a text that is to stand alone begins with a class and a tab, as in training."""
        label, tab, _ = text.partition("\t")
        if tab and label in self.labels.names:
            raise InputError(
                f"{place}:1: the class {label!r} and a tab stand before the text; expected texts alone, whose class, "
                "if all have the same one, --condition names"
            )

    @property
    def log_priors(self) -> npt.NDArray[np.float64]:
        """log p(class) (classes,): its share of the training texts."""
        return np.log(np.array(self.counts, dtype=np.float64) / sum(self.counts))

    def to_json(self) -> dict[str, Any]:
        """The JSON form, which ``from_json`` reads back."""
        settings = self.settings.to_json()
        return {"names": list(self.labels.names), "counts": list(self.counts), **{n: settings[n] for n in STORED}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Classes:
        """From the JSON form; raises InputError, KeyError or TypeError for anything else."""
        settings = ConditionSettings(condition=True, **{name: data[name] for name in STORED})
        return cls(LabelSet(texts(data["names"])), tuple(data["counts"]), settings)


class Condition(nn.Module):
    """Brings the vectors of classes into the input and the first state of recurrent layers.

    inputs: the width E of an input; state: how many tensors a state has, layers, and hidden units, (P, L, H).
    """

    def __init__(
        self,
        classes: Classes,
        inputs: int,
        state: tuple[int, int, int],
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        size, enters, self.shape = classes.settings.condition_size, classes.settings.condition_in, state
        self.vectors = nn.Embedding(len(classes.labels), size, device=device, dtype=dtype)
        nn.init.normal_(self.vectors.weight, std=DEVIATION)
        self.to_input = self._map(size, inputs, device, dtype) if enters != "first" else None
        self.to_state = self._map(size, math.prod(state), device, dtype) if enters != "every" else None

    @staticmethod
    def _map(size: int, width: int, device: torch.device | None, dtype: torch.dtype | None) -> nn.Linear:
        return nn.Linear(size, width, bias=False, device=device, dtype=dtype)

    def forward(self, classes: Tensor, input: Tensor, state: State | None) -> tuple[Tensor, State | None]:
        """The input (T, B, E) and the state as ``classes`` (B,), -1 for none, make them; a given state stays."""
        vectors = self.vectors(classes.clamp(min=0)) * (classes >= 0)[:, None]  # (B, C)
        if self.to_input is not None:
            input = input + self.to_input(vectors).to(input.dtype)
        if self.to_state is not None and state is None:
            first = torch.tanh(self.to_state(vectors)).view(len(classes), *self.shape)  # (B, P, L, H)
            state = tuple(part.transpose(0, 1).contiguous() for part in first.unbind(1))
        return input, state

    @torch.no_grad()
    def of(self, number: int) -> tuple[npt.NDArray[np.float32] | None, npt.NDArray[np.float32] | None]:
        """What a class adds to every input (E,), and its first state (P L H,); None where it does not enter."""
        vector = self.vectors.weight[number]
        added = None if self.to_input is None else self.to_input(vector).cpu().float().numpy()
        first = None if self.to_state is None else torch.tanh(self.to_state(vector)).cpu().float().numpy()
        return added, first
