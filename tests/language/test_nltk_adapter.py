"""The adapter to NLTK's language models."""

from __future__ import annotations

import math
import random

import nltk.lm.api
import numpy as np
import pytest
from nltk.util import ngrams

from seqtree.errors import InputError, SeqtreeError
from seqtree.language import nltk_adapter as adapter_module
from seqtree.language.model import LanguageModel
from seqtree.language.nltk_adapter import NltkLanguageModel

TEXT = "the cat sat\non the mat\nthe dog sat\n"


@pytest.fixture(params=["word", "char"])
def model(request: pytest.FixtureRequest) -> LanguageModel:
    return LanguageModel.untrained(TEXT, unit=request.param, hidden=8, embedding=5, seed=3)


@pytest.fixture
def words() -> LanguageModel:
    return LanguageModel.untrained(TEXT, unit="word", hidden=8, embedding=5, seed=3)


def test_is_one_of_nltks(model: LanguageModel) -> None:
    adapter = model.to_nltk()
    assert isinstance(adapter, nltk.lm.api.LanguageModel) and isinstance(adapter, NltkLanguageModel)
    assert sorted(adapter.vocab) == sorted(model.vocabulary.tokens)
    assert len(adapter.vocab) == len(model.vocabulary) and adapter.vocab.unk_label == "<unk>"
    assert adapter.vocab.lookup("zebra") == "<unk>"
    assert NltkLanguageModel(model, order=4).order == 4


@pytest.mark.parametrize("context", [None, [], ["<s>"], ["t"], ["the", "cat"], ("no", "the"), ["sat", "</s>", "on"]])
def test_scores_sum_to_one(model: LanguageModel, context: list[str] | None) -> None:
    adapter = model.to_nltk()
    assert sum(adapter.score(word, context) for word in adapter.vocab) == pytest.approx(1, abs=1e-9)
    assert sum(adapter.unmasked_score(word, context) for word in adapter.vocab) == pytest.approx(1, abs=1e-9)


def test_scores_are_the_models(model: LanguageModel) -> None:
    adapter, tokens = model.to_nltk(), [row.token for row in model.score(TEXT)]
    for index, row in enumerate(model.score(TEXT)):
        assert adapter.logscore(row.token, tokens[:index]) == pytest.approx(-row.surprisal, abs=1e-5)
    assert dict(model.next("the ", k=100)) == pytest.approx(
        {word: adapter.score(word, ["the"] if model.vocabulary.unit == "word" else "the ") for word in adapter.vocab}
    )


def test_padding_is_the_start(model: LanguageModel) -> None:
    adapter = model.to_nltk()
    rest = ["t", "h"]
    for word in ("t", "the", "unseen"):
        assert adapter.score(word) == adapter.score(word, []) == adapter.score(word, ("<s>", "<s>", "<s>"))
        assert adapter.score(word, ["<s>", "<s>", *rest]) == adapter.score(word, rest)
    assert adapter.score("unseen", rest) == adapter.score("<unk>", rest)


def test_characters_read_sentence_marks_as_newlines() -> None:
    adapter = LanguageModel.untrained(TEXT, hidden=8, seed=3).to_nltk()
    assert adapter.score("</s>", ["t"]) == adapter.score("\n", ["t"])
    assert adapter.score("o", ["t", "</s>"]) == adapter.score("o", ["t", "\n"])
    assert adapter.score("t", "the ca") == adapter.score("t", list("the ca"))


def test_entropy_and_perplexity(words: LanguageModel) -> None:
    adapter = words.to_nltk()
    sentence = ["the", "cat", "sat", "</s>"]
    histories = [(*sentence[:i], sentence[i]) for i in range(4)]
    expected = np.mean([row.surprisal for row in words.score("the cat sat\n")])
    assert adapter.entropy(histories) == pytest.approx(expected, abs=1e-5)
    assert adapter.perplexity(histories) == pytest.approx(2**expected, rel=1e-5)
    assert adapter.perplexity(ngrams(["<s>", *sentence], 2)) > 1


def test_an_infinite_perplexity_is_no_error(words: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = words.to_nltk()
    monkeypatch.setattr(adapter, "logscore", lambda word, context=None: -2000.0)
    assert adapter.perplexity([("the", "cat")]) == math.inf


def test_generate(model: LanguageModel) -> None:
    adapter = model.to_nltk()
    one = adapter.generate(random_seed=1)
    assert isinstance(one, str) and adapter.generate(0) == []
    many = adapter.generate(200, text_seed=["t"], random_seed=5)
    assert many == adapter.generate(200, text_seed=["<s>", "t"], random_seed=random.Random(5))
    assert len(many) == 200 and set(many) <= set(model.vocabulary.tokens) - {"<unk>", "<s>"}
    generator = random.Random(7)
    assert [adapter.generate(3, random_seed=generator) for _ in range(2)][1] != adapter.generate(3, random_seed=7)
    with pytest.raises(InputError, match="expected 0 or more"):
        adapter.generate(-1)


def test_generated_words_have_the_scores_as_frequencies(words: LanguageModel) -> None:
    adapter, generator = words.to_nltk(), random.Random(1)
    drawn = [adapter.generate(text_seed=["the"], random_seed=generator) for _ in range(3000)]
    left = 1 - adapter.score("<unk>", ["the"]) - adapter.score("<s>", ["the"])
    for word in ("the", "cat", "</s>"):
        share = adapter.score(word, ["the"]) / left
        assert drawn.count(word) / 3000 == pytest.approx(share, abs=5 * math.sqrt(share / 3000))


def test_remembers_a_bounded_number_of_contexts(words: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_module, "MAX_CACHED_CONTEXTS", 2)
    adapter, asked = words.to_nltk(), []
    ask = words.next_distribution
    monkeypatch.setattr(words, "next_distribution", lambda ids: (asked.append(ids), ask(ids))[1])
    for context in ("the", "cat", "the", "sat", "the", "cat"):
        adapter.score("mat", [context])
    assert len(asked) == 4  # the, cat, sat, and cat again


def test_what_it_refuses(words: LanguageModel) -> None:
    adapter = words.to_nltk()
    with pytest.raises(SeqtreeError, match="already trained"):
        adapter.fit([["a"]])
    with pytest.raises(SeqtreeError, match="no counts"):
        adapter.context_counts(("the",))
    with pytest.raises(InputError, match="sequence of words"):
        adapter.score("cat", "the")
    with pytest.raises(InputError, match="order 0"):
        NltkLanguageModel(words, order=0)
    both = LanguageModel.untrained(TEXT, unit="word", hidden=8, embedding=5, bidirectional=True)
    with pytest.raises(InputError, match="bidirectional"):
        both.to_nltk()
