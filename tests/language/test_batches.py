"""Some words are unknown to a step of training, so that a model of words knows when to expect an unknown one."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import lm_recipe, train

from seqtree import LanguageModel
from seqtree.language.batches import PADDING, LineBatches, StreamBatches
from seqtree.language.config import StreamBatchSettings
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_text, vocabulary_of
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

EPOCHS = 20


def _text(lines: int = 100, kinds: int = 5) -> str:
    """In each line of ten words the last one occurs only there."""
    chosen = random.Random(0)
    return "".join(
        " ".join([*(f"w{chosen.randrange(kinds)}" for _ in range(9)), f"once{line}"]) + "\n" for line in range(lines)
    )


def _encoded(text: str, **settings: Any) -> tuple[TokenStream, Vocabulary]:
    how = TextSettings(**settings)
    vocabulary = vocabulary_of([text], how)
    return encode_text(text, vocabulary, how), vocabulary


def _seen(batches: StreamBatches | LineBatches, epochs: int = EPOCHS) -> list[np.ndarray]:
    return [batches.batch(epoch, step) for epoch in range(epochs) for step in range(batches.steps_per_epoch)]


def _both(stream: TokenStream, vocabulary: Vocabulary, **shape: Any) -> list[StreamBatches | LineBatches]:
    how = StreamBatchSettings(**{"batch": 2, "window": 10, **shape})
    return [StreamBatches(stream, vocabulary, how, 0), LineBatches(stream, vocabulary, how, 0)]


@pytest.mark.parametrize("dropout", [0.2, 0.8, 5.0])
def test_a_word_is_unknown_as_often_as_asked_for(dropout: float) -> None:
    stream, vocabulary = _encoded(_text(), unit="word")
    counts = Counter(stream.ids.tolist())
    for batches, plain in zip(
        _both(stream, vocabulary, word_dropout=dropout), _both(stream, vocabulary, word_dropout=0.0), strict=True
    ):
        known, replaced = Counter[int](), Counter[int]()
        for some, all_known in zip(_seen(batches), _seen(plain), strict=True):
            assert (some[some != all_known] == vocabulary.unknown).all()
            known.update(all_known[all_known != PADDING].tolist())
            replaced.update(all_known[some != all_known].tolist())
        assert not {vocabulary.start, vocabulary.end} & set(replaced)
        for count in set(counts.values()):
            words = [word for word in counts if counts[word] == count and word != vocabulary.end]
            share = sum(replaced[word] for word in words) / max(1, sum(known[word] for word in words))
            assert share == pytest.approx(dropout / (dropout + count) if words else 0, abs=0.05)


def test_other_words_are_left_out_at_every_step_and_the_same_ones_again() -> None:
    stream, vocabulary = _encoded(_text(), unit="word")
    for batches, again in zip(_both(stream, vocabulary), _both(stream, vocabulary), strict=True):
        first = _seen(batches)
        assert all(np.array_equal(one, other) for one, other in zip(first, _seen(again), strict=True))
        known = {vocabulary.tokens[i] for batch in first for i in batch.flatten().tolist() if i != PADDING}
        assert known == set(vocabulary.tokens) - {"<s>"} | ({"<s>"} if isinstance(batches, StreamBatches) else set())


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (_text(), {"unit": "char"}),
        ("<unk> " + _text(), {"unit": "word"}),  # it has its own
        (_text(), {"unit": "word", "min_count": 2}),
        (_text(90), {"unit": "word"}),  # so few words tell nothing
    ],
)
def test_texts_that_are_read_as_they_are(text: str, settings: dict[str, Any]) -> None:
    stream, vocabulary = _encoded(text, **settings)
    plain = _both(stream, vocabulary, word_dropout=0.0)
    for batches, same in zip(_both(stream, vocabulary, word_dropout=9.0), plain, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(_seen(batches, 3), _seen(same, 3), strict=True))


def test_the_classes_and_the_padding_of_lines_stay_as_they_are() -> None:
    """Classes have numbers that are also those of words."""
    text = "a a\nb\n" * 200 + "a a a b once\nb a\n"
    stream, vocabulary = _encoded(text, unit="word")
    once = vocabulary.index("once")
    labels = np.array([once, 1] * 200 + [once, 0])
    labelled = TokenStream(stream.ids, stream.characters, stream.bytes, 0, labels)
    found = _seen(LineBatches(labelled, vocabulary, StreamBatchSettings(2, 4, 9.0), 0), 30)
    assert {int(number) for batch in found for number in batch[:, 0]} == {0, 1, once}
    words = np.concatenate([batch[:, 1:].flatten() for batch in found])
    assert {PADDING, vocabulary.unknown, once} <= set(words.tolist())


def test_a_model_of_words_learns_when_to_expect_one_that_it_does_not_know(tmp_path: Path) -> None:
    """The tenth word of each line is one that it never met."""
    file, unseen = tmp_path / "text.txt", "w1 w2 w0 w3 w4 w1 w2 w3 w0 unseen"
    file.write_text(_text(300), encoding="utf-8")
    surprisals = {}
    for dropout in (0.0, 0.8):
        out = tmp_path / str(dropout)
        train(lm_recipe(out, file, unit="word", word_dropout=dropout, epochs=8.0, hidden=24, learning_rate=2e-2))
        scores = LanguageModel.load(out).score(unseen)
        assert [score.unknown for score in scores] == [False] * 9 + [True]
        surprisals[dropout] = scores[-1].surprisal
    assert surprisals[0.8] < 2 < 6 < surprisals[0.0]
