"""Drawings of trees and of merges: exact pictures of small trees, and what holds for any tree."""

from __future__ import annotations

import math
import os
import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import islice, pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st
from nltk.tree import Tree

from seqtree.drawing import notebooks
from seqtree.drawing.characters import columns, cut, padded, shortened, visible, widths
from seqtree.drawing.latex import draw_latex
from seqtree.drawing.svg import text_width
from seqtree.drawing.traces import SHOWN, trace, trace_svg
from seqtree.drawing.tree_svg import draw_svg
from seqtree.drawing.trees import draw, flatten, is_tag
from seqtree.parsing.parse import Parse
from seqtree.treebank.binary import BinaryTree, binarise

CAT = Tree.fromstring("(S (NP (DT the) (NN cat)) (VP (VBD sat) (PP (IN on) (NP (DT the) (NN mat)))) (. .))")
SVG = "{http://www.w3.org/2000/svg}"
realdata = pytest.mark.skipif("SEQTREE_DATA" not in os.environ, reason="SEQTREE_DATA is not set")

tokens = st.text(st.sampled_from("abXY,.()&<'\"é喜猫ガשلم٣\u0301\u200d\t\x1b"), min_size=1, max_size=6)
tokens = tokens.filter(columns)  # a word without any width is not to be seen
plain_labels = st.sampled_from(["S", "NP", "VP", "NP-SBJ", "名詞", "שם", "ADJP|ADVP"])


def _nodes(below):
    return st.builds(Tree, plain_labels, st.lists(below, min_size=1, max_size=4))


trees = _nodes(st.recursive(tokens, _nodes, max_leaves=12))


def words_of(tree):
    """The words as a drawing shows them, found by a slow walk of its own."""
    return [visible(word) for word in tree.leaves()]


def grid(drawing):
    """The cells of a drawing: wide characters fill two, zero-width ones none."""
    lines = drawing.split("\n")
    rows = [[c for c, width in zip(line, widths(line), strict=True) for _ in range(width)] for line in lines]
    widest = max(map(len, rows))
    return [row + [" "] * (widest - len(row)) for row in rows]


def picture(text):
    """A drawing as the tests write it: a first line of its own, and the margin of the source."""
    return "\n".join(line[4:] for line in text.split("\n")[1:-1])


def test_upright():
    assert draw(CAT) == picture("""
                    S
       ┌──────────┬─┴────────────┐
       │          VP             │
       │       ┌──┴───┐          │
       │       │      PP         │
       │       │   ┌──┴───┐      │
       NP      │   │      NP     │
     ┌─┴──┐    │   │    ┌─┴──┐   │
     DT   NN  VBD  IN   DT   NN  .
    the  cat  sat  on  the  mat  .
    """)


def test_indented_where_the_upright_drawing_is_too_wide():
    assert draw(CAT, width=23) == picture("""
    S
    ├── NP
    │   ├── DT  the
    │   └── NN  cat
    ├── VP
    │   ├── VBD  sat
    │   └── PP
    │       ├── IN  on
    │       └── NP
    │           ├── DT  the
    │           └── NN  mat
    └── .  .
    """)


def test_tags_beside_each_other_are_aligned_and_words_without_a_tag_stand_below_words():
    tree = Tree.fromstring("(S (PRP$ its) cat (NP (XX NN)) (MD will) (VB do))")
    assert draw(tree, width=0) == picture("""
    S
    ├╴PRP$  its
    ├╴      cat
    ├╴NP
    │ └╴XX  NN
    ├╴MD    will
    └╴VB    do
    """)
    assert draw(Tree("NP", ["the", "cat"]), width=0) == "NP\n├╴the\n└╴cat"


def test_the_upright_drawing_is_squeezed_before_it_is_given_up():
    assert draw(CAT, width=30) == draw(CAT)
    for width in (29, 24):
        assert draw(CAT, width).split("\n")[-1] == "the cat sat on the mat ."
    assert draw(CAT, width=23).split("\n")[0] == "S"
    assert draw(CAT, width=22).split("\n")[1] == "├╴NP"


def test_chains_and_words_without_tags():
    tree = Tree.fromstring("(ROOT (S (NP (NP the cat)) (VP sleeps)))")
    assert draw(tree) == picture("""
          ROOT
           │
           S
       ┌───┴────┐
       NP       │
       │        │
       NP       │
     ┌─┴──┐     │
     │    │     VP
    the  cat  sleeps
    """)


def test_chinese():
    tree = Tree.fromstring("(S (NP (PN 我)) (VP (VV 喜欢) (NP (NN 熊猫馆))) (PU 。))")
    assert draw(tree) == picture("""
             S
    ┌───────┬┴────────┐
    │       VP        │
    │    ┌──┴───┐     │
    NP   │      NP    │
    │    │      │     │
    PN   VV     NN    PU
    我  喜欢  熊猫馆  。
    """)


def test_right_to_left_words_are_isolated_and_in_logical_order():
    assert draw(Tree.fromstring("(S (NN שלום) (CD 5))")).split("\n")[-1] == "\u2068שלום\u2069  5"
    assert draw(Tree.fromstring("(S (NN قِطّ) (CD 5))"), width=0) == "S\n├╴NN  \u2068قِطّ\u2069\n└╴CD  5"
    assert "\u2068" not in draw(CAT)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("cat", 3),
        ("喜欢", 4),
        ("ｶﾅ", 2),
        ("e\u0301", 1),
        ("قِطّ", 2),
        ("\u2068שלום\u2069", 4),
        ("\u1112\u1161\u11ab", 2),
        ("", 0),
        ("👨\u200d👩\u200d👧\u200d👦", 2),
        ("👍🏽", 2),
        ("👍🏽👍", 4),
        ("❤\ufe0f", 2),
        ("❤", 1),
        ("❤\ufe0fx", 3),
        ("🏃🏽\u200d♀\ufe0f", 2),
        ("👁\ufe0f\u200d🗨\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("🇩🇪", 2),
        ("🏴\U000e0067\U000e0062\U000e007f", 2),
        ("a\ufe0f", 1),
        ("क\u094d\u200dष", 2),
        ("猫\ufe0f", 2),
        ("🏽", 2),
        ("☝🏽", 2),
        ("❤\ufe0f\u200d🔥", 2),
        ("猫\u200d", 2),
        ("猫\u200d <", 4),
    ],
)
def test_columns(text, width):
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("été", ["é", "t", "é"]),
        ("e\u0301te\u0301", ["e\u0301", "t", "e\u0301"]),
        ("हिन्दी", ["हि", "न्दी"]),
        ("क्\u200dष", ["क्\u200dष"]),
        ("กำน้ำ", ["กำ", "น้ำ"]),
        ("\u1112\u1161\u11ab글", ["\u1112\u1161\u11ab", "글"]),
        ("👩🏽\u200d💻👨\u200d👩\u200d👧", ["👩🏽\u200d💻", "👨\u200d👩\u200d👧"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("☝🏽❤\ufe0f", ["☝🏽", "❤\ufe0f"]),
        ("中文x", ["中", "文", "x"]),
    ],
)
def test_texts_are_cut_between_what_readers_take_for_characters(text, parts):
    assert "".join(parts) == text
    found = {cut(text, width) for width in range(columns(text) + 1)}
    assert found == {"".join(parts[:count]) for count in range(len(parts) + 1)}
    for width in range(1, columns(text) + 1):
        assert columns(shortened(text, width)) <= width
    assert shortened(text, columns(text)) == text and shortened(text + "x", columns(text)).endswith("…")


def test_names_in_a_table_take_the_same_columns():
    for name in ("a b", "财经", "שלום", "हिन्दी", "a\x1b\u202e"):
        assert columns(padded(name, 12)) == 12
    assert padded("财经", 6) == "财经  " and padded("שם", 3) == "\u2068שם\u2069 "


def test_emoji_take_the_columns_of_one():
    family = "👨\u200d👩\u200d👧\u200d👦"
    assert draw(Tree("S", [Tree("NN", [family]), Tree("NN", ["👍🏽"])])) == f"  S\n┌─┴─┐\nNN  NN\n{family}  👍🏽"
    assert text_width(family) == text_width("👍🏽") == 16


def test_what_cannot_stand_in_a_line_is_replaced():
    assert visible("a b\n\x1b[1m\ud800\u202e\uffff") == "a␣b␣\ufffd[1m\ufffd\ufffd"
    assert draw(Tree("S", [Tree("X\n", ["a\x1b[2J"])])) == "  S\n  │\n  X␣\na\ufffd[2J"


def test_small_and_odd_trees():
    assert draw(Tree("NN", ["cat"])) == draw(Tree("NN", ["cat"]), width=3) == " NN\ncat"
    assert draw(Tree("NN", ["cat"]), width=2) == "NN  cat"
    assert draw(Tree("S", [])) == "S"
    assert draw(Tree("", [Tree("", ["cat"]), 5])).split("\n")[-1] == "cat  5"
    assert draw(Tree("S", [])) == draw(Tree("S", [""]))


@settings(max_examples=60)
@given(trees)
def test_an_upright_drawing_has_the_words_once_and_every_line_meets_something(tree):
    drawing = draw(tree)
    assert drawing.split("\n")[-1].replace("\u2068", "").replace("\u2069", "").split() == words_of(tree)
    cells = grid(drawing)
    assert any(row[0] != " " for row in cells)
    assert all(line == line.rstrip() for line in drawing.split("\n"))
    for above, row, below in zip(cells, cells[1:], cells[2:], strict=False):
        for up, cell, down in zip(above, row, below, strict=True):
            assert cell not in "│┌┬┐┼" or down != " "
            assert cell not in "│┴┼" or up != " "


@settings(max_examples=60)
@given(trees)
def test_an_indented_drawing_has_the_words_once_and_in_order(tree):
    nodes = flatten(tree)
    lines = draw(tree, width=0).split("\n")
    assert len(lines) == sum(not node.is_word for node in nodes) + sum(
        node.is_word and not is_tag(nodes, nodes[node.parent]) for node in nodes
    )
    found = []
    for line in lines:
        text = re.sub("[\u2068\u2069]", "", line).lstrip("│├└╴ ")
        entry = text.split("  ")
        if len(entry) > 1 or text in words_of(tree):
            found.append(entry[-1].strip())
    assert found == words_of(tree)


@settings(max_examples=40)
@given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=9), st.randoms())
def test_no_upright_line_is_wider_than_its_words_need(words, random):
    parts = [Tree("T", [word]) for word in words]
    while len(parts) > 1:
        start = random.randrange(len(parts) - 1)
        parts[start : start + 2] = [Tree("X", parts[start : start + 2])]
    least = len("  ".join(words))
    assert max(map(columns, draw(parts[0]).split("\n"))) == least
    assert draw(parts[0], width=least) == draw(parts[0])


def chain(depth, left, right):
    """A tree whose node of depth d has ``left`` words before and ``right`` words after the next node."""
    tree = Tree("X", ["w"])
    for number in range(depth):
        tree = Tree("X", [*(f"l{number}-{i}" for i in range(left)), tree, *(f"r{number}-{i}" for i in range(right))])
    return tree


@pytest.mark.parametrize(("left", "right"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_depth_is_unlimited(left, right):
    tree = chain(5000, left, right)
    words = iterative_leaves(tree)
    start = time.process_time()
    for drawing in (draw(tree), draw(tree, width=80)):
        assert re.findall(r"(?:[lr]\d+-0|\bw)$", drawing, re.MULTILINE) == words
        assert max(map(len, drawing.split("\n"))) < 450
    assert max(map(len, draw(tree, width=80).split("\n"))) <= 80
    root = ElementTree.fromstring(draw_svg(tree))
    assert [text.text for text in root.find(f"{SVG}g[@class='words']")] == words
    assert time.process_time() - start < 60  # a tree that is drawn in quadratic time takes hours


def iterative_leaves(tree):
    found, waiting = [], [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tree):
            waiting.extend(reversed(item))
        else:
            found.append(item)
    return found


def test_very_deep_levels_are_counted_instead_of_drawn():
    lines = draw(chain(40, 1, 0), width=60).split("\n")
    assert lines[0] == "X"
    assert lines[1:4] == ["├╴l39-0", "└╴X", "  ├╴l38-0"]
    assert lines[-2:] == ["…29     " + " " * 20 + "├╴   l0-0", "…29     " + " " * 20 + "└╴X  w"]


def boxes(root, kind):
    """(baseline, left, right) of the texts of one kind, by their estimated widths."""
    for element in root.iter(f"{SVG}g"):
        if element.get("class") == kind:
            for text in element.iter(f"{SVG}text"):
                half = text_width(text.text or "") / 2
                yield int(text.get("y")), int(text.get("x")) - half, int(text.get("x")) + half


def assert_no_overlaps(root, kinds):
    found = sorted(box for kind in kinds for box in boxes(root, kind))
    for (row, _, right), (other, left, _) in pairwise(found):
        assert row != other or right < left
    assert all(left >= 0 and right <= int(root.get("width")) for _, left, right in found)
    assert all(0 < row < int(root.get("height")) for row, _, _ in found)


@settings(max_examples=60)
@given(trees)
def test_an_svg_picture_is_well_formed_and_its_nodes_stand_above_their_children(tree):
    picture_ = draw_svg(tree)
    assert "\n" not in picture_
    root = ElementTree.fromstring(picture_)
    assert root.find(f"{SVG}title").text == " ".join(words_of(tree))
    assert [text.text for text in root.find(f"{SVG}g[@class='words']")] == words_of(tree)
    assert len({row for row, _, _ in boxes(root, "words")}) == 1
    assert_no_overlaps(root, ["labels", "tags", "words"])
    below: dict[tuple[int, int], list[int]] = {}
    for path in root.find(f"{SVG}g[@class='edges']"):
        x, y, child, *_ = map(int, re.findall(r"-?\d+", path.get("d")))
        below.setdefault((x, y), []).append(child)
    assert len(below) == sum(not node.is_word for node in flatten(tree))
    for (x, _), children in below.items():
        assert children == sorted(set(children))
        assert x == (children[0] + children[-1]) // 2


def test_an_svg_picture_escapes_and_directs_its_words():
    root = ElementTree.fromstring(draw_svg(Tree.fromstring("(S (A <b>&\"') (B שלום!) (C 5) (D 猫))")))
    words = root.find(f"{SVG}g[@class='words']")
    assert [text.text for text in words] == ["<b>&\"'", "שלום!", "5", "猫"]
    assert [text.get("direction") for text in words] == [None, "rtl", None, None]
    assert root.find(f"{SVG}g[@class='tags']").get("fill") != words.get("fill")
    assert "\x1b" not in draw_svg(Tree("S", ["\x1b"]))
    assert text_width("猫") == 16
    assert text_width("cat") == 29


def the_cat_sat():
    words = ("the", "cat", "sat", "on", "the", "mat")
    labels = {(0, 2): ("NP",), (4, 6): ("NP",), (3, 6): ("PP",), (0, 6): ("S", "X"), (2, 3): ("V",)}
    binary = BinaryTree(words, (None,) * 6, ((0, 1, 2), (4, 5, 6), (3, 4, 6), (2, 3, 6), (0, 2, 6)), labels)
    return Parse(binary, (1.5, 2.25, 0.1, 3.0, -2.5), (0.5, 0.25, 0.1, 1.0, math.inf))


def _parts(parse: Parse) -> tuple[BinaryTree, tuple[float, ...], tuple[float, ...]]:
    return parse.binary, parse.scores, parse.margins


def test_a_trace_of_merges():
    assert trace(*_parts(the_cat_sat())) == picture("""
    step  score  margin  merge
       1   1.50    0.50  [the] + [cat] → NP
                         [the cat] sat on the mat
       2   2.25    0.25  [the] + [mat] → NP
                         [the cat] sat on [the mat]
       3   0.10    0.10  [on] + [the mat] → PP
                         [the cat] sat [on the mat]
       4   3.00    1.00  [sat] + [on the mat]
                         [the cat] [sat on the mat]
       5  -2.50       ∞  [the cat] + [sat on the mat] → S+X
                         [the cat sat on the mat]
    """)


def test_traces_of_one_word_and_of_right_to_left_words():
    one = Parse(BinaryTree(("cat",), ("NN",), (), {(0, 1): ("NP",)}), (), ())
    assert trace(*_parts(one)) == "cat (one word: nothing to merge)"
    assert [text.text for text in ElementTree.fromstring(trace_svg(*_parts(one))).iter(f"{SVG}text")] == ["NP", "cat"]
    two = Parse(BinaryTree(("שלום", "a b"), (None, None), ((0, 1, 2),), {}), (1.0,), (math.inf,))
    assert trace(*_parts(two)).split("\n")[1:] == [
        "   1   1.00       ∞  [\u2068שלום\u2069] + [a␣b]",
        "                     [\u2068שלום\u2069 a␣b]",
    ]


def random_parse(tree, random):
    binary = binarise(tree)
    scores = tuple(random.uniform(-99, 99) for _ in binary.merges)
    return Parse(binary, scores, scores)


def test_the_trace_of_a_long_sentence_is_cut_short():
    words = tuple(map(str, range(1000)))
    merges = tuple((0, end - 1, end) for end in range(2, 1001))
    parse = Parse(BinaryTree(words, (None,) * 1000, merges, {}), (0.0,) * 999, (0.0,) * 999)
    lines = trace(*_parts(parse)).split("\n")
    assert max(len(line.split()) for line in lines) < SHOWN * 1.5 + 5
    assert lines[2].split()[:4] == ["[0", "1]", "2", "3"]
    assert lines[2].split()[-2:] == ["51", "…"]
    assert lines[-1].split()[48:53] == ["48", "49", "…", "950", "951"]
    assert lines[-1].endswith(" 998 999]")


def state(parse, count):
    """The sentence after ``count`` merges, found anew: the largest spans among those merged."""
    done = [(start, end) for start, _, end in parse.binary.merges[:count]]
    outer = [a for a in done if not any(b != a and b[0] <= a[0] and a[1] <= b[1] for b in done)]
    words = [*parse.binary.words]
    for start, end in outer:
        words[start], words[end - 1] = f"[{words[start]}", f"{words[end - 1]}]"
    return " ".join(words)


@settings(max_examples=40)
@given(st.integers(2, 14), st.randoms())
def test_every_state_of_a_trace_is_that_of_its_merges(count, random):
    parts = [(i, i + 1) for i in range(count)]
    merges = []
    while len(parts) > 1:
        i = random.randrange(len(parts) - 1)
        merges.append((parts[i][0], parts[i][1], parts[i + 1][1]))
        parts[i : i + 2] = [(merges[-1][0], merges[-1][2])]
    numbers = (0.0,) * (count - 1)
    parse = Parse(BinaryTree(tuple("abcdefghijklmn"[:count]), (None,) * count, tuple(merges), {}), numbers, numbers)
    assert [line.strip() for line in trace(*_parts(parse)).split("\n")[2::2]] == [
        state(parse, i) for i in range(1, count)
    ]


@settings(max_examples=40)
@given(trees, st.randoms())
def test_a_picture_of_merges_has_one_a_row_from_the_bottom_up(tree, random):
    parse = random_parse(tree, random)
    root = ElementTree.fromstring(trace_svg(*_parts(parse)))
    assert [text.text for text in root.find(f"{SVG}g[@class='words']")] == words_of(tree)
    assert_no_overlaps(root, ["labels", "words"])
    edges = [[*map(int, re.findall(r"-?\d+", path.get("d")))] for path in root.find(f"{SVG}g[@class='edges']")]
    bars = [bar for _, _, bar, _, _ in edges]
    assert bars == sorted(bars, reverse=True)
    assert len(set(bars)) == len(parse.binary.merges)
    marks = root.findall(f"{SVG}g[@class='labels']/{SVG}g")
    for (left, left_end, bar, right, right_end), mark in zip(edges, marks, strict=True):
        element = mark[1]
        assert int(element.get("x") or element.get("cx")) == (left + right) // 2
        assert min(left_end, right_end) > bar
    dots = sum((start, end) not in parse.binary.labels for start, _, end in parse.binary.merges)
    assert len(list(root.iter(f"{SVG}circle"))) == dots


@realdata
def test_real_trees_are_drawn_with_all_their_words():
    from nltk.corpus import sinica_treebank, treebank

    for tree in [*islice(treebank.parsed_sents(), 60), *islice(sinica_treebank.parsed_sents(), 100)]:
        upright = draw(tree).split("\n")[-1]
        assert upright.split() == words_of(tree)
        assert max(map(columns, draw(tree, width=100).split("\n"))) <= 100
        assert_no_overlaps(ElementTree.fromstring(draw_svg(tree)), ["labels", "tags", "words"])


def test_a_tree_for_latex() -> None:
    """With all that means something to LaTeX, or to its package forest."""
    assert draw_latex(Tree.fromstring("(S (NP (DT the) (NN cat)) (VP sat))")) == (
        r"\begin{forest} [S [NP [DT [the]] [NN [cat]]] [VP [sat]]] \end{forest}"
    )
    words = ["[a,b]", "x=1", "50%", "$3", "a_b#&", "{c}", "\\^~", "<|>", "", "\x1b"]
    written = draw_latex(Tree("A|B", words)).removeprefix(r"\begin{forest} [A\textbar{}B ")
    assert written == (
        r"[{[a,b]}] [{x=1}] [50\%] [\$3] [a\_b\#\&] [\{c\}] [\textbackslash{}\textasciicircum{}\textasciitilde{}]"
        rf" [\textless{{}}\textbar{{}}\textgreater{{}}] [{{}}] [{visible(chr(27))}]] \end{{forest}}"
    )


@given(trees)
def test_each_node_of_a_tree_for_latex_is_in_brackets_of_its_own(tree: Tree) -> None:
    written, depth, opened, braces = draw_latex(tree), 0, 0, 0
    for character in re.sub(r"\\[\\{}]", "", written.removeprefix(r"\begin{forest}").removesuffix(r"\end{forest}")):
        braces += {"{": 1, "}": -1}.get(character, 0)
        depth += {"[": 1, "]": -1}.get(character, 0) if not braces else 0
        opened += character == "[" and not braces
        assert depth >= 0 <= braces
    assert (depth, braces, opened) == (0, 0, len(flatten(tree)))


@pytest.mark.parametrize("installed", [False, True])
def test_a_notebook_draws_the_trees_of_nltk(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As NLTK does it by itself only where svgling is installed, and fails otherwise."""
    drawn: dict[str, Callable[[Tree], str]] = {}

    def for_type_by_name(module: str, name: str, draw: Callable[[Tree], str]) -> None:
        drawn[f"{module}.{name}"] = draw

    formatter = SimpleNamespace(for_type_by_name=for_type_by_name)
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"image/svg+xml": formatter}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(notebooks, "find_spec", {"svgling": object() if installed else None}.get)
    notebooks.draw_trees()
    if installed:
        assert drawn == {}
        return
    assert drawn.keys() == {f"{Tree.__module__}.Tree"}
    tree = Tree.fromstring("(S (NP I) (VP go))")
    assert drawn[f"{Tree.__module__}.Tree"](tree) == draw_svg(tree)


def test_without_a_notebook_nothing_is_to_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    notebooks.draw_trees()
    monkeypatch.setitem(sys.modules, "IPython", None)
    notebooks.draw_trees()
    monkeypatch.delitem(sys.modules, "IPython")
    notebooks.draw_trees()
