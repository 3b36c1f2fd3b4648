"""Parsing a scene: greedy merges over a graph, and the max-margin objective between whole trees (chapter 7).

Source: Socher, Lin, Ng and Manning 2011. Segments are numbers; the neighbours of an image's segments are pairs of them,
and a tree is a list of pairs of nodes: segments are 0 to n - 1, and merge k makes node n + k. In a sentence the
neighbours are (0, 1), (1, 2), ..., and all of this is :mod:`seqtree.reference.max_margin`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from seqtree.errors import InputError
from seqtree.reference.max_margin import TreeScorer
from seqtree.reference.network import Array, Network, array
from seqtree.reference.recursive import Merge
from seqtree.reference.squared_error import ONE

Pair = tuple[int, int]
Segments = frozenset[int]
Bonus = Callable[[Segments], float]


def none(segments: Segments) -> float:
    """0 for every node."""
    return 0.0


def merge_greedily(scorer: TreeScorer, x: Array, neighbours: Iterable[Pair], bonus: Bonus = none) -> list[Pair]:
    """The tree built by repeatedly merging the two neighbouring nodes with the highest score.

    x (n, width): the segments; all must be connected. The node with the lower first segment is the left one.
    ``bonus(segments)`` is added to the score of making a node of these. Raises InputError for segments that are not.
    """
    inside = [frozenset([i]) for i in range(len(x))]
    vectors, around = list(x), {i: set[int]() for i in range(len(x))}
    for one, other in neighbours:
        if not {one, other} <= around.keys():
            raise InputError(f"neighbours ({one}, {other}): expected segments from 0 to {len(x) - 1}")
        around[one].add(other)
        around[other].add(one)
    tree: list[Pair] = []
    while len(around) > 1:
        pairs = [(a, b) for a in around for b in around[a] if min(inside[a]) < min(inside[b])]
        if not pairs:
            raise InputError(f"the segments are in {len(around)} parts that no neighbours join")
        parents = [scorer.layer.compose(np.concatenate([vectors[a], vectors[b]])) for a, b in pairs]
        scores = np.array(parents) @ scorer.parameters["u"] + [bonus(inside[a] | inside[b]) for a, b in pairs]
        best = int(np.argmax(scores))
        one, other = pairs[best]
        made, near = len(vectors), (around.pop(one) | around.pop(other)) - {one, other}
        vectors.append(parents[best])
        inside.append(inside[one] | inside[other])
        around[made] = near
        for node in near:
            around[node] = around[node] - {one, other} | {made}
        tree.append((one, other))
    return tree


def in_a_row(count: int, tree: Sequence[Pair]) -> tuple[list[int], list[Merge]]:
    """The segments in the tree's own order, and the tree as merges of spans of that row.

    >>> in_a_row(3, [(0, 2), (3, 1)])
    ([0, 2, 1], [(0, 1, 2), (0, 2, 3)])
    """
    rows = [[i] for i in range(count)]
    for one, other in tree:
        rows.append(rows[one] + rows[other])
    order = rows[-1]
    first = [order.index(row[0]) for row in rows]
    return order, [(first[a], first[b], first[b] + len(rows[b])) for a, b in tree]


def crosses(segments: Segments, regions: Iterable[Segments]) -> bool:
    """Whether a node of these segments has a part of a region and something else: it would be a wrong merge."""
    return any(not (segments <= region or region <= segments or region.isdisjoint(segments)) for region in regions)


class GraphMargin(Network):
    """The objective for one scene: its best correct tree should outscore every tree by kappa per wrong merge of that.

    r = s(x, y') + kappa wrong(y') - s(x, y). y' is found greedily with kappa as the bonus of wrong merges, and y
    greedily with merges that cross none of the regions: connected sets of segments of one class. The parameters are
    those of the scorer.
    """

    def __init__(self, scorer: TreeScorer, kappa: float = 0.05) -> None:
        super().__init__()
        self.scorer, self.kappa, self.parameters = scorer, kappa, scorer.parameters

    def forward(self, x: Array, neighbours: Sequence[Pair], regions: Sequence[Iterable[int]]) -> Array:
        """r, shape (), for the segments x (n, width) of a scene and its regions.

        Raises InputError for segments or regions that are not connected, and for regions that overlap.
        """
        x = array("x", x, "n", len(self.parameters["u"]))
        if not len(x):
            raise InputError("a scene has at least one segment, x has none")
        known = [frozenset(region) for region in regions]
        bonuses: tuple[Bonus, Bonus] = (
            lambda segments: self.kappa * crosses(segments, known),
            lambda segments: -np.inf if crosses(segments, known) else 0.0,
        )
        self.x = x
        self.trees = [in_a_row(len(x), merge_greedily(self.scorer, x, neighbours, bonus)) for bonus in bonuses]
        found, correct = (float(self.scorer.forward(x[order], tree)) for order, tree in self.trees)
        wrong, unavoidable = (
            sum(crosses(frozenset(order[start:end]), known) for start, _, end in tree) for order, tree in self.trees
        )
        if unavoidable:
            raise InputError("no tree crosses none of the regions: they overlap, or one is not connected")
        return np.array(found + self.kappa * wrong - correct)

    def backward(self, dr: Array = ONE) -> Array:
        """dE/dx (n, width) from dE/dr: descent raises the score of the correct tree and lowers the found one's."""
        self.gradients = {name: np.zeros_like(parameter) for name, parameter in self.parameters.items()}
        dx, dr = np.zeros(self.x.shape), array("dr", dr)
        for (order, tree), sign in zip(self.trees, (1.0, -1.0), strict=True):
            self.scorer.forward(self.x[order], tree)
            dx[order] += self.scorer.backward(sign * dr)
            for name, gradient in self.scorer.gradients.items():
                self.gradients[name] += gradient
        return dx
