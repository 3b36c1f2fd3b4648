"""Models of lists: each line is an item of its own, in training, measures, samples and scores."""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from language_helpers import TEXT, model
from oracles import kneser_ney
from runs import Messages, lm_recipe, train

from seqtree import LanguageModel
from seqtree.errors import InputError
from seqtree.language import nltk_adapter, pieces, surprisals
from seqtree.language.batches import PADDING, LineBatches
from seqtree.language.config import StreamBatchSettings
from seqtree.language.ngram import KneserNey, compare
from seqtree.language.sampling import gumbel_noise
from seqtree.language.task import LanguageModelTask
from seqtree.language.validation import seconds_per_token, validation_loss
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_text
from seqtree.text.vocabulary import Vocabulary

NAMES = ["Ana", "Bo", "Christabel", "Di", "Annabella", "Eva", "Gus", "Hubertina", "Bob", "Ina"]
LIST = "".join(f"{name}\n" for name in NAMES)
SENTENCES = "the cat sat\nthe dog ran to the man\na cat\nthe man sat on the mat on a mat\nran\n"
SHAPES: list[dict[str, Any]] = [
    {"cell": "rnn"},
    {"cell": "gru", "layers": 2, "one_hot": True},
    {"cell": "lstm", "layers": 2},
    {"bidirectional": True},
]


def _lines(unit: str = "char", **shape: Any) -> LanguageModel:
    return model(LIST if unit == "char" else SENTENCES, unit=unit, documents="lines", **shape)


def _text(unit: str) -> str:
    return LIST if unit == "char" else SENTENCES


def _alone(made: LanguageModel, tokens: list[int]) -> list[float]:
    """Surprisals in nats of one line, read token by token from the zero state: from both sides if the model does."""
    network, vocabulary = made.network, made.vocabulary
    inputs = torch.tensor([vocabulary.start, *(vocabulary.start if i == vocabulary.end else i for i in tokens)])
    with torch.no_grad():
        if network.config.bidirectional:
            context = torch.cat([inputs, torch.tensor([vocabulary.start])])
            hidden = network.surrounded_states(context[:, None])[:, 0]
        else:
            state, outputs = None, []
            for token in inputs[:-1]:
                output, state = network.hidden_states(token[None, None], state)
                outputs.append(output[0, 0])
            hidden = torch.stack(outputs)
        logits = network.decoder(hidden)
    return [float(F.cross_entropy(row[None], torch.tensor([i]))) for row, i in zip(logits, tokens, strict=True)]


def _split(ids: list[int], end: int) -> list[list[int]]:
    """The lines of a stream, each with its end."""
    found: list[list[int]] = [[]]
    for token in ids:
        found[-1].append(token)
        if token == end:
            found.append([])
    return [line for line in found if line]


# --- batches


def _batches(text: str, rows: int, window: int, seed: int = 0, whole: bool = False) -> LineBatches:
    vocabulary = Vocabulary.build(Counter(text), "char")
    stream = encode_text(text, vocabulary, TextSettings(documents="lines"))
    return LineBatches(stream, vocabulary, StreamBatchSettings(rows, window), seed, whole)


def _read(batches: LineBatches, epoch: int) -> list[list[int]]:
    """The lines of an epoch in the order in which they are read to their ends; every row is checked on the way."""
    finished: list[list[int]] = []
    reading: list[list[int]] = []
    for step in range(batches.steps_per_epoch):
        batch = batches.batch(epoch, step)
        assert batch.dtype == np.int64
        fresh = {bool(row[0] == PADDING) for row in batch}
        assert len(fresh) == 1
        if fresh.pop():
            reading = [[] for _ in batch]
        else:
            assert [row[0] for row in batch] == [line[-1] for line in reading]  # the same rows go on
        for line, row in zip(reading, batch, strict=True):
            tokens = [int(i) for i in row[1:]]
            count = len(tokens) - tokens.count(PADDING)
            assert tokens[count:] == [PADDING] * (len(tokens) - count)
            line += tokens[:count]
            assert count > 0
            if line[-1] == 1:
                finished.append(line)
                assert step == batches.steps_per_epoch - 1 or batches.batch(epoch, step + 1)[0, 0] == PADDING
    return finished


@settings(max_examples=80)
@given(
    st.lists(st.text("abc", min_size=1, max_size=23), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(1, 12),
    st.booleans(),
)
def test_an_epoch_reads_every_line_once_to_its_end(lines: list[str], rows: int, window: int, whole: bool) -> None:
    batches = _batches("".join(f"{line}\n" for line in lines), rows, window, whole=whole)
    vocabulary = Vocabulary.build(Counter("".join(lines)), "char")
    assert len(batches) == len(lines)
    for epoch in (0, 3):
        found = ["".join(vocabulary.decode(line)) for line in _read(batches, epoch)]
        assert sorted(found) == sorted(f"{line}\n" for line in lines)
    if whole:
        assert all(batches.batch(0, step)[0, 0] == PADDING for step in range(batches.steps_per_epoch))


def test_the_order_of_lines_is_one_of_the_seed_and_the_epoch() -> None:
    text = "".join(f"{i:03}{'x' * (i % 5)}\n" for i in range(200))
    batches, again = _batches(text, 4, 16), _batches(text, 4, 16)
    first = _read(batches, 1)
    assert first == _read(again, 1)
    assert first != _read(batches, 2)
    assert first != _read(_batches(text, 4, 16, seed=1), 1)
    steps = batches.steps_per_epoch
    wanted = again.batch(2, steps - 1)  # asked for first, without any step before it
    assert np.array_equal(wanted, batches.batch(2, steps - 1))


def test_a_step_has_about_batch_times_window_tokens() -> None:
    text = "".join(f"{'abcdefgh'[: 3 + i % 6]}\n" for i in range(2000))
    batches = _batches(text, 8, 32)
    sizes = [int((batches.batch(0, step)[:, 1:] != PADDING).sum()) for step in range(batches.steps_per_epoch)]
    assert sum(sizes) == len(text)
    assert 0.9 * 256 < np.mean(sizes) < 1.1 * 256
    assert max(sizes) < 1.5 * 256


@pytest.mark.parametrize("length", range(2, 30))
def test_no_step_has_but_the_ends_of_lines(length: int) -> None:
    """A line that is a little longer than the window is read in one piece, and no last piece is a short one."""
    batches = _batches(("x" * (length - 1) + "\n") * 20, 4, 8)
    widths = [batches.batch(0, step).shape[1] - 1 for step in range(batches.steps_per_epoch)]
    assert sum(widths) % length == 0
    assert all(4 <= width <= 12 for width in widths) or length < 4
    assert set(widths) == {length} or length >= 12


# --- the loss


def _task(text: Path, **options: Any) -> LanguageModelTask:
    given = {"preset": "tiny", "hidden": 7, "device": "cpu", "documents": "lines", "precision": "fp32", **options}
    return LanguageModelTask.made([str(text)], LanguageModelTask.resolve(given), Messages())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("unit", ["char", "word"])
def test_the_loss_of_a_batch_is_the_mean_over_its_lines_alone(tmp_path: Path, unit: str, shape: dict[str, Any]) -> None:
    """Also where lines are longer than the window, and so read in several steps."""
    (tmp_path / "list.txt").write_text(_text(unit) * 8, encoding="utf-8")
    task = _task(tmp_path / "list.txt", unit=unit, batch=3, window=4, **shape)
    task.model.network.double()
    total = count = 0.0
    lines: list[list[int]] = []
    task.start_epoch()
    several = False
    for step in range(task.steps_per_epoch):
        batch = task.batch(0, step)
        loss, items = task.loss(batch)
        total, count = total + loss.item() * items, count + items
        if batch[0, 0] == PADDING:
            lines += [[] for _ in batch]
        else:
            several = True
        for line, row in zip(lines[-len(batch) :], batch, strict=True):
            line += [int(i) for i in row[1:] if i != PADDING]
        if all(line[-1] == task.model.vocabulary.end for line in lines):
            assert task.carried() == {}  # nothing goes from line to line
            assert total / count == pytest.approx(
                np.mean([nats for line in lines for nats in _alone(task.model, line)]), rel=1e-6
            )
    assert several != bool(shape.get("bidirectional"))
    assert count == len(task.data.train)


# --- measures


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("window", [3, 256])
def test_measures_equal_those_of_every_line_alone(
    unit: str, shape: dict[str, Any], window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In windows shorter than a line, and in several pieces of the text, as well."""
    monkeypatch.setattr(pieces, "WINDOW", window)
    monkeypatch.setattr(surprisals, "ROWS", 2)
    monkeypatch.setattr(surprisals, "LINES", 7 * window)
    made, text = _lines(unit, **shape), _text(unit) * 3
    stream = encode_text(text, made.vocabulary, made.settings)
    expected = [nats for line in _split(stream.ids.tolist(), made.vocabulary.end) for nats in _alone(made, line)]
    measured = made.evaluate(text)
    assert measured.tokens == len(expected)
    assert measured.loss == pytest.approx(np.mean(expected), rel=1e-5)
    assert validation_loss(made.network, made.vocabulary, stream, lines=True) == measured.loss
    assert all(seconds > 0 for seconds in seconds_per_token(made.network, made.vocabulary, stream, lines=True))
    np.testing.assert_allclose([s.surprisal * math.log(2) for s in made.score(text)], expected, rtol=1e-3, atol=1e-5)
    as_text = LanguageModel(made.vocabulary, TextSettings(unit), made.network).score(text)
    others = [s.surprisal * math.log(2) for s in as_text]
    assert not np.allclose(others, expected, rtol=1e-3, atol=1e-5)  # as one text they are others


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize("size", [5, 1 << 14])
def test_scores_add_up_to_the_bits_of_an_evaluation(
    unit: str, bidirectional: bool, independent: bool, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank lines have no token, and a last line that is open gets its end."""
    monkeypatch.setattr("seqtree.language.scoring.SCORED", size)
    made = _lines(unit, bidirectional=bidirectional)
    lines = _text(unit).splitlines()
    text = "\n\n" + lines[0] + "\n\n\n" + "\n".join(lines[1:])
    rows = list(made.score_lines(text, independent))
    measured = made.evaluate(text)
    assert len(rows) == measured.tokens
    assert sum(s.surprisal for _, s in rows) == pytest.approx(measured.loss * measured.tokens / math.log(2), rel=1e-6)
    assert [number for number, _ in rows if number < 6] == [3] * (len(made.score(lines[0] + "\n")))
    end = made.vocabulary.tokens[made.vocabulary.end]
    assert [s.token for _, s in rows].count(end) == len(lines)
    assert rows[-1][1].token == end


def test_blank_lines_are_no_items_but_characters_of_the_text() -> None:
    made = _lines()
    plain, spaced = made.evaluate("Ana\nBo\n"), made.evaluate("\nAna\n\n\nBo")
    assert (spaced.loss, spaced.tokens) == (plain.loss, plain.tokens)
    assert spaced.bits_per_character == pytest.approx(plain.bits_per_character * 7 / 9)
    with pytest.raises(InputError, match="it is empty"):
        made.evaluate("\n\n\n")
    assert made.score("\n") == []


@pytest.mark.parametrize("unit", ["char", "word"])
def test_what_stands_in_lines_before_does_not_count(unit: str) -> None:
    made = _lines(unit)
    first, second = _text(unit).splitlines()[:2]
    for start in (second, second[:4].rstrip(), ""):
        assert made.next(f"{first}\n{start}", 100) == made.next(start, 100)
        assert made.sample(f"{first}\n{start}", seed=4) == made.sample(start, seed=4)
    together, alone = made.score(f"{first}\n{second}\n"), made.score(f"{second}\n")
    for score, other in zip(together[-len(alone) :], alone, strict=True):
        assert score.token == other.token
        assert score.surprisal == pytest.approx(other.surprisal, rel=1e-5)
    probability = dict(made.next("", 100))[alone[0].token]
    assert alone[0].surprisal == pytest.approx(-math.log2(probability), rel=1e-5)


def test_a_blank_knows_its_own_line_alone() -> None:
    made = _lines("word", bidirectional=True)
    alone = made.fill("the ____ sat", 100)
    assert made.fill("a cat\nthe ____ sat\nran", 100) == alone == made.fill("the ____ sat\n", 100)
    scores = dict(made.fill("____ cat sat", 100))
    assert made.score("the cat sat\n")[0].surprisal == pytest.approx(-math.log2(scores["the"]), rel=1e-5)


def test_the_nltk_model_begins_every_line_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _lines("word")
    adapter = made.to_nltk()
    context = ["a", "cat", "</s>", "the"]
    assert adapter.score("cat", context) == adapter.score("cat", ["<s>", "the"]) == dict(made.next("the", 100))["cat"]
    after = [adapter.generate(6, context[:cut], random_seed=2) for cut in (3, 0)]
    assert after[0] == after[1]
    generated = adapter.generate(200, random_seed=1)
    read = generated.index("</s>") + 1
    monkeypatch.setattr(nltk_adapter, "gumbel_noise", lambda *given: islice(gumbel_noise(*given), read, None))
    assert generated[read:] == adapter.generate(200 - read, random_seed=1)


def test_a_file_says_that_its_items_are_lines_and_is_else_as_it_was(tmp_path: Path) -> None:
    made = _lines()
    made.save(tmp_path / "m")
    loaded = LanguageModel.load(tmp_path / "m")
    assert loaded.settings.documents == "lines"
    assert loaded.score(LIST) == made.score(LIST)
    assert loaded.sample(seed=1) == made.sample(seed=1)
    assert loaded.contents()["text"]["documents"] == "lines"
    assert set(model().contents()["text"]) == {"unit", "tokenizer", "encoding", "min_count", "max_vocabulary"}


# --- samples


@pytest.mark.parametrize("unit", ["char", "word"])
def test_samples_are_whole_items(unit: str) -> None:
    made = _lines(unit)
    with torch.no_grad():
        made.network.decoder.bias[made.vocabulary.end] += 1.0
    texts = [made.sample(seed=seed) for seed in range(60)]
    assert not any("\n" in text for text in texts)
    assert len(set(texts)) > 10
    for seed, text in enumerate(texts[:20]):
        tokens = [s.token for s in made.score(text)]
        for length in range(len(tokens) + 2):  # what a bound on the length leaves of it
            assert [s.token for s in made.score(made.sample(length=length, seed=seed))] == tokens[:length]
    stream = LanguageModel(made.vocabulary, TextSettings(unit), made.network)
    assert stream.sample(seed=3).split("\n")[0] == texts[3]  # the same until the line ends


def test_lengths_of_samples_follow_the_distribution() -> None:
    """The share of items that end after one token is the model's probability of that."""
    made = model("a\n" * 9, documents="lines")
    with torch.no_grad():
        made.network.decoder.bias[made.vocabulary.unknown] = -1e4  # which is never sampled
    p = 1 - dict(made.next("", 9))["\n"]
    p *= dict(made.next("a", 9))["\n"]
    share = np.mean([made.sample(seed=seed) == "a" for seed in range(1500)])
    assert share == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 1500))


# --- n-grams


@settings(max_examples=60)
@given(
    st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=8),
    st.lists(st.text("abcz", min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(1, 5),
)
def test_ngrams_of_lines_equal_the_oracle(training: list[str], text: list[str], order: int) -> None:
    vocabulary = Vocabulary("char", ["<unk>", "\n", "a", "b", "c", "z"])
    streams = [vocabulary.encode("".join(f"{line}\n" for line in lines)) for lines in (training, text)]
    found = KneserNey(streams[0], vocabulary, order, lines=True).probabilities(streams[1])
    padded = [[["<s>", *line, "\n"] for line in lines] for lines in (training, text)]
    np.testing.assert_allclose(found, kneser_ney(*padded, order, len(vocabulary), "<s>"), rtol=1e-12)


def test_ngrams_are_compared_line_by_line(tmp_path: Path) -> None:
    made, file = _lines(), tmp_path / "list.txt"
    file.write_text(LIST + "\nAna", encoding="utf-8")
    record = compare(made, [file], [file], 3)
    ids = encode_text(LIST + "Ana\n", made.vocabulary, made.settings).ids
    expected = -np.log(KneserNey(ids, made.vocabulary, 3, lines=True).probabilities(ids)).mean()
    assert record["loss"] == pytest.approx(expected)


# --- runs


def test_a_run_learns_the_items_and_says_how_many(tmp_path: Path) -> None:
    """Four items, one after the other: what was read before would tell which comes next, but it is not read."""
    file = tmp_path / "list.txt"
    items = ["aba", "bcabc", "cc", "acb"]
    file.write_text("\n".join(items * 50), encoding="utf-8")
    display = Messages()
    planned = lm_recipe(tmp_path / "run", file, documents="lines", hidden=24, epochs=12, learning_rate=0.02)
    report = train(planned, display)
    assert "180 lines, " in display.text
    assert report["tokens"] == sum(len(items[i % 4]) + 1 for i in range(200) if i % 10 == 9)  # single lines
    made = LanguageModel.load(tmp_path / "run")
    assert made.settings.documents == "lines"
    samples = Counter(made.sample(seed=seed) for seed in range(100))
    assert sum(samples[item] for item in items) > 80
    assert all(samples[item] > 5 for item in items)
    assert made.evaluate("\n".join(items)).loss < 1.2 * math.log(4) * 4 / (sum(map(len, items)) + 4)


def test_training_goes_on_with_lines_or_as_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(LIST * 10, encoding="utf-8")
    train(lm_recipe(tmp_path / "a", file, documents="lines", epochs=1))
    for told in (None, "text"):
        recipe = LanguageModelTask.resolve({"init_from": str(tmp_path / "a"), "documents": told})
        assert recipe.text.documents == (told or "lines")
        assert recipe.validation.valid_from == ("ends" if told else "lines")
    given = {"documents": "lines", "valid_from": "spread"}
    assert LanguageModelTask.resolve(given).validation.valid_from == "spread"
    assert LanguageModelTask.resolve({}).validation.valid_from == "ends"
    with pytest.raises(InputError, match="documents 'items': expected one of text, lines"):
        LanguageModelTask.resolve({"documents": "items"})


def test_a_list_is_noticed_and_a_text_is_not(tmp_path: Path) -> None:
    words = ["".join(pair) for pair in zip("abcdefghij" * 30, "klmnopqrst" * 30, strict=True)]
    names = "".join(f"{a.title()}{b} {i:x}\n" for i, (a, b) in enumerate(pairwise(words)))
    poem = "".join(f"the {a} of {b},\nand {b} of {a}\n\n" for a, b in pairwise(words))
    columns = "".join(f"{a}\t{b}\n" for a, b in pairwise(words))
    hint = "looks like a list: --documents lines"
    for number, (text, options, said) in enumerate(
        [
            (names, {}, True),
            (names, {"unit": "word"}, True),
            (names, {"documents": "lines"}, False),
            (poem, {}, False),
            (columns, {}, False),
            (TEXT * 20, {}, False),
        ]
    ):
        file = tmp_path / f"{number}.txt"
        file.write_text(text, encoding="utf-8")
        display = Messages()
        train(lm_recipe(tmp_path / str(number), file, epochs=0.05, **options), display)
        assert (hint in display.text) == said, number


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_no_line_is_cut_by_the_split(tmp_path: Path, share: float) -> None:
    from seqtree.text.corpus import prepare

    (tmp_path / "list.txt").write_text(LIST * 3 + "Bo", encoding="utf-8")
    corpus = prepare([tmp_path / "list.txt"], TextSettings(documents="lines"), valid_share=share)
    assert corpus.valid is not None
    parts = [corpus.vocabulary.join(corpus.vocabulary.decode(s.ids)) for s in (corpus.train, corpus.valid)]
    assert "".join(parts) == LIST * 3 + "Bo\n"
    assert all(part.endswith("\n") for part in parts)
