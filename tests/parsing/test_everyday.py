"""The everyday sentences with gold trees: their form, their words, and what ``benchmarks/everyday.py`` counts."""

import runpy
from collections import Counter
from pathlib import Path

import pytest
from nltk.tree import Tree

from seqtree.parsing.model import Parser
from seqtree.text.sentences import read_sentences
from seqtree.treebank.bracketed import parse_trees, write_tree
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.sources import normalised_trees, trees

DATA = Path(__file__).parent.parent / "data"
EACH = {"everyday": 10, "everyday-unseen": 5, "everyday-constructions": 5}  # sentences of each kind
KINDS = (  # of the first two
    "questions",
    "imperatives",
    "conjoined verb phrases and clauses",
    "relative clauses",
    "particles",
    "headlines",
    "fragments",
    "lists",
    "quotations",
    "contractions",
    "chat",
    "comparatives",
)
CONSTRUCTIONS = (
    "exclamations",
    "here, there and negative inversion",
    "so, neither and short answers",
    "small clauses",
    "causatives and perception verbs",
    "extraposed and clausal subjects",
    "comparatives, so that, too and enough",
    "adjectives with complements",
    "reduced relatives",
    "full and contact relatives",
    "quantified noun phrases",
    "conditionals",
    "participial and absolute adjuncts",
    "adverbial clauses",
    "phrasal and prepositional verbs",
    "wh-questions",
    "yes-no and polite questions",
    "tag questions and vocatives",
    "imperatives with several parts",
    "chat",
    "headlines",
    "quotations",
    "coordination",
    "names, dates, numbers, times and prices",
)
PHRASES = set(
    """
    ADJP ADVP CONJP FRAG INTJ LST NAC NP NX PP PRN PRT QP RRC S SBAR SBARQ SINV SQ UCP VP WHADJP WHADVP WHNP WHPP X
    """.split()  # noqa: SIM905 (a list literal would be a page long)
)
TAGS = set(
    """
    CC CD DT EX FW IN JJ JJR JJS LS MD NN NNP NNPS NNS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP VBZ
    WDT WP WP$ WRB # $ . , : -LRB- -RRB- `` ''
    """.split()  # noqa: SIM905 (a list literal would be a page long)
)
ROOTS = {"ADJP", "FRAG", "NP", "PP", "S", "SBAR", "SBARQ", "SINV", "SQ"}


@pytest.fixture(scope="module", params=EACH)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def gold(name) -> list[Tree]:
    return [tree for tree, _ in trees([str(DATA / f"{name}.mrg")])]


@pytest.fixture(scope="module")
def typed(name) -> list[str]:
    return typed_lines(name)


def typed_lines(name: str) -> list[str]:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def benchmark():
    return runpy.run_path(str(DATA.parent.parent / "benchmarks" / "everyday.py"))


def changed(tree, old, new):
    """The tree with the first ``old`` in its brackets made ``new``."""
    text = write_tree(tree)
    assert old in text
    ((other, _),) = parse_trees([text.replace(old, new, 1)], "changed")
    return other


def test_as_many_trees_of_each_kind_in_order(name, gold, benchmark):
    placed = list(benchmark["gold_trees"](name))
    kinds = CONSTRUCTIONS if name == "everyday-constructions" else KINDS
    assert [kind for kind, _ in placed] == [kind for kind in kinds for _ in range(EACH[name])]
    assert [tree for _, tree in placed] == gold


def test_labels_and_tags_are_those_of_the_penn_treebank(gold):
    for tree in gold:
        tags = [node for node in tree.subtrees() if node.height() == 2]
        phrases = [node for node in tree.subtrees() if node.height() > 2]
        assert {node.label() for node in tags} <= TAGS
        assert {node.label() for node in phrases} <= PHRASES
        assert tree.label() in ROOTS
        assert len(tags) == len(tree.leaves())  # every word has a tag
        assert all(isinstance(child, Tree) for node in phrases for child in node)


def test_no_phrase_has_a_chain_of_the_same_label_but_it_before_its_clause(gold):
    for tree in gold:
        for node in tree.subtrees(lambda node: len(node) == 1 and isinstance(node[0], Tree)):
            assert node.label() != node[0].label() or node.leaves() == ["It"], write_tree(tree)


def test_normalising_changes_nothing(name, gold):
    assert [normalise(tree) for tree in gold] == gold
    assert normalised_trees([str(DATA / f"{name}.mrg")]) == gold


@pytest.mark.parametrize("model", [False, True])
def test_the_words_are_those_of_the_typed_sentences(gold, typed, model):
    known = Parser.load("default").lexicon.words if model else frozenset()
    read = list(read_sentences(typed, tokenized=False, known=known))
    assert [sentence.line for sentence in read] == list(range(1, len(gold) + 1))  # a line is one sentence
    assert [[form for form, _ in sentence.words] for sentence in read] == [tree.leaves() for tree in gold]


def test_quotes_have_the_tags_that_the_model_reads(gold, typed):
    for sentence, tree in zip(read_sentences(typed, tokenized=False), gold, strict=True):
        read = [model for form, model in sentence.words if form == '"']
        assert read == [tag for word, tag in tree.pos() if word == '"']


def test_no_sentence_is_there_twice():
    assert max(Counter(line for name in EACH for line in typed_lines(name)).values()) == 1


def test_what_the_benchmark_calls_exact(gold, benchmark):
    is_exact = benchmark["is_exact"]
    assert all(is_exact(tree, tree) for tree in gold)
    for tree in gold:
        assert is_exact(tree, changed(tree, f"({tree.pos()[0][1]} ", "(NN "))  # tags do not count
        assert not is_exact(tree, changed(tree, f"({tree.label()} ", "(X "))
        assert not is_exact(tree, None)
    particle = next(tree for tree in gold if "(PRT " in write_tree(tree))
    assert is_exact(particle, changed(particle, "(PRT ", "(ADVP "))
    assert not is_exact(particle, changed(particle, "(PRT ", "(PP "))


def test_the_benchmark_gives_a_tree_for_each_line_or_none(benchmark):
    parser = Parser.load("default")
    found = benchmark["found_trees"](parser, ["It works.", "It works. It works.", "", "It works."])
    assert found[0] is not None
    assert (found[1], found[2]) == (None, None)  # two sentences, none
    assert found[3] == found[0]
