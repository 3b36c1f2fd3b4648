"""Normalises trees for parsing: no traces, no functional tags, a labelled root.

One rule for phrase labels: the category ends before the first ``-`` or ``=``, unless that is the first character. So
``NP-SBJ-1`` and ``NP=2`` become NP, AnCora's ``sn-SUJ`` becomes sn (features, as in ``grup.nom.ms``, belong to the
category), and ``-LRB-`` and ``PRT|ADVP`` stay. Part-of-speech tags stay as they are: ``-LRB-``, ``v-fin`` and
``NR-SHORT`` contain no function. Only in trees like Floresta's, whose root label starts with the function of an
utterance (``STA+fcl``), is every label function+form and reduced to its form: ``SUBJ+np`` to np, the tag ``H+n`` to n.
NLTK's reader of the Sinica Treebank has already removed the roles (``agent:NP`` is NP).
"""

from __future__ import annotations

import re

from nltk.tree import Tree

from seqtree.treebank.bracketed import is_preterminal

ROOT = "ROOT"
WRAPPERS = ("", ROOT, "TOP", "S1")  # labels of a root node that only wraps the tree
TRACE = "-NONE-"  # the Penn Treebank's tag for a trace
ELLIPSIS = "*0*"  # AnCora's leaf for an omitted subject
_UTTERANCE = re.compile(r"(STA|QUE|EXC|CMD|UTT|\?)\+")


def normalise(tree: Tree) -> Tree | None:
    """A new tree without traces, nodes left empty by them, and functional tags; None if no words are left.

    A root labelled "", ROOT, TOP or S1 is replaced by its child if that is its only child and a phrase; otherwise, a
    root without a label is labelled ROOT. Words are not changed, nor is the given tree.
    """
    pruned = _pruned(tree, forms=_has_functions(_unwrapped(tree)))
    if pruned is None:
        return None
    root = _unwrapped(pruned)
    if not root.label():
        root.set_label(ROOT)
    return root


def category(label: str) -> str:
    """A phrase label up to its first ``-`` or ``=``, or all of it if it starts with one: NP for ``NP-SBJ-1``."""
    if label[:1] in ("-", "="):
        return label
    return label.partition("-")[0].partition("=")[0]


def _unwrapped(tree: Tree) -> Tree:
    while tree.label() in WRAPPERS and len(tree) == 1 and isinstance(tree[0], Tree) and not is_preterminal(tree[0]):
        tree = tree[0]
    return tree


def _has_functions(tree: Tree) -> bool:
    """Whether labels are function+form, judged by the root, or by its children if it has no label."""
    tops = [tree, *tree] if not tree.label() else [tree]
    return any(isinstance(top, Tree) and _UTTERANCE.match(str(top.label())) for top in tops)


def _pruned(tree: Tree, forms: bool) -> Tree | None:
    """A copy without traces and empty nodes, labels normalised; forms: labels are function+form."""
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
