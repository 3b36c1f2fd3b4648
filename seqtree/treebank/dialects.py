"""How treebanks differ: words in brackets of their own, Sejong's morphemes; and formats that only look like trees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.wording import a

WRAPPERS = ("", "ROOT", "TOP", "S1")  # labels of a root node that only wraps the tree
PHRASES = frozenset(  # of the Penn Treebank and the Penn-Helsinki corpora; no tag of theirs has such a name
    """
    ADJP ADVP CONJP FRAG INTJ LST NAC NP NX PP PRN PRT QP RRC S SBAR SBARQ SINV SQ UCP VP WHADJP WHADVP WHNP WHPP
    C CP IP NUMP WADJP WADVP WNP WPP WQP WXP XP
    """.split()  # noqa: SIM905 (a list literal would be a page long)
)
_MORPHEME = re.compile(r"(.+)/([A-Z]+)", re.DOTALL)
_VARIABLE = re.compile(r"[a-z]+\d*")
_PLACED = re.compile(r"(\d+)=(.+)", re.DOTALL)


def is_preterminal(node: Tree | str) -> bool:
    """Whether a node is a part-of-speech tag: its only child is a word."""
    return isinstance(node, Tree) and len(node) == 1 and not isinstance(node[0], Tree)


def check_tree(tree: object) -> None:
    """Raises InputError for anything but a tree."""
    if not isinstance(tree, Tree):
        raise InputError(f"expected an nltk.Tree, not {a(type(tree).__name__)}: {tree!r:.60}")


def check_word(leaf: object) -> None:
    """Raises InputError for a leaf of a tree that is no word, as NLTK's pairs of a word and its tag."""
    if not isinstance(leaf, str):
        raise InputError(f"the leaves of a tree are words, not {leaf!r:.60}; expected the tag as a node, (NN cat)")


def words_of(tree: Tree) -> list[str]:
    """The words of a tree of any depth (the recursion of ``tree.leaves()`` fails beyond about a thousand levels).

    Raises InputError as ``check_tree`` and ``check_word`` do.
    """
    check_tree(tree)
    words: list[str] = []
    stack: list[Tree | str] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Tree):
            stack.extend(reversed(node))
        else:
            check_word(node)
            words.append(node)
    return words


def words_out_of_brackets(tree: Tree) -> bool:
    """Make ``(NN (cat))``, read as ``(NN (cat cat))``, into ``(NN cat)`` in all of the tree.

    False if that cannot be: a word has a bracket of its own but others have none, or it is not alone below its tag.
    """
    for node in _phrases(tree):
        for child in node:
            if not is_preterminal(child):
                continue
            label, word = child.label(), child[0]
            if label == word and len(node) == 1 and node.label() not in WRAPPERS and word not in PHRASES:
                node[0] = word
            elif label != word or any(map(str.isalnum, word)):
                return False
    return True


def morphemes_as_words(tree: Tree) -> Tree:
    """A tree of the Sejong treebank with its morphemes as words: ``(NP 그/NP + 는/JX)`` is ``(NP (NP 그) (JX 는))``.

    A tree with any other word is left as it is.
    """
    flat = [tree] if is_preterminal(tree) else []
    for node in _phrases(tree):
        flat += [child for child in node if is_preterminal(child)]
        if not any(isinstance(child, Tree) for child in node):
            flat.append(node)
    found = [[_MORPHEME.fullmatch(word) for word in node if word != "+"] for node in flat]
    whole = sum(map(len, flat)) == len(words_of(tree)) and all(all(parts) for parts in found)
    for node, parts in zip(flat, found, strict=True) if whole else ():
        node[:] = [Tree(part[2], [part[1]]) for part in parts if part]
    return tree


def other_format(tree: Tree) -> str:
    """What a file looks like whose first tree is this one, if it is no treebank; otherwise nothing."""
    label = tree.label()
    if label in ("<T", "<L"):
        return "CCGbank (derivations of a categorial grammar)"
    if _VARIABLE.fullmatch(label) and len(tree) > 1 and tree[0] == "/" and str(tree[1])[:1].isalpha():
        return "AMR (abstract meaning representations)"
    words = words_of(tree)
    placed = [_PLACED.fullmatch(word) for word in words]
    if all(placed) and sorted(int(part[1]) for part in placed if part) == list(range(len(words))):
        return "discontinuous trees, whose words have their positions before them"
    return ""


def _phrases(tree: Tree) -> Iterator[Tree]:
    """The nodes that are no tags."""
    stack = [] if is_preterminal(tree) else [tree]
    while stack:
        node = stack.pop()
        yield node
        stack += [child for child in node if isinstance(child, Tree) and not is_preterminal(child)]
