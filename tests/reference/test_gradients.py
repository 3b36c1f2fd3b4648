"""Every hand-derived gradient against differences, and that the check notices what is wrong."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import seqtree.reference
from seqtree.errors import InputError
from seqtree.reference.activations import LEAKY_RELU, LINEAR, RELU, SIGMOID, TANH, Activation
from seqtree.reference.convolution import Convolution
from seqtree.reference.crf import ConditionalRandomField
from seqtree.reference.encoder_decoder import EncoderDecoder
from seqtree.reference.examples import EXAMPLES, Example, check_all
from seqtree.reference.gradient_check import TOLERANCE, central_difference, gradient_check, relative_error
from seqtree.reference.graph_margin import GraphMargin
from seqtree.reference.gru import GRU
from seqtree.reference.labelled_nodes import LabelledNodes
from seqtree.reference.lstm import LSTM
from seqtree.reference.max_margin import MaxMargin, TreeScorer
from seqtree.reference.network import Array, Composite, Network
from seqtree.reference.perceptron import Perceptron
from seqtree.reference.pooling import MaxPooling
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.recursive import Recursive
from seqtree.reference.softmax import SoftmaxCrossEntropy, softmax
from seqtree.reference.squared_error import SquaredError

SOURCE = Path(__file__).resolve().parents[2]
STARTS = {"rnn": ["s0"], "rnn-relu": ["s0"], "lstm": ["h0", "c0"], "gru": ["h0"], "gru-torch": ["h0"]}


def _checked(example: Example) -> dict[str, bool]:
    return {check.parameter: check.passed for check in gradient_check("", example.network, example.x, *example.given)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_gradient_is_right(name: str) -> None:
    example, checks = EXAMPLES[name](), check_all([name])
    assert [check.parameter for check in checks] == [*example.network.parameters, "input"]
    assert {check.network for check in checks} == {name}
    assert all(check.passed and check.error < TOLERANCE / 10 for check in checks)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_gradient_of_an_example_is_trivial(name: str) -> None:
    example = EXAMPLES[name]()
    y = example.network.forward(example.x, *example.given)
    dx = example.network.backward(np.ones_like(y))
    for gradient in (dx, *example.network.gradients.values()):
        assert np.abs(gradient).max() > 1e-3


@pytest.mark.parametrize("name", EXAMPLES)
def test_whole_numbers_are_numbers(name: str) -> None:
    """An array written without a point has the type int, which rounds what is put into one like it."""
    whole = np.rint(2 * EXAMPLES[name]().x).astype(int)
    found = []
    for x in (whole, whole.astype(float)):
        example = EXAMPLES[name]()
        y = example.network.forward(x, *example.given)
        dx = example.network.backward(np.ones(y.shape, x.dtype))
        found.append([y, dx, *example.network.gradients.values()])
    for of_whole, of_float in zip(*found, strict=True):
        np.testing.assert_allclose(of_whole, of_float, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_lists_and_other_floats_are_numbers_and_float64_comes_out(name: str) -> None:
    x = EXAMPLES[name]().x.astype(np.float32)
    found = []
    for values in (x.tolist(), x, x.astype(np.float64)):
        example = EXAMPLES[name]()
        y = example.network.forward(values, *example.given)
        found.append([y, example.network.backward(np.ones_like(y).tolist()), *example.network.gradients.values()])
    for others in found[:2]:
        for value, expected in zip(others, found[2], strict=True):
            assert value.dtype == np.float64
            np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("name", EXAMPLES)
def test_other_shapes_are_refused_where_numpy_would_stretch_them(name: str) -> None:
    example = EXAMPLES[name]()
    x, network = example.x, example.network
    if name != "fully-connected":  # takes rows
        with pytest.raises(InputError, match=r"shape|words"):
            network.forward(np.stack([x, x]), *example.given)
    with pytest.raises(InputError, match=r"shape|label|words"):
        network.forward(x[..., None], *example.given)
    y = network.forward(x, *example.given)
    with pytest.raises(InputError, match=r"d\w has the shape \(.*\); expected \("):
        network.backward(np.ones((*y.shape, 1)))


def test_a_shape_that_does_not_fit_is_told_with_the_one_that_would() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"^t has the shape \(4, 1\); expected \(4,\)$"):
        SquaredError().forward(np.zeros(4), np.zeros((4, 1)))
    with pytest.raises(InputError, match=r"^y has the shape \(2,\); expected \(2, 5\)$"):
        SoftmaxCrossEntropy().forward(np.zeros((2, 5)), np.array([1, 4]))
    with pytest.raises(InputError, match=r"^x has the shape \(1, 6, 7\); expected \(2, height, width\)$"):
        Convolution(2, 3, (3, 2), rng).forward(np.zeros((1, 6, 7)))
    with pytest.raises(InputError, match=r"^s0 has the shape \(1,\); expected \(3,\)$"):
        Recurrent(2, 3, rng).forward(np.zeros((4, 2)), [1.0])
    with pytest.raises(InputError, match=r"^x is no array of numbers .*; expected \(T, 2\)$"):
        Recurrent(2, 3, rng).forward([[1, 2], [3]])


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_becomes_of_an_output_is_nothing_to_the_network(name: str) -> None:
    example = EXAMPLES[name]()
    y = example.network.forward(example.x, *example.given)
    dy = np.ones_like(y)
    expected = [example.network.backward(dy), *example.network.gradients.values()]
    y = example.network.forward(example.x, *example.given)
    y += 3.0
    for value, wanted in zip(
        [example.network.backward(dy), *example.network.gradients.values()], expected, strict=True
    ):
        np.testing.assert_array_equal(value, wanted)


def _below(kind: type[Network]) -> Iterator[type[Network]]:
    """A kind of network and all kinds derived from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from _below(derived)


def _within(network: Network) -> Iterator[Network]:
    """A network and all networks that it is made of."""
    yield network
    held = [*vars(network).values(), *(network.parts.values() if isinstance(network, Composite) else ())]
    for part in held:
        if isinstance(part, Network):
            yield from _within(part)


def test_every_network_of_the_reference_has_an_example() -> None:
    for module in pkgutil.iter_modules(seqtree.reference.__path__, "seqtree.reference."):
        importlib.import_module(module.name)
    there = {
        kind
        for kind in _below(Network)
        if kind.__module__.startswith("seqtree.reference.") and kind.forward is not Network.forward
    }
    checked = {type(network) for make in EXAMPLES.values() for network in _within(make().network)}
    assert there == checked


def test_the_examples_meet_their_kinks() -> None:
    assert {check.network for check in check_all()} == set(EXAMPLES)
    relu = EXAMPLES["rnn-relu"]()
    active = relu.network.forward(relu.x) > 0
    assert active.any() and not active.all()
    margin = EXAMPLES["max-margin"]()
    assert isinstance(margin.network, MaxMargin)
    margin.network.forward(margin.x, *margin.given)
    for found, gold in zip(margin.network.found, *margin.given, strict=True):
        assert set(found) != set(gold)


@pytest.mark.parametrize("name", STARTS)
def test_gradients_of_and_from_a_start_state(name: str) -> None:
    example, rng = EXAMPLES[name](), np.random.default_rng(1)
    network, x = example.network, example.x
    starts = {start: rng.uniform(-1, 1, 3) for start in STARTS[name]}
    assert all(check.passed for check in gradient_check(name, network, x, *starts.values()))
    y = network.forward(x, *starts.values())
    dy = rng.normal(size=y.shape)
    network.backward(dy)
    for start, values in starts.items():
        by_hand = getattr(network, f"d{start}")
        slopes = central_difference(lambda: float(np.sum(dy * network.forward(x, *starts.values()))), values)
        assert np.abs(slopes).max() > 1e-3
        assert relative_error(by_hand, slopes) < TOLERANCE


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_gradient_off_by_a_millionth_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    example = EXAMPLES[name]()
    right = example.network.backward

    def wrong(dy: Array) -> Array:
        dx = right(dy)
        for gradient in example.network.gradients.values():
            gradient *= 1 + 1e-6
        return dx * (1 + 1e-6)

    monkeypatch.setattr(example.network, "backward", wrong)
    assert not any(_checked(example).values())


@pytest.mark.parametrize("change", ["forgotten", "flat", "nan", "zero", "one entry"])
def test_other_faults_fail(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    example = EXAMPLES["lstm"]()
    network, right = example.network, example.network.backward

    def wrong(dy: Array) -> Array:
        dx = right(dy)
        gradient = network.gradients["W_i"]
        if change == "forgotten":
            del network.gradients["W_i"]
        elif change == "flat":
            network.gradients["W_i"] = gradient.reshape(1, -1)
        elif change == "nan":
            gradient[0, 0] = np.nan
        elif change == "zero":
            gradient[:] = 0
        else:
            gradient[np.unravel_index(np.abs(gradient).argmin(), gradient.shape)] *= 1.001
        return dx

    monkeypatch.setattr(network, "backward", wrong)
    assert [name for name, passed in _checked(example).items() if not passed] == ["W_i"]


# --- the slips of the notes' listings


class _BiasesOfTheForgetGate(LSTM):
    def backward(self, dh: Array) -> Array:
        dx = super().backward(dh)
        for gate in "ico":
            self.gradients[f"b_{gate}"] = self.gradients["b_f"].copy()
        return dx


class _InputWeightsOfTheLastStep(LSTM):
    def backward(self, dh: Array) -> Array:
        dx = super().backward(dh)
        for gate, delta in self.deltas.items():
            self.gradients[f"W_{gate}"][:, self.units :] = np.outer(delta[-1], self.hx[-1, self.units :])
        return dx


class _NoErrorThroughTheCell(LSTM):
    dc0 = property(lambda self: np.zeros(self.units), lambda self, value: None)  # what c_t sends back is dropped


class _NoErrorThroughTheOutput(LSTM):
    dh0 = property(lambda self: np.zeros(self.units), lambda self, value: None)


def _lstm(kind: type[LSTM]) -> Example:
    right = EXAMPLES["lstm"]()
    network = kind(2, 3, np.random.default_rng(0))
    for name, value in right.network.parameters.items():
        network.parameters[name][...] = value
    return Example(network, right.x)


def test_biases_taken_from_the_forget_gate_fail() -> None:
    checked = _checked(_lstm(_BiasesOfTheForgetGate))
    assert {name for name, passed in checked.items() if not passed} == {"b_i", "b_c", "b_o"}


def test_input_weights_of_the_last_step_alone_fail() -> None:
    checked = _checked(_lstm(_InputWeightsOfTheLastStep))
    assert {name for name, passed in checked.items() if not passed} == {"W_f", "W_i", "W_c", "W_o"}


@pytest.mark.parametrize("kind", [_NoErrorThroughTheCell, _NoErrorThroughTheOutput])
def test_an_error_that_stops_on_its_way_back_fails(kind: type[LSTM]) -> None:
    checked = _checked(_lstm(kind))
    assert not checked["input"] and not checked["W_f"] and not checked["b_i"] and not checked["b_c"]


def test_the_right_lstm_passes_where_its_slips_fail() -> None:
    assert all(_checked(_lstm(LSTM)).values())


# --- the check itself


def test_the_check_leaves_parameters_and_input_as_they_were() -> None:
    example = EXAMPLES["gru"]()
    before, x = {name: value.copy() for name, value in example.network.parameters.items()}, example.x.copy()
    gradient_check("gru", example.network, example.x)
    assert (example.x == x).all()
    for name, value in example.network.parameters.items():
        assert (value == before[name]).all()


def test_the_difference_is_exact_for_polynomials_of_degree_four() -> None:
    values = np.array([0.3, -1.2])
    slopes = central_difference(lambda: float(np.sum(values**4 - values**3)), values)
    np.testing.assert_allclose(slopes, 4 * values**3 - 3 * values**2, rtol=1e-11)
    assert values.tolist() == [0.3, -1.2]


@pytest.mark.parametrize(
    ("by_hand", "slopes", "error"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([1.0, 2.0], [1.0, 4.0], 0.5),
        ([1e-9, 2.0], [0.0, 2.0], 5e-7),  # on the scale of 2.0 / 1000
        ([0.0, 2.0], [0.0, 0.0], 1.0),
        ([np.inf, 2.0], [1.0, 2.0], np.inf),
        ([1.0, 2.0], [np.nan, 2.0], np.inf),
        ([[1.0, 2.0]], [1.0, 2.0], np.inf),
        (None, [1.0], np.inf),
    ],
)
def test_relative_error(by_hand: list[float] | None, slopes: list[float], error: float) -> None:
    given = None if by_hand is None else np.array(by_hand)
    assert relative_error(given, np.array(slopes)) == pytest.approx(error, abs=1e-12)


def test_whole_numbers_cannot_be_varied() -> None:
    with pytest.raises(InputError, match="of type float, which can be varied, not int64"):
        central_difference(lambda: 0.0, np.array([1, 2]))


@pytest.mark.parametrize("seed", range(6))
def test_slopes_of_zero_and_sequences_of_nothing_pass(seed: int) -> None:
    """There is one path with one tag, whatever its scores are: what differences find is rounding."""
    rng = np.random.default_rng(seed)
    crf = ConditionalRandomField(1, rng)
    assert all(check.passed for check in gradient_check("crf", crf, rng.normal(size=(4, 1)), np.zeros(4, int)))
    assert all(check.passed for check in gradient_check("rnn", Recurrent(2, 3, rng), np.zeros((0, 2))))


def test_targets_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    crf, nodes = ConditionalRandomField(3, rng), LabelledNodes(Recursive(3, rng), 2, rng)
    for tags in ([0, 1, -1], [0, 1, 3], [0, 1], [0, 1, 2, 0]):
        with pytest.raises(InputError, match="expected 3 tags from 0 to 2"):
            crf.forward(np.zeros((3, 3)), np.array(tags))
    with pytest.raises(InputError, match="a label for each of 3 words and 2 phrases, found 2"):
        nodes.forward(np.zeros((3, 3)), [(0, 1, 2), (0, 2, 3)], [1, 0])
    for labels in ([1, 0, 2, 0, 1], [1, 0, -2, 0, 1], [-1] * 5):
        with pytest.raises(InputError, match="expected labels from 0 to 1, or -1 for none, found"):
            nodes.forward(np.zeros((3, 3)), [(0, 1, 2), (0, 2, 3)], labels)
    with pytest.raises(InputError, match="at least one tag"):
        crf.forward(np.zeros((0, 3)), np.array([], int))
    for algorithm in (crf.best, crf.marginals, crf.forward_scores, crf.backward_scores):
        with pytest.raises(InputError, match=r"x has the shape \(4, 1\); expected \(T, 3\)"):
            algorithm(np.zeros((4, 1)))
    with pytest.raises(InputError, match=r"x has the shape \(2, 1\); expected \(T, 3\)"):
        crf.score(np.zeros((2, 1)), np.array([0, 0]))
    with pytest.raises(InputError, match=r"x has the shape \(3, 2\); expected \(n, 3\)"):
        MaxMargin(TreeScorer(3, rng)).decode(np.zeros((3, 2)), [(0, 1, 2), (0, 2, 3)])
    with pytest.raises(InputError, match=r"t has the shape \(4, 1\); expected \(4,\)"):
        Perceptron(2).train(np.zeros((4, 2)), np.zeros((4, 1)), 1, 0.1)
    assert softmax([0, 0]).tolist() == [0.5, 0.5]
    assert crf.forward(np.zeros((3, 3)), [0.0, 1.0, 2.0]) == crf.forward(np.zeros((3, 3)), np.array([0, 1, 2]))
    with pytest.raises(InputError, match="the gold trees are over 0 words, x has 9"):
        MaxMargin(TreeScorer(3, rng)).forward(np.zeros((9, 3)), [])
    with pytest.raises(InputError, match="the gold trees are over 3 words, x has 9"):
        MaxMargin(TreeScorer(3, rng)).forward(np.zeros((9, 3)), [[(0, 1, 2), (0, 2, 3)]])


def test_scenes_that_cannot_be_merged_are_refused() -> None:
    margin = GraphMargin(TreeScorer(2, np.random.default_rng(0)))
    x, row = np.zeros((3, 2)), [(0, 1), (1, 2)]
    with pytest.raises(InputError, match=r"neighbours \(1, 3\): expected segments from 0 to 2"):
        margin.forward(x, [(0, 1), (1, 3)], [])
    with pytest.raises(InputError, match="2 parts that no neighbours join"):
        margin.forward(x, [(0, 1)], [])
    with pytest.raises(InputError, match="overlap, or one is not connected"):
        margin.forward(x, row, [(0, 2)])
    with pytest.raises(InputError, match="at least one segment, x has none"):
        margin.forward(x[:0], [], [])


def test_a_context_and_a_source_that_are_none_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="context 'addtive': expected one of first, every, additive, multiplicative"):
        EncoderDecoder(3, 5, 3, "addtive", rng)
    made = EncoderDecoder(3, 5, 3, "first", rng)
    for steps, count in ((0, 2), (2, 0)):
        with pytest.raises(InputError, match=f"at least one step, x has {steps}, y {count}$"):
            made.forward(np.zeros((steps, 3)), np.zeros((count, 5)), np.eye(5)[:count])
    with pytest.raises(InputError, match=r"x has the shape \(\); expected \(S, 3\)"):
        made.forward(3, np.zeros((2, 5)), np.eye(5)[:2])


def test_a_kink_within_reach_fails() -> None:
    layer = MaxPooling(2)
    x = np.array([[[0.5, 0.5 + 1e-4], [0.0, 0.1]]])
    assert not gradient_check("kink", layer, x)[0].passed
    x[0, 0, 1] = 0.6
    assert gradient_check("no kink", layer, x)[0].passed


def test_an_unknown_name_is_refused_with_all_names() -> None:
    with pytest.raises(InputError, match=r"'perceptron'.* choose from linear-unit, .*, graph-margin$"):
        check_all(["lstm", "perceptron"])
    assert {check.network for check in check_all("lstm")} == {"lstm"}


@pytest.mark.parametrize("f", [SIGMOID, TANH, RELU, LEAKY_RELU, LINEAR], ids=lambda f: f.name)
def test_slopes_of_the_activations(f: Activation) -> None:
    net = np.array([-30.0, -2.0, -0.5, 0.25, 1.0, 3.0])
    h = 1e-6
    np.testing.assert_allclose(f.slope(f(net)), (f(net + h) - f(net - h)) / (2 * h), rtol=1e-7, atol=1e-10)
    assert np.isfinite(f(np.array([-1e4, 1e4]))).all()


# --- the formulas of backpropagation through time


def test_bptt_of_a_linear_network_is_a_power_of_its_weights() -> None:
    """delta_k^T = delta_t^T W^(t-k), so that dx_k = U^T (W^T)^(t-k) delta_t where only the last state is judged."""
    rng = np.random.default_rng(1)
    layer = Recurrent(2, 3, rng, LINEAR)
    layer.forward(rng.normal(size=(6, 2)), s0=rng.normal(size=3))
    ds = np.zeros((6, 3))
    ds[-1] = rng.normal(size=3)
    dx = layer.backward(ds)
    U, W = layer.parameters["U"], layer.parameters["W"]
    for k in range(6):
        np.testing.assert_allclose(dx[k], U.T @ np.linalg.matrix_power(W.T, 5 - k) @ ds[-1], rtol=1e-12)
    np.testing.assert_allclose(layer.ds0, np.linalg.matrix_power(W.T, 6) @ ds[-1], rtol=1e-12)


def test_gradients_vanish_and_explode_within_the_bound() -> None:
    """|delta_k| <= |delta_t| (beta_f beta_W)^(t-k), with beta_f = 1 for tanh and beta_W the norm of W."""
    rng = np.random.default_rng(2)
    for scale in (0.3, 3.0):
        layer = Recurrent(2, 3, rng, LINEAR if scale > 1 else TANH)
        layer.parameters["U"][...] = np.eye(3, 2)
        layer.parameters["W"][...] = scale * np.linalg.qr(rng.normal(size=(3, 3)))[0]
        layer.forward(rng.normal(size=(20, 2)))
        ds = np.zeros((20, 3))
        ds[-1] = 1.0
        layer.backward(ds)
        reached = np.linalg.norm(layer.ds0)
        assert reached <= np.linalg.norm(ds[-1]) * scale**20 * (1 + 1e-9)
        assert reached < 1e-9 if scale < 1 else reached > 1e9


def test_clipping_keeps_the_direction() -> None:
    example = EXAMPLES["gru"]()
    network = example.network
    network.backward(np.ones_like(network.forward(example.x)))
    before = np.concatenate([gradient.ravel() for gradient in network.gradients.values()])
    network.clip(np.linalg.norm(before) * 2)
    assert (np.concatenate([gradient.ravel() for gradient in network.gradients.values()]) == before).all()
    network.clip(0.01)
    after = np.concatenate([gradient.ravel() for gradient in network.gradients.values()])
    assert np.linalg.norm(after) == pytest.approx(0.01)
    assert after @ before == pytest.approx(np.linalg.norm(after) * np.linalg.norm(before))


@pytest.mark.parametrize("network", [LSTM(2, 3, np.random.default_rng(0)), GRU(2, 3, np.random.default_rng(0))])
def test_a_sequence_in_two_halves_equals_the_whole(network: LSTM | GRU) -> None:
    x = np.random.default_rng(3).normal(size=(7, 2))
    whole = network.forward(x)
    first = network.forward(x[:3])
    state = {"h0": first[-1], "c0": network.c[-1]} if isinstance(network, LSTM) else {"h0": first[-1]}
    np.testing.assert_allclose(network.forward(x[3:], **state), whole[3:], rtol=1e-12)


# --- trees


def test_bpts_of_a_deep_tree_needs_no_recursion() -> None:
    words, rng = 3000, np.random.default_rng(0)
    layer = Recursive(2, rng)
    merges = [(0, k, k + 1) for k in range(1, words)]
    p = layer.forward(rng.uniform(-1, 1, (words, 2)), merges)
    dx = layer.backward(np.ones_like(p))
    assert p.shape == (words - 1, 2) and dx.shape == (words, 2)
    assert np.isfinite(dx).all() and np.abs(dx).min() > 0


def test_a_single_word_is_a_tree_without_phrases() -> None:
    layer = Recursive(2, np.random.default_rng(0))
    assert layer.forward(np.ones((1, 2)), []).shape == (0, 2)
    assert layer.backward(np.zeros((0, 2))).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("merges", "missing"),
    [
        ([(0, 1, 3)], "merge 0 (0, 1, 3): (1, 3)"),
        ([(0, 2, 3), (0, 1, 2)], "merge 0 (0, 2, 3): (0, 2)"),
        ([(0, 1, 2), (2, 3, 4)], "merge 1 (2, 3, 4): (3, 4)"),
        ([(0, 1, 2), (1, 2, 3), (0, 1, 3)], "merge 1 (1, 2, 3): (1, 2)"),  # the second word would have two parents
        ([(0, 1, 2), (0, 1, 2)], "merge 1 (0, 1, 2): (0, 1)"),
    ],
)
def test_merges_that_are_no_tree_are_refused(merges: list[tuple[int, int, int]], missing: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"{missing} is not a word or phrase without a parent")):
        Recursive(2, np.random.default_rng(0)).forward(np.ones((3, 2)), merges)


# --- the room's place in the house


def test_the_reference_knows_no_torch_and_nobody_knows_the_reference() -> None:
    for file in (SOURCE / "seqtree").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if file.parent.name == "reference":
            assert "import torch" not in text and "from torch" not in text
        else:
            assert "from seqtree.reference" not in text and "import seqtree.reference" not in text


def test_every_network_has_the_common_face() -> None:
    for make in EXAMPLES.values():
        example = make()
        assert isinstance(example.network, Network)
        y = example.network.forward(example.x, *example.given)
        assert example.network.backward(np.ones_like(y)).shape == example.x.shape
        assert set(example.network.gradients) == set(example.network.parameters)
        kept = {name: value.copy() for name, value in example.network.parameters.items()}
        example.network.update(0.5)
        for name, value in example.network.parameters.items():
            np.testing.assert_allclose(value, kept[name] - 0.5 * example.network.gradients[name], rtol=1e-12)
