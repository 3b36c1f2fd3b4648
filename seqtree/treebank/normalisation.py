"""Trees as a parser learns them: without traces and functional tags, and under a root that says something.

One rule for phrase labels: the category ends before the first ``-`` or ``=``, unless that is the first character. So
``NP-SBJ-1`` and ``NP=2`` are NP, AnCora's ``sn-SUJ`` is sn (features, as in ``grup.nom.ms``, belong to the category),
and ``-LRB-`` and ``PRT|ADVP`` stay. Tags, the labels right above words, stay as they are: nothing in ``-LRB-``,
``v-fin`` or ``NR-SHORT`` is a function. Only in a tree of Floresta's kind, whose root begins with the function of an
utterance (``STA+fcl``), every label is function+form, and its form is taken: ``SUBJ+np`` is np, the tag ``H+n`` is n.
NLTK's reader of the Sinica Treebank has already taken the roles away (``agent:NP`` is NP).
"""

from __future__ import annotations

import re

from nltk.tree import Tree

from seqtree.treebank.bracketed import is_preterminal

ROOT = "ROOT"
WRAPPERS = ("", ROOT, "TOP", "S1")  # labels that only say: here is a tree
TRACE = "-NONE-"  # the Penn Treebank's tag of a trace
ELLIPSIS = "*0*"  # AnCora's leaf for a subject that is not there
_UTTERANCE = re.compile(r"(STA|QUE|EXC|CMD|UTT|\?)\+")


def normalise(tree: Tree) -> Tree | None:
    """A new tree without traces, the nodes that they leave empty, and functional tags; None if no word is left.

    A root labelled "", ROOT, TOP or S1 gives way to its child where that is its only one and a phrase; any other root
    without a label is labelled ROOT. Words stay as they are. The given tree is not changed.
    """
    pruned = _pruned(tree, forms=_has_functions(_unwrapped(tree)))
    if pruned is None:
        return None
    root = _unwrapped(pruned)
    if not root.label():
        root.set_label(ROOT)
    return root


def category(label: str) -> str:
    """A phrase label up to its first ``-`` or ``=``, or all of it if it begins with one: ``NP-SBJ-1`` is NP."""
    if label[:1] in ("-", "="):
        return label
    return label.partition("-")[0].partition("=")[0]


def _unwrapped(tree: Tree) -> Tree:
    while tree.label() in WRAPPERS and len(tree) == 1 and isinstance(tree[0], Tree) and not is_preterminal(tree[0]):
        tree = tree[0]
    return tree


def _has_functions(tree: Tree) -> bool:
    """Whether labels are function+form, by the root, or the parts of a sentence that has no root of its own."""
    tops = [tree, *tree] if not tree.label() else [tree]
    return any(isinstance(top, Tree) and _UTTERANCE.match(str(top.label())) for top in tops)


def _pruned(tree: Tree, forms: bool) -> Tree | None:
    """A copy with the words that are there, the nodes above them and their labels; forms: labels are function+form."""
    frames: list[tuple[Tree, list[Tree | str], list[Tree | str]]] = [(tree, list(reversed(tree)), [])]
    while True:
        node, waiting, kept = frames[-1]
        if waiting:
            child = waiting.pop()
            if isinstance(child, Tree):
                if child.label() != TRACE:
                    frames.append((child, list(reversed(child)), []))
            elif child != ELLIPSIS:
                kept.append(child)
            continue
        frames.pop()
        done = Tree(_label(node, forms), kept) if kept and node.label() != TRACE else None
        if not frames:
            return done
        if done is not None:
            frames[-1][2].append(done)


def _label(node: Tree, forms: bool) -> str:
    label = str(node.label())
    if forms:
        label = label.rpartition("+")[2] or label
    return label if is_preterminal(node) else category(label)
