"""Normalises trees for parsing: no traces, no functional tags, a labelled root.

One rule for phrase labels: the category ends before the first ``-`` or ``=``, unless that is the first character. So
``NP-SBJ-1`` and ``NP=2`` become NP, AnCora's ``sn-SUJ`` becomes sn (features, as in ``grup.nom.ms``, belong to the
category), and ``-LRB-`` and ``PRT|ADVP`` stay. Part-of-speech tags stay as they are: ``-LRB-``, ``v-fin`` and
``NR-SHORT`` contain no function. A phrase of the Penn Treebank above a word without a tag, ``(NP-SBJ Ann)``, is no tag.
From both, the features of SPMRL, ``NP##h=2##``, are removed. Only in trees like Floresta's, whose root label starts
with the function of an utterance (``STA+fcl``), is every label function+form and reduced to its form: ``SUBJ+np`` to
np, the tag ``H+n`` to n. NLTK's reader of the Sinica Treebank has already removed the roles (``agent:NP`` is NP).

Traces have the tag ``-NONE-``, or are known by their form where a word should be: ``*T*-1``, ``*-2``, ``*PRO*``,
``*exp*`` and so on anywhere; ``*`` only as the one thing in a phrase, and ``0`` so or in a phrase without words of its
own next to it. So ``(NP-SBJ *)``, ``(C 0)`` and ``(SBAR 0 (S ...))`` have traces, ``(SYM *)``, ``(CD 0)`` and
``(QP 0 to 5)`` words. The Penn-Helsinki corpora have ``(ID ...)`` and ``(METADATA ...)`` beside the tree in the outer
bracket, and ``(CODE <...>)`` for pages and comments inside it; these are no part of the sentence.
"""

from __future__ import annotations

import re

from nltk.tree import Tree

from seqtree.treebank.dialects import PHRASES, WRAPPERS, check_tree, check_word, is_preterminal

ROOT = "ROOT"
TRACE = "-NONE-"  # the Penn Treebank's tag for a trace
BESIDE = ("ID", "METADATA")  # the Penn-Helsinki corpora's nodes beside the tree
_CODE = re.compile(r"[<{].*[>}]", re.DOTALL)  # the word of a Penn-Helsinki node CODE
_TRACE = re.compile(  # *0*: AnCora's omitted subject; *pro*, *op*: also those of the Chinese and Korean treebanks
    r"\*(?:(?:T|ICH|RNR|PPA|EXP|PRO|OP|O|U|\?|0|pro|op|exp|con|arb)\*(?:-\d+)*|(?:-\d+)+)"
)
_FEATURES = re.compile(r"##.*##", re.DOTALL)
_UTTERANCE = re.compile(r"(STA|QUE|EXC|CMD|UTT|\?)\+")


def normalise(tree: Tree) -> Tree | None:
    """A new tree without traces, nodes left empty by them, and functional tags; None if no words are left.

    A root labelled "", ROOT, TOP or S1 is replaced by its child if that is its only child and a phrase; otherwise, a
    root without a label is labelled ROOT. Words are not changed, nor is the given tree. Raises InputError for
    anything but a tree of words.
    """
    check_tree(tree)
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
    frames: list[tuple[Tree, list[Tree | str], list[Tree | str]]] = [(tree, _waiting(tree), [])]
    while True:
        node, waiting, kept = frames[-1]
        if waiting:
            child = waiting.pop()
            if isinstance(child, Tree):
                if not _is_left_out(child) and not (child.label() in BESIDE and node is tree and not node.label()):
                    frames.append((child, _waiting(child), []))
            else:
                kept.append(child)
            continue
        frames.pop()
        done = Tree(_label(node, forms), kept) if kept and not _is_left_out(node) else None
        if not frames:
            return done
        if done is not None:
            frames[-1][2].append(done)


def _is_left_out(node: Tree) -> bool:
    """Whether a node is a trace, or a mark of a page or the like."""
    if node.label() == "CODE" and is_preterminal(node):
        return _CODE.fullmatch(node[0]) is not None
    return bool(node.label() == TRACE)


def _waiting(node: Tree) -> list[Tree | str]:
    """The children of a node that are no traces, last one first."""
    children = list(node)
    return [children[i] for i in reversed(range(len(children))) if not _is_trace(node, children, i)]


def _is_trace(node: Tree, children: list[Tree | str], place: int) -> bool:
    """Whether a child is a trace by its form."""
    word = children[place]
    if isinstance(word, Tree):
        return False
    check_word(word)
    if not word.startswith(("*", "0")):
        return False
    if _TRACE.fullmatch(word):
        return True
    if word not in ("*", "0", "*NOT*"):
        return False
    if len(children) == 1:
        return _is_phrase(str(node.label()))
    beside = children[max(place - 1, 0) : place] + children[place + 1 : place + 2]
    return word == "0" and not any(isinstance(other, str) for other in beside)


def _is_phrase(label: str) -> bool:
    """Whether a label that may be a tag is that of a phrase."""
    return category(_FEATURES.sub("", label)) in PHRASES


def _label(node: Tree, forms: bool) -> str:
    label = str(node.label())
    label = _FEATURES.sub("", label) or label
    if forms:
        label = label.rpartition("+")[2] or label
    return label if is_preterminal(node) and not _is_phrase(label) else category(label)
