"""A small example of every network with gradients to check, by name, for ``seqtree gradcheck``.

Parameters, biases included, and inputs are random, with seeds that keep them away from the kinks of ReLU and maxima.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.activations import LEAKY_RELU, LINEAR, RELU, TANH, Activation
from seqtree.reference.attention import AdditiveScore, Attention, MultiplicativeScore
from seqtree.reference.bidirectional import Bidirectional, deep
from seqtree.reference.convolution import Convolution
from seqtree.reference.crf import ConditionalRandomField
from seqtree.reference.encoder_decoder import CONTEXTS, EncoderDecoder
from seqtree.reference.fully_connected import FullyConnected, feedforward
from seqtree.reference.gradient_check import Check, gradient_check
from seqtree.reference.graph_margin import GraphMargin
from seqtree.reference.gru import GRU, TorchGRU
from seqtree.reference.labelled_nodes import LabelledNodes
from seqtree.reference.language_model import LanguageModel
from seqtree.reference.linear_unit import LinearUnit
from seqtree.reference.lstm import LSTM
from seqtree.reference.max_margin import MaxMargin, TreeScorer
from seqtree.reference.network import Array, Chain, Flatten, Network
from seqtree.reference.nodes import NodeNetwork
from seqtree.reference.pooling import MaxPooling, MeanPooling
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.recursive import Recursive
from seqtree.reference.softmax import SoftmaxCrossEntropy
from seqtree.reference.squared_error import SquaredError
from seqtree.reference.tensor import TensorRecursive

Rng = np.random.Generator
LEFT, RIGHT, BALANCED = (
    ((0, 1, 2), (0, 2, 3), (0, 3, 4)),
    ((2, 3, 4), (1, 2, 4), (0, 1, 4)),
    ((0, 1, 2), (2, 3, 4), (0, 2, 4)),
)
_SEQUENCE, _IMAGE = (4, 2), (2, 6, 7)  # steps and inputs; depth, height and width


@dataclass(frozen=True)
class Example:
    """A network, the input x to check it at, and the further arguments of its ``forward``."""

    network: Network
    x: Array
    given: tuple[Any, ...] = ()


Maker = Callable[[], Example]


def _example(make: Callable[[Rng], Network], shape: tuple[int, ...], *given: Any, seed: int = 0) -> Maker:
    """A function that makes a random example: ``make`` builds the network, ``shape`` is the shape of x."""

    def drawn() -> Example:
        rng = np.random.default_rng(seed)
        network = make(rng)
        for parameter in network.parameters.values():
            parameter[...] = rng.uniform(-1, 1, parameter.shape)
        return Example(network, rng.uniform(-1, 1, shape), given)

    return drawn


def _recurrent(f: Activation) -> Maker:
    return _example(lambda rng: Recurrent(2, 3, rng, f), _SEQUENCE)


def _convolution(f: Activation, padding: int, stride: int, seed: int = 0) -> Maker:
    return _example(lambda rng: Convolution(2, 3, (3, 2), rng, padding, stride, f), _IMAGE, seed=seed)


def _cnn(rng: Rng) -> Chain:
    """INPUT -> CONV -> POOL -> FC -> softmax (chapter 4)."""
    convolution, output = Convolution(1, 2, (3, 3), rng), FullyConnected(8, 3, rng, LINEAR)
    parts = {"convolution": convolution, "pooling": MaxPooling(2), "flatten": Flatten(), "output": output}
    return Chain({**parts, "loss": SoftmaxCrossEntropy()})


def _encoder_decoder(context: str) -> Maker:
    return _example(lambda rng: EncoderDecoder(3, 5, 3, context, rng), (4, 3), _BEFORE, _TARGETS)


_TARGETS = np.eye(5)[[1, 4, 0, 2]]
_SAMPLED = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 3.0, 0.0])  # how often each class counts
_BEFORE = np.eye(5)[[3, 1, 4, 0]]
_LABELS = (2, -1, 4, 0, 1, -1, 3)  # of the nodes of a tree over four words; two are not labelled
_AROUND = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 5))  # neighbours of six segments
_REGIONS = ((0, 2, 4), (1, 3), (5,))
_STATES = np.random.default_rng(1).uniform(-1, 1, (5, 2))
EXAMPLES: dict[str, Maker] = {
    "linear-unit": _example(lambda rng: LinearUnit(3), (5, 3)),
    "squared-error": _example(lambda rng: SquaredError(), (4,), np.array([0.9, 0.1, 0.1, 0.9])),
    "nodes": _example(lambda rng: NodeNetwork([3, 4, 2], rng), (3,)),
    "fully-connected": _example(lambda rng: feedforward([3, 4, 2], rng), (3,)),
    "convolution": _convolution(TANH, padding=0, stride=1),
    "convolution-relu": _convolution(RELU, padding=1, stride=2),
    "convolution-leaky-relu": _convolution(LEAKY_RELU, padding=2, stride=3, seed=1),
    "max-pooling": _example(lambda rng: MaxPooling(2), _IMAGE),
    "max-pooling-overlapping": _example(lambda rng: MaxPooling(3, stride=2), _IMAGE),
    "mean-pooling": _example(lambda rng: MeanPooling(2), _IMAGE),
    "mean-pooling-overlapping": _example(lambda rng: MeanPooling(3, stride=2), _IMAGE),
    "cnn": _example(_cnn, (1, 6, 6), np.eye(3)[1]),
    "rnn": _recurrent(TANH),
    "rnn-relu": _recurrent(RELU),
    "rnn-linear": _recurrent(LINEAR),
    "rnn-deep": _example(lambda rng: deep([Recurrent(2, 3, rng), Recurrent(3, 2, rng)]), _SEQUENCE),
    "rnn-bidirectional": _example(lambda rng: Bidirectional(Recurrent(2, 3, rng), Recurrent(2, 3, rng)), _SEQUENCE),
    "rnn-deep-bidirectional": _example(
        lambda rng: deep(
            [
                Bidirectional(Recurrent(2, 2, rng), Recurrent(2, 2, rng)),
                Bidirectional(Recurrent(4, 2, rng), Recurrent(4, 2, rng), summed=True),
            ]
        ),
        _SEQUENCE,
    ),
    "softmax-cross-entropy": _example(lambda rng: SoftmaxCrossEntropy(), (4, 5), _TARGETS),
    "sampled-softmax": _example(lambda rng: SoftmaxCrossEntropy(), (4, 7), np.eye(7)[[1, 4, 0, 2]], _SAMPLED),
    "language-model": _example(lambda rng: LanguageModel(5, 3, rng), (4, 5), _TARGETS),
    "crf": _example(lambda rng: ConditionalRandomField(3, rng), (5, 3), np.array([0, 2, 2, 1, 0])),
    "lstm": _example(lambda rng: LSTM(2, 3, rng), _SEQUENCE),
    "lstm-deep-bidirectional": _example(
        lambda rng: deep([Bidirectional(LSTM(2, 2, rng), LSTM(2, 2, rng)), LSTM(4, 2, rng)]), _SEQUENCE
    ),
    "gru": _example(lambda rng: GRU(2, 3, rng), _SEQUENCE),
    "gru-torch": _example(lambda rng: TorchGRU(2, 3, rng), _SEQUENCE),
    "attention-additive": _example(lambda rng: Attention(AdditiveScore(3, 2, 4, rng)), (4, 3), _STATES),
    "attention-multiplicative": _example(lambda rng: Attention(MultiplicativeScore(3, 2, rng)), (4, 3), _STATES),
    **{f"encoder-decoder-{context}": _encoder_decoder(context) for context in CONTEXTS},
    "recursive": _example(lambda rng: Recursive(3, rng), (4, 3), BALANCED),
    "recursive-tensor": _example(lambda rng: TensorRecursive(3, rng), (4, 3), BALANCED),
    "labelled-nodes": _example(lambda rng: LabelledNodes(Recursive(3, rng), 5, rng), (4, 3), BALANCED, _LABELS),
    "labelled-nodes-tensor": _example(
        lambda rng: LabelledNodes(TensorRecursive(3, rng), 5, rng), (4, 3), LEFT, _LABELS
    ),
    "tree-score": _example(lambda rng: TreeScorer(3, rng), (4, 3), LEFT),
    "max-margin": _example(lambda rng: MaxMargin(TreeScorer(3, rng), kappa=0.5, decay=0.1), (8, 3), (LEFT, RIGHT)),
    "graph-margin": _example(lambda rng: GraphMargin(TreeScorer(3, rng), kappa=0.5), (6, 3), _AROUND, _REGIONS),
}


def check_all(names: Iterable[str] = ()) -> list[Check]:
    """The gradient checks of the named networks, or of all; InputError for a name not in EXAMPLES."""
    chosen = ([names] if isinstance(names, str) else list(names)) or list(EXAMPLES)
    for name in chosen:
        if name not in EXAMPLES:
            raise InputError(f"there is no network {name!r} to check; choose from {', '.join(EXAMPLES)}")
    checks = []
    for name in chosen:
        example = EXAMPLES[name]()
        checks += gradient_check(name, example.network, example.x, *example.given)
    return checks
