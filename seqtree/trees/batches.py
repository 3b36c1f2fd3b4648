"""A batch of trees in numbers: one forest, whose nodes of equal height are composed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqtree.text.batches import SentenceBatch, make_batch
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.treebank.labelled import LabelledTree


@dataclass(frozen=True)
class TreeBatch:
    """B trees over N words, longest first, with M phrases.

    The nodes of the forest are all words, tree by tree, then all phrases. ``left`` and ``right`` (M,) are the children
    of phrase N + k. ``nodes`` (N + M,) are the numbers of the first tree's nodes in the tree's own order (see
    ``LabelledTree``), then those of the second, and so on; ``ends`` (B,) says where each tree's end in it.
    """

    sentences: SentenceBatch
    left: Ids
    right: Ids
    nodes: Ids
    ends: Ids


def make_tree_batch(trees: Sequence[LabelledTree], ids: Sequence[Ids], lexicon: Lexicon) -> TreeBatch:
    """The batch of trees (longest first) whose words have the indices ``ids``."""
    sentences = make_batch([tree.words for tree in trees], ids, lexicon)
    words = int(sentences.lengths.sum())
    phrase = words  # the number of a tree's first phrase
    children, nodes = [np.zeros((0, 2), dtype=np.int64)], []
    for tree, first in zip(trees, sentences.offsets.tolist(), strict=True):
        count = len(tree)
        numbers = np.concatenate([np.arange(first, first + count), np.arange(phrase, phrase + count - 1)])
        children.append(numbers[np.array(tree.children, dtype=np.int64).reshape(-1, 2)])
        nodes.append(numbers)
        phrase += count - 1
    left, right = np.concatenate(children).T
    return TreeBatch(sentences, left, right, np.concatenate(nodes), np.cumsum(2 * sentences.lengths - 1))
