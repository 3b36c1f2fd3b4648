"""The greedy decoder for a few sentences, one after the other: as the chapters have it, in NumPy and lists.

For the two new pairs of a merge, a tensor library and the arrays of a whole batch are mostly overhead.
"""

from __future__ import annotations

import numpy as np

from seqtree.nn.arrays import ArrayComposition
from seqtree.parsing.arrays import ArraySpanScorer
from seqtree.parsing.decoding import Decoding, Floats, Merges
from seqtree.parsing.spans import Pairs, Spans
from seqtree.text.batches import SentenceBatch

FEW = 4  # sentences, from which on a batch is quicker


def decode_few(
    composition: ArrayComposition, scorer: ArraySpanScorer, batch: SentenceBatch, leaves: Floats, fences: Floats | None
) -> Decoding[Floats]:
    """What ``greedy.decode`` makes of a batch, but that pairs are numbered sentence by sentence.

    ``leaves`` (N, vector) and ``fences`` (N + B, hidden) are the ``leaves`` and ``merges`` of ``Encoded``.
    """
    forest = _Forest(composition, scorer, leaves, fences)
    for sentence, (offset, length) in enumerate(zip(batch.offsets.tolist(), batch.lengths.tolist(), strict=True)):
        forest.merge_all(sentence, offset, length)
    pairs = np.array(forest.pairs, dtype=np.int64).reshape(-1, 5).T
    merges = np.array(forest.merges, dtype=np.int64).reshape(-1, 5).T
    scores = np.array(forest.scores, dtype=np.float32).reshape(-1, 2).T
    return Decoding(
        Pairs(pairs[0], pairs[1], Spans(*pairs[2:])),
        forest.nodes[: forest.words + len(forest.pairs)],
        Merges(*merges, *scores),
    )


class _Forest:
    """The nodes of a batch while they are made, in the numbering of ``Decoding``.

    ``pairs`` are (left, right, sentence, start, end) of each; ``merges`` (sentence, start, middle, end, pair); and
    ``scores`` (score, margin) of each merge.
    """

    def __init__(
        self, composition: ArrayComposition, scorer: ArraySpanScorer, leaves: Floats, fences: Floats | None
    ) -> None:
        self.composition, self.scorer, self.fences, self.words = composition, scorer, fences, len(leaves)
        self.nodes = np.empty((4 * self.words, leaves.shape[1]), leaves.dtype)  # room for as many as there can be
        self.nodes[: self.words] = leaves
        self.pairs: list[tuple[int, int, int, int, int]] = []
        self.merges: list[tuple[int, int, int, int, int]] = []
        self.scores: list[tuple[float, float]] = []

    def merge_all(self, sentence: int, offset: int, length: int) -> None:
        """Merge the neighbours with the best score, the leftmost in case of a tie, until one node is left."""
        nodes, ends = list(range(offset, offset + length)), list(range(length + 1))  # node k: from ends[k] to ends[k+1]
        first = len(self.pairs)
        scores = self._add(sentence, offset + sentence, nodes, ends)
        numbers = list(range(first, first + len(scores)))  # of the pairs of neighbours, whose scores these are
        while scores:
            best = max(scores)
            k = scores.index(best)
            pair = numbers[k]
            self.merges.append((sentence, ends[k], ends[k + 1], ends[k + 2], pair))
            others = scores[:k] + scores[k + 1 :]
            self.scores.append((best, best - max(others, default=-np.inf)))
            nodes[k : k + 2] = [self.words + pair]
            del ends[k + 1]
            near = slice(max(0, k - 1), k + 2)  # the new node and its neighbours
            first = len(self.pairs)
            new = self._add(sentence, offset + sentence, nodes[near], ends[near.start : near.stop + 1])
            scores[near] = new
            numbers[near] = range(first, first + len(new))

    def _add(self, sentence: int, fence: int, nodes: list[int], ends: list[int]) -> list[float]:
        """Compose the pairs of neighbours among these nodes, whose ends are given; the scores of merging them.

        ``fence``: the number of the sentence's first one.
        """
        count = len(nodes) - 1
        if count < 1:
            return []
        made = self.words + len(self.pairs)
        children = [node for k in range(count) for node in (nodes[k], nodes[k + 1])]
        vectors = self.composition(self.nodes[children].reshape(count, 2, -1))
        self.nodes[made : made + count] = vectors
        self.pairs += [(nodes[k], nodes[k + 1], sentence, ends[k], ends[k + 2]) for k in range(count)]
        starts, lasts = [fence + start for start in ends[:count]], [fence + end for end in ends[2:]]
        scores: list[float] = self.scorer(self.composition.output(vectors), self.fences, starts, lasts)[:, 0].tolist()
        return scores
