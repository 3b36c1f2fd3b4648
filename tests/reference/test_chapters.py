"""The chapters' worked numbers, each as exact as it is printed there."""

from __future__ import annotations

import numpy as np
import pytest

from seqtree.reference.activations import LINEAR, SIGMOID, TANH
from seqtree.reference.convolution import Convolution, output_size
from seqtree.reference.fully_connected import FullyConnected, feedforward
from seqtree.reference.language_model import pairs, training_example
from seqtree.reference.lstm import LSTM
from seqtree.reference.network import Chain, Flatten
from seqtree.reference.nodes import NodeNetwork
from seqtree.reference.perceptron import Perceptron
from seqtree.reference.pooling import MaxPooling, MeanPooling
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.softmax import SoftmaxCrossEntropy, cross_entropy, softmax
from seqtree.reference.squared_error import SquaredError

RNG = np.random.default_rng(0)


def _printed(*numbers: str) -> list[object]:
    """What equals the numbers within half a unit of their last digit."""
    return [pytest.approx(float(n), abs=0.5 * 10.0 ** -len(n.partition(".")[2])) for n in numbers]


def _map(rows: str) -> np.ndarray:
    return np.array([[float(digit) for digit in row] for row in rows.split()])


def _row(numbers: str) -> list[float]:
    return [float(number) for number in numbers.split()]


# --- chapter 1


@pytest.mark.parametrize(("bias", "truth"), [(-0.8, [0, 0, 0, 1]), (-0.3, [0, 1, 1, 1])], ids=["and", "or"])
def test_and_and_or_as_perceptrons(bias: float, truth: list[int]) -> None:
    unit = Perceptron(2)
    unit.parameters["w"][:] = 0.5
    unit.parameters["b"][:] = bias
    assert [unit.forward(np.array(x)) for x in ([0, 0], [0, 1], [1, 0], [1, 1])] == truth


def test_the_trained_and() -> None:
    unit = Perceptron(2)
    unit.train(np.array([[1, 1], [0, 0], [1, 0], [0, 1]]), np.array([1, 0, 0, 0]), epochs=10, rate=0.1)
    assert unit.parameters["w"] == pytest.approx([0.1, 0.2], abs=1e-12)
    assert unit.parameters["b"] == pytest.approx([-0.2], abs=1e-12)


# --- chapter 3

X, TARGET = np.array([0.05, 0.10]), np.array([0.01, 0.99])
W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])


def test_backpropagation_by_matrices() -> None:
    network, loss = feedforward([2, 2, 2], RNG), SquaredError()
    for name, value in {"1.W": W1, "1.b": 0.35, "2.W": W2, "2.b": 0.60}.items():
        network.parameters[name][...] = value
    y = network.forward(X)
    hidden = network.parts["1"]
    assert isinstance(hidden, FullyConnected)
    assert list(hidden.a) == _printed(".593269992", ".596884378")
    assert list(y) == _printed(".75136507", ".772928465")
    assert float(loss.forward(y, TARGET)) == _printed(".298371109")[0]
    network.backward(loss.backward())
    assert network.gradients["2.W"][0, 0] == _printed(".082167041")[0]
    network.update(0.5)
    assert list(network.parameters["2.W"].flat) == _printed(".35891648", ".408666186", ".511301270", ".561370121")


def test_net_inputs() -> None:
    """What a unit sums up is the output of a linear one."""
    hidden, output = (FullyConnected(2, 2, RNG, LINEAR) for _ in range(2))
    hidden.parameters["W"][...], hidden.parameters["b"][...] = W1, 0.35
    output.parameters["W"][...], output.parameters["b"][...] = W2, 0.60
    net = hidden.forward(X)
    assert net[0] == _printed(".377500000")[0]
    assert output.forward(SIGMOID(net))[0] == _printed("1.105905967")[0]


def test_backpropagation_by_nodes() -> None:
    network, loss = NodeNetwork([2, 2, 2], RNG), SquaredError()
    network.parameters["w"][:] = [0.15, 0.20, 0.35, 0.25, 0.30, 0.35, 0.40, 0.45, 0.60, 0.50, 0.55, 0.60]
    y = network.forward(X)
    assert [node.output for node in network.layers[1]] == _printed(".593269992", ".596884378")
    assert list(y) == _printed(".75136507", ".772928465")
    assert float(loss.forward(y, TARGET)) == _printed(".298371109")[0]
    network.backward(loss.backward())
    assert network.gradients["w"][6] == _printed(".082167041")[0]
    network.update(0.5)
    assert list(network.parameters["w"][[6, 7, 9, 10]]) == _printed(
        ".35891648", ".408666186", ".511301270", ".561370121"
    )


def test_parameters_of_the_digit_network() -> None:
    assert feedforward([784, 300, 10], RNG).parameter_count == 238_510


# --- chapter 4


@pytest.mark.parametrize(("stride", "expected"), [(1, "434 243 234"), (2, "44 24")])
def test_one_filter_on_an_image(stride: int, expected: str) -> None:
    layer = Convolution(1, 1, (3, 3), RNG, stride=stride)
    layer.parameters["W"][0, 0] = _map("101 010 101")
    image = _map("11100 01110 00111 00110 01100")
    assert layer.forward(image[None])[0].tolist() == _map(expected).tolist()


def test_two_filters_on_three_channels() -> None:
    layer = Convolution(3, 2, (3, 3), RNG, padding=1, stride=2, f=LINEAR)
    filters = [
        "-1 1 0 0 1 0 0 1 1",
        "-1 -1 0 0 0 0 0 -1 0",
        "0 0 -1 0 1 0 1 -1 -1",
        "1 1 -1 -1 -1 1 0 -1 1",
        "0 1 0 -1 0 -1 -1 1 0",
        "-1 0 0 -1 0 1 -1 0 0",
    ]
    layer.parameters["W"][...] = np.reshape([_row(numbers) for numbers in filters], (2, 3, 3, 3))
    layer.parameters["b"][:] = [1, 0]
    channels = ["01102 22221 10020 01100 12002", "10220 00020 12121 10000 12111", "21200 10010 02101 01222 21001"]
    maps = layer.forward(np.array([_map(channel) for channel in channels]))
    assert maps[0].tolist() == [[6, 7, 5], [3, -1, -1], [2, -1, 4]]
    assert maps[1].tolist() == [[2, -5, -8], [1, -4, -4], [0, -5, -5]]
    assert layer.parameter_count == 56


def test_parameters_of_the_three_convolutions() -> None:
    counts = [Convolution(*sizes, (3, 3), RNG).parameter_count for sizes in ((1, 32), (32, 64), (64, 64))]
    assert counts == [320, 18_496, 36_928]
    assert sum(counts) == 55_744


def test_an_edge_filter_needs_two_weights() -> None:
    layer = Convolution(1, 1, (1, 2), RNG, f=LINEAR)
    layer.parameters["W"][0, 0] = [-1, 1]
    image = RNG.uniform(size=(1, 280, 320))
    edges = layer.forward(image)
    np.testing.assert_allclose(edges, np.diff(image, axis=2), rtol=0, atol=1e-15)
    assert layer.parameters["W"].size == 2
    assert edges.size * 3 == 267_960  # two products and a sum each


def test_sizes_of_lenet() -> None:
    network = Chain(
        {
            "C1": Convolution(1, 6, (5, 5), RNG, f=TANH),
            "S2": MeanPooling(2),
            "C3": Convolution(6, 16, (5, 5), RNG, f=TANH),
            "S4": MaxPooling(2),
            "flat": Flatten(),
            "C5": FullyConnected(400, 120, RNG),
            "F6": FullyConnected(120, 84, RNG),
            "out": FullyConnected(84, 10, RNG),
        }
    )
    x, shapes = RNG.uniform(size=(1, 32, 32)), []
    for part in network.parts.values():
        x = part.forward(x)
        shapes.append(x.shape)
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (400,), (120,), (84,), (10,)]
    assert [output_size(*sizes) for sizes in ((32, 5, 0, 1), (5, 3, 1, 2), (28, 3, 1, 1))] == [28, 3, 28]


# --- chapter 5


def test_order_matters_in_a_recurrent_network() -> None:
    layer, output = Recurrent(2, 2, RNG, LINEAR), FullyConnected(2, 2, RNG, LINEAR)
    for parameter in (layer.parameters["U"], layer.parameters["W"], output.parameters["W"]):
        parameter[...] = 1
    y = output.forward(layer.forward(np.array([[1.0, 1], [1, 1], [2, 2]])))
    assert y.tolist() == [[4, 4], [12, 12], [32, 32]]
    other = output.forward(layer.forward(np.array([[2.0, 2], [1, 1], [1, 1]])))
    assert other.tolist() != y.tolist()


def test_softmax_and_its_cross_entropy() -> None:
    z = np.array([1.0, 2, 3, 4])
    assert list(softmax(z)) == _printed(".03", ".09", ".24", ".64")
    first = np.array([1.0, 0, 0, 0])
    assert float(cross_entropy(softmax(z).round(2), first)) == _printed("3.51")[0]
    assert float(SoftmaxCrossEntropy().forward(z, first)) == pytest.approx(-np.log(softmax(z)[0]), rel=1e-12)
    huge = np.array([[1000.0, 0.0]])
    assert float(SoftmaxCrossEntropy().forward(huge, np.array([[0.0, 1.0]]))) == 1000
    assert softmax(huge).tolist() == [[1, 0]]
    assert float(cross_entropy(softmax(huge), np.array([[1.0, 0.0]]))) == 0


def test_pairs_of_a_sentence() -> None:
    words = ["风", "吹", "过", "湖"]
    assert pairs(words) == [("<s>", "风"), ("风", "吹"), ("吹", "过"), ("过", "湖"), ("湖", "</s>")]
    vocabulary = {word: k for k, word in enumerate(["<s>", "</s>", *words])}
    x, y = training_example(words, vocabulary)
    assert x.shape == y.shape == (5, 6)
    assert x.argmax(axis=1).tolist() == [0, 2, 3, 4, 5]
    assert y.argmax(axis=1).tolist() == [2, 3, 4, 5, 1]
    assert x.sum() == y.sum() == 5


# --- chapter 6

LSTM_WEIGHTS = {
    "W_f": """-1.086 .9976 .283 -1.506 -.5786 1.651 | -2.426 -.429 1.266 -.8667 -.6787 -.0947
              | 1.491 -.6387 -.444 -.4343 2.205 2.188 | 1.004 .3862 .7373 1.491 -.936 1.176""",
    "W_i": """-1.254 -.6377 .907 -1.429 -.14 -.862 | -.2556 -2.799 -1.771 -.6997 .9272 -.1736
              | .002846 .688 -.8794 .2837 -.805 -1.728 | -.3909 .5737 .3386 -.01183 2.393 .4128""",
    "W_c": """.9785 2.238 -1.294 -1.039 1.744 -.798 | .02968 1.069 .8906 1.755 1.496 1.069
              | -.773 .795 .3142 -1.326 1.417 .807 | .0455 -.233 -1.198 .1996 .4685 -.831""",
    "W_o": """1.162 -1.098 -2.123 1.04 -.4033 -.126 | -.8374 -1.606 1.255 -.689 1.661 .807
              | -.3147 -1.086 -.7324 -1.213 2.088 .1644 | 1.15 -1.268 .181 1.178 -.335 1.031""",
}


def test_three_steps_of_an_lstm() -> None:
    layer, output = LSTM(2, 4, RNG), FullyConnected(4, 2, RNG, TANH)
    for name, rows in LSTM_WEIGHTS.items():
        layer.parameters[name][...] = [_row(row) for row in rows.split("|")]
    output.parameters["W"][...] = 1
    h = layer.forward(np.array([[1.0, 1], [2, 2], [3, 3]]), h0=np.ones(4), c0=np.ones(4))
    assert list(layer.c[1]) == _printed(".4707", ".0465", "1.0553", ".0978")
    assert list(h[0]) == _printed(".0769", ".0299", ".1967", ".0852")
    y = output.forward(h)
    assert list(y[:, 0]) == list(y[:, 1]) == _printed(".370", ".768", ".543")
