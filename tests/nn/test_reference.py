"""Every module of seqtree.nn equals the network by hand, in values and gradients, in double precision.

One layer from a given state, and one tree, are in test_reference_torch and test_recursive; what the chapters have no
network for (other compositions, whole forests in every order, carried states) is compared with loops there. The network
by hand takes one row at a time, so its gradients are added up over the rows of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_helpers import KINDS, E, H, T, as_leaf, close, compare_gradients, draw, make_layer, set_parameters

from seqtree.nn import Recurrent, linear_cross_entropy
from seqtree.nn.crf import CRF
from seqtree.nn.losses import _LinearCrossEntropy
from seqtree.nn.lstm import lstm_layer
from seqtree.nn.recursive import Composition, compose_forest
from seqtree.reference import activations
from seqtree.reference.bidirectional import Bidirectional, deep
from seqtree.reference.crf import ConditionalRandomField
from seqtree.reference.examples import BALANCED, LEFT, RIGHT
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.lstm import GATES, LSTM
from seqtree.reference.network import Array, Chain, Network
from seqtree.reference.recursive import Merge, Recursive
from seqtree.reference.softmax import SoftmaxCrossEntropy

B = 3
Ends = Sequence[str]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _add(totals: dict[str, Array], network: Network) -> None:
    for name, gradient in network.gradients.items():
        totals[name] = totals.get(name, 0.0) + gradient


def _stack(kind: str, layers: int, ends: Ends, rng: np.random.Generator) -> tuple[dict[str, Network], Network]:
    """Recurrent layers by torch's endings ("l1_reverse"), and the deep network made of them."""
    made: dict[str, Network] = {
        f"l{k}{end}": make_layer(kind, H * len(ends) if k else E, rng) for k in range(layers) for end in ends
    }
    levels = [[made[f"l{k}{end}"] for end in ends] for k in range(layers)]
    return made, deep([Bidirectional(level[0], level[1]) if len(level) == 2 else level[0] for level in levels])


@pytest.mark.parametrize("lengths", [[T, T, T], [4, T, 1]], ids=["whole", "padded"])
@pytest.mark.parametrize("ends", [("",), ("", "_reverse")], ids=["forwards", "both"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_recurrent(kind: str, layers: int, ends: Ends, lengths: list[int], rng: np.random.Generator) -> None:
    by_name, network = _stack(kind, layers, ends, rng)
    cell, _, nonlinearity = kind.partition("-")
    module = Recurrent(
        cell, E, H, layers, nonlinearity=nonlinearity or "tanh", bidirectional=len(ends) == 2, dtype=torch.float64
    )
    set_parameters(module, by_name)
    x, dy = rng.normal(size=(T, B, E)), rng.normal(size=(T, B, H * len(ends)))
    for row, length in enumerate(lengths):
        dy[length:, row] = 0
    own_x = as_leaf(x)
    output, (h, *_) = module(own_x, lengths=torch.tensor(lengths))
    output.backward(torch.tensor(dy))

    dx: Array = np.zeros_like(x)
    totals: dict[str, dict[str, Array]] = {end: {} for end in by_name}
    for row, length in enumerate(lengths):
        y = network.forward(x[:length, row])
        dx[:length, row] = network.backward(dy[:length, row])
        for end, layer in by_name.items():
            _add(totals[end], layer)
        close(y, output[:length, row])
        if length == T:  # the last layer's state is what each direction read last
            for state, step, half in zip(h[-len(ends) :, row], (-1, 0), np.split(y, len(ends), axis=1), strict=False):
                close(half[step], state)
    for end, layer in by_name.items():
        layer.gradients = totals[end]
    close(dx, own_x.grad)
    compare_gradients(module, by_name)


def test_fast_lstm_layer(rng: np.random.Generator) -> None:
    layer = LSTM(E, H, rng)
    draw(layer, rng)
    W, b = (np.concatenate([layer.parameters[f"{name}_{gate}"] for gate in "ifco"]) for name in "Wb")
    x, dy = rng.normal(size=(T, B, E)), rng.normal(size=(T, B, H))
    h0, c0 = rng.normal(size=(2, B, H))
    leaves = [as_leaf(values) for values in (x, h0, c0, W[:, H:], W[:, :H], b)]
    output, h, c = lstm_layer(*leaves)
    output.backward(torch.tensor(dy))

    dx, dh0, dc0 = (np.zeros_like(values) for values in (x, h0, c0))
    totals: dict[str, Array] = {}
    for row in range(B):
        y = layer.forward(x[:, row], h0[row], c0[row])
        dx[:, row] = layer.backward(dy[:, row])
        dh0[row], dc0[row] = layer.dh0, layer.dc0
        _add(totals, layer)
        for mine, theirs in ((y, output[:, row]), (y[-1], h[row]), (layer.c[-1], c[row])):
            close(mine, theirs)
    assert set(totals) == {f"{name}_{gate}" for gate in GATES for name in "Wb"}
    dW, db = (np.concatenate([totals[f"{name}_{gate}"] for gate in "ifco"]) for name in "Wb")
    for mine, leaf in zip((dx, dh0, dc0, dW[:, H:], dW[:, :H], db), leaves, strict=True):
        close(mine, leaf.grad)


@pytest.mark.parametrize(("kind", "f"), [("tanh", activations.TANH), ("relu", activations.RELU)])
def test_forest(kind: str, f: activations.Activation, rng: np.random.Generator) -> None:
    """Trees of all shapes, and a single word, in one forest."""
    layer = Recursive(H, rng, f)
    draw(layer, rng)
    composition = Composition(kind, H).double()
    with torch.no_grad():
        for mine, theirs in zip(layer.parameters.values(), composition.parameters(), strict=True):
            theirs.copy_(torch.tensor(mine))
    trees: list[Sequence[Merge]] = [LEFT, [], BALANCED, [(0, 1, 2)], RIGHT]
    starts = np.cumsum([0, *(len(tree) + 1 for tree in trees)])  # of each tree's words, and the end of all
    children: list[tuple[int, int]] = []
    for start, tree in zip(starts, trees, strict=False):
        node = {(i, i + 1): start + i for i in range(len(tree) + 1)}
        for begin, split, end in tree:
            node[begin, end] = starts[-1] + len(children)
            children.append((node[begin, split], node[split, end]))
    left, right = np.array(children).T
    x, dp = rng.normal(size=(starts[-1], H)), rng.normal(size=(len(children), H))
    own_x = as_leaf(x)
    phrases = compose_forest(composition, own_x, left, right)[starts[-1] :]
    phrases.backward(torch.tensor(dp))

    p, dx = [], []
    totals: dict[str, Array] = {}
    merges = np.cumsum([len(tree) for tree in trees])[:-1]
    for words, error, tree in zip(np.split(x, starts[1:-1]), np.split(dp, merges), trees, strict=True):
        p.append(layer.forward(words, tree))
        dx.append(layer.backward(error))
        _add(totals, layer)
    close(np.concatenate(p), phrases)
    close(np.concatenate(dx), own_x.grad)
    for name, parameter in zip(("W", "b"), composition.parameters(), strict=True):
        close(totals[name], parameter.grad)


def _written_out(hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """The gradients of the bfloat16 path, here without its rounding; the loss itself is single precision."""
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, bias, targets, torch.float64)
    return loss


@pytest.mark.parametrize(("function", "digits"), [(linear_cross_entropy, 1e-10), (_written_out, 1e-6)])
def test_linear_cross_entropy(function: Callable[..., Tensor], digits: float, rng: np.random.Generator) -> None:
    network = Chain({"output": FullyConnected(H, 5, rng, activations.LINEAR), "loss": SoftmaxCrossEntropy()})
    draw(network, rng)
    s, targets = rng.normal(size=(T, H)), rng.integers(0, 5, T)
    leaves = [as_leaf(values) for values in (s, network.parameters["output.W"], network.parameters["output.b"])]
    loss = function(*leaves, torch.tensor(targets))
    (0.5 * loss).backward()
    assert loss.item() == pytest.approx(float(network.forward(s, np.eye(5)[targets])), rel=digits)
    ds = network.backward(np.array(0.5))
    for mine, leaf in zip((ds, network.gradients["output.W"], network.gradients["output.b"]), leaves, strict=True):
        close(mine, leaf.grad)


def test_conditional_random_field(rng: np.random.Generator) -> None:
    slow, fast = ConditionalRandomField(3, rng), CRF(([1] * 3, [[1] * 3] * 3, [1] * 3)).double()
    draw(slow, rng)
    for name, values in slow.parameters.items():
        getattr(fast, name).data[:] = torch.from_numpy(values)
    xs, ys = [rng.normal(size=(length, 3)) for length in (5, 3, 1)], [rng.integers(0, 3, n) for n in (5, 3, 1)]
    emissions, tags = torch.zeros(5, 3, 3, dtype=torch.float64), torch.zeros(5, 3, dtype=torch.int64)
    for row, (x, y) in enumerate(zip(xs, ys, strict=True)):
        emissions[: len(x), row], tags[: len(y), row] = torch.from_numpy(x), torch.from_numpy(y)
    loss = fast.loss(emissions.requires_grad_(), torch.tensor([5, 3, 1]), tags)
    loss.backward()
    totals: dict[str, Array] = {}
    losses = []
    for row, (x, y) in enumerate(zip(xs, ys, strict=True)):
        losses.append(float(slow.forward(x, y)))
        assert emissions.grad is not None
        close(slow.backward(np.array(1.0)), emissions.grad[: len(x), row])
        _add(totals, slow)
    assert loss.item() == pytest.approx(sum(losses), rel=1e-10)
    for name, total in totals.items():
        close(total, getattr(fast, name).grad)
