"""Negation: a tree classifier learns from pairs "good / not good", and turns round adjectives it never saw negated."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from nltk.tree import Tree

import seqtree
from seqtree.errors import InputError
from seqtree.tasks import TASKS, named
from seqtree.training.progress import Display
from seqtree.treebank.labelled import labelled_trees, write_labelled
from seqtree.trees import TreeClassifier
from seqtree.trees.flat import flat_trees

GOOD = ["good", "great", "fine", "nice", "superb", "lovely", "clever", "warm", "bright", "fresh"]
BAD = ["bad", "awful", "poor", "dull", "weak", "boring", "silly", "cold", "grim", "stale"]
HELD_OUT = 3  # adjectives of each side that training never negates
NOUNS = ["film", "story", "music", "ending"]


def _tree(noun: str, adjective: str, negated: bool) -> str:
    """``the NOUN is [not] ADJECTIVE`` with its grades: 1 bad, 2 neither, 3 good."""
    plain = 3 if adjective in GOOD else 1
    grade = 4 - plain if negated else plain
    said = f"({grade} (2 not) ({plain} {adjective}))" if negated else f"({plain} {adjective})"
    return f"({grade} (2 (2 the) (2 {noun})) ({grade} (2 is) {said}))"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TreeClassifier:
    folder = tmp_path_factory.mktemp("contrasts")
    lines = []
    for side in (GOOD, BAD):
        for number, adjective in enumerate(side):
            for noun in NOUNS:
                lines.append(_tree(noun, adjective, negated=False))
                if number >= HELD_OUT:
                    lines.append(_tree(noun, adjective, negated=True))
    (folder / "t.txt").write_text("\n".join(lines))
    options = {"preset": "tiny", "epochs": 25, "valid_share": 0.0, "threads": 1, "progress": False}
    report = seqtree.train("tree", folder / "t.txt", out=folder / "run", **options)
    return TreeClassifier.load(report["model"])


def test_negation_turns_round_what_was_never_seen_negated(model: TreeClassifier) -> None:
    turned = 0
    for side in (GOOD, BAD):
        for number, adjective in enumerate(side):
            plain, negated = (Tree.fromstring(_tree("film", adjective, no)) for no in (False, True))
            assert model.label(plain) == plain
            found = model.label(negated)
            assert found[1][1][1].label() == plain.label()  # the adjective within "not ADJECTIVE"
            if number >= HELD_OUT:
                assert found == negated
            else:
                turned += found.label() == found[1][1].label() == negated.label()
    assert turned >= 2 * HELD_OUT - 1


def test_texts_without_trees_teach_their_roots(tmp_path: Path) -> None:
    """Only the root of a parsed text is labelled; what trees do not say is learned from such texts."""
    (tmp_path / "flat.tsv").write_text("".join(f"9\tthe {noun} is odd\n0\tit ran (fast)\n" for noun in NOUNS * 4))
    found = flat_trees([str(tmp_path / "flat.tsv")], "utf-8")
    assert found[0].words == ("the", "film", "is", "odd") and found[0].labels == (None,) * 6 + ("9",)
    assert found[1].words == ("it", "ran", "-LRB-", "fast", "-RRB-") and found[1].labels[-1] == "0"
    trees = tmp_path / "trees.txt"
    trees.write_text("\n".join(_tree(noun, word, False) for noun in NOUNS for word in ("good", "bad")))
    assert {label for tree in labelled_trees([str(trees)]) for label in tree.labels} == {"1", "2", "3"}
    options = {"preset": "tiny", "epochs": 20, "valid_share": 0.0, "threads": 1, "progress": False}
    report = seqtree.train("tree", trees, out=tmp_path / "run", flat=[str(tmp_path / "flat.tsv")], **options)
    model = TreeClassifier.load(report["model"])
    assert model.classes.names == ("0", "1", "2", "3", "9")
    assert [one.label for one in model.labellings(found[:2])] == ["9", "0"]
    assert write_labelled(found[0]).endswith("(? odd)))") and write_labelled(found[0]).startswith("(9 ")


def test_the_trees_of_a_text_s_sentences_are_joined(tmp_path: Path) -> None:
    """Each is the tree that it has alone, whichever lines and however many sentences the text has."""
    sentences = ["The film is odd.", "It ran.", "Stop!", "We left early.", "Nobody saw us."]
    records = [{"label": "2", "text": text} for text in ("\n".join(sentences), " ".join(sentences[:2]), *sentences)]
    (tmp_path / "flat.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    whole, two, *alone = flat_trees([str(tmp_path / "flat.jsonl")], "utf-8")
    assert alone[0].words == ("The", "film", "is", "odd", ".")
    first, second, third, fourth, fifth = (one.tree([None] * len(one.labels)) for one in alone)
    assert two.tree() == Tree("2", [first, second])
    fours = Tree("?", [Tree("?", [first, second]), Tree("?", [third, fourth])])
    assert whole.tree() == Tree("2", [fours, fifth])
    assert whole.labels == (None,) * (2 * len(whole) - 2) + ("2",)
    assert whole.spans[-1] == (0, len(whole))


@pytest.mark.parametrize("label", ["very bad", "good (5)", "?"])
def test_a_label_that_no_tree_can_hold_is_refused(label: str, tmp_path: Path) -> None:
    (tmp_path / "flat.tsv").write_text(f"3\tgood\n{label}\tit ran\n")
    with pytest.raises(InputError, match=re.escape(f"flat.tsv:2: the label {label!r}; expected one that can stand")):
        flat_trees([str(tmp_path / "flat.tsv")], "utf-8")


def test_classes_that_no_tree_has_are_told(tmp_path: Path) -> None:
    (tmp_path / "flat.tsv").write_text("9\tit is odd\n3\tit ran\n")
    (tmp_path / "trees.txt").write_text("\n".join(_tree(noun, "good", False) for noun in NOUNS))
    kind = named(TASKS["tree"].task)
    said, recipe = StringIO(), kind.resolve({"flat": (str(tmp_path / "flat.tsv"),), "valid_share": 0.0})
    kind.read([str(tmp_path / "trees.txt")], recipe, Display(said))
    assert said.getvalue().endswith("flat.tsv: 1 of its classes is in no tree: 9\n")
    with pytest.raises(InputError, match=r"^parser: only with --flat"):
        kind.resolve({"parser": "default"})


def test_faulty_texts_are_refused_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "flat.tsv").write_text("3\tgood\nno tab\n")
    with pytest.raises(InputError, match=r"flat.tsv:2: no tab in the line, expected label<TAB>text"):
        flat_trees([str(tmp_path / "flat.tsv")], "utf-8")
