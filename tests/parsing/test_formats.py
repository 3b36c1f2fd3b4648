"""What is printed for one parse, in every format."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings, strategies as st
from nltk.tree import Tree

from seqtree.drawing.latex import draw_latex
from seqtree.drawing.tree_svg import draw_svg
from seqtree.drawing.trees import draw
from seqtree.errors import InputError
from seqtree.parsing.formats import FORMATS, as_bracket, as_json, format_parse
from seqtree.parsing.parse import Parse
from seqtree.text.sentences import Sentence
from seqtree.treebank.binary import BinaryTree, binarise
from seqtree.treebank.bracketed import parse_trees

PARSE = Parse(
    BinaryTree(
        ("(", "kim", "slept"),
        ("-LRB-", "NNP", None),
        ((1, 2, 3), (0, 1, 3)),
        {(0, 3): ("ROOT", "S"), (1, 2): ("NP",)},
    ),
    (0.12345678, -2.0),
    (0.5, math.inf),
)
BRACKETS = "(ROOT (S (-LRB- -LRB-) (NP (NNP kim)) slept))"
ONE = Parse(BinaryTree(("no",), ("UH",), (), {}), (), (), -1e-9)


def test_json():
    assert as_json(PARSE) == {
        "words": ["(", "kim", "slept"],
        "tags": ["-LRB-", "NNP", None],
        "constituents": [
            {"label": "ROOT", "start": 0, "end": 3},
            {"label": "S", "start": 0, "end": 3},
            {"label": "NP", "start": 1, "end": 2},
        ],
        "merges": [
            {"start": 1, "split": 2, "end": 3, "score": 0.123457, "margin": 0.5, "label": None},
            {"start": 0, "split": 1, "end": 3, "score": -2.0, "margin": None, "label": "ROOT+S"},
        ],
        "score": -1.876543,
        "log_probability": None,
        "tree": BRACKETS,
    }
    assert as_json(ONE)["merges"] == []
    assert as_json(ONE)["tree"] == "(UH no)"


def test_bracket_and_pretty():
    assert as_bracket(PARSE) == format_parse(PARSE, "bracket") == BRACKETS
    assert format_parse(PARSE, "bracket", scores=True) == f"{BRACKETS}\t-1.8765\t0.5000"
    assert format_parse(ONE, "bracket", scores=True) == "(UH no)\t0.0000\tinf\t0.0000"
    note = "score 0.0000, smallest margin inf, log probability 0.0000"
    assert format_parse(ONE, "pretty", scores=True) == f"{draw(ONE.tree)}\n{note}"
    assert format_parse(PARSE, "pretty") == draw(PARSE.tree)
    assert format_parse(PARSE, "pretty", width=10) == draw(PARSE.tree, 10) != draw(PARSE.tree)
    assert format_parse(PARSE, "pretty", 10, True) == f"{draw(PARSE.tree, 10)}\nscore -1.8765, smallest margin 0.5000"


def test_svg():
    assert format_parse(PARSE, "svg") == format_parse(PARSE, "svg", scores=True) == draw_svg(PARSE.tree)
    assert PARSE._repr_svg_() == draw_svg(PARSE.tree)  # what a notebook shows


def test_an_empty_sentence_keeps_the_shape_of_the_output():
    assert format_parse(None, "pretty") == format_parse(None, "pretty", scores=True) == ""
    assert format_parse(None, "bracket") == ""
    assert format_parse(None, "bracket", scores=True) == "\t\t"
    empty = json.loads(format_parse(None, "json"))
    assert empty == {
        "line": None,
        "offsets": None,
        "words": [],
        "tags": [],
        "constituents": [],
        "merges": [],
        "score": None,
        "log_probability": None,
        "tree": None,
    }
    assert list(empty) == ["line", "offsets", *as_json(PARSE)]


def test_json_says_where_a_sentence_was_read():
    sentence = Sentence([("a", "a")], 7, [(3, 4)])
    record = json.loads(format_parse(PARSE, "json", sentence=sentence))
    assert record == {"line": 7, "offsets": [[3, 4]], **as_json(PARSE)}
    assert format_parse(PARSE, "bracket", sentence=sentence) == as_bracket(PARSE)


def test_latex():
    assert format_parse(PARSE, "latex") == draw_latex(PARSE.tree)
    assert format_parse(None, "latex") == ""


def test_an_empty_sentence_has_an_empty_picture():
    assert ElementTree.fromstring(format_parse(None, "svg")).get("width") == "0"


def test_another_format_is_refused():
    with pytest.raises(InputError, match="one of pretty, bracket, json, svg, latex, not 'xml'"):
        format_parse(PARSE, "xml")


tokens = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="()[]{}"), min_size=1).filter(
    lambda text: not set(text) & set("\x85\u2028\u2029") and text == "_".join(text.split())
)
trees = st.recursive(
    st.builds(Tree, tokens, st.lists(tokens, min_size=1, max_size=1)),
    lambda below: st.builds(Tree, st.sampled_from(["S", "NP"]), st.lists(below, min_size=1, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=40)
@given(trees, st.floats(width=32))
def test_formats_of_one_line_have_one_line_and_read_back(tree, score):
    binary = binarise(tree)
    parse = Parse(binary, (score,) * len(binary.merges), (score,) * len(binary.merges), score)  # as from a beam
    for name in ("bracket", "json", "svg", "latex"):
        assert "\n" not in format_parse(parse, name, scores=True)
    record = json.loads(format_parse(parse, "json"))
    assert record["words"] == tree.leaves()
    read = [item for item, _ in parse_trees([record["tree"]], "test")]
    assert read == [tree]
    assert len(record["constituents"]) == sum(len(labels) for labels in binary.labels.values())
    spans = [(item["start"], -item["end"]) for item in record["constituents"]]
    assert spans == sorted(spans)
    assert all(tree.leaves()[item["start"] : item["end"]] for item in record["constituents"])


def test_depth_is_unlimited():
    tree = Tree("X", ["w"])
    for _ in range(5000):
        tree = Tree("X", [tree, "w"])
    parse = Parse(binarise(tree), (0.0,) * 5000, (0.0,) * 5000)
    assert {name: bool(format_parse(parse, name, 80, True)) for name in FORMATS} == dict.fromkeys(FORMATS, True)


def test_none_of_this_needs_torch(tmp_path):
    modules = ", ".join(
        f"seqtree.{name}"
        for name in ("drawing.trees", "drawing.tree_svg", "drawing.traces", "parsing.formats", "text.sentences")
    )
    script = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"
