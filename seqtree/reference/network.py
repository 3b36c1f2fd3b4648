"""The base class of the networks of the chapters, and networks composed of networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError

Array = npt.NDArray[np.float64]


def array(name: str, values: npt.ArrayLike, *shape: int | str) -> Array:
    """The values as float64, of this shape, in which a name such as "steps" stands for any length, "..." for any axes.

    Raises InputError for another shape, which NumPy would often stretch to one that fits, and for what is no number.

    >>> array("x", [[1, 2], [3, 4]], "steps", 2).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    expected = f"expected ({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no array of numbers ({error}); {expected}") from None
    if shape[:1] == ("...",):
        shape = ("any",) * (found.ndim - len(shape) + 1) + shape[1:]
    if len(shape) != found.ndim or any(isinstance(n, int) and n != m for n, m in zip(shape, found.shape, strict=True)):
        raise InputError(f"{name} has the shape {found.shape}; {expected}")
    return found


def initial(rng: np.random.Generator, *shape: int) -> Array:
    """Initial weights: uniform within +-1/sqrt(n), where n is the number of inputs of each unit (row)."""
    bound = 1.0 / np.sqrt(np.prod(shape[1:]))
    return rng.uniform(-bound, bound, shape)


class Network:
    """Parameters and gradients by name, a forward and a backward pass.

    ``forward(x)`` returns the output y and stores what the backward pass needs; arguments that are not differentiated
    (a tree, the targets) follow x. ``backward(dy)`` takes dE/dy, for any error E, in the shape of y; it returns dE/dx
    and fills ``gradients`` with dE/dparameter, in the shapes of ``parameters``. Parameters are set in place:
    ``network.parameters["W"][:] = ...``. Numbers of any kind are taken, in lists as well; InputError for another shape
    than the docstring of ``forward`` or ``backward`` says.
    """

    def __init__(self) -> None:
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}

    def forward(self, x: Array, *given: Any, **options: Any) -> Array:
        """The output for x."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """dE/dx from dE/dy, for the x of the last ``forward``; fills ``gradients``."""
        raise NotImplementedError

    def update(self, rate: float) -> None:
        """One step of gradient descent: w -= rate dE/dw."""
        for name, gradient in self.gradients.items():
            self.parameters[name] -= rate * gradient

    def clip(self, threshold: float) -> None:
        """Scale all gradients so that their total norm is at most ``threshold`` (chapter 5; Pascanu et al. 2013)."""
        norm = np.sqrt(sum(np.sum(gradient**2) for gradient in self.gradients.values()))
        if norm > threshold:
            for gradient in self.gradients.values():
                gradient *= threshold / norm

    @property
    def parameter_count(self) -> int:
        """The number of trainable weights, biases included."""
        return sum(parameter.size for parameter in self.parameters.values())


class Composite(Network):
    """A network composed of networks: the parameter W of the part "output" is called ``output.W``."""

    def __init__(self, parts: Mapping[str, Network]) -> None:
        super().__init__()
        self.parts = dict(parts)
        for part, network in self.parts.items():
            self.parameters |= {f"{part}.{name}": value for name, value in network.parameters.items()}

    def gather_gradients(self) -> None:
        """Collect the gradients of the parts, after their ``backward``."""
        for part, network in self.parts.items():
            self.gradients |= {f"{part}.{name}": value for name, value in network.gradients.items()}


class Chain(Composite):
    """Networks in sequence, each taking the output of the one before; ``backward`` is the chain rule."""

    def forward(self, x: Array, *given: Any) -> Array:
        """The output of the last part, which also gets the further arguments ``given``."""
        *first, last = self.parts.values()
        for network in first:
            x = network.forward(x)
        return last.forward(x, *given)

    def backward(self, dy: Array) -> Array:
        """dE/dx, going through the parts from last to first."""
        for network in reversed(self.parts.values()):
            dy = network.backward(dy)
        self.gather_gradients()
        return dy


class Flatten(Network):
    """Flattens feature maps of any shape to one vector, the input of fully connected layers (chapter 4)."""

    def forward(self, x: Array) -> Array:
        """x (...) as (n,)."""
        x = array("x", x, "...")
        self.shape = x.shape
        return x.reshape(-1)

    def backward(self, dy: Array) -> Array:
        """dE/dx (...) from dE/dy (n,)."""
        return array("dy", dy, int(np.prod(self.shape))).reshape(self.shape)
