"""Compositions by their formulas, and forests composed at once against the same trees composed node by node."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from oracles import sigmoid
from torch import Tensor

from seqtree.nn.arrays import round_to_bfloat16
from seqtree.nn.config import COMPOSITIONS, MAX_ACTIVATION
from seqtree.nn.recursive import Composition, compose_forest
from seqtree.reference import activations
from seqtree.reference.recursive import Recursive

WIDTH = 6

Compose = Callable[[Composition, Tensor, np.ndarray, np.ndarray], Tensor]


def _composition(kind: str, width: int = WIDTH) -> Composition:
    made = Composition(kind, width).double()
    with torch.no_grad():
        made.linear.bias.copy_(torch.randn_like(made.linear.bias) * 0.3)
    return made


def node_by_node(composition: Composition, leaves: Tensor, left: np.ndarray, right: np.ndarray) -> Tensor:
    """The slow ``compose_forest``: one node after another, one row each."""
    nodes = list(leaves.unbind())
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        nodes.append(composition(nodes[one][None], nodes[other][None])[0])
    return torch.stack(nodes)


def _random_forest(leaves: int, inner: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Any two earlier nodes as the children of each inner node, so that many are the child of several, or twice."""
    highest = leaves + np.arange(inner)
    return rng.integers(0, highest), rng.integers(0, highest)


def _values_and_gradients(
    compose: Compose, composition: Composition, leaves: Tensor, left: np.ndarray, right: np.ndarray
) -> list[Tensor]:
    """All nodes, and the gradients of a sum in which every node has weights of its own."""
    leaves = leaves.clone().requires_grad_()
    nodes = compose(composition, leaves, left, right)
    weight = torch.randn(nodes.shape, generator=torch.Generator().manual_seed(1), dtype=nodes.dtype)
    gradients = torch.autograd.grad((nodes * weight).sum(), (leaves, *composition.parameters()))
    return [nodes.detach(), *gradients]


def _check_forest(composition: Composition, leaves: Tensor, left: np.ndarray, right: np.ndarray) -> None:
    fast = _values_and_gradients(compose_forest, composition, leaves, left, right)
    slow = _values_and_gradients(node_by_node, composition, leaves, left, right)
    assert len(fast) == len(slow) == 2 + len(list(composition.parameters()))
    for mine, other in zip(fast, slow, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


# --- the compositions


def _by_formula(composition: Composition, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One parent, as the formulas have it."""
    W, b = composition.linear.weight.detach().numpy(), composition.linear.bias.detach().numpy()
    if composition.kind == "max":
        return np.maximum(W @ np.maximum(left, right) + b, 0)
    if composition.kind == "tanh":
        return np.tanh(W @ np.concatenate([left, right]) + b)
    if composition.kind == "rntn":
        x, V = np.concatenate([left, right]), composition.tensor.detach().numpy()
        return np.tanh(np.einsum("kij,i,j->k", V, x, x) + W @ x + b)
    if composition.kind == "relu":
        return np.maximum(W @ np.concatenate([left, right]) + b, 0)
    (h_left, c_left), (h_right, c_right) = np.split(left, 2), np.split(right, 2)
    i, f_left, f_right, o, g = np.split(W @ np.concatenate([h_left, h_right]) + b, 5)
    c = sigmoid(i) * np.tanh(g) + sigmoid(f_left + 1) * c_left + sigmoid(f_right + 1) * c_right
    return np.concatenate([sigmoid(o) * np.tanh(c), c])


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_composition_by_its_formula(kind: str) -> None:
    composition = _composition(kind)
    left, right = torch.randn(5, WIDTH, dtype=torch.float64), torch.randn(5, WIDTH, dtype=torch.float64)
    parents = composition(left, right).detach().numpy()
    assert parents.shape == (5, WIDTH)
    for parent, one, other in zip(parents, left.numpy(), right.numpy(), strict=True):
        np.testing.assert_allclose(parent, _by_formula(composition, one, other), rtol=1e-10, atol=1e-12)


def test_numbers_are_rounded_as_torch_rounds_them() -> None:
    numbers = torch.cat([torch.randn(10_000) * 10.0**power for power in (-30, -3, 0, 3, 30)])
    expected = numbers.bfloat16().float()
    rounded = numbers.clone()
    round_to_bfloat16(rounded.numpy())
    assert torch.equal(rounded, expected)


def test_a_tree_lstm_shows_its_h_and_the_others_all() -> None:
    nodes = torch.arange(2.0 * WIDTH).view(2, WIDTH)
    for kind in COMPOSITIONS:
        composition = Composition(kind, WIDTH)
        shown = composition.output(nodes)
        assert shown.shape == (2, composition.output_size)
        assert torch.equal(shown, nodes[:, :3] if kind == "lstm" else nodes)


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_first_weights_keep_the_size_of_vectors(kind: str) -> None:
    """Some levels up, vectors are neither all but zero nor without bound."""
    composition = Composition(kind, 200)
    vectors = torch.randn(64, 200)
    for _ in range(5):
        vectors = composition(vectors, vectors[torch.randperm(64)])
    assert 0.05 < composition.output(vectors).square().mean().sqrt().item() < 3.0
    assert composition.linear.bias.eq(0).all()


def test_what_a_tree_lstm_drops_is_new() -> None:
    """Memory stays: without a candidate value, c is what the forget gates leave of the children's."""
    composition = Composition("lstm", WIDTH, update_dropout=0.5).double()
    left, right = torch.randn(400, WIDTH, dtype=torch.float64), torch.randn(400, WIDTH, dtype=torch.float64)
    kept = composition.eval()(left, right)[:, 3:]
    dropped = composition.train()(left, right)[:, 3:]
    _, f_left, f_right, _, _ = composition.linear(torch.cat([left[:, :3], right[:, :3]], dim=1)).chunk(5, dim=1)
    memory = (f_left + 1).sigmoid() * left[:, 3:] + (f_right + 1).sigmoid() * right[:, 3:]
    gone = torch.isclose(dropped, memory)
    assert 0.4 < gone.double().mean() < 0.6
    torch.testing.assert_close(dropped[~gone], (memory + 2 * (kept - memory))[~gone])


# --- forests


@pytest.mark.parametrize("kind", COMPOSITIONS)
@pytest.mark.parametrize(("leaves", "inner"), [(1, 1), (1, 6), (2, 1), (5, 4), (6, 40), (40, 15)])
def test_a_forest_equals_its_nodes_one_by_one(kind: str, leaves: int, inner: int) -> None:
    for seed in range(3):
        left, right = _random_forest(leaves, inner, np.random.default_rng((seed, leaves, inner)))
        _check_forest(_composition(kind), torch.randn(leaves, WIDTH, dtype=torch.float64), left, right)


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_a_node_that_is_the_child_of_several(kind: str) -> None:
    """Node 3 = (0 1) has four parents, one of them by both sides; 7 is twice above it."""
    left, right = np.array([0, 3, 2, 3, 5]), np.array([1, 2, 3, 3, 4])
    _check_forest(_composition(kind), torch.randn(3, WIDTH, dtype=torch.float64), left, right)


@pytest.mark.parametrize("kind", COMPOSITIONS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_deep_chain(kind: str, side: str) -> None:
    words = 2000
    deep = np.concatenate([[0], words + np.arange(words - 2)])
    single = np.arange(1, words)
    composition = _composition(kind, 4)
    with torch.no_grad():  # halved, so that ReLU stays in bounds over so many levels
        for parameter in composition.parameters():
            parameter.mul_(0.5)
    left, right = (deep, single) if side == "left" else (single, deep)
    _check_forest(composition, torch.randn(words, 4, dtype=torch.float64), left, right)


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_a_forest_without_inner_nodes_is_its_leaves(kind: str) -> None:
    none = np.zeros(0, dtype=np.int64)
    leaves = torch.randn(3, WIDTH, dtype=torch.float64, requires_grad=True)
    composition = _composition(kind)
    nodes = compose_forest(composition, leaves, none, none)
    assert torch.equal(nodes, leaves)
    nodes.square().sum().backward()
    torch.testing.assert_close(leaves.grad, 2 * leaves.detach())
    assert all(parameter.grad is None or parameter.grad.eq(0).all() for parameter in composition.parameters())


def test_the_order_of_independent_nodes_does_not_matter() -> None:
    composition, leaves = _composition("tanh"), torch.randn(4, WIDTH, dtype=torch.float64)
    one = compose_forest(composition, leaves, np.array([0, 2, 4]), np.array([1, 3, 5]))
    other = compose_forest(composition, leaves, np.array([2, 0, 5]), np.array([3, 1, 4]))
    torch.testing.assert_close(other[[0, 1, 2, 3, 5, 4, 6]], one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_without_gradients_the_values_are_the_same(kind: str) -> None:
    composition, leaves = _composition(kind), torch.randn(5, WIDTH, dtype=torch.float64)
    left, right = _random_forest(5, 9, np.random.default_rng(0))
    with torch.no_grad():
        quiet = compose_forest(composition, leaves, left, right)
    assert not quiet.requires_grad
    with torch.inference_mode():
        inferred = compose_forest(composition, leaves, left, right)
    taught = compose_forest(composition, leaves, left, right)
    assert taught.requires_grad  # through the parameters
    assert torch.equal(quiet, taught)
    assert torch.equal(inferred, taught)


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_gradients_by_finite_differences(kind: str) -> None:
    composition = _composition(kind, 4)
    names = [name for name, _ in composition.named_parameters()]
    left, right = np.array([0, 3, 4, 4]), np.array([1, 2, 3, 5])

    def nodes(leaves: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(
            _Forest(composition, left, right),
            {f"composition.{n}": v for n, v in zip(names, values, strict=True)},
            (leaves,),
        )

    leaves = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    values = [parameter.detach().clone().requires_grad_() for parameter in composition.parameters()]
    assert torch.autograd.gradcheck(nodes, (leaves, *values))


class _Forest(torch.nn.Module):
    def __init__(self, composition: Composition, left: np.ndarray, right: np.ndarray) -> None:
        super().__init__()
        self.composition, self.left, self.right = composition, left, right

    def forward(self, leaves: Tensor) -> Tensor:
        return compose_forest(self.composition, leaves, self.left, self.right)


@pytest.mark.parametrize("kind", ["relu", "max"])
def test_vectors_of_deep_trees_stay_bounded(kind: str) -> None:
    """Without its limit ReLU would grow by a factor at every node, here to 1e300."""
    composition, leaves = _composition(kind), torch.rand(1001, WIDTH, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        composition.linear.weight.abs_()
    depth = np.arange(1000)
    nodes = compose_forest(composition, leaves, np.append(0, 1000 + depth[1:]), 1 + depth)
    assert nodes.max() == MAX_ACTIVATION == 20
    nodes[-1].sum().backward()
    assert leaves.grad is not None
    assert leaves.grad.isfinite().all()


@pytest.mark.parametrize("frozen", [{"linear.weight"}, {"linear.weight", "linear.bias"}])
def test_parameters_that_are_not_trained(frozen: set[str]) -> None:
    """They get no gradient; leaves and the others get what they would get otherwise."""
    composition, leaves = _composition("relu"), torch.randn(4, WIDTH, dtype=torch.float64, requires_grad=True)
    children = np.array([0, 4, 5]), np.array([1, 2, 3])
    nodes = compose_forest(composition, leaves, *children)
    wanted = torch.autograd.grad(nodes.sum(), [leaves, composition.linear.bias])
    for name in frozen:
        composition.get_parameter(name).requires_grad_(False)
    compose_forest(composition, leaves, *children).sum().backward()
    torch.testing.assert_close(leaves.grad, wanted[0])
    assert composition.linear.weight.grad is None
    if "linear.bias" in frozen:
        assert composition.linear.bias.grad is None
    else:
        torch.testing.assert_close(composition.linear.bias.grad, wanted[1])


def test_backward_twice_is_the_same_or_refused() -> None:
    """As everywhere in torch: with ``retain_graph`` once more the same gradient, and never a silently wrong one."""
    composition, leaves = _composition("tanh"), torch.randn(3, WIDTH, dtype=torch.float64, requires_grad=True)
    nodes = compose_forest(composition, leaves, np.array([0, 3]), np.array([1, 2]))
    first, *_ = torch.autograd.grad(nodes[-1].sum(), leaves, retain_graph=True)
    try:
        second, *_ = torch.autograd.grad(nodes[-1].sum(), leaves)
    except RuntimeError as error:
        assert "second time" in str(error)
    else:
        torch.testing.assert_close(second, first)


def test_second_derivatives_are_refused() -> None:
    composition, leaves = _composition("tanh"), torch.randn(3, WIDTH, dtype=torch.float64, requires_grad=True)
    nodes = compose_forest(composition, leaves, np.array([0, 3]), np.array([1, 2]))
    (slope,) = torch.autograd.grad(nodes[-1].square().sum(), leaves, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(slope.square().sum(), leaves)


# --- the chapters' version


@pytest.mark.parametrize(("kind", "f"), [("tanh", activations.TANH), ("relu", activations.RELU)])
@pytest.mark.parametrize(
    "merges",
    [
        [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)],
        [(3, 4, 5), (2, 3, 5), (1, 2, 5), (0, 1, 5)],
        [(3, 4, 5), (0, 1, 2), (2, 3, 5), (0, 2, 5)],
    ],
    ids=["left", "right", "balanced"],
)
def test_equals_the_network_by_hand(kind: str, f: activations.Activation, merges: list[tuple[int, int, int]]) -> None:
    by_hand = Recursive(WIDTH, np.random.default_rng(3), f)
    composition = _composition(kind)
    by_hand.parameters = {"W": composition.linear.weight.detach().numpy()}
    by_hand.parameters["b"] = composition.linear.bias.detach().numpy()
    node = {(i, i + 1): i for i in range(5)} | {(start, end): 5 + k for k, (start, _, end) in enumerate(merges)}
    left = np.array([node[start, split] for start, split, _ in merges])
    right = np.array([node[split, end] for _, split, end in merges])
    words = torch.randn(5, WIDTH, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, WIDTH, dtype=torch.float64)
    phrases = compose_forest(composition, words, left, right)[5:]
    (phrases * weight).sum().backward()
    vectors = by_hand.forward(words.detach().numpy(), merges)
    np.testing.assert_allclose(phrases.detach().numpy(), vectors, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(words.grad.numpy(), by_hand.backward(weight.numpy()), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(composition.linear.weight.grad.numpy(), by_hand.gradients["W"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(composition.linear.bias.grad.numpy(), by_hand.gradients["b"], rtol=1e-10, atol=1e-12)
