"""The report of samples beside comparing everything with everything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from oracles import copied_windows, first_loop

from seqtree.errors import InputError
from seqtree.language import memorisation as report
from seqtree.language.memorisation import (
    SampleReport,
    find_loop,
    find_windows,
    in_long_copies,
    report_samples,
    sample_report,
)
from seqtree.language.model import LanguageModel
from seqtree.text.vocabulary import Vocabulary

LETTERS = Vocabulary("char", ["<unk>", "\n", *"abcdefghijklmnopqrstuvwxyz "])
WORDS = Vocabulary("word", ["<unk>", "<s>", "</s>", *"abcdefgh"])
tokens = st.lists(st.integers(0, 3), max_size=40)


@settings(max_examples=100)
@given(tokens, tokens, st.integers(1, 6), st.integers(1, 50))
def test_windows_equal_the_oracle(sample: list[int], corpus: list[int], length: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "CHUNK", chunk)
        found = find_windows(np.array(sample, dtype=np.int64), np.array(corpus, dtype=np.uint16), length)
    assert found.tolist() == copied_windows(sample, corpus, length)


@settings(max_examples=100)
@given(tokens, tokens)
def test_false_hits_are_not_believed(sample: list[int], corpus: list[int]) -> None:
    """With a base of 1, windows of the same tokens in another order have the same hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "_BASE", 1)
        found = find_windows(np.array(sample, dtype=np.int64), np.array(corpus, dtype=np.uint8), 3)
    assert all(there for there, said in zip(copied_windows(sample, corpus, 3), found, strict=True) if said)


@settings(max_examples=60)
@given(tokens, tokens)
def test_tokens_in_long_copies(sample: list[int], corpus: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(report.MIN_COPY, "char", 3)
        found = in_long_copies(np.array(sample, dtype=np.int64), np.array(corpus, dtype=np.uint8), LETTERS)
    known = [token or -1 for token in sample]  # an unknown token is no copy
    windows = copied_windows(known, corpus, 3)
    expected = [any(windows[max(0, i - 2) : i + 1]) for i in range(len(sample))]
    assert found.tolist() == expected


def test_the_right_hit_behind_false_ones_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_BASE", 1)
    corpus = np.array([3, 2, 1, 3, 2, 1, 3, 9, 1, 2, 3])
    assert find_windows(np.array([1, 2, 3]), corpus, 3).tolist() == [True]


@settings(max_examples=100)
@given(st.lists(st.integers(3, 5), max_size=40), st.lists(st.integers(3, 5), min_size=1, max_size=60))
def test_report_equals_the_oracle(sample: list[int], corpus: list[int]) -> None:
    facts = sample_report(sample, np.array(corpus, dtype=np.uint8), WORDS)
    longest = max((n for n in range(1, len(sample) + 1) if any(copied_windows(sample, corpus, n))), default=0)
    place = copied_windows(sample, corpus, longest).index(True) if longest else 0
    assert facts.longest_copy == longest
    assert facts.longest_copy_text == WORDS.join(WORDS.decode(sample[place : place + longest]))
    windows = copied_windows(sample, corpus, 6)
    covered = [any(windows[max(0, i - 5) : i + 1]) for i in range(len(sample))]
    assert facts.copied_share == pytest.approx(sum(covered) / max(len(sample), 1))
    loop = first_loop(sample, 3, 12)
    assert facts.loops == (loop is not None)
    assert facts.loop_text == (None if loop is None else WORDS.join(WORDS.decode(loop)))


@settings(max_examples=100)
@given(st.lists(st.integers(0, 2), max_size=8), st.lists(st.integers(0, 2), max_size=5), st.integers(1, 14))
def test_loops_equal_the_oracle(before: list[int], block: list[int], times: int) -> None:
    sample = before + block * times + before
    found = find_loop(np.array(sample, dtype=np.int64))
    assert (None if found is None else found.tolist()) == first_loop(sample, 3, 12)


def test_a_long_copy_across_pieces_of_a_memory_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "CHUNK", 1000)
    text = np.random.default_rng(1).integers(2, len(LETTERS), 10_000).astype(np.uint8)
    text.tofile(tmp_path / "ids")
    corpus = np.memmap(tmp_path / "ids", dtype=np.uint8, mode="r")
    own = np.random.default_rng(2).integers(2, len(LETTERS), 200)
    sample = np.concatenate([own[:100], text[3950:4050], own[100:], text[7000:7040]])
    facts = sample_report(sample, corpus, LETTERS)
    assert 100 <= facts.longest_copy <= 104
    assert LETTERS.join(LETTERS.decode(text[3950:4050])) in facts.longest_copy_text
    assert facts.copied_share == pytest.approx(140 / 340, abs=0.02)
    assert not facts.loops


def test_unknown_tokens_are_no_copies() -> None:
    assert sample_report([0, 0, 3], np.array([0, 0, 0, 4]), WORDS).longest_copy == 0


def test_the_line() -> None:
    facts = SampleReport(40, "a\nb" * 30, 0.25, True, "ha ")
    line = str(facts)
    assert "\n" not in line and "40 tokens" in line and "25.0%" in line and 'loops on "ha "' in line
    assert "no loop" in str(SampleReport(0, "", 0.0, False, None))
    assert facts.to_json()["loop_text"] == "ha "


TEXT = "the cat sat on the mat and looked at the moon for a long while\n"


def test_report_samples(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    for unit, length in (("char", 38), ("word", 9)):
        model = LanguageModel.untrained(TEXT, unit=unit, hidden=4, embedding=3)
        samples = [{"text": "a moon: cat sat on the mat and looked at the sea"}, {"text": ""}]
        run = tmp_path / unit
        run.mkdir()
        (run / "config.json").write_text(json.dumps({"corpus": [str(text)]}), encoding="utf-8")
        named = report_samples(model, run / "model.safetensors", samples, ())
        assert named == report_samples(model, run, samples) == report_samples(model, "nowhere", samples, (str(text),))
        assert named[0].longest_copy == length
        assert named[0].longest_copy_text.strip() == "cat sat on the mat and looked at the"
        assert 0.7 < named[0].copied_share < 0.85
        assert named[1] == SampleReport(0, "", 0.0, False, None)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "missing"),
        ("{", "does not name"),
        ("[]", "does not name"),
        ('{"corpus": []}', "expected a list"),
        ('{"corpus": ["-"]}', "standard input"),
        ('{"corpus": ["/no/such.txt"]}', "no longer exists"),
    ],
)
def test_no_training_text(config: str | None, message: str, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        report_samples(LanguageModel.untrained(TEXT, hidden=4), tmp_path, [{"text": "a"}])
    assert "--training-text" in str(caught.value) and "\n" not in str(caught.value)
