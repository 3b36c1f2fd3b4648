"""The conditional random field over the tags of a sentence: forward, backward and Viterbi's algorithms (chapter 9)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.reference.network import Array, Network, array

Path = npt.NDArray[np.int64]


def log_sum(values: Array) -> float:
    """log sum exp of values (n,), without overflow: the largest is taken out first.

    >>> round(log_sum(np.log([1.0, 2.0, 5.0])), 6) == round(float(np.log(8.0)), 6)
    True
    """
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum()))


class ConditionalRandomField(Network):
    """Score of a path y: s(y) = a_{y_1} + sum_t x_{t, y_t} + sum_t A_{y_t, y_{t+1}} + b_{y_T}; its loss log Z - s(y).

    ``start`` is a (tags,), ``transitions`` A (tags, tags) from a tag to the next, ``end`` b (tags,). ``forward(x, y)``
    gives the loss, shape (), for emissions x (T, tags) and a path y (T,) of tags. Its gradients are probabilities
    under the model less what is in the path.
    """

    def __init__(self, tags: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.parameters = {
            "start": rng.uniform(-0.1, 0.1, tags),
            "transitions": rng.uniform(-0.1, 0.1, (tags, tags)),
            "end": rng.uniform(-0.1, 0.1, tags),
        }

    def _emissions(self, x: Array) -> Array:
        """x (T, tags). Raises InputError if it has no step."""
        x = array("x", x, "T", len(self.parameters["end"]))
        if not len(x):
            raise InputError("a path has at least one tag, x has no step")
        return x

    def score(self, x: Array, y: Path) -> float:
        """s(y)."""
        p, x = self.parameters, self._emissions(x)
        steps = sum(p["transitions"][before, after] for before, after in pairwise(y))
        return float(p["start"][y[0]] + x[np.arange(len(y)), y].sum() + steps + p["end"][y[-1]])

    def forward_scores(self, x: Array) -> Array:
        """alpha (T, tags): log of the summed exp s of all beginnings of paths that have tag j at step t.

        alpha_1j = a_j + x_1j, alpha_tj = x_tj + log sum_i exp(alpha_{t-1, i} + A_ij).
        """
        x = self._emissions(x)
        alpha = np.zeros(x.shape)
        alpha[0] = self.parameters["start"] + x[0]
        for t in range(1, len(x)):
            for j in range(x.shape[1]):
                alpha[t, j] = x[t, j] + log_sum(alpha[t - 1] + self.parameters["transitions"][:, j])
        return alpha

    def backward_scores(self, x: Array) -> Array:
        """beta (T, tags): the same for all ends of paths after tag i at step t.

        beta_Ti = b_i, beta_ti = log sum_j exp(A_ij + x_{t+1, j} + beta_{t+1, j}).
        """
        x = self._emissions(x)
        beta = np.zeros(x.shape)
        beta[-1] = self.parameters["end"]
        for t in range(len(x) - 2, -1, -1):
            for i in range(x.shape[1]):
                beta[t, i] = log_sum(self.parameters["transitions"][i] + x[t + 1] + beta[t + 1])
        return beta

    def log_partition(self, x: Array) -> float:
        """log Z: the log of the summed exp s of all paths, by the forward algorithm."""
        return log_sum(self.forward_scores(x)[-1] + self.parameters["end"])

    def marginals(self, x: Array) -> Array:
        """p(y_t = j) (T, tags) = exp(alpha_tj + beta_tj - log Z)."""
        return np.exp(self.forward_scores(x) + self.backward_scores(x) - self.log_partition(x))

    def forward(self, x: Array, y: Path) -> Array:
        """The loss log Z - s(y). Raises InputError for a path that has not one of the tags at each step."""
        x, y, tags = self._emissions(x), np.asarray(y), len(self.parameters["end"])
        if y.shape != (len(x),) or not np.isin(y, range(tags)).all():
            raise InputError(f"expected {len(x)} tags from 0 to {tags - 1}, found {y.tolist()}")
        self.x, self.y = x, y = x, y.astype(np.int64)
        return np.array(self.log_partition(x) - self.score(x, y))

    def backward(self, dy: Array) -> Array:
        """dE/dx_tj = p(y_t = j) - [y_t = j]; dE/dA_ij = sum_t p(y_t = i, y_{t+1} = j) - [y_t = i, y_{t+1} = j]."""
        x, y, p, dy = self.x, self.y, self.parameters, array("dy", dy)
        alpha, beta, log_z = self.forward_scores(x), self.backward_scores(x), self.log_partition(x)
        dx = self.marginals(x)
        dx[np.arange(len(y)), y] -= 1.0
        transitions = np.zeros_like(p["transitions"])
        for t in range(len(x) - 1):
            both = alpha[t][:, None] + p["transitions"] + x[t + 1] + beta[t + 1]  # p(y_t = i, y_{t+1} = j) is its exp
            transitions += np.exp(both - log_z)
            transitions[y[t], y[t + 1]] -= 1.0
        self.gradients = {"start": dy * dx[0], "transitions": dy * transitions, "end": dy * dx[-1]}
        return dy * dx

    def best(self, x: Array) -> Path:
        """The path of the highest score, by Viterbi's algorithm: as the forward one, with max for log sum exp."""
        x = self._emissions(x)
        reached = self.parameters["start"] + x[0]
        came: list[Path] = []
        for t in range(1, len(x)):
            ways = reached[:, None] + self.parameters["transitions"]  # from tag i to tag j
            came.append(ways.argmax(axis=0))
            reached = ways.max(axis=0) + x[t]
        path = [int((reached + self.parameters["end"]).argmax())]
        for before in reversed(came):
            path.insert(0, int(before[path[0]]))
        return np.array(path)
