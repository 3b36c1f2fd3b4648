"""Binary trees over half-open spans: the form in which the parser sees a tree, and the way there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.treebank.bracketed import is_preterminal
from seqtree.treebank.normalisation import ROOT

Span = tuple[int, int]  # half-open: words[start:end]
Labels = tuple[str, ...]  # the labels of one span, outermost first: a unary chain


@dataclass(frozen=True)
class BinaryTree:
    """A sentence and the merges that build its tree.

    ``merges`` holds (start, split, end) for each of the n - 1 merges of n words, children before parents: words[start:
    split] and words[split:end] became one. ``labels`` holds the constituents, single words included (the nodes above
    a word's tag); a span that is absent has the empty label and is no constituent. ``tags`` holds None for a word
    without a node of its own.
    """

    words: tuple[str, ...]
    tags: tuple[str | None, ...]
    merges: tuple[tuple[int, int, int], ...]
    labels: Mapping[Span, Labels]


def binarise(tree: Tree) -> BinaryTree:
    """The tree as merges, from which ``restore`` makes an equal tree again; time and memory linear in its size.

    A node with more than two children is built from the left; the spans inside it get no label.
    Raises InputError for a tree with a node that has no word.
    """
    if is_preterminal(tree):
        return BinaryTree((tree[0],), (tree.label(),), (), {})
    words: list[str] = []
    tags: list[str | None] = []
    merges: list[tuple[int, int, int]] = []
    chains: dict[Span, list[str]] = {}  # innermost first
    open_nodes: list[tuple[Tree, list[int]]] = [(tree, [])]  # with where its children so far begin
    while open_nodes:
        node, starts = open_nodes[-1]
        if len(starts) < len(node):
            child = node[len(starts)]
            starts.append(len(words))
            if isinstance(child, Tree) and not is_preterminal(child):
                open_nodes.append((child, []))
            else:
                words.append(child[0] if isinstance(child, Tree) else child)
                tags.append(child.label() if isinstance(child, Tree) else None)
            continue
        if not starts:
            raise InputError(f"a node labelled {node.label()!r} has no word below it")
        open_nodes.pop()
        merges.extend((starts[0], middle, end) for middle, end in pairwise([*starts[1:], len(words)]))
        chains.setdefault((starts[0], len(words)), []).append(node.label())
    labels = {span: tuple(reversed(chain)) for span, chain in chains.items()}
    return BinaryTree(tuple(words), tuple(tags), tuple(merges), labels)


def restore(binary: BinaryTree) -> Tree:
    """The tree that a binary tree stands for: its labelled spans, in time linear in its size.

    ``binary.merges`` may come in any order. A whole sentence without a label of its own (and more than one tagged word)
    is put under the label ROOT, which no score counts. Raises ValueError if there is no word or a merge is missing.
    """
    n = len(binary.words)
    if n == 0:
        raise ValueError("a binary tree without words stands for no tree")
    splits = {(start, end): split for start, split, end in binary.merges}
    top: list[Tree | str] = []
    inside = top  # the children of the innermost open node
    waiting: list[Span | list[Tree | str]] = [(0, n)]  # spans to visit; lists to go back to
    while waiting:
        span = waiting.pop()
        if isinstance(span, list):
            inside = span
            continue
        chain = binary.labels.get(span, ())
        if chain:
            waiting.append(inside)
        for label in chain:
            inside.append(Tree(label, []))
            inside = cast(Tree, inside[-1])
        start, end = span
        if end - start == 1:
            word, tag = binary.words[start], binary.tags[start]
            inside.append(word if tag is None else Tree(tag, [word]))
        elif span in splits:
            waiting += [(splits[span], end), (start, splits[span])]
        else:
            raise ValueError(f"no merge builds words {start} to {end} of the binary tree")
    return top[0] if len(top) == 1 and isinstance(top[0], Tree) else Tree(ROOT, top)
