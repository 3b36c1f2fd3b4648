"""The real treebanks: how many trees, nothing lost on the way, and every one of them back from its binary form."""

import functools
import itertools
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from nltk.tree import Tree

from seqtree import shipped
from seqtree.parsing.evaluation import evaluate
from seqtree.parsing.model import Parser
from seqtree.treebank.binary import binarise, restore
from seqtree.treebank.bracketed import is_preterminal, parse_trees, write_tree
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.parseval import Parseval
from seqtree.treebank.sources import trees

pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("data")]
WHOLE = ("nltk:treebank", "gum/dev.mrg")
BEGINNING = ("nltk:cess_esp", "nltk:floresta", "nltk:sinica_treebank")  # of which only this many trees are kept:
KEPT = 600
VALIDATION = {  # the trees by their names on the cards of shipped models
    "treebank": "nltk:treebank/wsj_0161-wsj_0179",
    "GUM": "gum/dev.mrg",
    "MASC": "masc/dev.mrg",
    "CRAFT": "craft/dev.mrg",
}
UNLABELLED = {("default", "treebank"): 90.89, ("default", "GUM"): 88.54}


@functools.cache
def read(spec):
    """How many trees there are, and all of them or the first."""
    path = spec if spec.startswith("nltk:") else str(Path(os.environ["SEQTREE_DATA"]) / spec)
    placed = trees([path], malformed="skip", warn=str)
    first = [tree for tree, _ in itertools.islice(placed, KEPT if spec in BEGINNING else None)]
    return len(first) + sum(1 for _ in placed), first


@functools.cache
def normalised(spec):
    return [tree for tree in map(normalise, read(spec)[1]) if tree is not None]


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        ("nltk:treebank", 3914),
        ("nltk:treebank/wsj_0001-wsj_0160", 3401),
        ("nltk:treebank/wsj_0161-wsj_0179", 268),
        ("nltk:treebank/wsj_0180-wsj_0199", 245),
        ("gum/dev.mrg", 1575),
        ("sst/dev.txt", 1101),
        ("nltk:cess_esp", 6013),  # and 4 malformed; NLTK takes 14 full stops at the start of a line for trees, too
        ("nltk:floresta", 9178),  # and 118 malformed
        ("nltk:sinica_treebank", 10000),
    ],
)
def test_the_treebanks_have_as_many_trees_as_they_should(spec, count):
    assert read(spec)[0] == count
    assert len(normalised(spec)) == len(read(spec)[1])


@pytest.mark.parametrize(
    ("name", "trees"), [(name, t) for name, card in shipped.cards("parser").items() for t in card.f1]
)
def test_a_parser_that_comes_with_seqtree_reaches_what_its_card_says(name, trees):
    scores = evaluate(Parser.load(name, precision="fp32"), normalised(VALIDATION[trees])).scores
    assert scores.labelled.f1 == pytest.approx(shipped.cards()[name].f1[trees], abs=0.15)
    if (name, trees) in UNLABELLED:
        assert scores.unlabelled.f1 == pytest.approx(UNLABELLED[name, trees], abs=0.15)


@pytest.mark.parametrize("spec", WHOLE + BEGINNING)
def test_every_tree_comes_back_from_its_binary_form(spec):
    for tree in normalised(spec):
        assert restore(binarise(tree)) == tree


@pytest.mark.parametrize("spec", WHOLE + BEGINNING)
def test_every_tree_comes_back_from_its_written_form(spec):
    lines = [write_tree(tree) for tree in normalised(spec)]
    again = [write_tree(tree) for tree, _ in parse_trees(("\n".join(lines),), "written")]
    assert again == lines


@pytest.mark.parametrize("spec", WHOLE + BEGINNING)
def test_normalised_trees_have_the_words_that_are_no_traces_and_no_functions(spec):
    for tree, plain in zip(read(spec)[1], normalised(spec), strict=True):
        assert plain.leaves() == [word for word, tag in tree.pos() if tag != "-NONE-" and word != "*0*"]
    labels = Counter(label for tree in normalised(spec) for label in phrase_labels(tree))
    assert not [
        label for label in labels if "-" in label[1:] or "=" in label[1:] or ("+" in label and "[" not in label)
    ]
    assert "" not in labels


def phrase_labels(tree):
    return [node.label() for node in tree.subtrees() if not is_preterminal(node)]


def test_the_labels_of_the_penn_treebank():
    assert {label for tree in normalised("nltk:treebank") for label in phrase_labels(tree)} == {
        *("ADJP", "ADVP", "ADVP|PRT", "CONJP", "FRAG", "INTJ", "LST", "NAC", "NP", "NX", "PP", "PRN", "PRT", "QP"),
        *("RRC", "S", "SBAR", "SBARQ", "SINV", "SQ", "UCP", "VP", "WHADJP", "WHADVP", "WHNP", "WHPP", "X"),
    }


def test_our_reader_and_nltk_agree_on_the_penn_treebank():
    from nltk.corpus import treebank

    for ours, theirs in zip(read("nltk:treebank")[1][:500], treebank.parsed_sents()[:500], strict=True):
        assert ours == Tree("", [theirs])


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("nltk:cess_esp[0]", "(S (sn (espec.ms (da0ms0 El)) (grup.nom.ms (ncms000 grupo)"),
        ("nltk:floresta[1]", "(fcl (np (art O) (prop 7_e_Meio)) (v-fin é) (np (art um) (n ex-libris) (pp (prp de)"),
        (
            "nltk:sinica_treebank[2]",
            "(S (NP (N (Nba 嘉珍) (Caa 和) (Nhaa 我))) (VC1 住在) (NP (DM 同一條) (Nab 巷子)))",
        ),
    ],
)
def test_one_tree_of_each_other_treebank(spec, line):
    [tree] = normalised(spec)
    assert write_tree(tree).startswith(line)


def test_every_tree_scores_100_against_itself_and_quickly():
    gold = normalised("nltk:treebank/wsj_0180-wsj_0199")
    parseval = Parseval()
    start = time.process_time()
    for number, tree in enumerate(gold):
        parseval.add(tree, tree, number)
    seconds = time.process_time() - start
    result = parseval.result
    assert (result.labelled.f1, result.unlabelled.f1, result.exact_match, result.tag_accuracy) == (100, 100, 100, 100)
    assert (result.sentences, result.skipped) == (245, ())
    assert seconds < 10, "scoring is meant to take a few hundredths of a second"
