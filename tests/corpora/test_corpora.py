"""The embedded samples and the toy grammar."""

from __future__ import annotations

import dataclasses
import math

import nltk
import pytest
from hypothesis import given, settings, strategies as st

from seqtree import corpora
from seqtree.corpora import grammar, pairs
from seqtree.errors import InputError

# --- the files


@pytest.mark.parametrize("name", corpora.names())
def test_every_sample_is_there_and_described(name: str) -> None:
    corpus = corpora.describe(name)
    assert corpus.name == name
    assert corpora.path(name).name == corpus.file
    assert corpus.kind in ("text", "trees", "columns", "labelled", "pairs")
    assert corpus.language and corpus.description and corpus.licence
    text = corpora.load(name)
    assert text.endswith("\n") and "\r" not in text
    assert ("\t" in text) == (corpus.kind in ("columns", "labelled", "pairs"))
    assert all(line == line.strip() for line in text.splitlines())


def test_every_data_file_is_a_sample() -> None:
    files = {path.name for path in corpora.path("lighthouse").parent.iterdir()}
    assert files == {corpora.describe(name).file for name in corpora.names()}


def test_descriptions_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        corpora.describe("toy").name = "other"  # type: ignore[misc]


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        corpora.load("no such")
    assert all(name in str(caught.value) for name in corpora.names())


def test_default_is_an_english_text_of_useful_size() -> None:
    corpus = corpora.describe("lighthouse")
    assert (corpus.kind, corpus.language) == ("text", "en")
    text = corpora.load("lighthouse")
    assert text.isascii()
    assert 40_000 <= len(text) <= 60_000
    assert len(set(text.split())) > 2_000


def test_words_of_the_chinese_text_are_the_text() -> None:
    words, text = corpora.load("garden_zh_words"), corpora.load("garden_zh")
    assert words.replace(" ", "") == text
    assert "  " not in words
    assert 3_000 <= len(text.encode()) <= 5_000


def test_toy_trees_are_what_the_grammar_generates() -> None:
    lines = corpora.load("toy").splitlines()
    assert len(lines) == 200
    assert [nltk.Tree.fromstring(line) for line in lines] == grammar.generate(200, seed=0)
    assert all(line == " ".join(line.split()) for line in lines)


def test_dates_are_what_is_generated() -> None:
    lines = corpora.load("dates").splitlines()
    assert [tuple(line.split("\t")) for line in lines] == pairs.generate("dates", 3000, seed=0)


# --- the grammar


def test_first_tree_is_the_cat_on_the_mat() -> None:
    assert grammar.generate(3, seed=5)[0] == nltk.Tree.fromstring(grammar.FIRST)
    assert grammar.sentences(1) == ["the cat sat on the mat"]


def test_probabilities_sum_to_one() -> None:
    for symbol, rules in grammar.RULES.items():
        assert math.isclose(sum(p for p, _ in rules), 1.0), symbol


def test_every_symbol_is_defined_and_reached() -> None:
    assert not set(grammar.RULES) & set(grammar.LEXICON)
    used = {part for rules in grammar.RULES.values() for _, rule in rules for part in rule.split()}
    assert used | {"S"} == set(grammar.RULES) | set(grammar.LEXICON)


@given(st.integers(), st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=25)
def test_same_seed_same_trees_and_longer_lists_begin_with_shorter(seed: int, few: int, more: int) -> None:
    many = grammar.generate(few + more, seed)
    assert many[:few] == grammar.generate(few, seed)
    assert [" ".join(tree.leaves()) for tree in many] == grammar.sentences(few + more, seed)


def test_other_seed_other_trees() -> None:
    assert grammar.generate(20, seed=0)[1:] != grammar.generate(20, seed=1)[1:]


def test_trees_are_bounded_and_varied() -> None:
    trees = grammar.generate(2000, seed=3)
    assert max(tree.height() for tree in trees) <= grammar.MAX_HEIGHT
    assert max(len(tree.leaves()) for tree in trees) > 15
    labels = {sub.label() for tree in trees for sub in tree.subtrees()}
    assert labels == {grammar.label(symbol) for symbol in (*grammar.RULES, *grammar.LEXICON)}
    assert not any("/" in label for label in labels)


def test_every_tree_is_one_the_grammar_derives() -> None:
    derivable = _derivations()
    for tree in grammar.generate(300, seed=11):
        assert _matches(tree, "S", derivable), str(tree)


def test_prepositional_phrase_has_two_places() -> None:
    derivable = _derivations()
    dog, garden = "(NP (DT the) (NN dog))", "(PP (IN in) (NP (DT the) (NN garden)))"
    girl = "(NP (DT the) (NN girl))"
    verb = f"(S {girl} (VP (VBD saw) {dog} {garden}))"
    noun = f"(S {girl} (VP (VBD saw) (NP {dog} {garden})))"
    trees = [nltk.Tree.fromstring(text) for text in (verb, noun)]
    assert trees[0].leaves() == trees[1].leaves()
    assert all(_matches(tree, "S", derivable) for tree in trees)


def test_negative_count_is_refused() -> None:
    assert grammar.generate(0) == []
    with pytest.raises(InputError):
        grammar.generate(-1)


def _derivations() -> dict[str, list[list[str]]]:
    return {symbol: [rule.split() for _, rule in rules] for symbol, rules in grammar.RULES.items()}


def _matches(tree: nltk.Tree, symbol: str, rules: dict[str, list[list[str]]]) -> bool:
    """Whether ``symbol`` derives ``tree``, tried rule by rule; a rule from a label to itself adds no node."""
    if tree.label() != grammar.label(symbol):
        return False
    if symbol in grammar.LEXICON:
        return len(tree) == 1 and tree[0] in grammar.LEXICON[symbol]
    for parts in rules[symbol]:
        if len(parts) == 1 and grammar.label(parts[0]) == tree.label() and _matches(tree, parts[0], rules):
            return True
        children = list(tree)
        if len(parts) == len(children) and all(map(_matches, children, parts, [rules] * len(parts))):
            return True
    return False
