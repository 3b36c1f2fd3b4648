"""The tree classifier: its network against the one by hand, what it learns, how it is measured and written."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from nltk.tree import Tree
from torch_helpers import as_leaf, close, draw

import seqtree
from seqtree import corpora
from seqtree.errors import InputError
from seqtree.nn.config import COMPOSITIONS
from seqtree.reference.labelled_nodes import LabelledNodes
from seqtree.reference.network import Array
from seqtree.reference.recursive import Recursive
from seqtree.reference.tensor import TensorRecursive
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.training.fit import train
from seqtree.treebank.labelled import LabelledTree, label_nodes, labelled_trees
from seqtree.trees.batches import make_tree_batch
from seqtree.trees.config import TreeNetworkConfig
from seqtree.trees.evaluation import accuracy, evaluate
from seqtree.trees.formats import format_labelling
from seqtree.trees.model import GRADES, Labelling, TreeClassifier

WIDTH, CLASSES = 4, 5
WORDS = [f"w{i}" for i in range(12)]


def random_tree(words: int, rng: np.random.Generator, unlabelled: float = 0.0) -> LabelledTree:
    """Neighbours merged in random order; the labels are 0 to 4, this share of them missing."""
    spans = [(i, i) for i in range(words)]  # (place, node)
    children = []
    while len(spans) > 1:
        k = int(rng.integers(len(spans) - 1))
        children.append((spans[k][1], spans[k + 1][1]))
        spans[k : k + 2] = [(spans[k][0], words - 1 + len(children))]
    labels = [None if rng.random() < unlabelled else str(rng.integers(CLASSES)) for _ in range(2 * words - 1)]
    return LabelledTree(tuple(rng.choice(WORDS, words).tolist()), tuple(children), (*labels[:-1], labels[-1] or "1"))


def classifier(**options: object) -> TreeClassifier:
    shape = {"encoder": "none", "words": 6, "characters": 0, "vector": WIDTH, "hidden": 6, "layers": 1, **options}
    config = TreeNetworkConfig(**shape)  # type: ignore[arg-type]
    made = TreeClassifier.over(Lexicon.build(dict.fromkeys(WORDS, 2)), LabelSet(GRADES), config, 1).to(precision="fp32")
    for parameter in made.network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made


def _merges(tree: LabelledTree) -> list[tuple[int, int, int]]:
    spans = tree.spans
    return [(spans[left][0], spans[left][1], spans[right][1]) for left, right in tree.children]


# --- by level and node by node


@pytest.mark.parametrize(("kind", "layer"), [("tanh", Recursive), ("rntn", TensorRecursive)])
@pytest.mark.parametrize("sizes", [(5, 4, 1), (1,), (12, 7, 7, 2, 1, 1)])
def test_by_level_equals_node_by_node(kind: str, layer: type[Recursive], sizes: tuple[int, ...]) -> None:
    """Values, loss and all gradients of a batch of trees are those of the network by hand, to 1e-10 in float64."""
    rng = np.random.default_rng(sizes)
    model = classifier(composition=kind)
    network = model.network.double().eval()
    hand = LabelledNodes(layer(WIDTH, rng), CLASSES, rng)
    draw(hand, rng)
    pairs = {
        "layer.W": network.composition.linear.weight,
        "layer.b": network.composition.linear.bias,
        "output.W": network.output.weight,
        "output.b": network.output.bias,
        **({"layer.V": network.composition.tensor} if kind == "rntn" else {}),
    }
    with torch.no_grad():
        for name, parameter in pairs.items():
            parameter.copy_(torch.tensor(hand.parameters[name]))
    trees = [random_tree(size, rng, unlabelled=0.3) for size in sizes]
    labels = [model.classes.encode(tree.labels) for tree in trees]
    batch = model.batch(trees)
    x = rng.normal(size=(sum(sizes), WIDTH))
    own_x = as_leaf(x)
    logits = network.scores(own_x, batch.left, batch.right)[torch.from_numpy(batch.nodes)]
    wanted = torch.from_numpy(np.concatenate(labels))
    loss = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=-1)
    loss.backward()

    total, nodes, dx = 0.0, int((wanted >= 0).sum()), []
    sums: dict[str, Array] = {name: np.zeros_like(value) for name, value in hand.parameters.items()}
    parts = zip(
        np.split(x, np.cumsum(sizes)[:-1]), trees, labels, np.split(logits.detach(), batch.ends[:-1]), strict=True
    )
    for words, tree, own, theirs in parts:
        close(hand.scores(words, _merges(tree)), torch.as_tensor(theirs))
        share = np.count_nonzero(own >= 0) / nodes
        total += share * float(hand.forward(words, _merges(tree), own.tolist()))
        dx.append(hand.backward(np.array(share)))
        for name, gradient in hand.gradients.items():
            sums[name] += gradient
    assert total == pytest.approx(loss.item(), rel=1e-10)
    close(np.concatenate(dx), own_x.grad)
    for name, parameter in pairs.items():
        close(sums[name], parameter.grad)


@pytest.mark.parametrize("kind", COMPOSITIONS)
@pytest.mark.parametrize("encoder", ["none", "lstm"])
def test_a_tree_alone_is_labelled_as_in_a_batch(kind: str, encoder: str) -> None:
    model = classifier(composition=kind, encoder=encoder, characters=5)
    rng = np.random.default_rng(0)
    trees = [random_tree(size, rng) for size in (3, 9, 1, 5, 9)]
    for tree, together in zip(trees, model.labellings(trees), strict=True):
        (alone,) = model.labellings([tree])
        assert together.tree is tree
        assert together.probabilities.shape == (2 * len(tree) - 1, CLASSES)
        np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-6)
        np.testing.assert_allclose(together.probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_the_nodes_of_a_batch() -> None:
    """(a (b c)) and (d e): words 0 to 4, then the phrases (b c), (a ...), (d e)."""
    first = LabelledTree(("w1", "w2", "w3"), ((1, 2), (0, 3)), (None,) * 5)
    second = LabelledTree(("w4", "w5"), ((0, 1),), (None,) * 3)
    model = classifier()
    batch = make_tree_batch(
        [first, second], [model.lexicon.encode(tree.words) for tree in (first, second)], model.lexicon
    )
    assert (batch.left.tolist(), batch.right.tolist()) == ([1, 0, 3], [2, 5, 4])
    assert batch.nodes.tolist() == [0, 1, 2, 5, 6, 3, 4, 7]
    assert batch.ends.tolist() == [5, 8]


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_a_tree_of_five_thousand_levels_and_one_of_one_word(kind: str) -> None:
    words = tuple(WORDS[i % 12] for i in range(5001))
    deep = LabelledTree(words, ((0, 1), *((5001 + k, 2 + k) for k in range(4999))), ("2",) * 10001)
    word = LabelledTree(("w1",), (), ("4",))
    model = classifier(composition=kind)
    measured = evaluate(model, [deep, word])
    assert (measured.trees, measured.nodes) == (2, 10002)
    trees = make_tree_batch([deep, word], [model.lexicon.encode(tree.words) for tree in (deep, word)], model.lexicon)
    loss = model.network.train().loss(trees, np.full(10002, 2))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.network.composition.parameters())
    (found,) = model.labellings([deep])
    assert found.labelled.label() == found.label


# --- learning


def test_what_is_learned(tmp_path: Path) -> None:
    """The sample by heart: what "not" does to "good" and to "bad", too."""
    report = train(
        "tree", out=tmp_path / "run", preset="tiny", valid_share=0.0, progress=False, device="cpu", threads=1
    )
    assert report["root"]["fine"] > 0.9 and report["all"]["binary"] > 0.9
    model = TreeClassifier.load(tmp_path / "run")
    assert model.graded and model.classes.names == GRADES
    good = "(? (? (? The) (? soup)) (? (? (? was) (? (? not) (? good))) (? .)))"
    bad = "(? (? (? The) (? music)) (? (? (? was) (? (? not) (? bad))) (? .)))"
    assert model.label(Tree.fromstring(good)).label() == "1"
    assert model.label(Tree.fromstring(bad)).label() == "3"
    flat = model.label(Tree.fromstring("(S (NP (DT The) (JJ wonderful) (NN book)) (. !))"))
    assert [len(node) for node in flat.subtrees()] == [2, 2, 2, 1, 1, 1, 1]


def test_the_same_seed_gives_the_same_classifier(tmp_path: Path) -> None:
    options = {"preset": "tiny", "epochs": 1, "progress": False, "device": "cpu", "threads": 1}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("tree", out=tmp_path / name, seed=seed, **options)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_words_start_from_a_language_model(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the soup was good , the book was bad .\n" * 40)
    train("lm", tmp_path / "a.txt", out=tmp_path / "lm", preset="tiny", unit="word", epochs=1, progress=False)
    options = {"preset": "tiny", "epochs": 0.1, "progress": False, "learning_rate": 1e-9, "init_from": tmp_path / "lm"}
    train("tree", out=tmp_path / "run", **{**options, "init_from": str(tmp_path / "lm")})
    theirs, mine = seqtree.load(tmp_path / "lm"), TreeClassifier.load(tmp_path / "run")
    one, other = theirs.vocabulary.encode(["soup"])[0], mine.lexicon.words.encode(["soup"])[0]
    torch.testing.assert_close(
        mine.network.words.embedding.weight[other], theirs.network.embedding.weight[one], rtol=1e-3, atol=1e-3
    )


def test_trees_of_nltk_are_made_binary() -> None:
    model = classifier()
    flat = Tree.fromstring("(S (NP (DT The) (JJ wonderful) (NN book)) (. !))")
    (found,) = model.labellings([flat])
    assert found.labelled == model.label(flat)
    with pytest.raises(InputError, match="a node labelled 'S' has no words"):
        list(model.labellings([Tree("S", [])]))


# --- measuring


def test_what_is_measured() -> None:
    """By hand: of the trees' own most probable labels, one root and one word are changed."""
    model = classifier()
    rng = np.random.default_rng(3)
    trees = [random_tree(size, rng) for size in (4, 3)]
    found = list(model.labellings(trees))
    right = [LabelledTree(one.tree.words, one.tree.children, one.labels) for one in found]
    assert evaluate(model, right).root.fine == evaluate(model, right).all.fine == 1.0
    labels = [list(one.labels) for one in found]
    for tree, node in ((0, -1), (1, 0)):
        labels[tree][node] = str((int(labels[tree][node]) + 1) % 5)
    wrong = [LabelledTree(one.words, one.children, tuple(own)) for one, own in zip(right, labels, strict=True)]
    measured = evaluate(model, wrong)
    assert measured.root.fine == 0.5
    assert measured.all.fine == pytest.approx(10 / 12)
    chances = np.concatenate([one.probabilities for one in found])
    gold = np.array([int(label) for own in labels for label in own])
    assert measured.loss == pytest.approx(-np.log(chances[np.arange(12), gold]).mean(), rel=1e-5)
    assert set(measured.to_json()) >= {"root", "all", "trees"}
    assert set(measured.to_json()["root"]) == {"fine", "binary"}


def test_binary_sums_probabilities() -> None:
    """The most probable class is neutral or negative, and yet positive classes together are more probable."""
    chances = np.array([[0.1, 0.3, 0.0, 0.29, 0.31], [0.0, 0.3, 0.5, 0.2, 0.0], [0.5, 0.0, 0.0, 0.3, 0.3]], np.float32)
    gold = np.array([3, 0, 2])
    assert accuracy(gold, chances, graded=True) == (0.0, 1.0)
    assert accuracy(np.array([1, 4, 2]), chances, graded=True) == (0.0, 0.0)
    assert accuracy(gold, chances, graded=False) == (0.0, None)
    assert accuracy(np.array([2, 2, 2]), chances, graded=True).binary is None


def test_other_classes_have_no_binary_figure(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("(1 (1 true) (2 (2 or) (0 false)))\n(0 (0 false) (2 (2 and) (1 true)))\n" * 5)
    report = train("tree", tmp_path / "a.txt", out=tmp_path / "run", preset="tiny", epochs=2, progress=False)
    assert report["root"]["binary"] is None and report["all"]["binary"] is None
    model = TreeClassifier.load(tmp_path / "run")
    assert not model.graded and model.classes.names == ("0", "1", "2")
    (tmp_path / "b.txt").write_text("(1 (1 true) (2 (2 or) (0 false)))\n(1 (1 true) (3 (2 or) (0 false)))\n")
    with pytest.raises(InputError, match=r"b.txt:2: the label '3' is not one of the model's classes: 0, 1, 2$"):
        evaluate(model, labelled_trees([str(tmp_path / "b.txt")]))
    with pytest.raises(InputError, match="no tree to measure on"):
        evaluate(model, [])


# --- what is written


def _labelling() -> Labelling:
    tree = label_nodes(Tree.fromstring("(? (? a) (? (? b) (? c)))"))
    chances = np.eye(5, dtype=np.float32)[[2, 2, 4, 3, 0]] * 0.75 + 0.05
    return Labelling(tree, GRADES, chances)


def test_brackets_and_json() -> None:
    one = _labelling()
    assert format_labelling(one) == "(0 (2 a) (3 (2 b) (4 c)))"
    assert format_labelling(one, probabilities=True) == "(0:0.80 (2:0.80 a) (3:0.80 (2:0.80 b) (4:0.80 c)))"
    record = json.loads(format_labelling(one, "json", line=7))
    assert (record["line"], record["words"], record["label"], record["probability"]) == (7, ["a", "b", "c"], "0", 0.8)
    assert [(node["start"], node["end"], node["label"]) for node in record["nodes"]] == [
        (0, 1, "2"),
        (1, 2, "2"),
        (2, 3, "4"),
        (1, 3, "3"),
        (0, 3, "0"),
    ]
    assert record["nodes"][0]["probabilities"] == {"0": 0.05, "1": 0.05, "2": 0.8, "3": 0.05, "4": 0.05}
    assert json.loads(format_labelling(None, "json"))["nodes"] == []
    assert (format_labelling(None), format_labelling(None, "pretty")) == ("", "")
    with pytest.raises(InputError, match="'xml'"):
        format_labelling(one, "xml")


def test_drawings_are_coloured_by_class() -> None:
    one = _labelling()
    plain = format_labelling(one, "pretty")
    assert plain.splitlines()[0].strip() == "0" and "\x1b" not in plain
    painted = format_labelling(one, "pretty", colour=True)
    assert painted.count("\x1b[0m") == 5
    for width in (None, 8):  # upright, and indented
        painted, plain = (format_labelling(one, "pretty", width=width, colour=colour) for colour in (True, False))
        assert re.sub("\x1b\\[[0-9;]*m", "", painted) == plain
    assert one._repr_svg_() == format_labelling(one, "svg")  # what a notebook shows
    root = ElementTree.fromstring(format_labelling(one, "svg", probabilities=True))
    texts = {text.text: text.get("fill") for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert texts["0:0.80"] == "#c0392b" and texts["4:0.80"] == "#0b6e99" and texts["2:0.80"] == "#787878"
    assert texts["a"] is None


def test_the_sample_is_what_it_says() -> None:
    trees = labelled_trees([str(corpora.path("opinions"))])
    assert len(trees) == 54
    assert {label for tree in trees for label in tree.labels} == set(GRADES)
    assert min(map(len, trees)) == 2
