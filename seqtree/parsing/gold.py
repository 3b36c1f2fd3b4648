"""Gold trees in numbers, and the words, tags and labels that a treebank's trees hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seqtree.text.lexicon import NOTHING, Ids, Known, LabelSet, Lexicon
from seqtree.treebank.binary import BinaryTree, Labels

EMPTY: Labels = ()


@dataclass(frozen=True)
class GoldTree:
    """A training tree in numbers: ``words`` (n,), ``tags`` (n,), and its constituents' ``starts``, ``ends``, ``labels``
    (k,), single words included. ``binary`` is where they come from."""

    words: Ids
    tags: Ids
    starts: Ids
    ends: Ids
    labels: Ids
    binary: BinaryTree

    def __len__(self) -> int:
        return len(self.words)


def names_in(
    trees: Iterable[BinaryTree], min_count: int = 1, more: Known = NOTHING, tagged: Iterable[Sequence[str]] = ()
) -> tuple[Lexicon, LabelSet[str], LabelSet[Labels]]:
    """The words, tags and labels of trees; words of ``tagged`` sentences are counted with them, and ``more`` added.

    Words below ``min_count`` are left to ``<unk>``.
    """
    words = Counter(word for sentence in tagged for word in sentence)
    tags: Counter[str] = Counter()
    chains: Counter[Labels] = Counter()
    for tree in trees:
        words.update(tree.words)
        tags.update(tag for tag in tree.tags if tag is not None)
        chains.update(tree.labels.values())
    del chains[EMPTY]
    return Lexicon.build(words, min_count, more), LabelSet(sorted(tags)), LabelSet([EMPTY, *sorted(chains)])


def gold_tree(tree: BinaryTree, lexicon: Lexicon, tags: LabelSet[str], labels: LabelSet[Labels]) -> GoldTree:
    """A tree in numbers; a tag or label that is unknown becomes -1, which no loss counts."""
    spans = sorted(tree.labels)
    return GoldTree(
        words=lexicon.encode(tree.words),
        tags=tags.encode(tree.tags),
        starts=np.array([start for start, _ in spans], dtype=np.int64),
        ends=np.array([end for _, end in spans], dtype=np.int64),
        labels=labels.encode(tree.labels[span] for span in spans),
        binary=tree,
    )
