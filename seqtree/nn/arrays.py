"""Layers in NumPy for a few rows on a CPU: what those of torch compute, where calling or importing torch takes longer.

Layers are made of arrays by the names of torch's parameters and compute in the type of these, float32 at least. A layer
that is ``rounded`` gives what torch gives in bfloat16: its weights are such numbers, its inputs are taken to be, a
product is summed up in float32, and results are rounded to bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqtree.nn.config import CLIPPED, MAX_ACTIVATION
from seqtree.text.lexicon import Ids

Floats = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[np.generic]]
LOWEST, HIGHEST = (np.array(bound, np.float32) for bound in (0.0, MAX_ACTIVATION))  # quicker than Python's numbers


def part(arrays: Arrays, name: str) -> Arrays:
    """The arrays of a part of a network, by their names in it."""
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def wide(array: npt.NDArray[np.generic], rounded: bool = False) -> Floats:
    """An array as float32 or float64: itself, or a copy; ``rounded``: a copy whose numbers bfloat16 has."""
    numbers: Floats = array.astype(np.promote_types(array.dtype, np.float32), copy=rounded)
    if rounded:
        round_to_bfloat16(numbers)
    return numbers


def round_to_bfloat16(numbers: Floats) -> None:
    """Round to the nearest numbers that bfloat16 has, in place; of two equally near ones to the even one, as torch."""
    bits = numbers.view(np.int32)
    bits += ((bits >> 16) & 1) + 0x7FFF
    bits &= -0x10000


class ArrayLinear:
    """Rows x (N, inputs) -> x W^T + b (N, outputs)."""

    def __init__(self, arrays: Arrays, rounded: bool = False) -> None:
        self.matrix = wide(arrays["weight"], rounded).T
        self.bias = wide(arrays["bias"], rounded) if "bias" in arrays else None
        self.rounded = rounded

    def __call__(self, rows: Floats) -> Floats:
        net: Floats = rows @ self.matrix
        if self.bias is not None:
            net += self.bias
        if self.rounded:
            round_to_bfloat16(net)
        return net


class ArrayComposition:
    """A ``Composition`` of two children into their parent."""

    def __init__(self, kind: str, arrays: Arrays, rounded: bool) -> None:
        self.kind = kind
        self.linear = ArrayLinear(part(arrays, "linear"), rounded)
        self.output_size = self.linear.matrix.shape[1] // (5 if kind == "lstm" else 1)
        self.tensor = wide(arrays["tensor"]) if kind == "rntn" else None

    def __call__(self, children: Floats) -> Floats:
        """Parent vectors (M, D) of pairs of children (M, 2, D)."""
        if self.kind == "lstm":
            return self._tree_lstm(children)
        both: Floats = children.max(axis=1) if self.kind == "max" else children.reshape(len(children), -1)
        net = self.linear(both)
        if self.tensor is not None:
            net += np.einsum("mi,dij,mj->md", both, self.tensor, both, optimize=True)
        if self.kind in CLIPPED:
            np.maximum(net, LOWEST, out=net)
            np.minimum(net, HIGHEST, out=net)
        else:
            np.tanh(net, out=net)
        return net

    def output(self, nodes: Floats) -> Floats:
        """The part of node vectors that scorers read: (M, D) -> (M, output_size)."""
        return nodes[:, : self.output_size]

    def _tree_lstm(self, children: Floats) -> Floats:
        size = self.output_size
        net = self.linear(children[:, :, :size].reshape(len(children), -1))
        c_left, c_right = children[:, 0, size:], children[:, 1, size:]
        i, f_left, f_right, o, g = np.split(net, 5, axis=1)
        c = _sigmoid(i) * np.tanh(g) + _sigmoid(f_left + 1) * c_left + _sigmoid(f_right + 1) * c_right
        return np.hstack([_sigmoid(o) * np.tanh(c), c])


class ArrayLSTM:
    """A bidirectional LSTM over one sequence, rounded with its states at every step: (T, E) -> (T, 2 H)."""

    def __init__(self, arrays: Arrays, layers: int, rounded: bool) -> None:
        self.layers, self.rounded = [_LSTMLayer(arrays, f"_l{layer}", rounded) for layer in range(layers)], rounded

    def __call__(self, sequence: Floats) -> Floats:
        output = wide(sequence, self.rounded)
        for layer in self.layers:
            output = layer(output)
        return output


class _LSTMLayer:
    """Both directions at once. Formulas: chapter 6, with the sigmoid s(x) = 1/2 + tanh(x / 2) / 2.

    The weights hold the inner halves (to halve a number loses nothing), so that a step takes one tanh of all gates.
    """

    def __init__(self, arrays: Arrays, name: str, rounded: bool) -> None:
        w_ih, w_hh, b_ih, b_hh = (
            np.stack([wide(arrays[f"{kind}{name}{way}"], rounded) for way in ("", "_reverse")])
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        bias = wide(b_ih + b_hh, rounded)
        self.size, self.rounded = w_hh.shape[2], rounded
        self.scale = np.full(4, 0.5, bias.dtype).repeat(self.size)
        self.scale[2 * self.size : 3 * self.size] = 1.0  # the candidate values have a tanh
        self.shift = 1.0 - self.scale
        scaled = (np.multiply(w.swapaxes(1, 2), self.scale, order="C") for w in (w_ih, w_hh))
        self.w_ih, self.w_hh = scaled  # (2, E, 4 H), (2, H, 4 H)
        self.bias = (bias * self.scale)[:, None]

    def __call__(self, sequence: Floats) -> Floats:
        gates = (np.stack([sequence, sequence[::-1]]) @ self.w_ih + self.bias).swapaxes(0, 1)  # (T, 2, 4 H)
        output = np.empty((2, len(sequence), self.size), gates.dtype)
        state = np.zeros((2, 2, self.size), gates.dtype)
        (h, c), size = state, self.size
        for t, net in enumerate(gates):
            net += (h[:, None] @ self.w_hh)[:, 0]
            gate = np.tanh(net) * self.scale + self.shift
            i, f, g, o = (gate[:, k : k + size] for k in range(0, 4 * size, size))
            np.add(f * c, i * g, out=c)
            np.multiply(o, np.tanh(c), out=h)
            if self.rounded:
                round_to_bfloat16(state)
            output[:, t] = h
        return np.hstack([output[0], output[1, ::-1]])


class ArrayCharacters:
    """A ``CharacterEncoder``: the characters of words -> their vectors (U, size)."""

    def __init__(self, arrays: Arrays) -> None:
        self.embedding = wide(arrays["embedding.weight"])
        kernel = wide(arrays["convolution.weight"])  # (size, embedding, 3)
        self.matrix, self.bias = kernel.transpose(2, 1, 0).reshape(-1, len(kernel)), wide(arrays["convolution.bias"])

    def __call__(self, spellings: Ids) -> Floats:
        """``spellings`` (S + 2,): the characters of U words one after another, -1 before, between and after them."""
        ends = np.flatnonzero(spellings < 0)
        read = self.embedding[spellings]  # -1 is the last row, of no character
        near = np.hstack([read[:-2], read[1:-1], read[2:]]) @ self.matrix  # place k is that of character k + 1
        words = [near[before : after - 1] for before, after in pairwise(ends.tolist())]
        highest = [word.max(axis=0, initial=-np.inf) for word in words]
        result: Floats = np.maximum(np.stack(highest) + self.bias, 0.0)
        return result


def _sigmoid(net: Floats) -> Floats:
    half: Floats = 0.5 + 0.5 * np.tanh(0.5 * net)
    return half
