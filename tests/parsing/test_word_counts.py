"""What trees say of words: counted by hand, node by node, and as an expectation."""

from __future__ import annotations

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
from nltk.tree import Tree
from parsing_helpers import small_parser, toy_trees

from seqtree.errors import InputError
from seqtree.parsing.parse import Parse
from seqtree.parsing.word_counts import NAMES, WordCounts, expected_counts, token_counts, word_counts
from seqtree.treebank.binary import binarise


def _parse(tree: str | Tree, scores: tuple[float, ...] | None = None, log_probability: float | None = None) -> Parse:
    binary = binarise(Tree.fromstring(tree) if isinstance(tree, str) else tree)
    scores = scores or tuple(float(i) for i in range(1, len(binary.merges) + 1))
    return Parse(binary, scores, tuple(0.0 for _ in scores), log_probability)


def test_counts_by_hand() -> None:
    parse = _parse("(S (NP (D the) (A old) (N cat)) (VP (V saw) (NP (N it))))", (1.0, 2.0, 4.0, 8.0))
    assert parse.binary.merges == ((0, 1, 2), (0, 2, 3), (3, 4, 5), (0, 3, 5))
    assert token_counts(parse) == [
        WordCounts(opened=2, announced=1, closed=0, merge_score=0, depth=2),  # the: S and NP; its D announces NP
        WordCounts(opened=0, announced=0, closed=0, merge_score=1, depth=2),
        WordCounts(opened=0, announced=1, closed=1, merge_score=2, depth=2),  # cat: the NP announces S
        WordCounts(opened=1, announced=1, closed=0, merge_score=0, depth=2),  # saw: VP
        WordCounts(opened=1, announced=1, closed=3, merge_score=12, depth=3),  # it: NP, VP, S
    ]


def test_unary_chains_and_single_words() -> None:
    assert token_counts(_parse("(S (VP (V go)))")) == [WordCounts(2, 2, 2, 0, 2)]
    assert token_counts(_parse("(V go)")) == [WordCounts()]


@pytest.mark.parametrize("tree", toy_trees()[:40])
def test_counts_are_those_of_a_walk_through_the_tree(tree: Tree) -> None:
    opened, announced, closed, depth = (np.zeros(len(tree.leaves())) for _ in range(4))

    def walk(node: Tree, start: int) -> int:
        if not isinstance(node[0], Tree):
            return start + 1
        opened[start] += 1
        end = walk(node[0], start)
        announced[end - 1] += 1
        for child in node[1:]:
            end = walk(child, end)
        closed[end - 1] += 1
        depth[start:end] += 1
        return end

    walk(tree, 0)
    counts = np.array([astuple(token) for token in token_counts(_parse(tree))])
    expected = dict(zip(("opened", "announced", "closed", "depth"), (opened, announced, closed, depth), strict=True))
    for name, column in expected.items():
        np.testing.assert_array_equal(counts[:, NAMES.index(name)], column)


def test_expectation_by_hand() -> None:
    """Two trees of probabilities 0.3 and 0.1: weights of three quarters and one."""
    first = _parse("(S (A a) (X (B b) (C c)))", (1.0, 2.0), math.log(0.3))
    second = _parse("(S (Y (A a) (B b)) (C c))", (4.0, 8.0), math.log(0.1))
    expected = expected_counts([first, second])
    columns = dict(zip(NAMES, expected.T.tolist(), strict=True))
    assert columns["opened"] == pytest.approx([0.75 * 1 + 0.25 * 2, 0.75 * 1, 0])
    assert columns["announced"] == pytest.approx([1, 0.75 + 0.25, 0])
    assert columns["closed"] == pytest.approx([0, 0.25, 0.75 * 2 + 0.25])
    assert columns["depth"] == pytest.approx([0.75 + 0.5, 2, 0.75 * 2 + 0.25])
    assert columns["merge_score"] == pytest.approx([0, 0.25 * 4, 0.75 * 3 + 0.25 * 8])
    with pytest.raises(InputError, match="no probabilities"):
        expected_counts([replace(first, log_probability=None), second])
    assert expected_counts([]).shape == (0, len(NAMES))


def test_words_sum_their_tokens() -> None:
    """``"cat."`` is one word and four tokens; a line may have several sentences, or none."""
    parser = small_parser()
    lines = ['The "cat." A dog', "", "it"]
    spans = [[(0, 3), (4, 10), (11, 12), (13, 16)], [], [(0, 2)]]
    found = word_counts(parser, list(zip(lines, spans, strict=True)))
    tokens = [["The", "``", "cat", ".", "''"], ["A", "dog"], ["it"]]
    parses = parser.parses([[(form, form) for form in one] for one in tokens])
    alone = [token_counts(parse) for parse in parses if parse]
    expected = [alone[0][0], _summed(alone[0][1:]), *alone[1]]
    assert [len(one) for one in found] == [4, 0, 1]
    for here, there in zip([*found[0], *found[2]], [*expected, *alone[2]], strict=True):
        assert astuple(here) == pytest.approx(astuple(there))


def _summed(tokens: list[WordCounts]) -> WordCounts:
    sums = np.array([astuple(token) for token in tokens]).sum(axis=0)[:-1]
    return WordCounts(*sums.tolist(), depth=tokens[0].depth)


def test_k_best_trees_of_a_line() -> None:
    parser = small_parser()
    text = "the old cat saw it"
    spans = [(0, 3), (4, 7), (8, 11), (12, 15), (16, 18)]
    (found,) = word_counts(parser, [(text, spans)], k=5)
    expected = expected_counts(parser.k_best(parser.words(text.split()), 5))
    np.testing.assert_allclose([astuple(word) for word in found], expected)
    assert found != word_counts(parser, [(text, spans)])[0]
