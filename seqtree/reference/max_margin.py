"""Parsing with a recursive network: tree scores, search for the best tree, max-margin training (chapter 7).

Source: Socher, Lin, Ng and Manning 2011; the chart: Socher, Bauer, Manning and Ng 2013. Trees are lists of merges, as
in :mod:`seqtree.reference.recursive`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.network import Array, Network, array
from seqtree.reference.recursive import Merge, Recursive
from seqtree.reference.squared_error import ONE

Tree = Sequence[Merge]
Bonus = Callable[[int, int], float]  # of a span (start, end)


class TreeScorer(Network):
    """s(x, y) = sum of u.p over the merges of the tree y, where p is the vector of the merged phrase.

    W and b as in :class:`Recursive`, u (width,).
    """

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.layer = Recursive(width, rng)
        self.parameters = {**self.layer.parameters, "u": rng.uniform(-1, 1, width)}

    def forward(self, x: Array, tree: Tree) -> Array:
        """s(x, y), shape (), for the words x (n, width) and a tree over them."""
        self.p = self.layer.forward(x, tree)
        return np.array(np.sum(self.p @ self.parameters["u"]))

    def backward(self, ds: Array = ONE) -> Array:
        """dE/dx (n, width) from dE/ds, shape ()."""
        ds = array("ds", ds)
        dx = self.layer.backward(ds * np.tile(self.parameters["u"], (len(self.p), 1)))
        self.gradients = {**self.layer.gradients, "u": ds * self.p.sum(axis=0)}
        return dx


def no_bonus(start: int, end: int) -> float:
    """0 for every span."""
    return 0.0


def greedy(scorer: TreeScorer, x: Array, bonus: Bonus = no_bonus) -> list[Merge]:
    """The tree built by repeatedly merging the adjacent pair with the highest score (the leftmost in case of a tie).

    x (n, width): the words, at least one. ``bonus(start, end)`` is added to the score of every merge into that span.
    """
    nodes = [(i, i + 1, vector) for i, vector in enumerate(x)]
    merges: list[Merge] = []
    while len(nodes) > 1:
        spans = [(left[0], left[1], right[1]) for left, right in pairwise(nodes)]
        vectors = np.array([vector for _, _, vector in nodes])
        parents = scorer.layer.compose(np.concatenate([vectors[:-1], vectors[1:]], axis=1))  # (nodes - 1, width)
        scores = parents @ scorer.parameters["u"] + [bonus(start, end) for start, _, end in spans]
        best = int(np.argmax(scores))
        start, _, end = spans[best]
        merges.append(spans[best])
        nodes[best : best + 2] = [(start, end, parents[best])]
    return merges


def chart(scorer: TreeScorer, x: Array, bonus: Bonus = no_bonus) -> list[Merge]:
    """The tree found by building for each span, from short to long, the best tree from the best trees of its parts.

    The search is not exact: scores higher up depend on the vectors of the parts, not only on their scores. x and
    ``bonus`` are as for :func:`greedy`.
    """
    n = len(x)
    best: dict[tuple[int, int], tuple[float, Array, list[Merge]]] = {(i, i + 1): (0.0, x[i], []) for i in range(n)}
    for start, end in [(start, start + width) for width in range(2, n + 1) for start in range(n - width + 1)]:
        pairs = [(best[start, split], best[split, end]) for split in range(start + 1, end)]
        parents = scorer.layer.compose(np.array([np.concatenate([left[1], right[1]]) for left, right in pairs]))
        below = np.array([left[0] + right[0] for left, right in pairs])
        scores = parents @ scorer.parameters["u"] + below + bonus(start, end)
        k = int(np.argmax(scores))
        left, right = pairs[k]
        best[start, end] = (float(scores[k]), parents[k], [*left[2], *right[2], (start, start + 1 + k, end)])
    return best[0, n][2]


def wrong_spans(gold: Tree, tree: Tree) -> int:
    """The number of phrases of ``tree`` that are not in ``gold``.

    >>> wrong_spans([(0, 1, 2), (0, 2, 3)], [(1, 2, 3), (0, 1, 3)])
    1
    """
    right = {(start, end) for start, _, end in gold}
    return sum((start, end) not in right for start, _, end in tree)


class MaxMargin(Network):
    """The max-margin objective: the gold tree should outscore every other tree by a margin per wrong span of that tree.

    J = 1/N sum_i r_i + decay/2 |theta|^2, with r_i = max_y (s(x_i, y) + Delta(y_i, y)) - s(x_i, y_i) over all trees y,
    and Delta(y_i, y) = kappa wrong_spans(y_i, y). The parameters are those of the scorer.

    ``search`` looks for the maximum, with kappa as the bonus of every wrong span: :func:`chart`, or :func:`greedy`, as
    in the paper of 2011. Both can miss it, greedy more often, and find a tree worse than the gold tree: r_i is then
    negative, and a step still lowers the score of the tree that was found and raises that of the gold tree.
    """

    def __init__(
        self,
        scorer: TreeScorer,
        kappa: float = 0.1,
        decay: float = 0.0,
        search: Callable[[TreeScorer, Array, Bonus], list[Merge]] = chart,
    ) -> None:
        super().__init__()
        self.scorer, self.kappa, self.decay, self.search = scorer, kappa, decay, search
        self.parameters = scorer.parameters

    def decode(self, x: Array, gold: Tree) -> tuple[list[Merge], float]:
        """The tree y found by the search, and r, for the words x (n, width) of one sentence."""
        x = array("x", x, "n", len(self.parameters["u"]))
        right = {(start, end) for start, _, end in gold}
        found = self.search(self.scorer, x, lambda start, end: 0.0 if (start, end) in right else self.kappa)
        s, s_gold = (float(self.scorer.forward(x, tree)) for tree in (found, gold))
        return found, s + self.kappa * wrong_spans(gold, found) - s_gold

    def forward(self, x: Array, golds: Sequence[Tree]) -> Array:
        """J, shape (), for N sentences: their words x (words, width), one sentence after another, and gold trees.

        Raises InputError if the trees do not have as many words together.
        """
        x = array("x", x, "words", len(self.parameters["u"]))
        *ends, words = np.cumsum([0, *(len(gold) + 1 for gold in golds)]).tolist()
        if words != len(x) or not words:
            raise InputError(f"the gold trees are over {words} words, x has {len(x)}")
        self.sentences = list(zip(np.split(x, ends[1:]), golds, strict=True))
        self.found, risks = zip(*[self.decode(*sentence) for sentence in self.sentences], strict=True)
        size = sum(np.sum(parameter**2) for parameter in self.parameters.values())
        return np.array(np.mean(risks) + self.decay / 2 * size)

    def backward(self, dJ: Array = ONE) -> Array:
        """dE/dx (words, width) from dE/dJ: descent raises the score of each gold tree and lowers the found one's."""
        dJ = array("dJ", dJ)
        self.gradients = {name: dJ * self.decay * parameter for name, parameter in self.parameters.items()}
        share = dJ / len(self.sentences)
        dx = []
        for (x, gold), found in zip(self.sentences, self.found, strict=True):
            dx.append(self._score_gradient(x, found, share) + self._score_gradient(x, gold, -share))
        return np.concatenate(dx)

    def _score_gradient(self, x: Array, tree: Tree, ds: Array) -> Array:
        """``ds`` times the gradient of s(x, tree) by x; that by the parameters is added to ``gradients``."""
        self.scorer.forward(x, tree)
        dx = self.scorer.backward(ds)
        for name, gradient in self.scorer.gradients.items():
            self.gradients[name] += gradient
        return dx
