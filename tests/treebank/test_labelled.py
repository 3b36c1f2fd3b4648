"""Binary trees with labels at their nodes: reading, writing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.treebank.binary import binarise
from seqtree.treebank.labelled import LabelledTree, label_nodes, labelled_trees, unlabelled, write_labelled

SENTIMENT = "(3 (2 It) (4 (4 (2 's) (4 (3 lovely) (2 film))) (2 .)))"


def _read(text: str, folder: Path, **options: object) -> list[LabelledTree]:
    (folder / "a.txt").write_text(text, encoding="utf-8")
    return labelled_trees([str(folder / "a.txt")], **options)  # type: ignore[arg-type]


def test_nodes_are_numbered_from_the_words_up(tmp_path: Path) -> None:
    (tree,) = _read(SENTIMENT + "\n", tmp_path)
    assert tree.words == ("It", "'s", "lovely", "film", ".")
    assert tree.labels == ("2", "2", "3", "2", "2", "4", "4", "4", "3")
    assert tree.children == ((2, 3), (1, 5), (6, 4), (0, 7))
    assert tree.spans[5:] == [(2, 4), (1, 4), (1, 5), (0, 5)]
    assert tree.place is not None and str(tree.place).endswith("a.txt:1")
    assert write_labelled(tree) == SENTIMENT
    assert write_labelled(tree, [None] * 9) == "(? (? It) (? (? (? 's) (? (? lovely) (? film))) (? .)))"


def test_labels_may_be_words_and_words_may_stand_in_chains(tmp_path: Path) -> None:
    trees = _read("(ROOT (S (NP (PRP it)) (VP (VBZ works)))) ((X (A a)\n (B b)))\n(UH yes)", tmp_path)
    assert [tree.labels for tree in trees] == [("NP", "VP", "S"), ("A", "B", "X"), ("UH",)]
    assert trees[2].children == ()
    assert [tree.words for tree in trees] == [("it", "works"), ("a", "b"), ("yes",)]
    assert [tree.place.line for tree in trees if tree.place] == [1, 1, 3]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_tree_of_five_thousand_levels(side: str, tmp_path: Path) -> None:
    count = 5000
    if side == "left":
        text = "(1 " * (count - 1) + "(0 w)" + " (2 w))" * (count - 1)
    else:
        text = "(1 (2 w) " * (count - 1) + "(0 w)" + ")" * (count - 1)
    (tree,) = _read(text, tmp_path)
    assert len(tree) == count
    assert tree.labels.count("1") == count - 1
    assert write_labelled(tree).replace(" ", "") == text.replace(" ", "")
    assert tree.spans[-1] == (0, count)


def test_a_parse_without_labels() -> None:
    tree = Tree.fromstring("(S (NP (DT the) (NN cat)) (VP (VBD saw) (NP (DT a) (JJ red) (NN bird))))")
    bare = unlabelled(binarise(tree))
    again = label_nodes(bare.tree())
    assert write_labelled(bare) == (
        "(? (? (? the) (? cat)) (? (? saw) (? (? (? a) (? red)) (? bird))))"  # three children: from the left
    )
    assert (again.words, again.children, set(again.labels)) == (bare.words, bare.children, {None})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(2 (1 a) (1 b))\n(2 (1 a) (1 b) (1 c))", "a.txt:2: a node labelled '2' has 3 nodes in it"),
        ("(2 (1 a) (1 (2 (1 a) (1 b))))", "a.txt:1: a node labelled '1' has one node in it, '2', that is no word"),
        ("\n(2 a b)", "a.txt:2: a node labelled '2' holds the word 'a' beside others"),
        ("(2 (1 a) b)", "a.txt:1: a node labelled '2' holds the word 'b' beside others"),
        ("(2 (1 a) (1 b))\n(3 (1 a) (", "a.txt:2: the tree that begins here is never closed"),
        ("(2 (1 a) (1 b)))", "a.txt:1: a closing bracket without an opening one"),
        ("(2 (1 a) (1 b))\n(2 (? a) (1 b))", "a.txt:2: 'a' has no label (?) yet"),
        ("(? (1 a) (1 b))", "a.txt:1: 'a b' has no label (?) yet"),
        ("", "a.txt is empty"),
        ("# nothing\n", "a.txt: contains no tree"),
        ("2 a b", "a.txt:1: '2' outside brackets"),
    ],
)
def test_what_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _read(text, tmp_path)
    assert said in str(caught.value)


def test_malformed_trees_are_left_out_if_so_asked(tmp_path: Path) -> None:
    told: list[str] = []
    text = "(2 (1 a) (1 b))\n(2 (1 a) (1 b) (1 c))\n(1 a))\n(2 a b)\n(0 c)\n"
    trees = _read(text, tmp_path, malformed="skip", warn=told.append)
    assert [write_labelled(tree) for tree in trees] == ["(2 (1 a) (1 b))", "(0 c)"]
    assert len(told) == 2
    assert "a.txt:3: a closing bracket without an opening one; left out" in told[0]
    assert "a.txt:2: a node labelled '2' has 3 nodes" in told[1] and "as is one more" in told[1]
