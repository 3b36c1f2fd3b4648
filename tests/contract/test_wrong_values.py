"""What is given in Python and is of the wrong kind ends in an InputError that says so, and changes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nltk.tree import Tree

import seqtree
from seqtree import classification, parsing, tagging
from seqtree.classification.config import ClassifierNetworkConfig
from seqtree.classification.model import Classifier
from seqtree.corpora import path
from seqtree.errors import InputError
from seqtree.images.generated import digits
from seqtree.images.model import ImageClassifier
from seqtree.language.config import SamplingSettings
from seqtree.language.model import LanguageModel
from seqtree.masked.config import MaskedNetworkConfig
from seqtree.masked.model import MaskedLanguageModel
from seqtree.parsing.model import Parser
from seqtree.phrases import PhraseVectors, learn_vectors, spearman
from seqtree.scenes import write_drawn
from seqtree.tagging.config import TaggerNetworkConfig
from seqtree.tagging.model import Chunker, Tagger
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.text.sentences import read_sentences
from seqtree.treebank.binary import binarise
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.plain import read_words
from seqtree.treebank.sources import normalised_trees, words_of
from seqtree.trees.config import TreeNetworkConfig
from seqtree.trees.model import TreeClassifier

SMALL = {"words": 4, "characters": 4, "hidden": 4, "layers": 1}
LEXICON = Lexicon.build({"the": 2, "cat": 2})
PAIRS = Tree("S", [("the", "DT"), Tree("NP", [("cat", "NN")])])  # as of NLTK's chunkers
BRACKETS = "(S (NP the) (VP sat))"
A_STRING, A_PAIR = r"expected an nltk.Tree, not a str: '\(S ", r"leaves of a tree are words, not \('the', 'DT'\)"
ONE_TEXT, ONE_SENTENCE = "expected several texts, not one string", "a sentence is a sequence of words, not one string"
NO_TEXT = "expected a text, that is one string, not {}"
NO_SEED = "seed {}: expected a whole number"


def _parser() -> Parser:
    shape = {**SMALL, "vector": 4, "scorer": 4}
    return Parser.untrained([Tree.fromstring("(S (NP (DT the) (NN cat)) (VP (VBD sat)))")], **shape)


def _vectors() -> PhraseVectors:
    return PhraseVectors(_parser())


def _tagger() -> Tagger:
    tags, none = LabelSet(["O", "B-NP", "I-NP"]), LabelSet[str]([])
    return Tagger.over(LEXICON, tags, none, "iob2", TaggerNetworkConfig(**SMALL), 1, [("the", "cat")]).to()  # type: ignore[arg-type]


def _classifier() -> Classifier:
    names, config = LabelSet(["a", "b"]), ClassifierNetworkConfig(**SMALL)  # type: ignore[arg-type]
    return Classifier.over(LEXICON, names, "word", False, config, 1, [["the", "cat"]]).to()


def _trees() -> TreeClassifier:
    return TreeClassifier.over(LEXICON, LabelSet(["0", "1"]), TreeNetworkConfig(words=4, vector=4)).to()


def _model(**options: Any) -> LanguageModel:
    return LanguageModel.untrained("the cat", **{"hidden": 4, "embedding": 3, **options})


def _masked() -> MaskedLanguageModel:
    config = MaskedNetworkConfig(words=6, characters=5, hidden=4, layers=1, dropout=0.0, word_dropout=0.0)
    return MaskedLanguageModel.over(LEXICON, config).to()


def _images() -> ImageClassifier:
    return ImageClassifier.untrained(digits(10), tuple("0123456789"), plan="pool 4, full 5")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: normalise(BRACKETS), A_STRING),
        (lambda: binarise(BRACKETS), A_STRING),
        (lambda: words_of(BRACKETS), A_STRING),
        (lambda: normalise(PAIRS), A_PAIR),
        (lambda: binarise(PAIRS), A_PAIR),
        (lambda: binarise(PAIRS[1]), r"are words, not \('cat', 'NN'\)"),
        (lambda: words_of(PAIRS), A_PAIR),
        (lambda: Parser.untrained([PAIRS], **SMALL), A_PAIR),
        (lambda: Parser.untrained([BRACKETS], **SMALL), A_STRING),
        (lambda: parsing.evaluate(_parser(), [BRACKETS]), A_STRING),
        (lambda: _trees().label(BRACKETS), A_STRING),
        (lambda: _trees().label(PAIRS), A_PAIR),
        (lambda: _vectors().vectors([PAIRS]), "expected texts, as strings or Phrases, not Tree"),
        (lambda: _vectors().vectors("the cat"), ONE_TEXT),
        (lambda: _vectors().unknown("the cat"), ONE_TEXT),
        (lambda: list(_classifier().scores("the cat")), ONE_TEXT),
        (lambda: Chunker(_tagger()).parse("the cat"), ONE_SENTENCE),
        (lambda: learn_vectors(["the cat", "a dog"], width=1, min_count=1), ONE_SENTENCE),
        (lambda: learn_vectors("the cat", width=1, min_count=1), "expected several sentences, not one string"),
        (lambda: learn_vectors([["the", "cat"]], width=0, min_count=1), "width 0: expected at least 1"),
        (lambda: spearman([1.0, float("nan")], [1, 2]), "NaN, which is no number, has no rank"),
        (lambda: tagging.evaluate(_tagger(), []), "no sentences to measure the tagger on"),
        (lambda: classification.evaluate(_classifier(), []), "no texts to measure the classifier on"),
        (lambda: _images().predict([[[0]]]), r"as one array \(N, height, width\), not a list"),
        (lambda: _model(seed=1.7), NO_SEED.format(1.7)),
        (lambda: _model(seed=None), NO_SEED.format(None)),
        (lambda: Parser.untrained([], seed="a", **SMALL), NO_SEED.format("'a'")),
        (lambda: _model().samples("t", SamplingSettings(5), [-1]), "seed -1: expected at least 0"),
        (lambda: _model().samples("t", SamplingSettings(5), [None]), NO_SEED.format(None)),
        (lambda: _model(bidirectional=True).fill(None), NO_TEXT.format("NoneType")),
        (lambda: _model(bidirectional=True).fill(b"ab"), NO_TEXT.format("bytes")),
        (lambda: _masked().fill(5), NO_TEXT.format("int")),
        (lambda: _tagger().tag(None), "a sentence is a sequence of words, not NoneType"),
        (lambda: _tagger().tag(5), "a sentence is a sequence of words, not int"),
        (lambda: _parser().parse(None), "a sentence is a sequence of words, not NoneType"),
        (lambda: list(_classifier().scores(5)), "expected several texts, not int"),
        (lambda: list(_classifier().scores(b"ab")), "expected several texts, not bytes"),
        (lambda: _classifier().prob_classify_many("the cat"), ONE_TEXT),
        (lambda: _parser().parse_sents("the cat"), "expected several sentences, not one string"),
        (lambda: _parser().parse_sents(None), "expected several sentences, not NoneType"),
        (lambda: _parser().parses("the cat"), "expected several sentences, not one string"),
        (lambda: _tagger().tag_sents("the cat"), "expected several sentences, not one string"),
        (lambda: _tagger().taggings(5), "expected several sentences, not int"),
        (lambda: list(_trees().labellings(BRACKETS)), "expected several trees, not one string"),
        (lambda: list(read_sentences("the cat", False)), "expected several lines, not one string"),
        (lambda: _model().samples("t", SamplingSettings(5), 3), "expected several seeds, not int"),
        (lambda: _model().sample("t", 5, stop=3), "expected several stop strings, not int"),
        (lambda: list(_model().score_words(None)), "expected several pieces of text, not NoneType"),
        (lambda: _model().evaluate_files(""), "an empty name; expected a text"),
        (lambda: _model().evaluate_files(None), "expected several paths, not NoneType"),
        (lambda: list(normalised_trees([""])), "an empty name; expected trees"),
        (lambda: list(normalised_trees(None)), "expected several paths, not NoneType"),
        (lambda: seqtree.load(""), "model '': expected a path or a name"),
        (lambda: write_drawn("drawn", train=-3), "train -3: expected at least 0"),
        (lambda: seqtree.train("image", model="mlp", preset="cnn"), "--preset and --model are one option"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.parametrize("unit", ["char", "word"])
def test_a_lone_surrogate_is_refused_wherever_a_language_model_reads(unit: str) -> None:
    one_way, both_ways = (_model(unit=unit, bidirectional=both) for both in (False, True))
    text = "the \ud800 cat"
    for call in (
        lambda: one_way.perplexity(text),
        lambda: one_way.score(text),
        lambda: list(one_way.score_lines(text)),
        lambda: list(one_way.score_lines([text], independent=True)),
        lambda: list(one_way.score_words([text])),
        lambda: one_way.next(text, unknown="map"),
        lambda: one_way.sample(text, 5, unknown="skip"),
        lambda: both_ways.fill(f"{text} ____"),
    ):
        with pytest.raises(InputError, match=r"character 4 of the text is the lone surrogate U\+D800"):
            call()


def test_seeds_may_come_one_by_one() -> None:
    model, settings = _model(), SamplingSettings(3)
    assert list(model.samples("t", settings, iter(range(4)))) == list(model.samples("t", settings, range(4)))


def test_one_path_is_a_source_of_words(tmp_path: Path) -> None:
    """Letter by letter, a path with a dot in it was the working folder."""
    (tmp_path / "a.txt").write_text("the cat sat\n", encoding="utf-8")
    for one in (tmp_path / "a.txt", str(tmp_path / "a.txt")):
        assert list(read_words(one)) == [["the", "cat", "sat"]]


def test_probabilities_of_many_texts_are_those_of_each() -> None:
    classifier, texts = _classifier(), ["the cat", "a cat sat"]
    many = classifier.prob_classify_many(iter(texts))
    each = [classifier.prob_classify(text) for text in texts]
    for one, other in zip(many, each, strict=True):
        assert one.prob("a") == pytest.approx(other.prob("a"), rel=1e-5)
    with pytest.raises(InputError, match="a text without a word has no classes"):
        classifier.prob_classify_many(["the cat", ""])


def test_numbers_of_numpy_are_seeds() -> None:
    model = _model(unit="word", seed=np.int64(1))
    assert model.to_nltk().generate(3, random_seed=np.int64(2)) == model.to_nltk().generate(3, random_seed=2)


def test_a_network_for_images_has_two_names_as_on_the_command_line(tmp_path: Path) -> None:
    for name, out in (("model", "a"), ("preset", "b")):
        seqtree.train("image", epochs=0.02, out=tmp_path / out, progress=False, **{name: "mlp"})
    one, other = ((tmp_path / out / "model.safetensors").read_bytes() for out in "ab")
    assert one == other


def test_training_leaves_the_number_of_threads_as_it_was(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        seqtree.train("lm", path("lighthouse"), preset="tiny", epochs=0.01, threads=1, out=tmp_path, progress=False)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_table_that_may_be_the_models_own_cannot_be_written() -> None:
    table = _vectors().words.table
    with pytest.raises(ValueError, match="read-only"):
        table /= 2.0
