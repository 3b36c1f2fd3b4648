"""The networks by hand learn, and cannot learn what they should not; trees, the greedy parser and its margin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from seqtree.reference.activations import LINEAR, TANH
from seqtree.reference.convolution import Convolution
from seqtree.reference.fully_connected import FullyConnected, feedforward
from seqtree.reference.gradient_check import gradient_check
from seqtree.reference.gru import GRU, TorchGRU
from seqtree.reference.language_model import LanguageModel, one_hot, pairs, training_example
from seqtree.reference.linear_unit import LinearUnit, batch_epoch, stochastic_epoch
from seqtree.reference.lstm import LSTM
from seqtree.reference.max_margin import Bonus, MaxMargin, TreeScorer, chart, greedy, no_bonus, wrong_spans
from seqtree.reference.network import Array, Chain, Flatten, Network
from seqtree.reference.nodes import NodeNetwork
from seqtree.reference.perceptron import Perceptron
from seqtree.reference.pooling import MaxPooling
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.recursive import Merge, Recursive
from seqtree.reference.softmax import SoftmaxCrossEntropy
from seqtree.reference.squared_error import SquaredError
from seqtree.treebank.binary import BinaryTree, binarise

Search = Callable[[TreeScorer, Array, Bonus], list[Merge]]
CORNERS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
TRUTH = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}
YEARS, SALARY = np.array([[5.0], [3], [8], [1.4], [10.1]]), np.array([5500.0, 2300, 7600, 1800, 11400])


# --- chapters 1 and 2


@pytest.mark.parametrize("task", TRUTH)
def test_a_perceptron_learns_and_and_or_but_not_xor(task: str) -> None:
    unit, target = Perceptron(2), np.array(TRUTH[task])
    unit.train(CORNERS, target, epochs=200, rate=0.1)
    wrong = sum(unit.forward(x) != t for x, t in zip(CORNERS, target, strict=True))
    assert wrong > 0 if task == "xor" else wrong == 0


def test_a_linear_unit_learns_salaries_example_by_example() -> None:
    unit = LinearUnit(1)
    errors = [stochastic_epoch(unit, YEARS, SALARY, rate=0.01) for _ in range(10)]
    assert errors[0] == max(errors)
    assert errors[-1] < errors[0] / 10
    for year, salary in zip(YEARS, SALARY, strict=True):
        assert unit.forward(year[None])[0] == pytest.approx(salary, abs=1500)


def test_the_batch_needs_a_smaller_rate_than_its_examples() -> None:
    """Steps down a quadratic error converge below a rate of 2 / its largest eigenvalue: here, just under 0.01."""
    with_bias = np.column_stack([YEARS, np.ones(5)])
    limit = 2 / np.linalg.eigvalsh(with_bias.T @ with_bias).max()
    assert 0.009 < limit < 0.01
    falling, rising = LinearUnit(1), LinearUnit(1)
    errors = [batch_epoch(falling, YEARS, SALARY, rate=0.9 * limit) for _ in range(2000)]
    assert all(after < before for before, after in pairwise(errors[:50]))
    best = np.linalg.lstsq(with_bias, SALARY, rcond=None)[0]
    assert [*falling.parameters["w"], *falling.parameters["b"]] == pytest.approx(best, rel=1e-6)
    errors = [batch_epoch(rising, YEARS, SALARY, rate=0.01) for _ in range(300)]
    assert errors[-1] > errors[0]


# --- chapters 3 and 4


def test_nodes_and_matrices_are_one_network() -> None:
    rng = np.random.default_rng(0)
    nodes, matrices = NodeNetwork([3, 4, 5, 2], rng), feedforward([3, 4, 5, 2], rng)
    layers = [matrices.parameters[f"{n}.W"] for n in (1, 2, 3)]
    for W, b in zip(layers, (matrices.parameters[f"{n}.b"] for n in (1, 2, 3)), strict=True):
        b[:] = rng.normal(size=len(W))
    values = [np.column_stack([W, matrices.parameters[f"{n}.b"]]).ravel() for n, W in enumerate(layers, start=1)]
    nodes.parameters["w"][:] = np.concatenate(values)
    x, dy = rng.normal(size=3), rng.normal(size=2)
    np.testing.assert_allclose(nodes.forward(x), matrices.forward(x), rtol=1e-12)
    np.testing.assert_allclose(nodes.backward(dy), matrices.backward(dy), rtol=1e-12)
    gradients = [np.column_stack([matrices.gradients[f"{n}.W"], matrices.gradients[f"{n}.b"]]) for n in (1, 2, 3)]
    flat = np.concatenate([gradient.ravel() for gradient in gradients])
    np.testing.assert_allclose(nodes.gradients["w"], flat, rtol=1e-12)


def _losses(network: Network, examples: Sequence[tuple[Array, Array]], rate: float, epochs: int) -> list[float]:
    """The sum of the errors in each epoch of stochastic gradient descent; the last part of the network is its loss."""
    sums = []
    for _ in range(epochs):
        total = 0.0
        for x, t in examples:
            total += float(network.forward(x, t))
            network.backward(np.ones(()))
            network.clip(1.0)
            network.update(rate)
        sums.append(total)
    return sums


@pytest.mark.parametrize("make", [feedforward, NodeNetwork], ids=["matrices", "nodes"])
def test_a_hidden_layer_learns_xor(make: Callable[[list[int], np.random.Generator], Network]) -> None:
    body = make([2, 3, 1], np.random.default_rng(1))
    examples = [(x, np.array([0.8 * t + 0.1])) for x, t in zip(CORNERS, TRUTH["xor"], strict=True)]
    losses = _losses(Chain({"body": body, "loss": SquaredError()}), examples, rate=4.0, epochs=1500)
    assert losses[-1] < losses[0] / 20
    assert [int(body.forward(x)[0] > 0.5) for x in CORNERS] == TRUTH["xor"]


def test_a_convolutional_network_learns_the_direction_of_bars() -> None:
    rng = np.random.default_rng(0)
    examples = []
    for n in range(16):
        image = np.zeros((1, 6, 6))
        image[0, n % 6] = 1.0
        examples.append((image.swapaxes(1, 2) if n % 2 else image, np.eye(2)[n % 2]))
    network = Chain(
        {
            "convolution": Convolution(1, 6, (3, 3), rng),
            "pooling": MaxPooling(2),
            "flatten": Flatten(),
            "output": FullyConnected(24, 2, rng, LINEAR),
            "loss": SoftmaxCrossEntropy(),
        }
    )
    losses = _losses(network, examples, rate=0.1, epochs=30)
    assert losses[-1] < losses[0] / 20


# --- chapters 5 and 6


@pytest.mark.parametrize("kind", [Recurrent, LSTM, GRU, TorchGRU])
def test_recurrent_networks_learn_to_remember(kind: Callable[[int, int, np.random.Generator], Network]) -> None:
    """The target at t is the input at t - 2."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3, (10, 8))
    examples = [(np.eye(3)[row], np.eye(3)[np.concatenate([[0, 0], row[:-2]])]) for row in ids]
    parts = {"layer": kind(3, 8, rng), "output": FullyConnected(8, 3, rng, LINEAR), "loss": SoftmaxCrossEntropy()}
    losses = _losses(Chain(parts), examples, rate=0.5, epochs=60)
    assert losses[-1] < losses[0] / 5


def test_a_language_model_learns_its_sentences() -> None:
    sentences = ["风吹过湖", "雨落在湖上", "风停了"]  # a word is a character
    words = ["<s>", "</s>", *dict.fromkeys(word for sentence in sentences for word in sentence)]
    vocabulary = {word: k for k, word in enumerate(words)}
    model = LanguageModel(len(vocabulary), 8, np.random.default_rng(0))
    examples = [training_example(sentence, vocabulary) for sentence in sentences]
    losses = _losses(model, examples, rate=0.5, epochs=80)
    assert losses[0] == pytest.approx(3 * np.log(len(vocabulary)), rel=0.15)  # it begins by knowing nothing
    assert losses[-1] < losses[0] / 5
    o = model.probabilities(one_hot(["<s>", "雨", "落", "在"], vocabulary))
    assert o.sum(axis=1) == pytest.approx(np.ones(4))
    assert words[o[-1].argmax()] == "湖"
    assert {words[k] for k in np.argsort(o[0])[-2:]} == {"风", "雨"}


@given(st.lists(st.text(min_size=1, max_size=3), max_size=6))
@settings(max_examples=30)
def test_pairs_join_up_from_start_to_end(sentence: list[str]) -> None:
    joined = pairs(sentence)
    assert [before for before, _ in joined] == ["<s>", *sentence]
    assert [after for _, after in joined] == [*sentence, "</s>"]


# --- chapter 7


def _every_tree(start: int, end: int) -> Iterator[list[Merge]]:
    """All binary trees over words[start:end], children before parents."""
    if end - start == 1:
        yield []
    for split in range(start + 1, end):
        for left in _every_tree(start, split):
            for right in _every_tree(split, end):
                yield [*left, *right, (start, split, end)]


def _best_of_all(scorer: TreeScorer, x: Array, bonus: Bonus) -> list[Merge]:
    """The best tree of all, by looking at each."""

    def score(tree: list[Merge]) -> float:
        return float(scorer.forward(x, tree)) + sum(bonus(start, end) for start, _, end in tree)

    return max(_every_tree(0, len(x)), key=score)


def _slow_greedy(scorer: TreeScorer, x: Array, bonus: Callable[[int, int], float]) -> list[Merge]:
    """Every possible next merge is scored by building the tree so far anew."""
    merges: list[Merge] = []
    ends = list(range(len(x) + 1))
    while len(ends) > 2:
        choices = list(zip(ends, ends[1:], ends[2:], strict=False))
        scores = [
            scorer.layer.forward(x, [*merges, choice])[-1] @ scorer.parameters["u"] + bonus(choice[0], choice[2])
            for choice in choices
        ]
        merges.append(choices[int(np.argmax(scores))])
        ends.remove(merges[-1][1])
    return merges


@given(words=st.integers(1, 6), seed=st.integers(0, 1000))
@settings(max_examples=30)
def test_the_greedy_parser_equals_the_slow_one(words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scorer, x, extra = TreeScorer(3, rng), rng.normal(size=(words, 3)), rng.normal(size=(words + 1, words + 1))
    assert greedy(scorer, x) == _slow_greedy(scorer, x, lambda start, end: 0.0)

    def bonus(start: int, end: int) -> float:
        return float(extra[start, end])

    assert greedy(scorer, x, bonus) == _slow_greedy(scorer, x, bonus)


def _slow_chart(scorer: TreeScorer, x: Array, bonus: Bonus, start: int = 0) -> list[Merge]:
    """The best tree over x, words[start:], of those whose two parts are the best over their words."""

    def score(tree: list[Merge]) -> float:
        moved = [(a - start, b - start, c - start) for a, b, c in tree]
        return float(scorer.forward(x, moved)) + sum(bonus(a, c) for a, _, c in tree)

    trees: list[list[Merge]] = [[]]
    if len(x) > 1:
        trees = [
            [
                *_slow_chart(scorer, x[:k], bonus, start),
                *_slow_chart(scorer, x[k:], bonus, start + k),
                (start, start + k, start + len(x)),
            ]
            for k in range(1, len(x))
        ]
    return max(trees, key=score)


@given(words=st.integers(1, 5), seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_the_chart_equals_the_slow_one_and_all_trees_where_it_must(words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scorer, x, extra = TreeScorer(3, rng), rng.normal(size=(words, 3)), rng.normal(size=(words + 1, words + 1))

    def bonus(start: int, end: int) -> float:
        return float(extra[start, end])

    assert chart(scorer, x, bonus) == _slow_chart(scorer, x, bonus)
    if words <= 3:  # each part has one tree only
        assert chart(scorer, x) == _best_of_all(scorer, x, no_bonus)
    scorer.parameters["u"][:] = 0  # no score depends on a vector
    assert chart(scorer, x, bonus) == _best_of_all(scorer, x, bonus)


@pytest.mark.parametrize("search", [greedy, chart])
@given(words=st.integers(1, 6), seed=st.integers(0, 1000), kappa=st.sampled_from([0.0, 0.1, 2.0]))
@settings(max_examples=20)
def test_the_risk_is_at_most_that_of_the_worst_tree(search: Search, words: int, seed: int, kappa: float) -> None:
    rng = np.random.default_rng(seed)
    scorer, trees = TreeScorer(3, rng), list(_every_tree(0, words))
    x, gold = rng.normal(size=(words, 3)), trees[rng.integers(len(trees))]
    exact, approximate = MaxMargin(scorer, kappa, search=_best_of_all), MaxMargin(scorer, kappa, search=search)
    s_gold = float(scorer.forward(x, gold))
    risks = [float(scorer.forward(x, tree)) + kappa * wrong_spans(gold, tree) - s_gold for tree in trees]
    assert float(exact.forward(x, [gold])) == pytest.approx(max(risks), abs=1e-12)
    assert max(risks) >= 0  # the right tree is one of all
    risk = float(approximate.forward(x, [gold]))
    assert risk <= max(risks) + 1e-12
    assert any(risk == pytest.approx(other, abs=1e-12) for other in risks)


@pytest.mark.parametrize("search", [greedy, chart])
def test_a_large_kappa_finds_the_most_wrong_tree(search: Search) -> None:
    """With kappa above every score, the search minds nothing but wrong spans."""
    margin = MaxMargin(TreeScorer(3, np.random.default_rng(0)), kappa=100.0, search=search)
    x, gold = np.random.default_rng(1).normal(size=(4, 3)), [(0, 1, 2), (0, 2, 3), (0, 3, 4)]
    found, _ = margin.decode(x, gold)
    assert wrong_spans(gold, found) == 2  # of three phrases, the whole sentence is always right


@pytest.mark.parametrize(
    ("gold", "tree", "wrong"),
    [
        ([(0, 1, 2)], [(0, 1, 2)], 0),
        ([(0, 1, 2), (0, 2, 3)], [(1, 2, 3), (0, 1, 3)], 1),
        ([(0, 1, 2), (2, 3, 4), (0, 2, 4)], [(0, 1, 2), (0, 2, 3), (0, 3, 4)], 1),
        ([(0, 1, 2), (0, 2, 3), (0, 3, 4)], [(2, 3, 4), (1, 2, 4), (0, 1, 4)], 2),
        ([], [], 0),
    ],
)
def test_wrong_spans(gold: list[Merge], tree: list[Merge], wrong: int) -> None:
    assert wrong_spans(gold, tree) == wrong


@pytest.mark.parametrize("search", [greedy, chart, _best_of_all])
def test_a_max_margin_parser_learns_its_trees(search: Search) -> None:
    """The cat; the mat; on the mat; sat on the mat; the whole sentence: merging comes to the right tree."""
    deep = [(0, 1, 2), (4, 5, 6), (3, 4, 6), (2, 3, 6), (0, 2, 6)]
    trees = {"the cat sat on the mat": deep, "a dog slept in the house": deep, "the dog slept": [(0, 1, 2), (0, 2, 3)]}
    rng = np.random.default_rng(2)
    vectors = {word: rng.normal(size=6) for word in dict.fromkeys(" ".join(trees).split())}
    sentences = {sentence: np.array([vectors[word] for word in sentence.split()]) for sentence in trees}
    margin = MaxMargin(TreeScorer(6, rng), kappa=0.2, decay=1e-4, search=search)
    for _ in range(100):
        objective = float(margin.forward(np.concatenate(list(sentences.values())), list(trees.values())))
        margin.backward()
        margin.update(0.1)
    assert abs(objective) < 0.01
    for sentence, gold in trees.items():
        assert set(search(margin.scorer, sentences[sentence], no_bonus)) == set(gold)


def test_a_recursive_network_reads_the_merges_of_the_treebank() -> None:
    tree = BinaryTree(("a", "b", "c"), ("A", "B", "C"), ((1, 2, 3), (0, 1, 3)), {(0, 3): ("S",)})
    layer = Recursive(2, np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3, 2))
    p = layer.forward(x, tree.merges)
    W, b = layer.parameters["W"], layer.parameters["b"]
    inner = np.tanh(W @ np.concatenate([x[1], x[2]]) + b)
    np.testing.assert_allclose(p, [inner, np.tanh(W @ np.concatenate([x[0], inner]) + b)], rtol=1e-12)


@pytest.mark.realdata
def test_real_trees_are_learned_and_their_gradients_right(data: Path) -> None:
    from nltk.corpus import treebank

    trees = [tree for tree in map(binarise, treebank.parsed_sents()[:30]) if len(tree.words) <= 14][:4]
    golds = [tree.merges for tree in trees]
    rng = np.random.default_rng(0)
    vectors = {word: rng.normal(size=12) for word in dict.fromkeys(word for tree in trees for word in tree.words)}
    sentences = [np.array([vectors[word] for word in tree.words]) for tree in trees]
    for x, gold in zip(sentences, golds, strict=True):
        assert all(check.passed for check in gradient_check("", Recursive(12, rng), x, gold))
    margin = MaxMargin(TreeScorer(12, rng), kappa=0.1, decay=1e-4)
    for _ in range(60):
        margin.forward(np.concatenate(sentences), golds)
        margin.backward()
        margin.clip(5.0)
        margin.update(0.1)
    for x, gold in zip(sentences, golds, strict=True):
        assert wrong_spans(gold, chart(margin.scorer, x)) <= 1


def test_phrases_learn_to_be_alike() -> None:
    """Two phrases of different words get vectors as near as they are told to be; W and the words' vectors learn."""
    rng = np.random.default_rng(0)
    layer, loss = Recursive(4, rng, TANH), SquaredError()
    one, other = rng.normal(size=(3, 4)), rng.normal(size=(2, 4))
    distances = []
    for _ in range(60):
        goal = layer.forward(other, [(0, 1, 2)])[-1].copy()
        p = layer.forward(one, [(0, 1, 2), (0, 2, 3)])
        distances.append(float(loss.forward(p[-1], goal)))
        dp = np.zeros_like(p)
        dp[-1] = loss.backward()
        one -= 0.3 * layer.backward(dp)
        layer.update(0.3)
    assert distances[-1] < distances[0] / 20
