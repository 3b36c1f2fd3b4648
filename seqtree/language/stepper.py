"""The recurrent network one token at a time, in NumPy: sampling without the overhead of a tensor library.

Same results as the torch module up to float32 rounding (tested). Each layer multiplies its input and previous state in
one matrix-vector product; the first layer looks the product with its input up in a table, if that is small enough.
Sigmoids are computed by tanh: sig(x) = (1 + tanh(x / 2)) / 2, the halving of x folded into the weights. The gates of an
LSTM stay twice as large, and so does h, which the weights that multiply it make up for.

A call of NumPy on such short arrays takes a third of a microsecond, and twice that with a Python number: constants are
arrays, and what one call can compute lies side by side.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch

from seqtree.language.network import RecurrentLanguageModel
from seqtree.nn.recurrent import GATES
from seqtree.text.items import BREAK
from seqtree.text.vocabulary import Vocabulary

MAX_TABLE = 1 << 24  # numbers
ZERO, HALF, ONE = (np.array(number, np.float32) for number in (0.0, 0.5, 1.0))


class StepState:
    """What one stream of tokens carries and writes into; several streams can go on in turn, or in several threads.

    ``h`` of every layer (2 h in an LSTM) lie side by side: ``inputs[l]`` is [h of layer l - 1, h of layer l], the input
    and state that layer l multiplies. ``gates`` and ``logits`` are scratch. ``shift`` is what a condition adds to the
    gates of the first layer.
    """

    shift: np.ndarray | None = None

    def __init__(self, sizes: Sequence[int], gates: int, vocabulary: int) -> None:
        ends = np.cumsum(sizes).tolist()
        begins, states = [0, *ends[:-1]], _zeros(ends[-1])
        self.h = [states[begin:end] for begin, end in zip(begins, ends, strict=True)]
        self.inputs = [states[begins[max(0, layer - 1)] : end] for layer, end in enumerate(ends)]
        self.gates, self.logits = [_zeros(gates * size) for size in sizes], _zeros(vocabulary)
        self.cells = [Cell(size) for size in sizes] if gates == GATES["lstm"] else []


class Cell:
    """The arrays of an LSTM cell, side by side: its gates i, f and o, its candidate g, its state c."""

    def __init__(self, hidden: int) -> None:
        whole, self.product = _zeros(5 * hidden), _zeros(2 * hidden)
        self.gates, self.sigmoids, self.both = whole[: 4 * hidden], whole[: 3 * hidden], whole[: 2 * hidden]
        self.output, self.pair, self.c = whole[2 * hidden : 3 * hidden], whole[3 * hidden :], whole[4 * hidden :]
        self.halves = self.product[:hidden], self.product[hidden:]


class Stepper:
    """``logits = step(token, state)``; the state, from ``first_state``, is changed in place.

    The weights are copied, and nothing of a stepper changes after that: any number of threads may use it.
    """

    def __init__(self, network: RecurrentLanguageModel) -> None:
        config = network.config
        self.cell, self.hidden, self.sizes = config.cell, config.hidden, tuple(network.recurrent.sizes)
        self.relu = config.nonlinearity == "relu"
        weights = {
            name: p.detach().to("cpu", torch.float32, copy=True).numpy() for name, p in network.named_parameters()
        }
        self.condition = copy.deepcopy(network.condition).cpu().float() if network.classes else None
        embedding = None if config.one_hot else weights["embedding.weight"]
        output = weights["embedding.weight"] if config.tied else weights["decoder.weight"]
        self.output, self.output_bias = np.ascontiguousarray(output), weights["decoder.bias"]
        self._prepare(
            [
                [weights[f"recurrent.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
                for layer in range(config.layers)
            ],
            embedding,
        )

    def _prepare(self, layers: list[list[np.ndarray]], embedding: np.ndarray | None) -> None:
        """Fold scales and biases; store W_hh and (as a table or a matrix) W_ih of every layer, (inputs, gates)."""
        if self.cell == "lstm":
            self.output = self.output * 0.5
        self.matrices: list[np.ndarray] = []  # [W_ih W_hh]ᵀ, or W_hhᵀ where W_ih is in the table or separate
        self.input_matrices: list[np.ndarray] = []  # W_ihᵀ, separate in a GRU, whose reset gate scales only one product
        self.biases: list[np.ndarray] = []
        self.candidate_biases: list[np.ndarray] = []
        self.table: np.ndarray | None = None
        self.embedding: np.ndarray | None = None
        for index, (w_ih, w_hh, b_ih, b_hh) in enumerate(layers):
            h, (order, scale) = self.sizes[index], self._order(self.sizes[index])
            w_ih, w_hh, b_ih, b_hh = (
                part[order] for part in (w_ih * scale, w_hh * scale, b_ih * scale[:, 0], b_hh * scale[:, 0])
            )
            bias = b_ih + b_hh
            if self.cell == "lstm":
                w_hh, w_ih = 0.5 * w_hh, 0.5 * w_ih if index else w_ih
            if self.cell == "gru":  # its reset gate multiplies W_hn h + b_hn
                bias[2 * h :] = b_ih[2 * h :]
                self.candidate_biases.append(b_hh[2 * h :].copy())
            vocabulary = w_ih.shape[1] if embedding is None else len(embedding)
            tabled = index == 0 and (embedding is None or vocabulary * len(bias) <= MAX_TABLE)
            if tabled:
                inputs = w_ih.T if embedding is None else embedding @ w_ih.T
                self.table = _aligned(inputs + bias)
            elif index == 0 and embedding is not None:
                self.embedding = embedding
            separate = tabled or self.cell == "gru"
            self.matrices.append(_aligned((w_hh if separate else np.concatenate([w_ih, w_hh], axis=1)).T))
            self.input_matrices.append(_aligned(w_ih.T))
            self.biases.append(bias)

    def _order(self, h: int) -> tuple[np.ndarray, np.ndarray]:
        """The order of the rows of h units' gates, (G h,), and what they are multiplied with, (G h, 1)."""
        order = np.arange(GATES[self.cell] * h)
        scale = np.ones((len(order), 1), np.float32)
        if self.cell == "lstm":  # from i f g o to i f o g
            order[2 * h :] = np.roll(order[2 * h :], h)
            scale[: 2 * h] = scale[3 * h :] = 0.5
        elif self.cell == "gru":
            scale[: 2 * h] = 0.5
        return order, scale

    def first_state(self, number: int | None = None) -> StepState:
        """The state before the first token, of a text of this class or of none."""
        state = StepState(self.sizes, GATES[self.cell], len(self.output))
        if number is not None and self.condition is not None:
            added, first = self.condition.of(number)
            state.shift = None if added is None else added @ self.input_matrices[0]
            if first is not None:
                h, *c = first.reshape(-1, len(self.sizes), self.hidden)
                for layer, part in enumerate(state.h):
                    begun = h[layer, : len(part)]
                    part[:] = 2.0 * begun if c else begun
                    if c:
                        state.cells[layer].c[:] = c[0][layer, : len(part)]
        return state

    def step(self, token: int, state: StepState) -> np.ndarray:
        """Logits (V,) of the token after ``token``: the state's own array, which the next call with it overwrites."""
        for layer, h in enumerate(state.h):
            if layer:
                inputs, bias = state.inputs[layer], self.biases[layer]
            elif self.table is not None:
                inputs, bias = h, self.table[token]
            else:
                assert self.embedding is not None
                inputs, bias = np.concatenate((self.embedding[token], h)), self.biases[0]
            if not layer and state.shift is not None:
                bias = bias + state.shift
            if self.cell == "lstm":
                self._lstm(layer, inputs, bias, h, state)
            elif self.cell == "gru":
                self._gru(layer, inputs, bias, h, state)
            else:
                self._simple(layer, inputs, bias, h, state)
        logits = np.dot(self.output, state.h[-1], out=state.logits)
        logits += self.output_bias
        return logits

    def _lstm(self, layer: int, inputs: np.ndarray, bias: np.ndarray, h: np.ndarray, state: StepState) -> None:
        cell = state.cells[layer]
        gates, sigmoids, product, c = cell.gates, cell.sigmoids, cell.product, cell.c
        np.dot(inputs, self.matrices[layer], out=gates)
        gates += bias
        np.tanh(gates, out=gates)
        sigmoids += ONE  # twice the gates i f o
        np.multiply(cell.both, cell.pair, out=product)  # twice i g, f c
        np.add(*cell.halves, out=c)
        c *= HALF
        np.tanh(c, out=h)
        h *= cell.output

    def _gru(self, layer: int, inputs: np.ndarray, bias: np.ndarray, h: np.ndarray, state: StepState) -> None:
        n = len(h)
        product = np.dot(h, self.matrices[layer], out=state.gates[layer])
        x = inputs[: len(inputs) - n]  # the part before h; empty if the table is used
        net = bias + x @ self.input_matrices[layer] if len(x) else bias
        gates = HALF + HALF * np.tanh(product[: 2 * n] + net[: 2 * n])  # r, z
        candidate = np.tanh(net[2 * n :] + gates[:n] * (product[2 * n :] + self.candidate_biases[layer]))
        h += (ONE - gates[n:]) * (candidate - h)

    def _simple(self, layer: int, inputs: np.ndarray, bias: np.ndarray, h: np.ndarray, state: StepState) -> None:
        net = np.dot(inputs, self.matrices[layer], out=state.gates[layer])
        net += bias
        if self.relu:
            np.maximum(net, ZERO, out=h)
        else:
            np.tanh(net, out=h)


class Reader:
    """A text that a model reads from its beginning: ``logits`` (V,), which may be overwritten, are of the next token.

    After the end of a line comes the start of the next one, from the first state where ``lines`` are read one by one.
    ``number`` is that of the text's class. ``line_ends`` are the tokens that stand for one.
    """

    def __init__(self, stepper: Stepper, vocabulary: Vocabulary, lines: bool, number: int | None = None) -> None:
        self.stepper, self.vocabulary, self.lines, self.number = stepper, vocabulary, lines, number
        self.state = stepper.first_state(number)
        self.logits = stepper.step(vocabulary.start, self.state)
        self.line_ends = line_ends(vocabulary, stepper.condition is not None)

    def read(self, token: int) -> None:
        """Go on by one token."""
        ended = token == self.vocabulary.end
        if ended and self.lines:
            self.state = self.stepper.first_state(self.number)
        self.logits = self.stepper.step(self.vocabulary.start if ended else token, self.state)


def line_ends(vocabulary: Vocabulary, classed: bool) -> set[int]:
    """The tokens that stand for the end of a line; in texts with classes, one within an item is a token too."""
    return {vocabulary.end} | ({vocabulary.index(BREAK)} if classed and BREAK in vocabulary else set())


def _aligned(array: np.ndarray) -> np.ndarray:
    """A copy that begins at a multiple of 64 bytes, as torch's arrays do: matrix products are quicker."""
    copied: np.ndarray = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).clone().numpy()
    return copied


def _zeros(size: int) -> np.ndarray:
    """So many zeros, which begin at a multiple of 64 bytes."""
    made: np.ndarray = torch.zeros(size).numpy()
    return made
