"""The Kneser-Ney baseline beside a dictionary, NLTK, and the sum over the vocabulary."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams
from oracles import kneser_ney

from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.language.ngram import KneserNey, compare
from seqtree.text.config import END, START, TextSettings
from seqtree.text.corpus import prepare
from seqtree.text.vocabulary import Vocabulary

WORDS = Vocabulary("word", ["<unk>", START, END, "a", "b", "c", "never"])
LETTERS = Vocabulary("char", ["<unk>", "\n", "a", "b", "c", "z"])
sentences = st.lists(st.lists(st.sampled_from(["a", "b", "c", "<unk>"]), max_size=6), min_size=1, max_size=8)


def _stream(vocabulary: Vocabulary, lines: list[list[str]]) -> np.ndarray:
    return vocabulary.encode([token for line in lines for token in [*line, END]])


@settings(max_examples=60)
@given(sentences, sentences, st.integers(1, 5))
def test_words_equal_the_oracle(training: list[list[str]], text: list[list[str]], order: int) -> None:
    model = KneserNey(_stream(WORDS, training), WORDS, order)
    padded = [[[START, *line, END] for line in lines] for lines in (training, text)]
    expected = kneser_ney(*padded, order, len(WORDS), START)
    np.testing.assert_allclose(model.probabilities(_stream(WORDS, text)), expected, rtol=1e-12)


@settings(max_examples=60)
@given(st.text("abc\n", min_size=1, max_size=40), st.text("abcz\n", max_size=20), st.integers(1, 6))
def test_characters_equal_the_oracle(training: str, text: str, order: int) -> None:
    model = KneserNey(LETTERS.encode(training), LETTERS, order)
    expected = kneser_ney(["\n" + training], ["\n" + text], order, len(LETTERS), None)
    np.testing.assert_allclose(model.probabilities(LETTERS.encode(text)), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("context", [[], ["a"], ["b", "a"], ["c", "c", "c"], ["a", END, "a"], ["<unk>", "never"]])
def test_probabilities_sum_to_one(order: int, context: list[str]) -> None:
    lines = [list(line) for line in ("abcab", "ab", "cab", "aab", "b", "ccaab", "abcabc")]
    model = KneserNey(_stream(WORDS, lines), WORDS, order)
    prefix = WORDS.encode(context).tolist()
    distribution = np.array([model.probabilities([*prefix, token])[-1] for token in range(len(WORDS))])
    assert distribution.min() > 0
    assert distribution.sum() == pytest.approx(1, abs=1e-12)


def test_equals_nltk_where_definitions_coincide() -> None:
    """NLTK: one discount for all orders above one, none at order one, and so no share for the unseen there.

    It counts the tokens after a context by all that was seen, where the formula counts those that have something to
    their left, and gives n-grams at the start of a sentence no counts of their own: one stream without padding, whose
    first tokens come again behind others, has neither case.
    """
    text = "\nabcabacbb\nabbca\ncabab\nacb\nbac\nab\nabc\ncab\nab"
    for order in (2, 3, 4):
        mine = KneserNey(LETTERS.encode(text[1:]), LETTERS, order, discounts=[0.0] + [0.3] * (order - 1))
        theirs = KneserNeyInterpolated(order, discount=0.3)
        theirs.fit([everygrams(text, max_len=order)], vocabulary_text=text)
        tail = "cabbac\nba"
        expected = [theirs.score(tail[i], tuple(tail[max(0, i - order + 1) : i])) for i in range(order, len(tail))]
        np.testing.assert_allclose(mine.probabilities(LETTERS.encode(tail))[order:], expected, rtol=1e-12)


def test_no_context_beyond_the_sentence() -> None:
    model = KneserNey(_stream(WORDS, [["a", "b"], ["c"], ["a", "b"], ["c"]]), WORDS, 3)
    after = model.probabilities(_stream(WORDS, [["a", "b"], ["c"]]))
    alone = model.probabilities(_stream(WORDS, [["c"]]))
    np.testing.assert_array_equal(after[3:], alone)


@pytest.mark.parametrize("unit", ["char", "word"])
def test_compare_measures_the_tokens_of_the_evaluation(unit: str, tmp_path: Path) -> None:
    train, text = tmp_path / "train.txt", tmp_path / "text.txt"
    train.write_bytes("the cat sat\non the mat\nthe café\n".encode("latin-1") * 3)
    text.write_bytes("the café sat\non a dog\n".encode("latin-1"))
    model = LanguageModel.untrained("the cat sat\non the mat\nthe café\n", unit=unit, hidden=4, embedding=3)
    record = compare(model, [train], [text], 3, "latin-1")
    measured = model.evaluate_files([text], "latin-1")
    stream_settings = TextSettings(unit=unit, encoding="latin-1")  # type: ignore[arg-type]
    ids = [prepare([p], stream_settings, None, 0, model.vocabulary).train.ids for p in (train, text)]
    loss = -np.log(KneserNey(ids[0], model.vocabulary, 3).probabilities(ids[1])).mean()
    assert record["loss"] == pytest.approx(loss)
    assert record["perplexity"] == pytest.approx(math.exp(loss))
    assert record["bits_per_byte"] / record["bits_per_character"] == pytest.approx(22 / 23)
    assert record["bits_per_character"] == pytest.approx(loss * measured.tokens / math.log(2) / 22)
    assert set(record) == {"order", "loss", "perplexity", "bits_per_character", "bits_per_byte", "seconds"}


def test_a_text_that_could_not_be_less_probable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text("the cat\n", encoding="utf-8")
    model = LanguageModel.untrained("the cat\n", hidden=4, embedding=3)
    monkeypatch.setattr(KneserNey, "probabilities", lambda self, ids: np.full(len(ids), 5e-324))
    record = compare(model, [tmp_path / "text.txt"], [tmp_path / "text.txt"])
    assert (record["loss"], record["perplexity"]) == (pytest.approx(744.44, abs=0.01), math.inf)


def test_bad_input() -> None:
    ids = LETTERS.encode("abc")
    for order in (0, 11):
        with pytest.raises(InputError, match="expected 1 to 10"):
            KneserNey(ids, LETTERS, order)
    for discounts in ([0.5], [0.5, 1.5]):
        with pytest.raises(InputError, match="expected 2 numbers from 0 to 1"):
            KneserNey(ids, LETTERS, 2, discounts)
    with pytest.raises(InputError, match="no token"):
        KneserNey([], LETTERS, 2)
    with pytest.raises(InputError, match="outside the vocabulary"):
        KneserNey(ids, LETTERS, 2).probabilities([len(LETTERS)])
    assert KneserNey(ids, LETTERS, 2).probabilities([]).shape == (0,)


@pytest.mark.realdata
def test_penn_treebank(data: Path) -> None:
    """Near the published perplexity of a 5-gram with Kneser-Ney smoothing, 141 on the test part (valid is harder)."""
    train, valid = data / "ptb" / "ptb.train.txt", data / "ptb" / "ptb.valid.txt"
    if not train.exists():
        pytest.skip("no Penn Treebank text there")
    corpus = prepare([train], TextSettings(unit="word"), [valid])
    assert corpus.valid is not None
    for order, perplexity in ((3, 161.4), (5, 151.4)):
        found = KneserNey(corpus.train.ids, corpus.vocabulary, order).probabilities(corpus.valid.ids)
        assert math.exp(-np.log(found).mean()) == pytest.approx(perplexity, abs=0.05)
