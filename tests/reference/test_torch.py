"""The networks by hand equal torch's own, and seqtree.nn's, in values and gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_helpers import (
    KINDS,
    E,
    H,
    T,
    as_leaf,
    close,
    compare_gradients,
    draw,
    make_layer,
    set_parameters,
)

import seqtree.nn
from seqtree.reference import activations
from seqtree.reference.bidirectional import Bidirectional, deep
from seqtree.reference.convolution import Convolution
from seqtree.reference.examples import BALANCED, LEFT, RIGHT
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.gru import GRU, TorchGRU
from seqtree.reference.language_model import LanguageModel
from seqtree.reference.lstm import LSTM
from seqtree.reference.max_margin import MaxMargin, TreeScorer
from seqtree.reference.network import Array, Network
from seqtree.reference.pooling import MaxPooling, MeanPooling
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.softmax import SoftmaxCrossEntropy


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def _compare(network: Network, x: Array, function: Callable[..., Tensor], *given: Any) -> None:
    """Values, dx and all gradients against torch's for ``function(x, *parameters)``."""
    rng = np.random.default_rng(6)
    leaves = [as_leaf(value) for value in (x, *network.parameters.values())]
    y, theirs = network.forward(x, *given), function(*leaves)
    close(y, theirs)
    dy = rng.normal(size=y.shape)
    theirs.backward(torch.tensor(dy))
    dx = network.backward(dy)
    for mine, leaf in zip([dx, *(network.gradients[name] for name in network.parameters)], leaves, strict=True):
        close(mine, leaf.grad)


# --- feedforward


@pytest.mark.parametrize("shape", [(E,), (T, E)])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("SIGMOID", torch.sigmoid),
        ("TANH", torch.tanh),
        ("RELU", F.relu),
        ("LEAKY_RELU", F.leaky_relu),
        ("LINEAR", None),
    ],
)
def test_fully_connected(
    shape: tuple[int, ...], name: str, theirs: Callable[[Tensor], Tensor] | None, rng: np.random.Generator
) -> None:
    network = FullyConnected(E, H, rng, getattr(activations, name))
    draw(network, rng)
    linear = nn.Linear(E, H, dtype=torch.float64)
    assert {name: tuple(p.shape) for name, p in linear.named_parameters()} == {"weight": (H, E), "bias": (H,)}
    f = theirs or (lambda net: net)
    _compare(network, rng.normal(size=shape), lambda x, W, b: f(F.linear(x, W, b)))


@pytest.mark.parametrize("size", [(3, 3), (2, 3), (1, 1), (5, 4)])
@pytest.mark.parametrize(("padding", "stride"), [(0, 1), (1, 1), (0, 2), (1, 2), (2, 3)])
def test_convolution(size: tuple[int, int], padding: int, stride: int, rng: np.random.Generator) -> None:
    network = Convolution(2, 3, size, rng, padding, stride, activations.TANH)
    draw(network, rng)
    x = rng.normal(size=(2, 7, 6))
    _compare(network, x, lambda x, W, b: F.conv2d(x, W, b, stride=stride, padding=padding).tanh())


@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, None), (3, 2), (2, 1), (2, 3)])
def test_pooling(size: int, stride: int | None, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 7, 6))
    _compare(MaxPooling(size, stride), x, lambda x: F.max_pool2d(x, size, stride))
    _compare(MeanPooling(size, stride), x, lambda x: F.avg_pool2d(x, size, stride))


def test_mean_pooling_spreads_by_the_kronecker_product(rng: np.random.Generator) -> None:
    layer = MeanPooling(2)
    y = layer.forward(rng.normal(size=(1, 6, 4)))
    dy = rng.normal(size=y.shape)
    np.testing.assert_allclose(layer.backward(dy)[0], np.kron(dy[0], np.full((2, 2), 0.25)), rtol=1e-15)


@pytest.mark.parametrize("rows", [None, 1, 5])
def test_softmax_cross_entropy(rows: int | None, rng: np.random.Generator) -> None:
    classes = rng.integers(0, 4, rows or 1)
    targets = np.eye(4)[classes]
    if rows is None:
        z, y, ids = rng.normal(size=4), targets[0], torch.tensor(classes[0])
    else:
        z, y, ids = rng.normal(size=(rows, 4)) * 5, targets, torch.tensor(classes)
    _compare(SoftmaxCrossEntropy(), z, lambda z: F.cross_entropy(z, ids), y)


# --- recurrent


def _torchs(kind: str, **options: Any) -> nn.RNNBase:
    if kind.startswith("rnn"):
        return nn.RNN(E, H, nonlinearity=kind.removeprefix("rnn-"), dtype=torch.float64, **options)
    return {"lstm": nn.LSTM, "gru": nn.GRU}[kind](E, H, dtype=torch.float64, **options)


def _ours(kind: str) -> seqtree.nn.Recurrent:
    cell, _, nonlinearity = kind.partition("-")
    return seqtree.nn.Recurrent(cell, E, H, nonlinearity=nonlinearity or "tanh", dtype=torch.float64)


@pytest.mark.parametrize("make", [_torchs, _ours], ids=["torch.nn", "seqtree.nn"])
@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers(kind: str, make: Callable[[str], nn.Module], rng: np.random.Generator) -> None:
    layer, module = make_layer(kind, E, rng), make(kind)
    set_parameters(module, {"l0": layer})
    starts = [rng.normal(size=H) for _ in range(2 if kind == "lstm" else 1)]
    x, dy = rng.normal(size=(T, E)), rng.normal(size=(T, H))
    own_x, own_starts = as_leaf(x[:, None]), [as_leaf(start[None, None]) for start in starts]
    alone = isinstance(module, nn.RNNBase) and kind != "lstm"
    theirs, _ = module(own_x, own_starts[0] if alone else tuple(own_starts))
    theirs.backward(torch.tensor(dy)[:, None])
    close(layer.forward(x, *starts)[:, None], theirs)
    close(layer.backward(dy)[:, None], own_x.grad)
    compare_gradients(module, {"l0": layer})
    ends = (
        [layer.ds0] if isinstance(layer, Recurrent) else [layer.dh0, *([layer.dc0] if isinstance(layer, LSTM) else [])]
    )
    for mine, start in zip(ends, own_starts, strict=True):
        close(mine[None, None], start.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_deep_bidirectional_layers(kind: str, rng: np.random.Generator) -> None:
    layers = {f"l{k}{end}": make_layer(kind, 2 * H if k else E, rng) for k in (0, 1) for end in ("", "_reverse")}
    network = deep(
        [Bidirectional(layers["l0"], layers["l0_reverse"]), Bidirectional(layers["l1"], layers["l1_reverse"])]
    )
    module = _torchs(kind, num_layers=2, bidirectional=True)
    set_parameters(module, layers)
    x, dy = rng.normal(size=(T, E)), rng.normal(size=(T, 2 * H))
    own_x = as_leaf(x)
    theirs, _ = module(own_x)
    theirs.backward(torch.tensor(dy))
    close(network.forward(x), theirs)
    close(network.backward(dy), own_x.grad)
    compare_gradients(module, layers)
    assert set(network.gradients) == set(network.parameters)


def test_bidirectional_sum(rng: np.random.Generator) -> None:
    layers = {"l0": make_layer("lstm", E, rng), "l0_reverse": make_layer("lstm", E, rng)}
    network, module = (
        Bidirectional(layers["l0"], layers["l0_reverse"], summed=True),
        _torchs("lstm", bidirectional=True),
    )
    set_parameters(module, layers)
    x, dy = rng.normal(size=(T, E)), rng.normal(size=(T, H))
    own_x = as_leaf(x)
    theirs = module(own_x)[0].view(T, 2, H).sum(dim=1)
    theirs.backward(torch.tensor(dy))
    close(network.forward(x), theirs)
    close(network.backward(dy), own_x.grad)
    compare_gradients(module, layers)


def test_the_chapters_gru_by_autograd(rng: np.random.Generator) -> None:
    """torch has no layer with the reset gate before the product: its operations do."""
    network = GRU(E, H, rng)
    draw(network, rng)

    def gru(x: Tensor, W_z: Tensor, b_z: Tensor, W_r: Tensor, b_r: Tensor, W: Tensor, b: Tensor) -> Tensor:
        h, outputs = torch.zeros(H, dtype=x.dtype), []
        for x_t in x:
            hx = torch.cat([h, x_t])
            z, r = torch.sigmoid(W_z @ hx + b_z), torch.sigmoid(W_r @ hx + b_r)
            h = (1 - z) * h + z * torch.tanh(W @ torch.cat([r * h, x_t]) + b)
            outputs.append(h)
        return torch.stack(outputs)

    _compare(network, rng.normal(size=(T, E)), gru)


def test_the_two_grus_are_one_without_recurrence_in_the_candidate(rng: np.random.Generator) -> None:
    """Where the candidate does not read h, only the name of z differs: z becomes 1 - z when W_z and b_z change sign."""
    mine, torchs = GRU(E, H, rng), TorchGRU(E, H, rng)
    draw(mine, rng)
    mine.parameters["W"][:, :H] = 0
    values = {"W_z": -mine.parameters["W_z"], "b_z": -mine.parameters["b_z"], "W": 0, "d": 0}
    values |= {"W_r": mine.parameters["W_r"], "U": mine.parameters["W"][:, H:], "b": mine.parameters["b"]}
    for name, value in values.items():
        torchs.parameters[name][...] = value
    x = rng.normal(size=(T, E))
    np.testing.assert_allclose(mine.forward(x), torchs.forward(x), rtol=1e-12)
    mine.parameters["W"][:, :H] = torchs.parameters["W"][...] = rng.normal(size=(H, H))
    assert np.abs(mine.forward(x) - torchs.forward(x)).max() > 1e-3


def test_language_model(rng: np.random.Generator) -> None:
    network = LanguageModel(5, H, rng)
    draw(network, rng)
    ids = rng.integers(0, 5, T + 1)
    x, y = np.eye(5)[ids[:-1]], np.eye(5)[ids[1:]]

    def loss(x: Tensor, U: Tensor, W: Tensor, b: Tensor, V: Tensor, c: Tensor) -> Tensor:
        s, logits = torch.zeros(H, dtype=x.dtype), []
        for x_t in x:
            s = torch.tanh(U @ x_t + W @ s + b)
            logits.append(V @ s + c)
        return F.cross_entropy(torch.stack(logits), torch.tensor(ids[1:]))

    _compare(network, x, loss, y)
    assert float(network.forward(x, y)) == pytest.approx(-np.mean(np.log(network.probabilities(x)[range(T), ids[1:]])))


# --- trees


def _score(x: Tensor, W: Tensor, b: Tensor, u: Tensor, tree: Sequence[tuple[int, int, int]]) -> Tensor:
    vectors = {(i, i + 1): vector for i, vector in enumerate(x)}
    for start, split, end in tree:
        vectors[start, end] = torch.tanh(W @ torch.cat([vectors[start, split], vectors[split, end]]) + b)
    return sum((u @ vectors[start, end] for start, _, end in tree), torch.zeros((), dtype=x.dtype))


@pytest.mark.parametrize("tree", [LEFT, RIGHT, BALANCED])
def test_score_of_a_tree(tree: Sequence[tuple[int, int, int]], rng: np.random.Generator) -> None:
    network = TreeScorer(3, rng)
    draw(network, rng)
    _compare(network, rng.normal(size=(4, 3)), lambda x, W, b, u: _score(x, W, b, u, tree), tree)


def test_max_margin(rng: np.random.Generator) -> None:
    network = MaxMargin(TreeScorer(3, rng), kappa=0.5, decay=0.3)
    draw(network, rng)
    x = rng.normal(size=(8, 3))
    network.forward(x, (LEFT, BALANCED))
    found = [list(tree) for tree in network.found]
    assert found[0] != list(LEFT) and found[1] != list(BALANCED)

    def objective(x: Tensor, W: Tensor, b: Tensor, u: Tensor) -> Tensor:
        risks = []
        for words, gold, tree in zip(x.split(4), (LEFT, BALANCED), found, strict=True):
            spans = {(start, end) for start, _, end in gold}
            margin = 0.5 * len({(start, end) for start, _, end in tree} - spans)
            risks.append(_score(words, W, b, u, tree) + margin - _score(words, W, b, u, gold))
        return torch.stack(risks).mean() + 0.15 * ((W**2).sum() + (b**2).sum() + (u**2).sum())

    _compare(network, x, objective, (LEFT, BALANCED))
