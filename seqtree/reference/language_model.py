"""The language model: a recurrent network that predicts the next word from all words before it (chapter 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqtree.reference.activations import LINEAR
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.network import Array, Chain
from seqtree.reference.recurrent import Recurrent
from seqtree.reference.softmax import SoftmaxCrossEntropy, softmax

START, END = "<s>", "</s>"


def pairs(sentence: Sequence[str]) -> list[tuple[str, str]]:
    """Each word of a sentence with the one that follows it: (s, w1), (w1, w2), ..., (wn, e).

    >>> pairs(["rain", "fell"])
    [('<s>', 'rain'), ('rain', 'fell'), ('fell', '</s>')]
    """
    return list(zip([START, *sentence], [*sentence, END], strict=True))


def one_hot(words: Sequence[str], vocabulary: Mapping[str, int]) -> Array:
    """One-hot rows (words, vocabulary); KeyError for a word that is not in the vocabulary."""
    return np.eye(len(vocabulary))[[vocabulary[word] for word in words]]


def training_example(sentence: Sequence[str], vocabulary: Mapping[str, int]) -> tuple[Array, Array]:
    """The pairs of a sentence of n words as one-hot inputs x and targets y, each (n + 1, vocabulary)."""
    words, following = zip(*pairs(sentence), strict=True)
    return one_hot(words, vocabulary), one_hot(following, vocabulary)


class LanguageModel(Chain):
    """s_t = tanh(U x_t + W s_{t-1} + b), o_t = softmax(V s_t + c), L the mean cross-entropy in nats per word.

    V and c are called ``output.W`` and ``output.b``. ``forward(x, y)`` gives L, shape (), for x and y as in
    :func:`training_example`.
    """

    def __init__(self, vocabulary_size: int, units: int, rng: np.random.Generator) -> None:
        self.hidden = Recurrent(vocabulary_size, units, rng)
        self.output = FullyConnected(units, vocabulary_size, rng, LINEAR)
        super().__init__({"hidden": self.hidden, "output": self.output, "loss": SoftmaxCrossEntropy()})

    def probabilities(self, x: Array) -> Array:
        """o (T, vocabulary): the probability of each word after x_1 .. x_t, for one-hot words x (T, vocabulary)."""
        return softmax(self.output.forward(self.hidden.forward(x)))
