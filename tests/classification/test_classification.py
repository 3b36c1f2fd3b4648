"""The classifier: what it learns, how it classifies, how it is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from seqtree import corpora
from seqtree.classification.batches import words_of
from seqtree.classification.config import POOLINGS, ClassifierNetworkConfig
from seqtree.classification.evaluation import evaluate, fitted
from seqtree.classification.model import Classifier
from seqtree.errors import InputError
from seqtree.text.labelled import Labelled, read_labelled
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.training.fit import train

SMALL = {"words": 8, "characters": 6, "hidden": 8, "layers": 1, "dropout": 0.0}
TEXTS = ["to be or not to be", "a sea of troubles", "sleep", "no more; and by a sleep to say we end"]


def untrained(classes: int = 3, unit: str = "word", **options: object) -> Classifier:
    words = {word: 2 for text in TEXTS for word in words_of(text, unit, False)}
    config = ClassifierNetworkConfig(**{**SMALL, **options})  # type: ignore[arg-type]
    names = LabelSet([f"class{i}" for i in range(classes)])
    texts = [words_of(text, unit, False) for text in TEXTS]
    made = Classifier.over(Lexicon.build(words), names, unit, False, config, 1, texts).to(precision="fp32")
    for parameter in made.network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    made.network.words.spelling.embedding.weight.data[-1] = 0.0  # that of padding
    return made


def test_words_keep_their_marks_and_emoji_their_parts() -> None:
    assert words_of("Don't stop-it, caf\u00e9!", "word", True) == ["don't", "stop-it", ",", "caf\u00e9", "!"]
    assert words_of("x\u00b2 \u00bd a\u200bb", "word", False) == ["x\u00b2", "\u00bd", "a", "\u200b", "b"]
    marked = ["\u0939\u093f\u0928\u094d\u0926\u0940", "cafe\u0301", "\u0645\u06cc\u200c\u062e\u0648"]
    emoji = ["\u2764\ufe0f", "\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd"]
    assert words_of(" ".join([*marked, *emoji]) + "!", "word", False) == [*marked, *emoji, "!"]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("options", [{}, {"window": 2}, {"encoder": "gru", "bidirectional": False}])
def test_a_text_alone_is_classified_as_in_a_batch(pooling: str, options: dict[str, object]) -> None:
    classifier = untrained(pooling=pooling, **options)
    together = list(classifier.classifications([*TEXTS, " \n"]))
    assert together[-1] is None
    for text, one in zip(TEXTS, together, strict=False):
        (alone,) = classifier.classifications([text])
        assert alone is not None and one is not None
        np.testing.assert_allclose(alone.probabilities, one.probabilities, atol=1e-6)
        assert (one.attention is not None) == (pooling == "attention")
        if one.attention is not None:
            assert len(one.attention) == len(one.words) == len(words_of(text, "word", False))
            assert sum(one.attention) == pytest.approx(1.0)


def test_windows_are_averaged() -> None:
    """A text of two equal halves has the vector of one of them, where each is a window."""
    classifier = untrained(window=3, ngrams=0, character_ngrams=0)
    half, both = (classifier.prob_classify(text) for text in ("to be or", "to be or to be or"))
    for name in classifier.labels():
        assert half.prob(name) == pytest.approx(both.prob(name), abs=1e-6)


def test_ngrams_by_hand() -> None:
    """Words alone: the mean over tf-idf weights of length ``SCALE``."""
    classifier = untrained(ngrams=1, character_ngrams=0)
    network = classifier.network
    network.idf.uniform_(1.0, 3.0)
    words = ["a", "sleep", "of", "a"]  # "of" is in one text only, so that it has no weight
    batch = classifier.batch([words, ["sleep"], ["of"]])
    a, sleep = (network.known.tolist().index(classifier.ngrams.hashes([word])[0][0]) for word in ("a", "sleep"))
    values = torch.tensor([(1 + np.log(2)) * float(network.idf[a]), float(network.idf[sleep])], dtype=torch.float32)
    expected = 4.0 / np.sqrt(2.0) * (values / values.norm()) @ network.grams[[a, sleep]]
    assert network._grams(batch.grams)[2].tolist() == [0.0, 0.0, 0.0]
    torch.testing.assert_close(network._grams(batch.grams)[0].detach(), expected.detach())


def test_what_is_learned(tmp_path: Path) -> None:
    report = train("classify", out=tmp_path / "run", preset="tiny", epochs=12, progress=False, device="cpu")
    assert report["accuracy"] > 0.8
    classifier = Classifier.load(tmp_path / "run")
    assert classifier.classify("will it rain tomorrow?") == "weather"
    assert classifier.classify_many(["dim the lights in the hall", ""]) == ["lights", None]
    with pytest.raises(InputError, match="expected several texts, not one string; put it in a list"):
        classifier.classify_many("dim the lights")
    assert classifier.labels() == sorted({one.label for one in read_labelled([str(corpora.path("requests"))])})
    assert classifier.scales != (1.0, 1.0)  # fitted
    assert report["loss"] < 1.0


def test_the_same_seed_gives_the_same_classifier(tmp_path: Path) -> None:
    options = {"preset": "tiny", "epochs": 1, "progress": False, "device": "cpu", "threads": 1}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("classify", out=tmp_path / name, seed=seed, **options)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_class_weights_lift_the_rare_class(tmp_path: Path) -> None:
    lines = [f"often\tsome words {i % 7}" for i in range(95)] + [f"rare\tsome words {i % 7}" for i in range(5)]
    (tmp_path / "a.tsv").write_text("\n".join(lines) + "\n")
    chances = {}
    for weights in ("none", "balanced"):
        options = {"class_weights": weights, "epochs": 15, "valid_share": 0.0, "preset": "tiny"}
        train("classify", tmp_path / "a.tsv", out=tmp_path / weights, progress=False, device="cpu", **options)
        chances[weights] = Classifier.load(tmp_path / weights).prob_classify("some words 1").prob("rare")
    assert chances["none"] < 0.2
    assert 0.3 < chances["balanced"] < 0.7


def test_what_is_measured() -> None:
    classifier = untrained()
    said = classifier.classify_many(TEXTS)
    wrong = next(name for name in classifier.labels() if name != said[0])
    items = [Labelled(str(label), text, f"line {i}") for i, (label, text) in enumerate(zip(said, TEXTS, strict=True))]
    assert evaluate(classifier, items).accuracy == 1.0
    measured = evaluate(classifier, [items[0]._replace(label=wrong), *items[1:]])
    assert measured.accuracy == 0.75
    assert sum(map(sum, measured.confusion)) == measured.items == 4
    chances = [classifier.prob_classify(text) for text in TEXTS]
    labels = [wrong, *said[1:]]
    expected = -np.mean([np.log(chance.prob(label)) for chance, label in zip(chances, labels, strict=True)])
    assert measured.loss == pytest.approx(expected, abs=1e-5)


def test_what_is_rejected() -> None:
    classifier = untrained()
    found = list(classifier.classifications(TEXTS))
    best = sorted(one.probability for one in found if one)
    reject = (best[1] + best[2]) / 2
    assert [one.label is None for one in classifier.classifications(TEXTS, reject) if one] == [
        one.probability < reject for one in found if one
    ]
    items = [Labelled("strange", text, f"line {i}") for i, text in enumerate(TEXTS)]
    measured = evaluate(classifier, items, reject)
    assert (measured.rejected, measured.accuracy) == (2, 0.5)
    for wrong in (float("nan"), -0.1, 1.5):
        with pytest.raises(InputError, match="expected a probability, from 0 to 1"):
            classifier.classifications(TEXTS, wrong)
        with pytest.raises(InputError, match="expected a probability, from 0 to 1"):
            evaluate(classifier, items, wrong)
    with pytest.raises(InputError, match="line 0: the classifier does not know the label 'strange'; expected one of"):
        evaluate(classifier, items)


def test_macro_f1_by_hand() -> None:
    from seqtree.classification.evaluation import _measured

    chances = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]  # predicted 0 0 1 1; nothing is ever 2
    measured = _measured(chances.clip(1e-6), np.array([0, 1, 1, 1]), ("a", "b", "c"), 0.0, 1.0)
    assert measured.accuracy == 0.75
    assert measured.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)  # F1 of 0 and of 1


def test_the_scales_that_fit() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 5)) * 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(5, p=row) for row in chances])
    assert fitted(logits[None] * 3, labels) == [pytest.approx(1 / 3, rel=0.1)]
    assert fitted(logits[None] / 2, labels) == [pytest.approx(2, rel=0.1)]
    noise = generator.normal(size=logits.shape)
    part = generator.normal(size=logits.shape)
    both = np.stack([3 * (logits - part), part / 2])  # 1/3 and 2 times these are the logits
    assert fitted(both, labels) == [pytest.approx(1 / 3, rel=0.1), pytest.approx(2, rel=0.1)]
    useful, useless = fitted(np.stack([logits, noise]), labels)
    assert useful == pytest.approx(1, rel=0.1) and useless == pytest.approx(0, abs=0.05)
    assert fitted(np.stack([logits, logits - 5 * noise]), labels)[1] >= 0.0


def test_scales_stay_within_bounds() -> None:
    right, labels = np.eye(3)[None, [0, 1, 2] * 1000] * 0.01, np.array([0, 1, 2] * 1000)
    assert fitted(right, labels) == [20.0]
    assert fitted(right * 1000, np.roll(labels, 1)) == [pytest.approx(0.001)]  # all wrong


def test_few_texts_say_little_about_a_scale() -> None:
    right, labels = 5 * np.eye(3)[None, [0, 1, 2] * 7], np.array([0, 1, 2] * 7)
    assert 1.0 < fitted(right, labels)[0] < 1.5  # not as sure as may be, although all are right
    assert fitted(np.concatenate([right, right * 0.0]), labels) == [pytest.approx(fitted(right, labels)[0]), 1.0]
    assert 0.1 < fitted(right[:, :1], np.array([1]))[0] < 1.0  # a single wrong one does not make all alike


def test_words() -> None:
    assert words_of("Don’t e-mail: 3.5 €!", "word", False) == ["Don’t", "e-mail", ":", "3", ".", "5", "€", "!"]
    assert words_of("我 们", "char", False) == ["我", "们"]
    assert words_of("ÀB", "word", True) == ["àb"]


def test_bad_use() -> None:
    classifier = untrained()
    with pytest.raises(InputError, match="a text is a string, not list"):
        classifier.classify(["a"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no classes"):
        classifier.prob_classify("")
    with pytest.raises(InputError, match="has no last state"):
        ClassifierNetworkConfig(encoder="cnn", pooling="last")
    with pytest.raises(InputError, match="two classes"):
        untrained(1)


def test_the_linear_floor() -> None:
    pytest.importorskip("sklearn")
    from seqtree.classification.baseline import linear_accuracy

    items = list(read_labelled([str(corpora.path("requests"))]))
    assert linear_accuracy(items[:150], items[150:]) > 0.8
