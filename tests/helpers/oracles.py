"""Slow, obvious versions of what seqtree computes fast, for the tests to compare with.

Recurrent layers: NumPy, one token and one layer after another, in the formulas of chapters 5 and 6. A layer's weights
are (U, W, b, d) in torch's order of the gates: U (G*H, E) on the input, W (G*H, H) on the previous hidden state, with a
bias each (an LSTM's gates i, f, g, o; a GRU's r, z, n).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

Layer = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def simple_step(x: np.ndarray, h: np.ndarray, layer: Layer, nonlinearity: str) -> np.ndarray:
    """h' = f(U x + b + W h + d)."""
    U, W, b, d = layer
    net = U @ x + b + W @ h + d
    return np.tanh(net) if nonlinearity == "tanh" else np.where(net > 0, net, 0.0)


def lstm_step(x: np.ndarray, h: np.ndarray, c: np.ndarray, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """c' = f c + i g, h' = o tanh(c')."""
    U, W, b, d = layer
    i, f, g, o = np.split(U @ x + b + W @ h + d, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x: np.ndarray, h: np.ndarray, layer: Layer) -> np.ndarray:
    """h' = (1 - z) n + z h, with n = tanh(U_n x + b_n + r (W_n h + d_n)): the reset after the product, as in torch."""
    U, W, b, d = layer
    (xr, xz, xn), (hr, hz, hn) = np.split(U @ x + b, 3), np.split(W @ h + d, 3)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + r * hn) + z * h


def run_recurrent(cell: str, nonlinearity: str, layers: Sequence[Layer], inputs: np.ndarray) -> np.ndarray:
    """Outputs (T, H) of the last layer for one sequence of inputs (T, E), from the zero state."""
    h = [np.zeros(layer[1].shape[1]) for layer in layers]
    c = [np.zeros(layer[1].shape[1]) for layer in layers]
    outputs = []
    for x in inputs:
        for k, layer in enumerate(layers):
            if cell == "lstm":
                h[k], c[k] = lstm_step(x, h[k], c[k], layer)
            elif cell == "gru":
                h[k] = gru_step(x, h[k], layer)
            else:
                h[k] = simple_step(x, h[k], layer, nonlinearity)
            x = h[k]
        outputs.append(x)
    return np.array(outputs)


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def windows(ids: Sequence[int], rows: int, window: int, start: int, end: int) -> list[list[list[tuple[int, int]]]]:
    """The first epoch over a text cut into rows: for each step, for each row, the pairs (input, target) in order.

    The input is the token before its target; the sentence start stands before the first token and for every end.
    """
    length = len(ids) // rows
    steps = []
    for step in range(length // window):
        rows_now = []
        for row in range(rows):
            pairs = []
            for place in range(row * length + step * window, row * length + (step + 1) * window):
                before = start if place == 0 else ids[place - 1]
                pairs.append((start if before == end else before, ids[place]))
            rows_now.append(pairs)
        steps.append(rows_now)
    return steps


def cut_at_stop(pieces: Sequence[str], stops: Sequence[str]) -> str:
    """The text up to the first stop string, looked for after every piece."""
    text = ""
    for piece in pieces:
        text += piece
        places = [text.index(stop) for stop in stops if stop in text]
        if places:
            return text[: min(places)]
    return text


def kneser_ney(
    training: Sequence[Sequence[str]],
    text: Sequence[Sequence[str]],
    order: int,
    size: int,
    start: str | None,
    discounts: Sequence[float] | None = None,
) -> list[float]:
    """p(token) of every token of ``text`` by interpolated Kneser-Ney, from dictionaries.

    Sentences are sequences of tokens behind their first one (``<s>``, or the newline of a stream), not predicted.
    start: what a sentence's n-grams begin with that keep their occurrences as counts; None for a stream.
    """
    seen = {k: Counter(gram for sentence in training for gram in _grams(sentence, k)) for k in range(1, order + 1)}
    counts: dict[int, Counter[tuple[str, ...]]] = {order: seen[order]}
    for k in range(1, order):
        different = {gram: len({longer[0] for longer in seen[k + 1] if longer[1:] == gram}) for gram in seen[k]}
        kept = {gram: seen[k][gram] if gram[0] == start else count for gram, count in different.items()}
        counts[k] = Counter({gram: count for gram, count in kept.items() if count})
    if discounts is None:
        discounts = [_discount(list(counts[k].values())) for k in range(1, order + 1)]

    def probability(word: str, context: tuple[str, ...]) -> float:
        k = len(context) + 1
        lower = probability(word, context[1:]) if context else 1 / size
        after = [count for gram, count in counts[k].items() if gram[:-1] == context]
        if not after:
            return lower
        discount = discounts[k - 1]
        kept = max(counts[k][(*context, word)] - discount, 0)
        return (kept + discount * len(after) * lower) / sum(after)

    return [
        probability(sentence[i], tuple(sentence[max(0, i - order + 1) : i]))
        for sentence in text
        for i in range(1, len(sentence))
    ]


def _grams(sentence: Sequence[str], k: int) -> list[tuple[str, ...]]:
    """All n-grams of k tokens that end in a predicted token."""
    return [tuple(sentence[i - k + 1 : i + 1]) for i in range(max(1, k - 1), len(sentence))]


def _discount(counts: Sequence[int]) -> float:
    ones, twos = counts.count(1), counts.count(2)
    return ones / (ones + 2 * twos) if ones and twos else 0.5


def copied_windows(sample: Sequence[int], corpus: Sequence[int], length: int) -> list[bool]:
    """Which windows of ``length`` tokens of ``sample`` are somewhere in ``corpus``, one comparison after another."""
    there = [list(corpus[j : j + length]) for j in range(len(corpus) - length + 1)]
    return [list(sample[i : i + length]) in there for i in range(len(sample) - length + 1)]


def first_loop(sample: Sequence[int], repetitions: int, least: int) -> list[int] | None:
    """The shortest, then first, block that comes ``repetitions`` times in a row or more, over ``least`` tokens."""
    for size in range(1, len(sample) + 1):
        for begin in range(len(sample) - size + 1):
            block, times = list(sample[begin : begin + size]), 1
            while list(sample[begin + times * size : begin + (times + 1) * size]) == block:
                times += 1
            if times >= repetitions and times * size >= least:
                return block
    return None
