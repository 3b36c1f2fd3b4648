"""Binary trees over half-open spans, the parser's form of a tree, and conversion in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.treebank.dialects import check_tree, check_word, is_preterminal
from seqtree.treebank.normalisation import ROOT

Span = tuple[int, int]  # half-open: words[start:end]
Labels = tuple[str, ...]  # the labels of one span, outermost first: a unary chain


@dataclass(frozen=True)
class BinaryTree:
    """A sentence and the merges that build its tree.

    ``merges`` has (start, split, end) for each of the n - 1 merges of n words, children before parents:
    words[start:split] and words[split:end] become one node. ``labels`` has the constituents, including those over a
    single word (the nodes above its tag); a span not in it has the empty label and is no constituent. ``tags`` has
    None for a word without a tag.
    """

    words: tuple[str, ...]
    tags: tuple[str | None, ...]
    merges: tuple[tuple[int, int, int], ...]
    labels: Mapping[Span, Labels]


def binarise(tree: Tree) -> BinaryTree:
    """The tree as merges, from which ``restore`` rebuilds an equal tree; time and memory linear in its size.

    A node with more than two children is built from the left; its intermediate spans get no label.
    Raises InputError for a tree with a node that has no words, and for anything but a tree of words.
    """
    check_tree(tree)
    if is_preterminal(tree):
        check_word(tree[0])
        return BinaryTree((tree[0],), (tree.label(),), (), {})
    words: list[str] = []
    tags: list[str | None] = []
    merges: list[tuple[int, int, int]] = []
    chains: dict[Span, list[str]] = {}  # innermost first
    open_nodes: list[tuple[Tree, list[int]]] = [(tree, [])]  # with the starts of the children visited so far
    while open_nodes:
        node, starts = open_nodes[-1]
        if len(starts) < len(node):
            child = node[len(starts)]
            starts.append(len(words))
            if isinstance(child, Tree) and not is_preterminal(child):
                open_nodes.append((child, []))
            else:
                words.append(child[0] if isinstance(child, Tree) else child)
                check_word(words[-1])
                tags.append(child.label() if isinstance(child, Tree) else None)
            continue
        if not starts:
            raise InputError(f"a node labelled {node.label()!r} has no words")
        open_nodes.pop()
        merges.extend((starts[0], middle, end) for middle, end in pairwise([*starts[1:], len(words)]))
        chains.setdefault((starts[0], len(words)), []).append(node.label())
    labels = {span: tuple(reversed(chain)) for span, chain in chains.items()}
    return BinaryTree(tuple(words), tuple(tags), tuple(merges), labels)


def restore(binary: BinaryTree) -> Tree:
    """The tree of the labelled spans of a binary tree, in time linear in its size.

    ``binary.merges`` may be in any order. If the whole sentence has no label (and is not a single tagged word), the
    root is labelled ROOT, which PARSEVAL ignores. Raises ValueError if there are no words or a merge is missing.
    """
    if not binary.words:
        raise ValueError("a binary tree needs at least one word")
    splits = {(start, end): split for start, split, end in binary.merges}
    top: list[Tree | str] = []
    waiting: list[tuple[int, int, list[Tree | str]]] = [(0, len(binary.words), top)]  # spans, and whose children
    while waiting:
        start, end, inside = waiting.pop()
        while True:  # down the left
            for label in binary.labels.get((start, end), ()):
                node = Tree(label, [])
                inside.append(node)
                inside = node
            if end - start == 1:
                break
            if (split := splits.get((start, end))) is None:
                raise ValueError(f"no merge builds words {start} to {end} of the binary tree")
            waiting.append((split, end, inside))
            end = split
        word, tag = binary.words[start], binary.tags[start]
        inside.append(word if tag is None else Tree(tag, [word]))
    return top[0] if len(top) == 1 and isinstance(top[0], Tree) else Tree(ROOT, top)
