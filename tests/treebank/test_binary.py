"""Binarisation: every tree comes back, whatever its shape and the order of the merges."""

import pytest
from hypothesis import given, settings, strategies as st
from nltk.tree import Tree
from tree_helpers import random_trees

from seqtree.errors import InputError
from seqtree.treebank.binary import BinaryTree, binarise, restore
from seqtree.treebank.bracketed import parse_trees, write_tree
from seqtree.treebank.normalisation import ROOT

few_labels = st.sampled_from(["S", "NP", "NP-SBJ", "PRT|ADVP", ""])


def tree(text):
    [(only, _)] = parse_trees([text], "t")
    return only


def test_a_tree_as_merges_and_labels():
    binary = binarise(tree("(S (NP (NP (DT the) (JJ old) (NN cat))) (VP (VBD sat)) .)"))
    assert binary == BinaryTree(
        words=("the", "old", "cat", "sat", "."),
        tags=("DT", "JJ", "NN", "VBD", None),
        merges=((0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)),
        labels={(0, 3): ("NP", "NP"), (3, 4): ("VP",), (0, 5): ("S",)},
    )


def test_a_flat_node_is_built_from_the_left():
    binary = binarise(tree("(X (A a) (B b) (C c) (D d) (E e))"))
    assert binary.merges == ((0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5))
    assert binary.labels == {(0, 5): ("X",)}
    check(binary)


def check(binary):
    """n - 1 merges of neighbours, children before parents; labels on spans that some merge (or word) makes."""
    made = {(place, place + 1) for place in range(len(binary.words))}
    for start, split, end in binary.merges:
        assert {(start, split), (split, end)} <= made
        made.add((start, end))
    assert len(made) == 2 * len(binary.words) - 1
    assert len(binary.merges) == len(binary.words) - 1
    assert (0, len(binary.words)) in made
    assert set(binary.labels) <= made
    assert all(binary.labels.values())


@given(random_trees() | random_trees(few_labels))
@settings(max_examples=150)
def test_every_tree_comes_back(any_tree):
    binary = binarise(any_tree)
    check(binary)
    assert binary.words == tuple(any_tree.leaves())
    assert restore(binary) == any_tree


@pytest.mark.parametrize(
    "text",
    [
        "(NN a)",
        "(S (NN a))",
        "(NP (NP (NP (NN a))))",
        "(S (VP (VP (VB a) (NN b))))",
        "(S a b)",
        "(S a (NN b) c)",
        "(S (NP a b) (NP (NP c d)))",
        "( (S (A b) (C d)))",
        "(X (PRT|ADVP (RP up)) (ADVP|PRT (RP out)))",
    ],
)
def test_shapes_that_binarisation_could_lose(text):
    assert restore(binarise(tree(text))) == tree(text)


def by_recursion(binary, start, end):
    """The children a span contributes, read off the definition of BinaryTree: the oracle of ``restore``."""
    if end - start == 1:
        word, tag = binary.words[start], binary.tags[start]
        inside = [word if tag is None else Tree(tag, [word])]
    else:
        [split] = [split for low, split, high in binary.merges if (low, high) == (start, end)]
        inside = by_recursion(binary, start, split) + by_recursion(binary, split, end)
    for label in reversed(binary.labels.get((start, end), ())):
        inside = [Tree(label, inside)]
    return inside


@st.composite
def greedy_parses(draw):
    """A binary tree as a greedy parser makes it: any neighbours merge next, with any labels or none."""
    n = draw(st.integers(1, 8))
    spans = [(place, place + 1) for place in range(n)]
    merges, labels = [], {}
    chain = st.lists(st.sampled_from("XY"), max_size=2).map(tuple)
    for span in spans:
        labels[span] = draw(chain)
    while len(spans) > 1:
        place = draw(st.integers(0, len(spans) - 2))
        (start, split), (_, end) = spans[place : place + 2]
        spans[place : place + 2] = [(start, end)]
        merges.append((start, split, end))
        labels[start, end] = draw(chain)
    tags = draw(st.lists(st.sampled_from(["T", None]), min_size=n, max_size=n))
    return BinaryTree(tuple("abcdefgh"[:n]), tuple(tags), tuple(merges), labels)


@given(greedy_parses(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_restore_does_what_the_definition_says_in_any_order_of_merges(binary, generator):
    check(BinaryTree(binary.words, binary.tags, binary.merges, {}))
    whole = by_recursion(binary, 0, len(binary.words))
    wanted = whole[0] if len(whole) == 1 and isinstance(whole[0], Tree) else Tree(ROOT, whole)
    assert restore(binary) == wanted
    shuffled = generator.sample(binary.merges, len(binary.merges))
    assert restore(BinaryTree(binary.words, binary.tags, tuple(shuffled), binary.labels)) == wanted


def test_a_whole_without_a_label_is_put_under_the_root():
    assert restore(BinaryTree(("a", "b"), ("A", "B"), ((0, 1, 2),), {})) == tree("(ROOT (A a) (B b))")
    assert restore(BinaryTree(("a", "b"), ("A", None), ((0, 1, 2),), {(0, 2): ()})) == tree("(ROOT (A a) b)")
    assert restore(BinaryTree(("a",), ("A",), (), {})) == tree("(A a)")
    assert restore(BinaryTree(("a",), (None,), (), {})) == tree("(ROOT a)")


@pytest.mark.parametrize(
    "text",
    [
        "(X " * 100_000 + "(A a)" + ")" * 100_000,
        "(X (A a) " * 20_000 + "(B b)" + ")" * 20_000,
        "(X " * 20_000 + "(B b)" + " (A a))" * 20_000,
        "(X" + " (A a) b" * 20_000 + ")",
    ],
    ids=["unary", "right", "left", "flat"],
)
def test_size_and_depth_have_no_limit(text):
    assert (write_tree(restore(binarise(tree(text)))) == text) is True


def test_what_is_no_tree_is_refused():
    with pytest.raises(InputError, match="'NP' has no word"):
        binarise(Tree("S", [Tree("NN", ["a"]), Tree("NP", [])]))
    with pytest.raises(ValueError, match="needs at least one word"):
        restore(BinaryTree((), (), (), {}))
    with pytest.raises(ValueError, match="no merge builds words 0 to 2"):
        restore(BinaryTree(("a", "b", "c"), (None,) * 3, ((0, 2, 3),), {}))


def test_the_given_tree_is_not_changed():
    text = "(S (NP (NP (DT the) (NN cat))) (VP (VBD sat)))"
    given_tree = tree(text)
    restored = restore(binarise(given_tree))
    restored[0].set_label("changed")
    assert write_tree(given_tree) == text
