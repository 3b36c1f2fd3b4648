"""The recurrent network one token at a time, in NumPy: sampling without the overhead of a tensor library.

Same results as the torch module up to float32 rounding (tested). Each layer multiplies its input, a one (for the bias)
and its previous state in one matrix-vector product; the first layer looks the product with its input up in a table, if
that is small enough. Sigmoids are computed by tanh: sig(x) = (1 + tanh(x / 2)) / 2, the halving of x folded into the
weights. The gates of an LSTM stay twice as large, and so does h, which the weights that multiply it make up for.

A call of NumPy on such short arrays takes a quarter of a microsecond, and more with a Python number or with ``out=``:
constants are arrays, results are given by place, and what one call can compute lies side by side.
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
add, multiply, tanh = np.add, np.multiply, np.tanh


class StepState:
    """What one stream of tokens carries and writes into; several streams can go on in turn, or in several threads.

    ``h`` of every layer (2 h in an LSTM) lie side by side, each with a one after it: ``inputs[l]`` is what layer l
    multiplies, h of layer l - 1, a one and h of layer l, and ``top`` what the output layer does. ``gates`` and
    ``logits`` are scratch. ``shift`` is what a condition adds to the gates of the first layer.
    """

    shift: np.ndarray | None = None

    def __init__(self, sizes: Sequence[int], gates: int, vocabulary: int) -> None:
        ends = [end + layer for layer, end in enumerate(np.cumsum(sizes).tolist())]
        begins = [0, *(end + 1 for end in ends[:-1])]
        states = _zeros(ends[-1] + 1)
        states[ends] = 1.0
        self.h = [states[begin:end] for begin, end in zip(begins, ends, strict=True)]
        self.inputs = [states[begins[max(0, layer - 1)] : end] for layer, end in enumerate(ends)]
        self.top = states[begins[-1] :]
        self.gates, self.logits = [_zeros(gates * size) for size in sizes], _zeros(vocabulary)
        self.cells = [Cell(size) for size in sizes] if gates == GATES["lstm"] else []


class Cell:
    """The arrays of an LSTM cell, side by side: its gates i, f and o, its candidate g, its state c."""

    def __init__(self, hidden: int) -> None:
        whole, self.product = _zeros(5 * hidden), _zeros(2 * hidden)
        self.gates, self.sigmoids, self.both = whole[: 4 * hidden], whole[: 3 * hidden], whole[: 2 * hidden]
        self.output, self.pair, self.c = whole[2 * hidden : 3 * hidden], whole[3 * hidden :], whole[4 * hidden :]
        self.first, self.second = self.product[:hidden], self.product[hidden:]


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
        self.output = _aligned(np.concatenate([output, weights["decoder.bias"][:, None]], axis=1).T)  # (H + 1, V)
        self._prepare(
            [
                [weights[f"recurrent.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
                for layer in range(config.layers)
            ],
            embedding,
        )

    def _prepare(self, layers: list[list[np.ndarray]], embedding: np.ndarray | None) -> None:
        """Fold scales and biases; store what multiplies the input (with a one after it) and the state of a layer."""
        if self.cell == "lstm":
            self.output[:-1] *= 0.5
        self.matrices: list[np.ndarray] = []  # [W_ih b W_hh]ᵀ, or W_hhᵀ where [W_ih b] is in the table or separate
        self.input_matrices: list[np.ndarray] = []  # [W_ih b]ᵀ, separate in a GRU, whose reset gate scales one product
        self.candidate_biases: list[np.ndarray] = []
        self.table: np.ndarray | None = None
        self.embedding: np.ndarray | None = None  # (V, E + 1), ones in its last column
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
                self.table = _aligned((w_ih.T if embedding is None else embedding @ w_ih.T) + bias)
            elif index == 0 and embedding is not None:
                self.embedding = np.concatenate([embedding, np.ones((vocabulary, 1), np.float32)], axis=1)
            first = np.concatenate([w_ih, bias[:, None]], axis=1)
            separate = tabled or self.cell == "gru"
            self.matrices.append(_aligned((w_hh if separate else np.concatenate([first, w_hh], axis=1)).T))
            self.input_matrices.append(_aligned(first.T))

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
        state = StepState(self.sizes, GATES[self.cell], self.output.shape[1])
        if number is not None and self.condition is not None:
            added, first = self.condition.of(number)
            state.shift = None if added is None else added @ self.input_matrices[0][:-1]
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
            inputs, added = (state.inputs[layer], None) if layer else self._first(token, state)
            if self.cell == "lstm":
                self._lstm(layer, inputs, added, h, state)
            elif self.cell == "gru":
                self._gru(layer, inputs, added, h, state)
            else:
                self._simple(layer, inputs, added, h, state)
        return state.top.dot(self.output, state.logits)

    def _first(self, token: int, state: StepState) -> tuple[np.ndarray, np.ndarray | None]:
        """What the first layer multiplies, and what is added to its gates."""
        if self.table is None:
            assert self.embedding is not None
            return np.concatenate((self.embedding[token], state.h[0])), state.shift
        added = self.table[token]
        return state.inputs[0], added if state.shift is None else added + state.shift

    def _lstm(self, layer: int, inputs: np.ndarray, added: np.ndarray | None, h: np.ndarray, state: StepState) -> None:
        cell = state.cells[layer]
        gates, sigmoids, product, c = cell.gates, cell.sigmoids, cell.product, cell.c
        inputs.dot(self.matrices[layer], gates)
        if added is not None:
            add(gates, added, gates)
        tanh(gates, gates)
        add(sigmoids, ONE, sigmoids)  # twice the gates i f o
        multiply(cell.both, cell.pair, product)  # twice i g, f c
        add(cell.first, cell.second, c)
        multiply(c, HALF, c)
        tanh(c, h)
        multiply(h, cell.output, h)

    def _gru(self, layer: int, inputs: np.ndarray, added: np.ndarray | None, h: np.ndarray, state: StepState) -> None:
        n = len(h)
        product = h.dot(self.matrices[layer], state.gates[layer])
        x = inputs[: len(inputs) - n]  # what comes before h; nothing if the table is used
        net = ZERO if added is None else added
        if len(x):
            net = net + x.dot(self.input_matrices[layer])
        gates = HALF + HALF * tanh(product[: 2 * n] + net[: 2 * n])  # r, z
        candidate = tanh(net[2 * n :] + gates[:n] * (product[2 * n :] + self.candidate_biases[layer]))
        h += (ONE - gates[n:]) * (candidate - h)

    def _simple(
        self, layer: int, inputs: np.ndarray, added: np.ndarray | None, h: np.ndarray, state: StepState
    ) -> None:
        net = inputs.dot(self.matrices[layer], state.gates[layer])
        if added is not None:
            add(net, added, net)
        if self.relu:
            np.maximum(net, ZERO, out=h)
        else:
            tanh(net, h)


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
