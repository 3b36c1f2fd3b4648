"""The pictures of the chapters' pages, made by seqtree: writes docs/chapters/pictures/*.svg, the same ones every time.

    python docs/chapters/make_pictures.py

Trees come from seqtree's parser ``default``; all other pictures are drawn from the networks by hand.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from seqtree.drawing.svg import INK, LINE_INK, picture
from seqtree.reference.activations import LEAKY_RELU, LINEAR, RELU, SIGMOID, TANH
from seqtree.reference.convolution import Convolution
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.linear_unit import LinearUnit, batch_epoch, stochastic_epoch
from seqtree.reference.lstm import LSTM
from seqtree.reference.network import Array, Chain, Network
from seqtree.reference.perceptron import Perceptron
from seqtree.reference.pooling import MaxPooling
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.softmax import SoftmaxCrossEntropy

FOLDER = Path(__file__).resolve().parent / "pictures"
BLUE, ORANGE, GREEN, PURPLE, PALE = "#0b6e99", "#c2571a", "#3a7d34", "#7a4a9e", "#d9ebf2"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
SMALL = 12  # pixels: the size of most texts
SIGNS = "abcdefgh ()"  # what the LSTM reads
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axes:
    """A frame of ``width`` x ``height`` pixels from (``left``, ``top``), and the numbers at its sides."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: int
    top: int = 40
    width: int = 180
    height: int = 180

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where the point (x, y) stands, in pixels."""
        (x0, x1), (y0, y1) = self.x, self.y
        across, down = self.width * (x - x0) / (x1 - x0), self.height * (y1 - y) / (y1 - y0)
        return round(self.left + across, 1), round(self.top + down, 1)

    def frame(self, title: str, across: Sequence[float], up: Sequence[float], x: str = "", y: str = "") -> str:
        """The frame with its title, numbers at the bottom and the left, and names of the axes."""
        bottom, middle = self.top + self.height, self.left + self.width / 2
        parts = [rectangle(self.left, self.top, self.width, self.height, "none", LINE_INK)]
        parts.append(label(middle, 24, title, size=14))
        parts += [label(self.place(v, 0)[0], bottom + 16, f"{v:g}") for v in across]
        parts += [label(self.left - 6, self.place(0, v)[1] + 4, f"{v:g}", anchor="end") for v in up]
        return "".join([*parts, label(middle, bottom + 33, x), label(self.left - 14, self.top + 10, y)])

    def line(self, points: Points, colour: str, dashes: str = "", fill: str = "none") -> str:
        """The points joined up, those outside the frame left out."""
        (x0, x1), (y0, y1) = self.x, self.y
        inside = [self.place(x, y) for x, y in points if x0 <= x <= x1 and y0 <= y <= y1]
        path = "L".join(f"{x:g} {y:g}" for x, y in inside)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        return f'<path d="M{path}" fill="{fill}" stroke="{colour}" stroke-width="2"{dashed}/>'

    def dot(self, x: float, y: float, fill: str) -> str:
        """A dot with a dark rim."""
        cx, cy = self.place(x, y)
        return f'<circle cx="{cx:g}" cy="{cy:g}" r="6" fill="{fill}" stroke="{INK}" stroke-width="1.5"/>'


def label(x: float, y: float, content: str, size: int = SMALL, anchor: str = "middle") -> str:
    """One text, or none, at its base line."""
    style = f'font-size="{size}" fill="{INK}" text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(content)}</text>' if content else ""


def rectangle(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> str:
    """A rectangle from its upper left corner."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}" stroke="{stroke}"/>'


def legend(x: int, y: int, entries: Sequence[tuple[str, str, str]]) -> str:
    """Lines of a plot by name, colour and dashes, one below the other."""
    parts = []
    for row, (name, colour, dashes) in enumerate(entries):
        at = y + 18 * row
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(f'<path d="M{x} {at}h24" stroke="{colour}" stroke-width="2"{dashed}/>')
        parts.append(label(x + 30, at + 4, name, anchor="start"))
    return "".join(parts)


def shade(value: float) -> str:
    """White for 0, towards blue for 1, towards orange for -1."""
    value = min(1.0, max(-1.0, value))
    full = (11, 110, 153) if value > 0 else (194, 87, 26)
    return "#" + "".join(f"{round(255 + (part - 255) * abs(value)):02x}" for part in full)


def cells(values: Array, x: int, y: int, size: int, title: str) -> str:
    """A matrix as shaded squares (see ``shade``) in a frame."""
    rows, columns = values.shape
    squares = [
        rectangle(x + size * j, y + size * i, size, size, shade(values[i, j]))
        for i, j in zip(*np.nonzero(np.abs(values) > 0.004), strict=True)
    ]
    frame = rectangle(x, y, size * columns, size * rows, "none", LINE_INK)
    return "".join(squares) + frame + label(x + size * columns / 2, y - 10, title)


def perceptron() -> str:
    """What the unit separates once it has been taught AND, OR and XOR for 10 epochs."""
    corners = np.array([[1.0, 1], [0, 0], [1, 0], [0, 1]])
    body = ""
    for column, (name, truth) in enumerate({"AND": (1, 0, 0, 0), "OR": (1, 0, 1, 1), "XOR": (0, 0, 1, 1)}.items()):
        unit = Perceptron(2)
        unit.train(corners, np.array(truth), epochs=10, rate=0.1)
        axes = Axes((-0.5, 1.5), (-0.5, 1.5), left=40 + 230 * column)
        (w1, w2), (b,) = unit.parameters["w"], unit.parameters["b"]
        body += axes.line(_half_plane(w1, w2, b), "none", fill=PALE)
        body += axes.frame(name, (0, 1), (0, 1), "x₁", "x₂")
        body += "".join(axes.dot(x, y, BLUE if t else "#fff") for (x, y), t in zip(corners, truth, strict=True))
    body += label(360, 278, "filled: class 1; hollow: class 0; shaded: where the unit says 1")
    return picture(720, 290, "A perceptron taught AND, OR and XOR", body)


def _half_plane(w1: float, w2: float, b: float) -> Points:
    """The part of the square from -0.5 to 1.5 where w1 x + w2 y + b > 0, as a polygon."""
    square = [(-0.5, -0.5), (1.5, -0.5), (1.5, 1.5), (-0.5, 1.5)]
    polygon: list[tuple[float, float]] = []
    for (x, y), (x2, y2) in zip(square, square[1:] + square[:1], strict=True):
        z, z2 = w1 * x + w2 * y + b, w1 * x2 + w2 * y2 + b
        if z > 0:
            polygon.append((x, y))
        if z * z2 < 0:
            share = z / (z - z2)
            polygon.append((x + share * (x2 - x), y + share * (y2 - y)))
    return polygon


def linear_unit() -> str:
    """The salaries with the line learned from them, and the error from epoch to epoch."""
    years, salary = np.array([[5.0], [3], [8], [1.4], [10.1]]), np.array([5500.0, 2300, 7600, 1800, 11400])
    ways = [
        ("one by one, η = 0.01", stochastic_epoch, 0.01),
        ("all together, η = 0.005", batch_epoch, 0.005),
        ("all together, η = 0.009", batch_epoch, 0.009),
        ("all together, η = 0.01", batch_epoch, 0.01),
    ]
    data, error = Axes((0, 12), (0, 12000), left=55), Axes((0, 20), (6, 9), left=330)
    body = data.frame("salary after 10 epochs", (0, 4, 8, 12), (0, 4000, 8000, 12000), "years worked")
    body += error.frame("log₁₀ E", (0, 5, 10, 15, 20), (6, 7, 8, 9), "epoch")
    for (_, epoch, rate), colour in zip(ways, COLOURS, strict=True):
        unit, points = LinearUnit(1), []
        for n in range(21):
            if n == 10 and epoch is stochastic_epoch:
                body += data.line([(x, float(unit.forward(np.array([[x]]))[0])) for x in (0.0, 10.5)], colour)
            unit_error = 0.5 * float(np.sum((unit.forward(years) - salary) ** 2))
            points.append((n, math.log10(unit_error)))
            epoch(unit, years, salary, rate)
        body += error.line(points, colour)
    body += "".join(data.dot(x, y, "#fff") for (x,), y in zip(years, salary, strict=True))
    entries = [(name, colour, "") for (name, _, _), colour in zip(ways, COLOURS, strict=True)]
    return picture(720, 270, "Learning to tell salaries", body + legend(530, 70, entries))


def activations() -> str:
    """The activation functions and their slopes."""
    body = ""
    for column, f in enumerate((SIGMOID, TANH, RELU, LEAKY_RELU)):
        axes = Axes((-4, 4), (-1.5, 2.5), left=35 + 190 * column, width=150)
        net = np.sort(np.append(np.linspace(-4, 4, 81), 1e-9))  # where ReLU has its step
        y = f(net)
        body += axes.line([(-4, 0), (4, 0)], "#dddddd") + axes.line([(0, -1.5), (0, 2.5)], "#dddddd")
        body += axes.frame(f.name, (-4, 0, 4), (-1, 0, 1, 2), "net")
        body += axes.line(list(zip(net, f.slope(y), strict=True)), ORANGE, "5 4")
        body += axes.line(list(zip(net, y, strict=True)), BLUE)
    entries = [("f(net)", BLUE, ""), ("f ′(net)", ORANGE, "5 4")]
    return picture(790, 310, "Activation functions and their slopes", body + legend(330, 280, entries))


def convolution() -> str:
    """A ring, seen by a filter for vertical edges: what it finds, after ReLU, and after max pooling."""
    i, j = np.mgrid[:16, :16]
    distance = np.hypot(i - 7.5, j - 7.5)
    image = np.clip(2.0 - np.abs(distance - 5.0), 0, 1)[None]
    edges = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    maps = []
    for f in (LINEAR, RELU):
        layer = Convolution(1, 1, (3, 3), np.random.default_rng(0), f=f)
        layer.parameters["W"][0, 0] = edges
        maps.append(layer.forward(image) / 4)
    pooled = MaxPooling(2).forward(maps[1])
    body = cells(image[0], 20, 50, 10, "image, 16 x 16")
    body += cells(edges / 2, 215, 115, 10, "filter, 3 x 3")
    body += cells(maps[0][0], 290, 60, 10, "feature map, 14 x 14")
    body += cells(maps[1][0], 460, 60, 10, "after ReLU")
    body += cells(pooled[0], 630, 60, 20, "after max pooling, 7 x 7")
    body += label(400, 240, "blue: above 0; orange: below 0; white: 0")
    return picture(800, 260, "A filter for vertical edges on a ring", body)


def gradients() -> str:
    """How much of the error at the last of 40 steps comes back to the input of each earlier step."""
    rng = np.random.default_rng(0)
    steps, units = 40, 8
    x = rng.normal(size=(steps, units)) * 1e-4
    turn = np.linalg.qr(rng.normal(size=(units, units)))[0]  # every length stays as it is
    layers: dict[str, Network] = {}
    for scale in (1.2, 0.9, 0.5):
        layer = Recurrent(units, units, rng, TANH)
        layer.parameters["U"][...], layer.parameters["W"][...] = np.eye(units), scale * turn
        layers[f"rnn, W stretches by {scale}"] = layer
    lstm = LSTM(units, units, rng)
    lstm.parameters["b_f"][:] = 5.0  # f = 0.993
    for gate in "fico":
        lstm.parameters[f"W_{gate}"][:, :units] *= 0.1  # the cell is to carry the error, not h
    layers["lstm, forget gate open"] = lstm
    axes = Axes((-40, 0), (-8, 4), left=60, width=380, height=220)
    body = axes.frame(
        "log₁₀ of |dE/dx| against that of the last step", range(-40, 1, 10), range(-8, 5, 2), "steps before the last"
    )
    colours = (ORANGE, PURPLE, GREEN, BLUE)
    for network, colour in zip(layers.values(), colours, strict=True):
        dy = np.zeros(network.forward(x).shape)
        dy[-1] = 1
        size = np.linalg.norm(network.backward(dy), axis=1)
        body += axes.line([(t + 1 - steps, math.log10(size[t] / size[-1])) for t in range(steps)], colour)
    entries = [(name, colour, "") for name, colour in zip(layers, colours, strict=True)]
    return picture(660, 310, "Gradients that explode, vanish and stay", body + legend(455, 60, entries))


def lstm_gates() -> str:
    """One LSTM unit taught to tell whether it is inside brackets, reading a text."""
    rng = np.random.default_rng(0)
    lstm = LSTM(len(SIGNS), 1, rng)
    network = Chain({"lstm": lstm, "output": FullyConnected(1, 2, rng, LINEAR), "loss": SoftmaxCrossEntropy()})
    for _ in range(1500):
        network.forward(*_brackets(_random_text(rng, 24)))
        network.backward(np.ones(()))
        network.clip(1.0)
        network.update(1.0)
    text = "ab (cd ef) gh (a) bc (defgh abc) d"
    network.forward(*_brackets(text))
    rows = {
        "forget gate f": lstm.gates["f"],
        "input gate i": lstm.gates["i"],
        "candidate g": lstm.gates["c"],
        "cell c": lstm.c[1:] / 2,
        "output gate o": lstm.gates["o"],
    }
    body = ""
    for row, (name, values) in enumerate(rows.items()):
        body += cells(values.T, 120, 30 + 28 * row, 18, "")
        body += label(112, 44 + 28 * row, name, anchor="end")
    body += "".join(label(129 + 18 * n, 30 + 28 * len(rows) + 12, sign, 16) for n, sign in enumerate(text))
    body += label(400, 208, "white: 0; blue: 1 (cell: 2); orange: -1 (cell: -2)")
    return picture(760, 225, "The gates of an LSTM over a text with brackets", body)


def _random_text(rng: np.random.Generator, length: int) -> str:
    text, inside = "", False
    while len(text) < length:
        if rng.random() < 0.2:
            text += ")" if inside else "("
            inside = not inside
        else:
            text += SIGNS[rng.integers(0, 9)]
    return text


def _brackets(text: str) -> tuple[Array, Array]:
    """One-hot characters, and for each whether it stands inside brackets, the opening one included."""
    inside, targets = False, []
    for sign in text:
        inside = sign == "(" or (inside and sign != ")")
        targets.append(int(inside))
    return np.eye(len(SIGNS))[[SIGNS.index(sign) for sign in text]], np.eye(2)[targets]


def _parse(*options: str) -> Callable[[], str]:
    """A picture by ``seqtree parse``."""
    parse = [sys.executable, "-m", "seqtree", "parse", "--model", "default"]
    command = [*parse, "--format", "svg", *options, "The cat sat on the mat."]
    return lambda: subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()


PICTURES: dict[str, Callable[[], str]] = {
    "perceptron": perceptron,
    "linear-unit": linear_unit,
    "activations": activations,
    "convolution": convolution,
    "gradients": gradients,
    "lstm-gates": lstm_gates,
    "merges": _parse("--trace"),
    "tree": _parse(),
}


def main() -> None:
    """Write every picture."""
    for name, make in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(make() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
