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
from seqtree.nn.attention import Attention
from seqtree.nn.crf import CRF
from seqtree.nn.losses import _LinearCrossEntropy, sampled_cross_entropy
from seqtree.nn.lstm import lstm_layer
from seqtree.nn.recursive import Composition, compose_forest
from seqtree.reference import activations, attention
from seqtree.reference.attention import AdditiveScore, MultiplicativeScore
from seqtree.reference.bidirectional import Bidirectional, deep
from seqtree.reference.crf import ConditionalRandomField
from seqtree.reference.encoder_decoder import CONTEXTS, EncoderDecoder
from seqtree.reference.examples import BALANCED, LEFT, RIGHT
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.lstm import GATES, LSTM
from seqtree.reference.network import Array, Chain, Network
from seqtree.reference.recursive import Merge, Recursive
from seqtree.reference.softmax import SoftmaxCrossEntropy
from seqtree.translation.config import TranslatorConfig
from seqtree.translation.model import padded
from seqtree.translation.network import END, START, TranslatorNetwork

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


def _written_out(hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """The gradients of the bfloat16 path, here without its rounding; the loss itself is single precision."""
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, bias, targets, torch.float64, smoothing)
    return loss


def _exact(hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    return linear_cross_entropy(hidden, weight, bias, targets, smoothing=smoothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize(("function", "digits"), [(_exact, 1e-10), (_written_out, 1e-6)])
def test_linear_cross_entropy(
    function: Callable[..., Tensor], digits: float, smoothing: float, rng: np.random.Generator
) -> None:
    network = Chain({"output": FullyConnected(H, 5, rng, activations.LINEAR), "loss": SoftmaxCrossEntropy()})
    draw(network, rng)
    s, targets = rng.normal(size=(T, H)), rng.integers(0, 5, T)
    leaves = [as_leaf(values) for values in (s, network.parameters["output.W"], network.parameters["output.b"])]
    loss = function(*leaves, torch.tensor(targets), smoothing)
    (0.5 * loss).backward()
    smoothed = (1 - smoothing) * np.eye(5)[targets] + smoothing / 5
    assert loss.item() == pytest.approx(float(network.forward(s, smoothed)), rel=digits)
    ds = network.backward(np.array(0.5))
    for mine, leaf in zip((ds, network.gradients["output.W"], network.gradients["output.b"]), leaves, strict=True):
        close(mine, leaf.grad)


def test_sampled_cross_entropy(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr("seqtree.nn.losses.COMMON", 2)
    monkeypatch.setattr("seqtree.nn.losses.SHARE", 3)
    monkeypatch.setattr("seqtree.nn.losses.MULTIPLE", 1)
    network, weights = SoftmaxCrossEntropy(), np.array([1.0, 1.0, 1.0, 3.0, 0.0, 0.0, 3.0, 0.0])  # from token 3 on
    monkeypatch.setattr("torch.randint", lambda *_: torch.tensor(1))
    z, targets = rng.normal(size=(4, 8)), [2, 1, 0, 2]
    leaf = as_leaf(z)
    loss = sampled_cross_entropy(
        torch.eye(4, dtype=torch.float64), leaf.T, torch.zeros(8).double(), torch.tensor(targets)
    )
    loss.backward()
    assert loss.item() == pytest.approx(float(network.forward(z, np.eye(8)[targets], weights)), rel=1e-12)
    close(network.backward(), leaf.grad)


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


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_attention(kind: str, rng: np.random.Generator) -> None:
    """Two rows of queries for each source, the last of which is padded, at every step."""
    score = AdditiveScore(H, E, H, rng) if kind == "additive" else MultiplicativeScore(H, E, rng)
    layer, fast = attention.Attention(score), Attention(kind, H, E).double()
    draw(layer, rng)
    _give_attention(fast, score)
    lengths, s, h = [5, 5, 2], rng.normal(size=(T, 2 * B, H)), rng.normal(size=(B, 5, E))
    dc = rng.normal(size=(T, 2 * B, E))
    own_s, own_h = as_leaf(s), as_leaf(h)
    padding = torch.arange(5) >= torch.tensor(lengths)[:, None]
    contexts, weights = fast(own_s, own_h, fast.keys(own_h), padding)
    contexts.backward(torch.tensor(dc))

    ds, dh = np.zeros_like(s), np.zeros_like(h)
    totals: dict[str, Array] = {}
    for row in range(2 * B):
        source, length = row // 2, lengths[row // 2]
        close(layer.forward(s[:, row], h[source, :length]), contexts[:, row])
        close(layer.a, weights[:, row, :length])
        ds[:, row] = layer.backward(dc[:, row])
        dh[source, :length] += layer.dh
        _add(totals, layer)
    close(ds, own_s.grad)
    close(dh, own_h.grad)
    _compare_attention(fast, totals, "score.")


def _give_attention(fast: Attention, score: AdditiveScore | MultiplicativeScore) -> None:
    with torch.no_grad():
        if isinstance(score, MultiplicativeScore):
            fast.key.weight.copy_(torch.tensor(score.parameters["W"]))
            return
        for place, name in ((fast.query.weight, "Q"), (fast.key.weight, "K"), (fast.key.bias, "b"), (fast.score, "v")):
            place.copy_(torch.tensor(score.parameters[name]))


def _compare_attention(fast: Attention, totals: dict[str, Array], prefix: str) -> None:
    if f"{prefix}W" in totals:
        close(totals[f"{prefix}W"], fast.key.weight.grad)
        return
    for place, name in ((fast.query.weight, "Q"), (fast.key.weight, "K"), (fast.key.bias, "b"), (fast.score, "v")):
        close(totals[f"{prefix}{name}"], place.grad)


@pytest.mark.parametrize("context", CONTEXTS)
def test_encoder_decoder(context: str, rng: np.random.Generator) -> None:
    """A batch of padded sources and targets; tokens' vectors are one-hot, as the network by hand has them."""
    tokens, units = 6, 4
    network = EncoderDecoder(tokens, tokens, units, context, rng)
    draw(network, rng)
    attends = context in ("additive", "multiplicative")
    config = TranslatorConfig(
        cell="rnn",
        embedding=tokens,
        hidden=units,
        decoder_layers=1,
        bidirectional=False,
        dropout=0.0,
        context="attention" if attends else context,
        attention=context if attends else "additive",
    )
    fast = TranslatorNetwork(tokens, tokens, config).double()
    _give_weights(fast, network)
    sources, targets = [[3, 5, 4, 3], [5], [4, 4, 5]], [[3, 4, END], [5, 5, 3, 4, END], [END]]
    loss = fast.loss(
        fast.encode(padded([np.array(row) for row in sources]), torch.tensor([len(row) for row in sources])),
        padded([np.array(row) for row in targets]),
        torch.tensor([len(row) for row in targets]),
    )
    loss.backward()

    one_hot, count = np.eye(tokens), sum(map(len, targets))
    total, totals, vectors = 0.0, dict[str, Array](), np.zeros((tokens, tokens))
    for source, target in zip(sources, targets, strict=True):
        y = one_hot[target]
        total += float(network.forward(one_hot[source], one_hot[[START, *target[:-1]]], y)) * len(target) / count
        dx = network.backward(np.array(len(target) / count))
        np.add.at(vectors, source, dx)
        _add(totals, network)
    assert loss.item() == pytest.approx(total, rel=1e-10)
    close(vectors, fast.source.weight.grad)
    _compare_recurrent(fast.encoder, totals, "encoder.")
    _compare_recurrent(fast.decoder, totals, "decoder.")
    for name in ("bridge", "combine", "output"):
        close(totals[f"{name}.W"], getattr(fast, name).weight.grad)
        close(totals[f"{name}.b"], getattr(fast, name).bias.grad)
    if attends:
        _compare_attention(fast.attention, totals, "attention.score.")


def _give_weights(fast: TranslatorNetwork, network: EncoderDecoder) -> None:
    set_parameters(fast.encoder, {"l0": network.encoder})
    set_parameters(fast.decoder, {"l0": network.decoder})
    if hasattr(network, "attention"):
        _give_attention(fast.attention, network.attention.score)
    with torch.no_grad():
        for table in (fast.source, fast.target):
            table.weight.copy_(torch.eye(len(table.weight)))
        for name in ("bridge", "combine", "output"):
            getattr(fast, name).weight.copy_(torch.tensor(network.parameters[f"{name}.W"]))
            getattr(fast, name).bias.copy_(torch.tensor(network.parameters[f"{name}.b"]))


def _compare_recurrent(module: Recurrent, totals: dict[str, Array], prefix: str) -> None:
    close(totals[f"{prefix}U"], module.weight_ih_l0.grad)
    close(totals[f"{prefix}W"], module.weight_hh_l0.grad)
    close(totals[f"{prefix}b"], module.bias_ih_l0.grad)
