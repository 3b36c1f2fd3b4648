"""Masked language models: what is hidden and guessed, learned, measured and refused; and what starts from one."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_helpers import Run, caller, refused
from runs import Messages

import seqtree
from seqtree.errors import InputError
from seqtree.masked.config import MaskedNetworkConfig, MaskedRecipe, PlainTextSettings
from seqtree.masked.evaluation import MaskedEvaluation, evaluate, hidden_places
from seqtree.masked.model import BLANK, MaskedLanguageModel
from seqtree.masked.task import MaskedData, MaskedTask
from seqtree.model import Model, load
from seqtree.tasks import TASKS, named
from seqtree.text.lexicon import Known, Lexicon
from seqtree.training.fit import fit
from seqtree.treebank.plain import NumberedText

SHAPE = MaskedNetworkConfig(words=6, characters=5, hidden=4, layers=1, dropout=0.0, word_dropout=0.0)
RULES = {"sun": "shines", "dog": "barks", "cat": "sleeps", "bird": "sings"}


def _model(**shape: Any) -> MaskedLanguageModel:
    counts = {"the": 5, "dog": 4, "barks": 3, "loudly": 2, "today": 1}
    config = MaskedNetworkConfig(**{**SHAPE.to_json(), **shape})
    return MaskedLanguageModel.over(Lexicon.build(counts), config, seed=3).to(precision="fp32")


def _task(sentences: list[list[str]], **plain: Any) -> MaskedTask:
    text = NumberedText.of(sentences)
    data = MaskedData(text, np.arange(len(sentences)), [])
    settings = PlainTextSettings(**{"min_count": 1, **plain})
    return MaskedTask.over(data, MaskedRecipe(plain=settings, network=SHAPE), Messages())


def test_a_hidden_word_is_not_seen() -> None:
    """Neither the word, its spelling nor its n-grams change what is guessed; a word that is shown does."""
    model = _model(subwords=4)
    torch.nn.init.normal_(model.network.words.subwords.weight)
    place = np.array([1])

    def guessed(*words: str) -> np.ndarray:
        (found,) = model.log_probabilities([(words, place)])
        return found

    np.testing.assert_allclose(guessed("the", "dog", "barks"), guessed("the", "qqqq", "barks"), rtol=1e-6)
    assert np.abs(guessed("the", "dog", "barks") - guessed("the", "dog", "today")).max() > 1e-3
    np.testing.assert_allclose(np.exp(guessed("the", "dog", "barks")).sum(), 1, rtol=1e-5)


def test_the_most_frequent_words_are_guessed() -> None:
    model = _model(targets=3)
    assert model.targets(["the", "dog", "barks", "loudly", "unicorn", "The"]).tolist() == [0, 1, 2, -1, -1, 0]
    expected = np.log(np.array([6, 5, 4]) / 15)
    np.testing.assert_allclose(model.network.bias.detach(), expected, rtol=1e-5)


def test_a_blank_is_cut_out_of_the_whole_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Abbreviations and quotation marks beside it are read as they are anywhere else."""
    model, seen = _model(), []

    def guess(sentences: Any) -> Any:
        seen.extend(sentences)
        return [np.zeros((1, 5))]

    monkeypatch.setattr(model, "log_probabilities", guess)
    for text, words in (
        ("He met Mr. ____ today.", ["He", "met", "Mr.", BLANK, "today", "."]),
        ('He said "____" and left.', ["He", "said", "``", BLANK, "''", "and", "left", "."]),
        ("____", [BLANK]),
    ):
        model.fill(text)
        assert seen[-1][0] == words
        assert seen[-1][1].tolist() == [words.index(BLANK)]
    for wrong, blank, said in (
        ("keep____er", "____", "as a word of its own"),
        ("a _____ b", "____", "as a word of its own"),
        ("x", "", "blank is empty"),
    ):
        with pytest.raises(InputError, match=said):
            model.fill(wrong, blank=blank)


def test_words_that_the_text_lacks_are_not_guessed() -> None:
    """They come after all others, those below the smallest count before them in the order of their counts."""
    lexicon = Lexicon.build({"a": 9, "b": 2, "c": 4}, 5, Known(("z", "b", "c", "y"), ("q",)))
    assert lexicon.words.tokens[3:] == ("a", "c", "b", "y", "z")
    assert "q" in lexicon.characters
    assert len(MaskedLanguageModel.over(lexicon, SHAPE).network.bias) == 3


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        ([(["the", "dog"], np.array([2]))], "hidden place 2: expected from 0 to 1"),
        ([(["the", "dog"], np.array([0])), (["the", "dog"], np.array([-1]))], "hidden place -1: expected from 0 to 1"),
        ([([], np.array([0]))], r"expected the words of a sentence, one or more in a list, not \[\]"),
        ([("the", np.array([0]))], "in a list, not 'the'"),
        ([(["the"], np.array([0.5]))], r"hidden places of float64, shape \(1,\); expected whole numbers"),
        ([(["the"], np.array([[0]]))], r"hidden places of int64, shape \(1, 1\)"),
        ([["the"]], r"expected a sentence as \(words, places\), not \['the'\]"),
        ("the dog", "expected several sentences, not one string"),
    ],
)
def test_sentences_and_places_that_are_none(sentences: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(_model().log_probabilities(sentences))
    with pytest.raises(InputError, match="expected several words, not one string"):
        _model().targets("dog")


def test_special_words_in_a_text_are_not_guessed(tmp_path: Path) -> None:
    """Their rows stand before all words, so that the first words are guessed whether a text has them or not."""
    lexicon = Lexicon.build({"<unk>": 9, "a": 3, "</s>": 2, "b": 1}, 1, Known(("z",)))
    model = MaskedLanguageModel.over(lexicon, SHAPE)
    np.testing.assert_allclose(model.network.bias.detach(), np.log([4 / 6, 2 / 6]), rtol=1e-5)
    assert model.targets(["<unk>", "a", "</s>", "b", "z"]).tolist() == [-1, 0, -1, 1, -1]
    with pytest.raises(InputError, match="no word occurs as often"):
        MaskedLanguageModel.over(Lexicon.build({"<unk>": 9}), SHAPE)
    right = model.network.bias.detach().clone()
    model.network.bias = torch.nn.Parameter(torch.cat([right, torch.zeros(1)]))  # as files once had one for z
    model.save(tmp_path / "m.seqtree")
    assert torch.equal(MaskedLanguageModel.load(tmp_path / "m.seqtree").network.bias, right)


def test_what_is_hidden_depends_on_epoch_sentence_and_seed_alone() -> None:
    task = _task([f"the dog number {i} barks loudly today".split() for i in range(40)], mask=0.3)
    words = task.data.text.sentence(7)

    def hidden(epoch: int, row: int) -> list[bool]:
        found: list[bool] = task._hidden(words, epoch, row).tolist()
        return found

    assert hidden(2, 7) == hidden(2, 7)
    epochs, rows = [hidden(epoch, 7) for epoch in range(400)], [hidden(2, row) for row in range(400)]
    assert len({*map(tuple, epochs)}) > 30
    assert len({*map(tuple, rows)}) > 30
    assert np.mean(epochs) == pytest.approx(0.32, abs=0.03)  # one at least, which makes it a little more than .3
    task.recipe = replace(task.recipe, training=replace(task.recipe.training, seed=1))
    assert [hidden(epoch, 7) for epoch in range(9)] != epochs[:9]


def test_every_sentence_has_a_guess() -> None:
    """Also one of two words at a small share; one with none of the words that are guessed is left out."""
    task = _task([["the", "dog"]] * 30 + [["rare", "words"]], mask=0.01, min_count=5)
    assert len(task.sentences) == 30
    for step in range(task.steps_per_epoch):
        batch = task.batch(0, step)
        _, guesses = task.loss(batch)
        assert guesses == len(batch)


def test_the_loss_by_hand() -> None:
    task = _task([["the", "dog", "barks"], ["the", "sun", "shines", "today"]], mask=0.4)
    batch = np.array([[0, 1], [1, 1]])
    loss, guesses = task.loss(batch)
    text, total, count = task.data.text, 0.0, 0
    for number in (0, 1):
        places = np.flatnonzero(task._hidden(text.sentence(number), 1, number))
        (found,) = task.model.log_probabilities([(text.words(number), places)])
        targets = task.model.targets([text.words(number)[i] for i in places])
        total -= float(found[np.arange(len(places)), targets].sum())
        count += len(places)
    assert guesses == count
    assert float(loss.detach()) == pytest.approx(total / count, rel=1e-4)


def test_it_learns_what_goes_together(tmp_path: Path) -> None:
    pick = random.Random(0)
    lines = [f"today the {one} {RULES[one]} very loudly" for one in pick.choices(list(RULES), k=400)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    options = {"preset": "tiny", "hidden": 24, "epochs": 25, "threads": 1, "tokenized": True, "progress": False}
    report = seqtree.train("words", tmp_path / "text.txt", out=tmp_path / "run", valid_share=0.1, **options)
    assert report["coverage"] == 1
    model = MaskedLanguageModel.load(tmp_path / "run")
    for one, does in RULES.items():
        best, chance = model.fill(f"today the {one} ____ very loudly", k=2)[0]
        assert best == does
        assert chance > 0.5


def test_measuring_hides_every_fifth_word() -> None:
    assert hidden_places(3, 12).tolist() == [3, 8]
    assert hidden_places(3, 2).tolist() == [1]
    model = _model()
    sentences = [["the", "dog", "barks", "loudly", "today"] * 3, ["the", "zebra"]]
    measured = evaluate(model, sentences)
    assert (measured.guesses, measured.coverage) == (3, 0.75)  # the zebra is hidden, and not guessed
    (found,) = model.log_probabilities([(sentences[0], np.array([0, 5, 10]))])
    assert measured.loss == pytest.approx(-found[:, model.targets(["the"])[0]].mean(), rel=1e-5)
    with pytest.raises(InputError, match="no hidden word is one of those that the model guesses"):
        evaluate(model, [["zebra"]])


def test_shapes_that_cannot_guess() -> None:
    for wrong, said in (({"words": 0}, "words 0"), ({"encoder": "none"}, "encoder none"), ({"pairs": 3}, "pairs 3")):
        with pytest.raises(InputError, match=said):
            MaskedNetworkConfig(**{"characters": 5, **wrong})
    with pytest.raises(InputError, match="no word occurs as often as --min-count says"):
        MaskedLanguageModel.over(Lexicon.build({}), SHAPE)


@pytest.mark.parametrize("task", ["parser", "tag", "classify", "tree", "words"])
def test_others_start_from_one(task: str, tmp_path: Path) -> None:
    """Of the same shape, with its encoder, and the vectors of its words and characters under their own numbers."""
    _model(layers=2, subwords=4).save(tmp_path / "masked.safetensors")
    start = MaskedLanguageModel.load(tmp_path / "masked.safetensors")
    options = {"preset": "tiny", "init_from": str(tmp_path / "masked.safetensors"), "epochs": 0.1, "threads": 1}
    options |= {"learning_rate": 1e-9, "weight_decay": 0.0, "out": str(tmp_path / "run")}
    display = Messages()
    fit(named(TASKS[task].task), [], options, display)
    assert "characters start from the masked language model, and its whole encoder" in display.text
    model: Any = load(tmp_path / "run")
    mine, theirs = model.network.words, start.network.words
    assert (mine.config.layers, mine.config.hidden, mine.config.subwords) == (2, 4, 4)
    for name, tensor in theirs.encoder.state_dict().items():
        torch.testing.assert_close(mine.encoder.state_dict()[name], tensor, rtol=0, atol=1e-5)
    torch.testing.assert_close(mine.subwords.weight, theirs.subwords.weight, rtol=0, atol=1e-5)
    for pair in ((mine.embedding, model.lexicon.words), (mine.spelling.embedding, model.lexicon.characters)):
        table, names = pair
        given = theirs.embedding if names.unit == "word" else theirs.spelling.embedding
        known = start.lexicon.words if names.unit == "word" else start.lexicon.characters
        both = [name for name in names.tokens if name in known]
        assert len(both) > 3
        for name in both:
            torch.testing.assert_close(
                table.weight[names.index(name)], given.weight[known.index(name)], rtol=0, atol=1e-5
            )
    assert {"barks", "loudly"} <= {*model.lexicon.words}
    assert {*start.lexicon.characters} <= {*model.lexicon.characters}


def test_one_goes_on_from_another(tmp_path: Path) -> None:
    """With its guesses as well; the frequent words of the new text are guessed, all others of the first one known."""
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("the dog barks loudly\n" * 40)
    second.write_text("the dog barks softly\n" * 20)
    options: dict[str, Any] = {"preset": "tiny", "threads": 1, "tokenized": True, "progress": False, "valid": [second]}
    seqtree.train("words", first, out=tmp_path / "first", epochs=20, learning_rate=0.02, **options)
    start = MaskedLanguageModel.load(tmp_path / "first")
    options |= {"epochs": 1, "learning_rate": 1e-9, "weight_decay": 0.0}
    report = seqtree.train("words", second, out=tmp_path / "run", init_from=str(tmp_path / "first"), **options)
    other = seqtree.train("words", second, out=tmp_path / "other", **options)
    assert report["loss"] < 0.8 * other["loss"]
    model = MaskedLanguageModel.load(tmp_path / "run")
    assert "loudly" in model.lexicon.words
    assert {word for word, _ in model.fill("the dog barks ____", 9)} == {"the", "dog", "barks", "softly"}
    for name in ("guess.weight", "guess.bias", "norm.weight", "norm.bias", "words.encoder.weight_hh_l0"):
        given = start.network.state_dict()[name]
        torch.testing.assert_close(model.network.state_dict()[name], given, rtol=0, atol=1e-5)


def test_an_infinite_perplexity_is_no_error() -> None:
    assert MaskedEvaluation(1000.0, 0.0, 1.0, 1, 1.0).perplexity == float("inf")


def test_sentences_held_out_are_not_counted() -> None:
    text = [["the", "dog", "barks"], ["the", "dog"], ["the", "barks", "loudly"]]
    task = _task(text)
    task.data = task.data._replace(training=np.array([0, 2]))
    (weight, sentences) = task.counted()["words"]
    assert weight is task.model.network.words.embedding.weight
    words = task.model.lexicon.words.tokens
    assert [[words[i] for i in sentence] for sentence in sentences] == [text[0], text[2]]


def test_it_starts_from_counts_of_its_text(tmp_path: Path) -> None:
    """With few words only if asked; a model is another start."""
    task, options = named(TASKS["words"].task), {"preset": "tiny", "epochs": 0.1, "threads": 1}

    def told(name: str, **more: Any) -> bool:
        display = Messages()
        fit(task, [], {**options, "out": str(tmp_path / name), **more}, display)
        return "vectors start from counts of" in display.text

    assert not told("few")
    assert told("counted", counted_vectors=True)
    assert not told("on", init_from=str(tmp_path / "counted"))


def test_what_does_not_start_from_one(tmp_path: Path) -> None:
    _model().save(tmp_path / "m.safetensors")
    given = {"init_from": str(tmp_path / "m.safetensors"), "preset": "tiny"}
    with pytest.raises(InputError, match="hidden 8: with --init-from it is the masked language model's, 4"):
        named(TASKS["parser"].task).resolve({**given, "hidden": 8})
    with pytest.raises(InputError, match="pairs 8: with --init-from it is the masked language model's, 0"):
        named(TASKS["tag"].task).resolve({**given, "pairs": 8})
    with pytest.raises(InputError, match="from both sides"):
        fit(
            named(TASKS["classify"].task), [], {**given, "bidirectional": False, "out": str(tmp_path / "r")}, Messages()
        )


def test_its_words_are_vectors_too(tmp_path: Path) -> None:
    from seqtree.phrases import PhraseVectors

    model: Model[Any] = _model()
    (vector,) = PhraseVectors(model, plain=True).vectors(["dog"])
    expected = model.network.words.embedding.weight[model.lexicon.words.index("dog")].detach().numpy()
    np.testing.assert_allclose(vector, expected)


@pytest.fixture
def words(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    _model().save(tmp_path / "m")
    (tmp_path / "t.txt").write_text("The dog barks. The dog barks loudly today.\n")
    return caller(capsys, tmp_path, monkeypatch, "words")


def test_commands(words: Run) -> None:
    code, out, err = words("eval", "m", "t.txt", "--threads", "1")
    assert code == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["loss", "perplexity", "accuracy", "coverage"]
    code, out, _ = words("eval", "m", "t.txt", "--tokenized", "--json")
    assert code == 0 and '"guesses": 2' in out
    code, out, _ = words("fill", "m", "the ____ barks", "-k", "2")
    assert code == 0 and len(out.splitlines()) == 2
    code, out, _ = words("fill", "m", "the ____ barks", "-k", "2", "--json")
    assert out.count('"probability"') == 2
    assert words("fill", "m", "-", "-k", "2", "--json", stdin=b"the ____ barks\n")[1] == out


def test_refused(words: Run, tmp_path: Path) -> None:
    refused(words("fill", "m", "no blank"), "holds 0 blanks")
    refused(words("eval", "m", "missing.txt"), "missing.txt")
    (tmp_path / "odd.txt").write_text("xylophone\n")
    refused(words("eval", "m", "odd.txt"), "no hidden word is one of those")
    refused(words("train", "t.txt", "--min-count", "99"), "no word occurs as often as --min-count says")
    refused(words("train", "t.txt", "--valid-share", "0.9"), "no sentence is left to train on")
    (tmp_path / "blank.txt").write_text("\n \n")
    refused(words("train", "blank.txt"), "blank.txt: no sentence is left to train on")
    refused(words("train", "t.txt", "--valid", "blank.txt"), "blank.txt: no sentence to validate on")
    refused(
        words("train", "t.txt", "--min-count", "1", "--valid", "odd.txt"),
        "none of the words hidden in 1 sentences to measure on",
    )
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9\n")
    refused(words("train", "bad.txt"), "bad.txt")
