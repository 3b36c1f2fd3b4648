"""The dynamic oracle: which merges keep every gold constituent that is still reachable.

A merge is correct if it crosses no reachable gold bracket. A bracket that an earlier merge has crossed is lost and no
longer considered, so that there is always a correct merge. (After Goldberg and Nivre 2012, for dependency parsing.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqtree.parsing.gold import GoldTree
from seqtree.parsing.greedy import Forests
from seqtree.parsing.spans import Spans
from seqtree.text.lexicon import Ids

Flags = npt.NDArray[np.bool_]


class Oracle:
    """The oracle of a batch, from its gold trees in the order of the batch."""

    def __init__(self, trees: Sequence[GoldTree]) -> None:
        width = max(int((tree.ends - tree.starts > 1).sum()) for tree in trees)
        self.start = np.zeros((len(trees), width), dtype=np.int64)
        self.end = np.zeros((len(trees), width), dtype=np.int64)  # start = end = 0 crosses nothing
        for row, tree in enumerate(trees):
            wide = tree.ends - tree.starts > 1
            self.start[row, : wide.sum()] = tree.starts[wide]
            self.end[row, : wide.sum()] = tree.ends[wide]
        self._judged = np.zeros((0, 0), dtype=np.int64)  # (B, W): the last pair judged at each position
        self._crosses = np.zeros((0, 0), dtype=np.bool_)

    def correct(self, forests: Forests, active: int) -> Flags:
        """Which of the pairs in the first ``active`` rows are correct merges: (active, W)."""
        if self._judged.shape != forests.pair.shape:
            self._judged, self._crosses = np.full_like(forests.pair, -1), np.zeros(forests.pair.shape, dtype=np.bool_)
        possible = np.isfinite(forests.score[:active])
        new = np.nonzero(possible & (self._judged[:active] != forests.pair[:active]))
        row, start = new
        self._crosses[new] = self.crossing(Spans(row, start, forests.pair_end[new]))
        self._judged[new] = forests.pair[new]
        return possible & ~self._crosses[:active]

    def crossing(self, spans: Spans) -> Flags:
        """Which of these spans (k,) cross a gold bracket."""
        row = spans.sentence
        crossed = _cross(spans.start[:, None], spans.end[:, None], self.start[row], self.end[row])
        return np.asarray(crossed.any(axis=1))

    def merged(self, start: Ids, end: Ids) -> None:
        """Record that the first ``len(start)`` rows now have these spans: gold brackets they cross are lost."""
        rows = len(start)
        lost = _cross(start[:, None], end[:, None], self.start[:rows], self.end[:rows])
        self.start[:rows][lost] = self.end[:rows][lost] = 0
        self._judged[:rows][lost.any(axis=1)] = -1  # merges that crossed only lost brackets are now correct


def _cross(start: Ids, end: Ids, gold_start: Ids, gold_end: Ids) -> Flags:
    left = (start < gold_start) & (gold_start < end) & (end < gold_end)
    return left | ((gold_start < start) & (start < gold_end) & (gold_end < end))
