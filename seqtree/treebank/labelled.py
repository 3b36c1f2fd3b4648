"""Binary trees with a label at every node, as in the Stanford Sentiment Treebank: ``(3 (2 It) (4 (2 's) (4 great)))``.

Labels may be anything: numbers, truth values, categories. A bracket holds two brackets, or one word. Brackets around a
single bracket are read where that is a word, ``(NP (NN it))``: the word's label is then the outer one; a root that only
wraps its tree (without a label, or ROOT, TOP, S1) is left out. ``?`` is the place of a label that is not there yet.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.treebank.binary import BinaryTree
from seqtree.treebank.bracketed import Place, write_tree
from seqtree.treebank.builder import MalformedTree
from seqtree.treebank.dialects import WRAPPERS, is_preterminal
from seqtree.treebank.sources import HINT, trees
from seqtree.wording import also

UNLABELLED = "?"
EXAMPLE = "(3 (2 It) (4 (2 's) (4 great)))"


@dataclass(frozen=True)
class LabelledTree:
    """A binary tree over n words. Its 2 n - 1 nodes are numbered: the words, then the phrases, children before parents.

    ``children`` (n - 1) are the numbers of the left and right child of each phrase; the root is the last node.
    ``labels`` (2 n - 1) has None for a node that is not labelled. ``place``: where the tree was read.
    """

    words: tuple[str, ...]
    children: tuple[tuple[int, int], ...]
    labels: tuple[str | None, ...]
    place: Place | None = None

    def __len__(self) -> int:
        return len(self.words)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The span [start, end) of each node (2 n - 1): ``words[start:end]``."""
        spans = [(i, i + 1) for i in range(len(self.words))]
        for left, right in self.children:
            spans.append((spans[left][0], spans[right][1]))
        return spans

    def tree(self, labels: Sequence[str | None] | None = None) -> Tree:
        """The tree with these labels (2 n - 1) at its nodes, by default its own; ``?`` stands for None."""
        names = [UNLABELLED if label is None else label for label in (self.labels if labels is None else labels)]
        nodes = [Tree(name, [word]) for name, word in zip(names, self.words, strict=False)]
        for name, (left, right) in zip(names[len(self.words) :], self.children, strict=True):
            nodes.append(Tree(name, [nodes[left], nodes[right]]))
        return nodes[-1]


def label_nodes(tree: Tree, place: Place | None = None) -> LabelledTree:
    """The labelled nodes of a binary tree of any depth.

    Raises MalformedTree for a node that has neither two brackets nor one word in it, or an empty label.
    """
    while tree.label() in WRAPPERS and len(tree) == 1 and isinstance(tree[0], Tree):
        tree = tree[0]
    words: list[str] = []
    labels: list[str] = []  # of words
    inner: list[str] = []
    children: list[tuple[int, int]] = []
    done: list[int] = []  # finished nodes without a parent: a word's number, or -1 - k for phrase k
    waiting: list[tuple[Tree, bool]] = [(tree, False)]
    while waiting:
        node, composed = waiting.pop()
        if composed:
            right, left = done.pop(), done.pop()
            done.append(-1 - len(children))
            children.append((left, right))
            inner.append(_label(node, place))
        elif (word := _word(node, place)) is not None:
            done.append(len(words))
            words.append(word)
            labels.append(_label(node, place))
        else:
            waiting += [(node, True), (node[1], False), (node[0], False)]
    count = len(words)
    pairs = tuple((_number(left, count), _number(right, count)) for left, right in children)
    return LabelledTree(
        tuple(words), pairs, tuple(None if name == UNLABELLED else name for name in (*labels, *inner)), place
    )


def unlabelled(binary: BinaryTree, forms: Sequence[tuple[str, str]] | None = None) -> LabelledTree:
    """The merges of a parse as a tree without labels; over the forms for a model of words (form, form for a model)."""
    count = len(binary.words)
    numbers = {(i, i + 1): i for i in range(count)}
    children = []
    for start, split, end in binary.merges:
        children.append((numbers[start, split], numbers[split, end]))
        numbers[start, end] = count - 1 + len(children)
    words = binary.words if forms is None else tuple(form for _, form in forms)
    return LabelledTree(words, tuple(children), (None,) * (2 * count - 1))


def write_labelled(tree: LabelledTree, labels: Sequence[str | None] | None = None) -> str:
    """The tree in brackets on one line, with its own labels or these (2 n - 1)."""
    return write_tree(tree.tree(labels))


def labelled_trees(
    specs: Sequence[str],
    encoding: str = "utf-8",
    malformed: str = "stop",
    warn: Callable[[str], object] = warnings.warn,
) -> list[LabelledTree]:
    """The labelled trees that TREES name (see ``treebank.trees``), in order.

    malformed: what to do about a tree that cannot be read or is not binary: ``stop`` raises InputError, ``skip`` leaves
    it out and tells ``warn``. Raises InputError, with file and line, also for a node without a label (``?``).
    """
    found, left_out = [], []
    for tree, place in trees(specs, encoding, malformed, warn):
        try:
            one = label_nodes(tree, place)
        except MalformedTree as error:
            if malformed != "skip":
                raise InputError(f"{error}{HINT}") from None
            left_out.append(str(error))
            continue
        check_labelled(one)
        found.append(one)
    if left_out:
        warn(f"{left_out[0]}; left out{also(len(left_out) - 1)}")
    return found


def check_labelled(tree: LabelledTree) -> None:
    """Raises InputError, saying where, for a node without a label."""
    for label, (start, end) in zip(tree.labels, tree.spans, strict=True):
        if label is None:
            raise InputError(f"{tree.place}: {_shown(tree.words[start:end])} has no label ({UNLABELLED}) yet")


def _shown(words: Sequence[str]) -> str:
    text = " ".join(words[:8])
    return repr(text + (" ..." if len(words) > 8 else ""))


def _number(node: int, words: int) -> int:
    return node if node >= 0 else words - 1 - node


def _word(node: Tree, place: Place | None) -> str | None:
    """The word of a node that has only one, perhaps in a chain of brackets; None for one with two brackets."""
    top = node
    while len(node) == 1 and isinstance(node[0], Tree):
        node = node[0]
    if is_preterminal(node):
        return cast(str, node[0])
    if node is top and len(node) == 2 and all(isinstance(child, Tree) for child in node):
        return None
    what = f"a node labelled {top.label()!r}"
    bare = [child for child in node if not isinstance(child, Tree)]
    if bare:
        what += f" holds the word {bare[0]!r} beside others, without a bracket of its own"
    elif node is not top:
        what += f" has one node in it, {node.label()!r}, that is no word"
    else:
        what += f" has {len(node)} nodes in it"
    raise MalformedTree(f"{place}: {what}; expected a binary tree such as {EXAMPLE}")


def _label(node: Tree, place: Place | None) -> str:
    label = str(node.label())
    if not label:
        raise MalformedTree(f"{place}: a node without a label; expected a binary tree such as {EXAMPLE}")
    return label
