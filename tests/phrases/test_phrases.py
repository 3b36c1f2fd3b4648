"""Vectors of phrases: each kind of model against a slow reading, what phrases are, near ones, agreement, files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nltk.tree import Tree

from seqtree import corpora
from seqtree.classification.config import ClassifierNetworkConfig
from seqtree.classification.model import Classifier
from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.model import Model
from seqtree.parsing.model import Parser
from seqtree.phrases import (
    Phrase,
    PhraseVectors,
    constituents,
    cosine,
    evaluate,
    export,
    nearest,
    neighbours,
    project,
    readings,
    spearman,
)
from seqtree.phrases.phrase import read_phrases
from seqtree.phrases.readers import Reader
from seqtree.phrases.similarity import ScoredPair, read_pairs
from seqtree.phrases.vectors import distinctive
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.text.sentences import penn_tokens
from seqtree.text.vectors import VectorFile
from seqtree.treebank.labelled import labelled_trees, unlabelled
from seqtree.treebank.sources import normalised_trees
from seqtree.trees.config import TreeNetworkConfig
from seqtree.trees.model import TreeClassifier

TEXT = "the cat sat on the mat\na dog ran to the old man\n"
TEXTS = ("the cat", "cat", "the old dog ran to a mat", "a man")


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser.load("default")


def _language_model(**shape: Any) -> LanguageModel:
    return LanguageModel.untrained(TEXT, **{"unit": "word", "hidden": 5, "embedding": 4, "layers": 2, **shape})


def test_the_cosine_of_tiny_and_of_huge_vectors() -> None:
    for size in (1e-14, 1e30):
        assert cosine(np.array([size, 0]), np.array([size, size])) == pytest.approx(math.sqrt(0.5))
    assert cosine(np.zeros(2), np.ones(2)) == 0.0


def _toy(**shape: Any) -> Parser:
    network = {"words": 6, "characters": 5, "hidden": 4, "layers": 1, "vector": 6, "scorer": 4, **shape}
    return Parser.untrained(normalised_trees([str(corpora.path("toy"))])[:30], **network)


def _classes(composition: str) -> TreeClassifier:
    trees = labelled_trees([str(corpora.path("opinions"))])
    words = Lexicon.build({word: 1 for tree in trees for word in tree.words})
    config = TreeNetworkConfig("none", words=6, characters=0, composition=composition, vector=8)
    return TreeClassifier.over(words, LabelSet(["0", "1", "2"]), config, seed=2).to()


def _all(vectors: PhraseVectors, texts: Any = TEXTS) -> np.ndarray:
    found = vectors.vectors(texts)
    assert all(vector is not None for vector in found)
    return np.array(found)


@pytest.mark.parametrize("composition", ["tanh", "relu", "max", "lstm", "rntn"])
def test_a_parser_gives_the_root_of_its_tree(composition: str) -> None:
    parser = _toy(composition=composition)
    network = parser.network.eval()
    for text, vector in zip(TEXTS, _all(PhraseVectors(parser, "phrases")), strict=True):
        words = penn_tokens(text, parser.lexicon.words)
        (parse,) = parser.parses([words])
        assert parse is not None
        with torch.no_grad():
            batch = parser._encoded([words])[0]
            nodes = {(i, i + 1): leaf[None] for i, leaf in enumerate(network.encode(batch).leaves.float())}
            for start, split, end in parse.binary.merges:
                nodes[start, end] = network.composition(nodes[start, split], nodes[split, end])
            root = network.composition.output(nodes[0, len(words)])[0]
        np.testing.assert_allclose(vector, root.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("composition", ["lstm", "tanh"])
def test_a_tree_classifier_gives_what_its_classes_are_read_from(composition: str, parser: Parser) -> None:
    model = _classes(composition)
    texts = ("The soup was wonderful", "not bad", "film")
    parses = list(parser.parses([penn_tokens(text) for text in texts]))
    trees = [unlabelled(parse.binary) for parse in parses if parse]
    expected = [labelling.probabilities[-1] for labelling in model.labellings(trees)]
    for given in (texts, [Phrase(text, tree=tree) for text, tree in zip(texts, trees, strict=True)]):
        vectors = torch.from_numpy(_all(PhraseVectors(model, "phrases", lambda: parser), given))
        with torch.no_grad():
            chances = model.network.output(vectors).softmax(dim=1).numpy()
        np.testing.assert_allclose(chances, expected, rtol=1e-4)


@pytest.mark.parametrize("shape", [{}, {"cell": "gru", "bidirectional": True}, {"unit": "char"}, {"one_hot": True}])
def test_a_language_model_gives_the_mean_of_its_states(shape: dict[str, Any]) -> None:
    model = _language_model(**shape)
    network, unit = model.network.eval(), model.vocabulary.unit
    for text, vector in zip(TEXTS, _all(PhraseVectors(model, "phrases")), strict=True):
        ids = model.vocabulary.encode(text.split() if unit == "word" else text).tolist()
        directions = [(network.recurrent, ids)]
        if shape.get("bidirectional"):
            directions.append((network.backward_recurrent, ids[::-1]))
        means = []
        for layers, tokens in directions:
            state, outputs = None, []
            for token in [model.vocabulary.start, *tokens]:  # one at a time; in training, too, <s> is at both ends
                output, state = layers(network.embed(torch.tensor([[token]])), state)
                outputs.append(output[0, 0].detach().numpy())
            means.append(np.mean(outputs[1:], axis=0))
        np.testing.assert_allclose(vector, np.concatenate(means), rtol=1e-4, atol=1e-6)


def test_words_are_the_embedding_without_what_all_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtree.phrases.vectors.MANY", 5)
    model = _language_model()
    table = model.network.embedding.weight.detach().numpy()[3:]  # without <unk>, <s> and </s>
    table = table - table.mean(axis=0)
    first = np.linalg.svd(table)[2][0]
    table = table - np.outer(table @ first, first)
    vectors = PhraseVectors(model)
    ids = model.vocabulary.encode(["cat", "dog", "the"]) - 3
    np.testing.assert_allclose(_all(vectors, ["cat", "Dog"]), table[ids[:2]], rtol=1e-5, atol=1e-6)
    bag = PhraseVectors(model, "words")
    np.testing.assert_allclose(_all(bag, ["the cat unicorn"])[0], (table[ids[0]] + table[ids[2]]) / 2, atol=1e-6)
    assert vectors.vectors(["cat", "unicorn"])[1] is None and bag.vectors([""]) == [None]
    assert vectors.unknown(["the Cat and a unicorn", "unicorn"]) == ["and", "unicorn"]
    one, other = _all(vectors, ["the cat", "cat"])  # a phrase among them: all are read as phrases
    assert len(one) == len(other) == 5 and len(_all(vectors, ["cat"])[0]) == 4


def test_few_words_and_short_vectors_stay_as_they_are() -> None:
    random = np.random.default_rng(0)
    for words, numbers in ((2, 9), (99, 9), (1000, 3)):
        table = random.normal(size=(words, numbers)).astype(np.float32)
        assert distinctive(table) is table
    many = random.normal(size=(100, 9)).astype(np.float32) + 5
    assert np.abs(distinctive(many).mean(axis=0)).max() < 1e-5


def test_a_file_s_words_may_be_of_several_parts(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("New York 1 2 3\nold_man 4 5 6\nman 7 8 9\n")
    vectors = PhraseVectors.load(tmp_path / "v.txt", "words")
    found = _all(vectors, [" New  York", "old man", "old_man", "the man"])
    assert found.tolist() == [[1, 2, 3], [4, 5, 6], [4, 5, 6], [7, 8, 9]]
    assert vectors.unknown(["New York", "old man", "young man"]) == ["young"]


def test_what_the_words_of_a_file_have_in_common(tmp_path: Path) -> None:
    """Its words count, from a hundred on, and nothing else: not rows that the file does not have."""
    table = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32) + 3
    for count in (99, 100):
        lines = "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(table[:count].tolist()))
        (tmp_path / "v.txt").write_text(lines)
        vectors = PhraseVectors.load(tmp_path / "v.txt")
        expected = distinctive(table) if count == 100 else table[:99]
        np.testing.assert_allclose(_all(vectors, [f"w{i}" for i in range(count)]), expected, atol=1e-5)


def test_special_words_are_known_where_a_file_has_vectors_of_them(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("<unk> 1 2 3\ns 4 5 6\n</s> 7 8 9\n")
    vectors = PhraseVectors.load(tmp_path / "v.txt", "words")
    assert vectors.vocabulary == ("<unk>", "s", "</s>")
    assert _all(vectors, ["<unk>", "</s>", "<UNK>"]).tolist() == [[1, 2, 3], [7, 8, 9], [1, 2, 3]]
    model = PhraseVectors(_language_model())
    for one in (vectors, model):
        assert one.vectors(["<s>"]) == [None] and one.unknown(["a <s>", "<s>"])[-1] == "<s>"
    assert model.vectors(["<unk>"]) == [None] and model.unknown(["<unk>"]) == ["<unk>"]


def test_words_of_a_file_are_found_whole_in_lower_case(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("don't 1 2\nNew_York 3 4\nnew_town 5 6\n10\u00a0000 7 8\n", encoding="utf-8")
    vectors = PhraseVectors.load(tmp_path / "v.txt", "words")
    assert _all(vectors, ["Don't", "DON'T", "New York", "New Town", "10\u00a0000"]).tolist() == [
        [1, 2], [1, 2], [3, 4], [5, 6], [7, 8]
    ]  # fmt: skip
    assert vectors.unknown(["new york", "Don't"]) == ["new", "york"]


def test_other_models_give_their_words() -> None:
    classes = LabelSet(["a", "b"])
    words = Lexicon.build({"the": 2, "cat": 1})
    shape = ClassifierNetworkConfig(words=5, characters=0, ngrams=0, character_ngrams=0)
    model = Classifier.over(words, classes, "word", True, shape).to()
    for level in ("words", "phrases"):
        assert _all(PhraseVectors(model, level), ["The CAT", "cat"]).shape == (2, 5)
    bare = ClassifierNetworkConfig(words=0, characters=4, ngrams=0, character_ngrams=0)
    with pytest.raises(InputError, match="--words 0 has no word vectors"):
        PhraseVectors(Classifier.over(words, classes, "word", True, bare)).vectors(["the cat"])
    with pytest.raises(InputError, match="over characters has no word vectors"):
        PhraseVectors(_language_model(unit="char"), "words").vectors(["cat"])
    assert _all(PhraseVectors(_language_model(unit="char")), ["cat"]).shape == (1, 5)

    class Other(Model[Any]):
        kind = "other"

    with pytest.raises(InputError, match="expected a model that reads words, not one of the kind other"):
        PhraseVectors(Other()).vectors(["the cat"])
    with pytest.raises(InputError, match="as 'letters': expected one of"):
        PhraseVectors(model, "letters")


def test_constituents_have_their_own_trees() -> None:
    tree = Tree.fromstring(
        "(S (NP-SBJ (DT the) (NN cat) (NN box)) (VP (VBD sat) (PP (IN on) (NP (NN it)))) (-NONE- *))"
    )
    found = list(constituents(tree))
    assert {(one.text, one.label) for one in found} == {
        ("the cat box sat on it", "S"),
        ("the cat box", "NP"),
        ("sat on it", "VP"),
        ("on it", "PP"),
    }
    for one in found:
        assert one.tree is not None and " ".join(one.tree.words) == one.text
        assert one.tree.spans[-1] == (0, len(one.tree.words))
    assert {one.text for one in constituents(tree, 3)} == {"the cat box", "sat on it", "on it"}
    parser = _toy()
    assert len(_all(PhraseVectors(parser), found)) == 4


def test_phrases_of_files(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"

    def read(text: str, **options: Any) -> list[tuple[str, str | None]]:
        file.write_text(text)
        return [(one.text, one.label) for one in read_phrases(str(file), **options)]

    said: list[str] = []
    assert read("a  cat\n\nthe dog\na cat\n", warn=said.append) == [("a cat", None), ("the dog", None)]
    assert said == [f"{file}: 1 of 3 phrases stood there before, and is left out"]
    assert read("NP\ta cat\nVP\tran\n") == [("a cat", "NP"), ("ran", "VP")]
    assert read("(S (NP (DT a) (NN cat)) (VP (VBD ran)))") == [("a cat", "NP"), ("a cat ran", "S")]
    assert read("(2 (2 a) (3 cat))", max_words=2) == [("a cat", "2")]
    assert read("(yes) it is\n") == [("(yes) it is", None)]
    assert read("(S (NP (DT a) (NN cat)))", kind="lines") == [("(S (NP (DT a) (NN cat)))", None)]
    trees = tmp_path / "trees"
    trees.mkdir()
    (trees / "b.mrg").write_text("(S (NP (DT a) (NN cat)) (VP (VBD ran)))")
    assert len(list(read_phrases(str(trees / "b.mrg")))) == len(list(read_phrases(str(trees)))) == 2
    for text, said in (
        ("a cat\nNP\tb\n", "a.txt:2: expected a phrase, as before it"),
        ("NP\ta cat\nb\n", "a.txt:2: expected label<TAB>phrase, as before it"),
        ("NP\ta cat\nNP\t \n", "a.txt:2: an empty phrase beside the tab"),
        ("\n\n", "a.txt: no phrase in it"),
        ("(S (NP (DT a) (NN cat))\n", "a.txt:1: the tree that begins here is never closed"),
    ):
        with pytest.raises(InputError) as error:
            read(text)
        assert said in str(error.value)


def test_nearest_are_those_of_the_largest_cosines() -> None:
    vectors = PhraseVectors(_language_model(), "phrases")
    phrases = [Phrase(f"{one} {other}") for one in ("the", "a", "old", "cat") for other in ("man", "dog", "mat", "")]
    found = nearest(vectors.by_phrases, "the cat", iter(phrases), 5)
    table = {one.text: vector for one, vector in zip(phrases, _all(vectors, phrases), strict=True)}
    query = _all(vectors, ["the cat"])[0]
    expected = sorted(table, key=lambda text: -cosine(query, table[text]))[:5]
    assert [one.phrase.text for one in found] == expected
    assert [one.cosine for one in found] == sorted((one.cosine for one in found), reverse=True)
    assert "the man" not in [one.phrase.text for one in nearest(vectors.by_phrases, "the  man", phrases, 99)]
    with pytest.raises(InputError, match="no other phrase"):
        nearest(vectors.by_phrases, "the man", [Phrase("the man")])
    with pytest.raises(InputError, match="'unicorn': the model knows none of its words"):
        nearest(vectors.by_words, "unicorn", phrases)


def test_nearest_of_many_are_found_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of equal ones first, whatever others they are read with; few cosines are computed by themselves."""
    made = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    table = np.concatenate([made, made[:40], np.zeros((3, 6), np.float32)])
    texts = [str(i) for i in range(len(table))]

    class Table(Reader):
        def vectors(self, phrases: Iterable[Phrase]) -> Iterator[Any]:
            return (None if one.text == "50" else table[int(one.text)] for one in phrases)

    others = [(cosine(table[3], table[i]), i) for i in range(len(table)) if i not in (3, 50)]
    ranked = sorted(others, key=lambda one: -one[0])
    computed = []
    monkeypatch.setattr(neighbours, "cosine", lambda *both: computed.append(1) or cosine(*both))
    for together in (1, 7, 4096):
        monkeypatch.setattr(neighbours, "TOGETHER", together)
        for count in (1, 12, 200):
            found = nearest(Table(), "3", map(Phrase, texts), count)
            assert [(one.cosine, int(one.phrase.text)) for one in found] == ranked[:count]
    computed.clear()
    nearest(Table(), "3", map(Phrase, texts), 4)
    assert len(computed) < 20


def test_what_is_read_as_the_same_words_is_no_neighbour(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("company 1 2\nnew_town 2 1\nfirm 3 1\ntwin 1 2\n")
    file = PhraseVectors.load(tmp_path / "v.txt")

    def near(vectors: PhraseVectors, text: str, words: Any, level: str = "by_words") -> list[str]:
        return sorted(one.phrase.text for one in nearest(getattr(vectors, level), text, map(Phrase, words)))

    for text, own in (("Company", "company"), ("company", "Company"), ("new town", "new_town"), ("firm", " firm")):
        others = {"company", "new_town", "firm", "twin"} - {own, text}
        assert near(file, text, {*others, own, text}) == sorted(others)
    model = PhraseVectors(_language_model())
    for level in ("by_words", "by_phrases"):
        assert near(model, "Cat", ("cat", "dog", "CAT"), level) == ["dog"]
    trees = PhraseVectors(_classes("tanh"))
    assert near(trees, "THE Film", ("the film", "film"), "by_phrases") == ["film"]


def test_what_is_no_phrase_and_no_vector() -> None:
    words = PhraseVectors(_language_model()).by_words
    for reader, text, among, said in (
        (words, "cat", ["dog", "man"], "expected Phrases to look among, not 'dog'"),
        (words, "cat", "dog", "expected several phrases, not one string"),
        (words, 3, [Phrase("cat")], "expected a text, that is one string, not int"),
        ("lm", "cat", [Phrase("dog")], "expected what PhraseVectors.by_words or .by_phrases is, not a str"),
    ):
        with pytest.raises(InputError, match=said):
            nearest(reader, text, among)  # type: ignore[arg-type]
    for one, other, said in (
        ([1, 2], [1, 2, 3], r"vectors of shapes \(2,\) and \(3,\); expected two of one length"),
        ([[1, 2]], [[1, 2]], r"shapes \(1, 2\)"),
        ("a", "b", "expected two vectors of numbers"),
    ):
        with pytest.raises(InputError, match=said):
            cosine(one, other)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"not 'pv.txt'; PhraseVectors.load opens a file"):
        PhraseVectors("pv.txt")  # type: ignore[arg-type]


def test_rank_correlation() -> None:
    assert spearman([1, 2, 3, 4], [2, 4, 6, 9]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    first, second = [1, 2, 2, 5], [4, 1, 3, 2]  # ranks 1 2.5 2.5 4 and 4 1 3 2, their covariance by hand
    assert spearman(first, second) == pytest.approx((-2.25 - 0 + 0 - 0.75) / math.sqrt(4.5 * 5))
    assert spearman([1], [2]) is None and spearman([1, 1, 1], [1, 2, 3]) is None


def test_agreement_counts_what_is_covered() -> None:
    model = _language_model()
    pairs = [ScoredPair("cat", "dog", 9), ScoredPair("cat", "mat", 4), ScoredPair("the", "Man", 1)]
    vectors = _all(PhraseVectors(model), ["cat", "dog", "mat", "the", "man"])
    cosines = [cosine(vectors[a], vectors[b]) for a, b in ((0, 1), (0, 2), (3, 4))]
    for level in ("auto", "words"):
        found = evaluate(PhraseVectors(model, level), [*pairs, ScoredPair("cat", "unicorn", 2)])
        assert (found.pairs, found.covered, found.coverage) == (4, 3, 0.75)
        assert found.spearman == pytest.approx(spearman([9, 4, 1], cosines))
    assert evaluate(PhraseVectors(model, "phrases"), [*pairs, ScoredPair("cat", "unicorn", 2)]).covered == 3
    assert evaluate(PhraseVectors(model), [ScoredPair("x", "y", 1)]).spearman is None


def test_files_of_pairs(tmp_path: Path) -> None:
    file = tmp_path / "p.tsv"
    file.write_text("a\tb\t1.5\n\nan old man\tc\t0\n")
    assert read_pairs(str(file)) == [ScoredPair("a", "b", 1.5), ScoredPair("an old man", "c", 0)]
    for text, said in (
        ("a\tb\n", "p.tsv:1: 'a\\tb'; expected text<TAB>text<TAB>score"),
        ("word1\tword2\tscore\n", "p.tsv:1: the score 'score' is no finite number; expected text<TAB>text<TAB>score"),
        ("a\tb\t1\nc\td\t3,5\n", "p.tsv:2: the score '3,5' is no finite number; expected"),
        ("a\t\t1\n", "p.tsv:1: an empty text"),
        ("a\tb\tnan\n", "p.tsv:1: the score 'nan' is no finite number"),
        ("\n", "no pair in it"),
    ):
        file.write_text(text)
        with pytest.raises(InputError) as error:
            read_pairs(str(file))
        assert said in str(error.value)


def test_principal_components() -> None:
    rows = np.random.default_rng(3).normal(size=(40, 6)) * [5, 3, 1, 1, 0.5, 0.1] + 2
    points, share = project(rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values, directions = np.linalg.eigh(np.cov(unit.T))
    np.testing.assert_allclose(np.abs(points), np.abs((unit - unit.mean(0)) @ directions[:, [-1, -2]]), atol=1e-9)
    assert share == pytest.approx(values[-2:].sum() / values.sum())
    assert project(np.ones((3, 1)))[0].tolist() == [[0, 0]] * 3
    with pytest.raises(InputError, match="2 phrases are too few"):
        project(rows[:2])


def test_umap_says_what_it_needs() -> None:
    try:
        import umap  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r'needs umap-learn: pip install "seqtree\[umap\]"'):
            project(np.eye(5), "umap")
    else:
        points, share = project(np.random.default_rng(0).normal(size=(30, 5)), "umap")
        assert points.shape == (30, 2) and share is None


def test_exported_files_are_read_again(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    phrases = [Phrase("a"), Phrase("the old man", "NP"), Phrase("ran", "VP")]
    array, names = export(phrases, list(rows), "npy", tmp_path / "v.npy")
    assert np.array_equal(np.load(array), rows)
    assert names == tmp_path / "v.txt" and names.read_text().splitlines() == ["a", "the old man", "ran"]
    table, metadata = export(phrases, list(rows), "tsv", tmp_path / "v.tsv")
    assert np.array_equal(np.loadtxt(table, delimiter="\t", dtype=np.float32), rows)
    assert metadata == tmp_path / "v.metadata.tsv"
    assert metadata.read_text() == "phrase\tlabel\na\t\nthe old man\tNP\nran\tVP\n"
    bare = export([Phrase("a"), Phrase("b")], list(rows[:2]), "tsv", tmp_path / "w.tsv")[1]
    assert bare.read_text() == "a\nb\n"  # the Projector wants no head over a single column
    (text,) = export(phrases, list(rows), "word2vec", tmp_path / "words")
    found = dict(VectorFile.opened(text).vectors({"a", "the_old_man", "ran"}))
    assert np.array_equal(np.array(list(found.values())), rows)
    for given, where, said in (("xml", "v", "'xml'"), ("npy", "none/v", "in a folder that is there")):
        with pytest.raises(InputError, match=said):
            export(phrases, list(rows), given, tmp_path / where)
    with pytest.raises(InputError, match="nothing to export"):
        export([], [], "npy", tmp_path / "v")


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    one, other = Phrase("a"), Phrase("b")
    rows = np.ones((2, 3), np.float32)
    for phrases, vectors, said in (
        ([one, other], rows[:1], r"shape \(1, 3\); expected \(N, D\), one for each of 2 phrases"),
        ([one, other], np.ones(2), r"shape \(2,\)"),
        ([one, other], [[1.0, 2.0], [3.0]], "all of one width"),
        ([one, other], [[1, 2], [3, math.nan]], "'b': a number of its vector is not finite"),
        ([one, other], [[1, math.inf], [3, 4]], "'a': a number"),
        ([one, Phrase(" \n")], rows, "phrase 2 of 2 is empty"),
        (["a", "b"], rows, "expected Phrases to export, not 'a'"),
    ):
        for format in ("npy", "tsv", "word2vec"):
            with pytest.raises(InputError, match=said):
                export(phrases, vectors, format, tmp_path / "v")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'a' is there twice; expected each phrase once in word2vec's form"):
        export([one, Phrase("a", "NP")], list(rows), "word2vec", tmp_path / "v")
    assert not list(tmp_path.iterdir())
    assert export([one, one], list(rows), "npy", tmp_path / "v")  # rows and lines still go together


def test_readings_of_an_ambiguous_phrase(parser: Parser) -> None:
    vectors = PhraseVectors(parser)
    text = "the man with the telescope in the park"
    first, second = readings(vectors, text)
    assert first.tree.leaves() == second.tree.leaves() == text.split()
    spans = [
        {tuple(node.leaves()) for node in one.tree.subtrees() if len(node.leaves()) > 1} for one in (first, second)
    ]
    assert spans[0] != spans[1]
    assert not np.array_equal(first.vector, second.vector) and cosine(first.vector, second.vector) < 1
    assert len(readings(vectors, "cat", 3)) == 1
    with pytest.raises(InputError, match="language-model: expected a parser or a tree classifier"):
        readings(PhraseVectors(_language_model()), text)
    with pytest.raises(InputError, match="no words"):
        readings(vectors, " ")
