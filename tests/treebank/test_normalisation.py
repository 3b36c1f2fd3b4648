"""Traces, functional tags and roots."""

import copy

import pytest
from hypothesis import given, settings, strategies as st
from nltk.tree import Tree
from tree_helpers import random_trees

from seqtree.treebank.bracketed import parse_trees, write_tree
from seqtree.treebank.normalisation import category, normalise


def tree(text):
    [(only, _)] = parse_trees([text], "t")
    return only


@pytest.mark.parametrize(
    ("given_tree", "wanted"),
    [
        ("( (S (NP-SBJ-1 (PRP it)) (VP (VBZ works))))", "(S (NP (PRP it)) (VP (VBZ works)))"),
        ("(ROOT (NP=2 (NN a) (NN b)))", "(NP (NN a) (NN b))"),
        ("(TOP (S1 (S (NN a) (NN b))))", "(S (NN a) (NN b))"),
        ("(S (NP (NN a)) (VP (VB b) (NP (-NONE- *T*-1))))", "(S (NP (NN a)) (VP (VB b)))"),
        ("(S (NP (NN a)) (SBAR (-NONE- 0) (S (NP (-NONE- *)) (VP (-NONE- *)))))", "(S (NP (NN a)))"),
        ("( (S (NP-SBJ (-NONE- *)) (VP (VB go))))", "(S (VP (VB go)))"),
        ("(PRN (-LRB- -LRB-) (NP (NN a)) (-RRB- -RRB-))", "(PRN (-LRB- -LRB-) (NP (NN a)) (-RRB- -RRB-))"),
        ("(S (PRT|ADVP-CLR (RP up)) (ADVP|PRT (RP out)))", "(S (PRT|ADVP (RP up)) (ADVP|PRT (RP out)))"),
        ("(S (NP (NR-SHORT 上海) (NN-X 市)))", "(S (NP (NR-SHORT 上海) (NN-X 市)))"),
        ("(ROOT (NN a))", "(ROOT (NN a))"),
        ("( (NN a))", "(ROOT (NN a))"),
        ("(ROOT (S (NN a)) (. .))", "(ROOT (S (NN a)) (. .))"),
        ("(ROOT (-NONE- *) (S-1 (NN a) (NN b)))", "(S (NN a) (NN b))"),
        (
            "(S (sn.e-SUJ *0*) (grup.verb (v va)) (sn-CD (grup.nom.ms (n pan))))",
            "(S (grup.verb (v va)) (sn (grup.nom.ms (n pan))))",
        ),
        (
            "(STA+fcl (SUBJ+np (>N+art O) (H+n eu)) (P+v-fin vou) (A/N<[+1]+pp (H+prp em) (P<+np- (H+n casa))) (.))",
            "(fcl (np (art O) (n eu)) (v-fin vou) (pp (prp em) (np (n casa))) (. .))",
        ),
        ("(S (P+D du) (NP+X-1 (+ +) (N a)))", "(S (P+D du) (NP+X (+ +) (N a)))"),
        ("(UTT+np (H+n a) (+ +))", "(np (n a) (+ +))"),
        ("(TOP (STA+fcl (SUBJ+np (H+n a) (H+n b))))", "(fcl (np (n a) (n b)))"),
        ("(NP Pierre (NNP-X Vinken) *)", "(NP Pierre (NNP-X Vinken) *)"),
        (
            "( (S (NP-SBJ-1 Ann) (VP tried (S (NP-SBJ *-1) (VP to (VP read)))) .))",
            "(S (NP Ann) (VP tried (S (VP to (VP read)))) .)",
        ),
        (
            "(S (NP *) (NP-2 *PRO*-1) (NP *T*) (VP said (SBAR 0 (S (NP it) *ICH*-2)) *exp*))",
            "(S (VP said (SBAR (S (NP it)))))",
        ),
        ("(S (WNP-1 0) (C 0) (NP=2 0) (NP *NOT*) (NN a))", "(S (NN a))"),
        (
            "(S (CD 0) (SYM *) (NFP *) (RB *NOT*) (QP 0 to 5) (NNP 0))",
            "(S (CD 0) (SYM *) (NFP *) (RB *NOT*) (QP 0 to 5) (NNP 0))",
        ),
        (
            "(S (NN *sigh*) (NN 0.5) (SYM **) (NN *-shaped) (2 *))",
            "(S (NN *sigh*) (NN 0.5) (SYM **) (NN *-shaped) (2 *))",
        ),
        (
            "( (IP-MAT (CODE <P_1>) (NP-SBJ (N Menn)) (CODE {note}) (VBPI koma)) (METADATA (AUTHOR X)) (ID TEST,1.1))",
            "(IP (NP (N Menn)) (VBPI koma))",
        ),
        ("(S (ID x) (METADATA (A y)) (CODE print))", "(S (ID x) (METADATA (A y)) (CODE print))"),
        ("(TOP##h=1## (S##h=2## (NP-SUJ##h=1|f=a##b## (NN##lem=x## a)) (## ##)))", "(S (NP (NN a)) (## ##))"),
    ],
)
def test_one_rule_for_each_kind_of_label(given_tree, wanted):
    assert write_tree(normalise(tree(given_tree))) == wanted


@pytest.mark.parametrize(
    "text",
    ["(-NONE- *)", "( (S (NP (-NONE- *)) (VP (-NONE- *T*))))", "(S (sn.e-SUJ *0*))", "( (ID A,1))", "(NP-SBJ *)"],
)
def test_nothing_is_left_of_a_tree_of_traces(text):
    assert normalise(tree(text)) is None


def test_two_nodes_in_an_outer_bracket_without_a_label_get_a_root():
    given_tree = Tree("", [Tree("S", ["a", "b"]), Tree(".", ["."])])
    assert normalise(given_tree) == Tree("ROOT", [Tree("S", ["a", "b"]), Tree(".", ["."])])
    given_tree = Tree("", [Tree("UTT+np", ["a", "b"]), Tree("-STA+fcl", [Tree("H+n", ["c"])])])
    assert normalise(given_tree) == Tree("ROOT", [Tree("np", ["a", "b"]), Tree("fcl", [Tree("n", ["c"])])])


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("NP-SBJ-1", "NP"),
        ("NP=2", "NP"),
        ("NP-SBJ=2", "NP"),
        ("NP=2-X", "NP"),
        ("-LRB-", "-LRB-"),
        ("=", "="),
        ("", ""),
    ],
)
def test_categories(label, wanted):
    assert category(label) == wanted


LABELS = st.sampled_from(["", "ROOT", "NP-SBJ", "-NONE-", "S=1"])


@given(random_trees(LABELS, st.sampled_from(["a", "*0*", "b-c"])))
@settings(max_examples=100)
def test_words_keep_their_order_and_the_given_tree_is_not_changed(given_tree):
    before = copy.deepcopy(given_tree)
    result = normalise(given_tree)
    assert given_tree == before
    words = [word for word, tags in paths(before) if word != "*0*" and "-NONE-" not in tags]
    assert (result.leaves() if result is not None else []) == words
    if result is not None:
        assert normalise(result) == result
        assert all(node.leaves() and node.label() != "-NONE-" for node in result.subtrees())


def paths(node, above=()):
    """Each word of a small tree, with the labels above it."""
    for child in node:
        if isinstance(child, Tree):
            yield from paths(child, (*above, node.label()))
        else:
            yield child, (*above, node.label())


def test_depth_has_no_limit():
    deep = "(X-1 " * 100_000 + "(A b)" + ")" * 100_000
    assert (write_tree(normalise(tree(deep))) == deep.replace("X-1", "X")) is True
    traces = "(X " * 10_000 + "(-NONE- *)" + ")" * 10_000
    assert normalise(tree(traces)) is None
