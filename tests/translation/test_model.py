"""A translator as it is used: units, unknown tokens that are copied, order, files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from runs import Messages
from translation_helpers import LETTERS, PAIRS, translator

import seqtree
from seqtree.corpora import grammar, pairs as generated
from seqtree.errors import InputError, ModelFileError
from seqtree.language.model import LanguageModel
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.fit import fit
from seqtree.translation import Translator, Units, evaluate
from seqtree.translation.data import Pair
from seqtree.translation.evaluation import _bleu_and_chrf, distance, error_rate
from seqtree.translation.network import UNKNOWN
from seqtree.translation.task import TranslationTask

TEXTS = ["der alte Hund schläft", "ein Hund und eine Katze", "die Katze schläft unter dem Tisch"] * 3


# --- units


@pytest.mark.parametrize("unit", ["char", "word", "bpe"])
def test_texts_are_cut_and_put_together_again(unit: str) -> None:
    units = Units.learned(TEXTS, unit, 60, 1)
    assert units.vocabulary.tokens[:3] == ("<unk>", "<s>", "</s>")
    for text in (*TEXTS, "  der\tHund ", "ein Wal-Roß schläft?", "日本 Hund"):
        tokens = units.tokens(text)
        assert units.text(tokens) == " ".join(text.split()) == units.normal(text)
        ids = units.encode(tokens)
        assert [units.vocabulary.tokens[i] for i in ids if i] == [t for t, i in zip(tokens, ids, strict=True) if i]
    assert not (units.encode(units.tokens(TEXTS[0])) == UNKNOWN).any()
    again = Units.from_json(units.to_json())
    assert again.tokens("ein Wal-Roß") == units.tokens("ein Wal-Roß")
    assert again.vocabulary == units.vocabulary


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=60)
def test_any_text_is_put_together_as_it_was(text: str) -> None:
    expected = " ".join(text.split())
    assert Units.learned(TEXTS, "char", 1, 1).normal(text) == expected
    assert _PIECES.normal(text) == expected.replace("▁", "_")


_PIECES = Units.learned(TEXTS, "bpe", 60, 1)


def test_long_words_are_not_remembered_and_copies_have_none() -> None:
    units = Units.learned(TEXTS, "bpe", 60, 1)
    fresh = len(pickle.dumps(units))
    units.tokens("abc " + "abc" * 1000)
    assert [*units._remembered] == ["abc"]
    assert len(pickle.dumps(units)) == fresh


def test_pieces_come_from_the_training_text_only() -> None:
    few, many = (Units.learned(TEXTS, "bpe", size, 1) for size in (25, 60))
    assert len(few) == 25 < len(many) <= 60
    assert len(few.tokens("Hund schläft")) > len(many.tokens("Hund schläft"))
    assert many.tokens("der Hund") == ["▁der", "▁Hund"]
    assert many.tokens("qHund")[:2] == ["▁", "q"]
    assert many.encode(many.tokens("q"))[1] == UNKNOWN


def test_the_names_of_special_tokens_are_unknown_words() -> None:
    units = Units.learned(["a <s> b </s>"], "word", 1, 1)
    assert units.encode(["a", "<s>", "</s>", "<unk>"]).tolist() == [units.vocabulary.index("a"), 0, 0, 0]


def test_rare_words_are_unknown() -> None:
    units = Units.learned(["a a b", "c a c"], "word", 1, 2)
    assert set(units.vocabulary.tokens[3:]) == {"a", "c"}


def test_units_that_do_not_fit_together(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unit 'letter': expected one of char, word, bpe"):
        Units("letter", Vocabulary("word", ["<unk>", "<s>", "</s>", "a"]))
    wrong = Units("bpe", Vocabulary("word", ["<unk>", "<s>", "</s>", "▁", "a"]), [("a", "b")])
    with pytest.raises(InputError, match="pieces do not fit together"):
        wrong.tokens("ab")


# --- copying


def _unsure(unit: str, texts: list[tuple[str, str]]) -> Translator:
    """A translator that knows no word, and attends to one place alone, the same as the target's."""
    made = translator(texts, unit=unit, embedding=8, hidden=8)
    with torch.no_grad():
        made.network.output.bias[UNKNOWN] = 40.0
    return made


@pytest.mark.parametrize("unit", ["char", "word"])
def test_an_unknown_token_is_the_source_token_attended_to_most(unit: str) -> None:
    made = _unsure(unit, [("a b c", "x y"), ("b c", "y")])
    (found,) = made.translations(["new words b"], alignments=True, log_probabilities=True)
    one = found[0]
    assert one.alignment is not None
    assert len(one.tokens) > 1
    source = made.source.tokens("new words b")
    assert list(one.tokens) == [source[place] for place in one.alignment[:-1].argmax(axis=1)]
    drawn = one.picture()
    assert drawn is not None and drawn == one._repr_svg_()
    assert drawn.startswith("<svg ") and "&lt;/s&gt;" in drawn
    assert next(made.translations(["new words b"]))[0].picture() is None
    assert one.text == made.target.text(one.tokens)
    assert made.translate("new words b") == one.text


def test_without_attention_an_unknown_token_stays_unknown() -> None:
    made = translator([("a b", "x y")], unit="word", context="first")
    with torch.no_grad():
        made.network.output.bias[UNKNOWN] = 40.0
    assert set(made.translate("a c").split()) == {"<unk>"}


# --- use


def test_order_and_empty_texts_are_kept() -> None:
    made = translator(PAIRS)
    texts = ["", *(source for source, _ in PAIRS[:9]), " \t ", PAIRS[3][0], ""]
    found = [best[0].text for best in made.translations(iter(texts), beam=2)]
    assert len(found) == len(texts)
    assert [found[0], found[10], found[12]] == ["", "", ""]
    assert found[11] == found[4] == made.translate(PAIRS[3][0], beam=2)
    with pytest.raises(InputError, match="the source of 'x' is empty"):
        list(made.score([("  ", "x")]))
    every = [best[0] for best in made.translations(texts[:2], alignments=True, log_probabilities=True)]
    assert [set(one.to_json()) for one in every] == [
        {"text", "score", "tokens", "log_probabilities", "source_tokens", "alignment"}
    ] * 2


def test_what_is_no_text_is_refused() -> None:
    made = translator(PAIRS)
    with pytest.raises(InputError, match="expected several texts, not one string"):
        made.translations("May")
    with pytest.raises(InputError, match=r"^text None: expected a string$"):
        made.translate(None)  # type: ignore[arg-type]
    for pair in ("May", ("a", "b", "c")):
        with pytest.raises(InputError, match="expected a source and a target"):
            list(made.score([pair]))  # type: ignore[list-item]


def test_a_translator_is_saved_and_loaded(tmp_path: Path) -> None:
    made = Translator.untrained(PAIRS, unit="bpe", pieces=40, hidden=8, embedding=6, seed=2)
    made.save(tmp_path / "model.safetensors")
    again = seqtree.load(tmp_path / "model.safetensors")
    assert isinstance(again, Translator)
    assert again.translate(PAIRS[0][0]) == made.translate(PAIRS[0][0])
    assert list(again.score(PAIRS[:3]))[2].log_probabilities == list(made.score(PAIRS[:3]))[2].log_probabilities
    with pytest.raises(ModelFileError, match="a translator"):
        seqtree.LanguageModel.load(tmp_path / "model.safetensors")


def test_a_target_has_room_for_all_that_training_has_seen_and_some_more() -> None:
    pairs = [("a", "b" * 30), ("a" * 40, "b"), ("aa", "b")]
    made = translator(pairs)
    for source, target in pairs:
        assert made.limit(len(source)) > len(target) + 1
    assert made.limit(40) < 200, "one long target for a short source does not make all targets long"
    same = translator([("ab", "ba"), ("abb", "bba")])
    assert made.limit(0) >= 1 and same.limit(500) > 500
    with pytest.raises(InputError, match="no pairs"):
        translator([])


def test_a_wide_beam_over_many_tokens_takes_few_sources_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = translator(LETTERS)
    sizes = []
    decoded = made._decoded
    monkeypatch.setattr(made, "_decoded", lambda batch, asked: sizes.append(len(batch)) or decoded(batch, asked))
    plain = list(made.translations(["a"] * 9, beam=2))
    monkeypatch.setattr("seqtree.translation.model.CHANCES", 2 * len(made.target) * 4)
    assert [one[0].text for one in made.translations(["a"] * 9, beam=2)] == [one[0].text for one in plain]
    assert sizes == [9, 4, 4, 1]


def test_half_a_thousand_lines_more_than_a_chunk(tmp_path: Path) -> None:
    made = translator([("a", "b")], hidden=2, embedding=2)
    texts = ["a" * (number % 7) for number in range(2500)]
    found = [best[0] for best in made.translations(texts, beam=1)]
    assert [len(one.source) for one in found] == [number % 7 for number in range(2500)]


# --- measuring


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("abc", "abc", 0), ("ab", "ba", 2)],
)
def test_distance(first: str, second: str, edits: int) -> None:
    assert distance(first, second) == distance(second, first) == edits


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
@settings(max_examples=100)
def test_distance_is_that_of_the_recursion(first: str, second: str) -> None:
    def slow(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    if len(first) + len(second) < 13:
        assert distance(first, second) == slow(first, second)


def test_the_error_rate_takes_the_nearest_reference() -> None:
    assert error_rate(["abc", "x"], [["abd", "abcd"], ["y"]]) == pytest.approx(2 / 4)


def test_any_target_of_a_source_counts() -> None:
    made = translator(PAIRS)
    source = PAIRS[0][0]
    right = made.translate(source)
    pairs = [Pair(source, "wrong"), Pair(source, right), Pair(PAIRS[1][0], "no")]
    measured = evaluate(made, pairs)
    assert measured.items == 2
    assert measured.exact_match == 0.5
    alone = [one.log_probabilities for one in made.score((pair.source, pair.target) for pair in pairs)]
    assert measured.loss == pytest.approx(-sum(map(sum, alone)) / sum(map(len, alone)))
    perfect = evaluate(made, [Pair(source, right)])
    assert (perfect.exact_match, perfect.token_error_rate) == (1.0, 0.0)
    assert perfect.chrf == pytest.approx(100)
    with pytest.raises(InputError, match="no pairs"):
        evaluate(made, [])


def test_bleu_is_that_of_sacrebleu() -> None:
    import sacrebleu

    made = translator([("ein hund", "a dog"), ("zwei hunde", "two dogs")], unit="word")
    pairs = [Pair("ein hund", "a dog runs home"), Pair("zwei hunde", "two dogs"), Pair("ein hund", "one dog")]
    found = [made.translate(source) for source in ("ein hund", "zwei hunde")]
    references = [["a dog runs home", "two dogs"], ["one dog", None]]
    measured = evaluate(made, pairs)
    assert measured.bleu == sacrebleu.corpus_bleu(found, references).score
    assert measured.chrf == sacrebleu.corpus_chrf(found, references).score
    assert _bleu_and_chrf(["a b c d"], [["a b c d"]], "none") == (100.0, 100.0)


# --- learning


def _trained(folder: Path, pairs: list[tuple[str, str]], **options: object) -> dict[str, Any]:
    file = folder / "pairs.tsv"
    file.write_text("".join(f"{source}\t{target}\n" for source, target in pairs), encoding="utf-8")
    small = {"preset": "tiny", "seed": 1, "out": str(folder / "run"), "device": "cpu", "evaluations": 2, **options}
    return fit(TranslationTask, [str(file)], small, Messages())


def test_dates_are_learned(tmp_path: Path) -> None:
    report = _trained(tmp_path, generated.generate("dates", 2500), epochs=6.0)
    assert report["measured_on"] == "validation"
    assert report["exact_match"] > 0.9
    (found,) = Translator.load(report["model"]).translations(["April 20, 2018"], alignments=True)
    assert found[0].text == "2018-04-20"
    assert found[0].alignment is not None
    assert found[0].alignment[:4].argmax(axis=1).tolist() == [10, 11, 12, 13]  # the year is read where it stands


@pytest.mark.parametrize(
    "options",
    [
        {"unit": "word"},
        {"unit": "bpe", "pieces": 50, "attention": "additive"},
        {"unit": "bpe", "pieces": 50, "context": "every", "cell": "lstm"},
    ],
    ids=str,
)
def test_a_few_sentences_are_learned_by_heart(options: dict[str, Any], tmp_path: Path) -> None:
    sentences = grammar.sentences(8, seed=2)
    pairs = [(" ".join(words[::-1]), sentence) for sentence in sentences for words in [sentence.split()]]
    options = {"min_count": 1, "dropout": 0.0, "valid_share": 0.0, "batch": 8, "ema_decay": 0.9, **options}
    report = _trained(tmp_path, pairs, epochs=250.0, **options)
    assert report["measured_on"] == "training data"
    assert report["exact_match"] == 1.0
    assert report["bleu"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ("ab", "expected several pairs, not one string"),
        (["ab"], "'ab': expected a pair of a source and its target"),
        ([("a", "b", "c")], "expected a pair of a source and its target"),
        ([("", "b")], "all sources are empty"),
        ([], "no pairs to make a translator for"),
    ],
)
def test_what_is_no_pair(pairs: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Translator.untrained(pairs)


def test_vectors_of_both_sides_start_from_counts(tmp_path: Path) -> None:
    """Where a side has a thousand tokens or more, or by request; held-out pairs are not counted."""
    pairs = [(f"a{i % 7}", f"b{i % 60} c{i % 11}") for i in range(1200)]
    (tmp_path / "p.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in pairs), encoding="utf-8")
    options = {"preset": "tiny", "unit": "word", "min_count": 1, "epochs": 0.1}

    def told(name: str, **more: Any) -> str:
        display = Messages()
        fit(TranslationTask, [str(tmp_path / "p.tsv")], {**options, "out": str(tmp_path / name), **more}, display)
        return display.text

    assert "vectors start from counts" not in told("few")
    said = told("asked", counted_vectors=True)
    assert "sources: 6 of 9 vectors start from counts of " in said
    assert "targets: 71 of 74 vectors start from counts of " in said


@pytest.mark.parametrize(
    "options",
    [
        {"unit": "char", "cell": "lstm", "decoder_layers": 2, "attention": "additive"},
        {"unit": "word", "min_count": 1, "context": "every"},
        {"unit": "bpe", "pieces": 20, "tied": True},
    ],
    ids=str,
)
def test_a_translator_goes_on_from_another(options: dict[str, Any], tmp_path: Path) -> None:
    """It keeps its tokens, weights and longest targets, adds tokens to letters and words, and is measured first."""
    pairs = [("ab ba", "x"), ("b a", "x y y x"), ("abba", "y x")]
    common = {"batch": 2, "precision": "fp32", "valid_share": 0.0}
    _trained(tmp_path, pairs, epochs=3.0, **common, **options)
    start = Translator.load(tmp_path / "run")
    (tmp_path / "new.tsv").write_text("ab\tz z\nc a\tx\n", encoding="utf-8")
    on = {**common, "preset": "tiny", "epochs": 1.0, "learning_rate": 1e-12, "weight_decay": 0.0}
    on |= {"valid": (str(tmp_path / "new.tsv"),), "init_from": str(tmp_path / "run"), "out": str(tmp_path / "on")}
    if options["unit"] == "word":
        on["min_count"] = 1
    display = Messages()
    del on["valid_share"]
    fit(TranslationTask, [str(tmp_path / "new.tsv")], on, display)
    model = Translator.load(tmp_path / "on")
    assert "before training" in display.text
    assert model.growth == start.growth
    new = {"char": (("c",), ("z", " ")), "word": (("c",), ("z",)), "bpe": ((), ())}[options["unit"]]
    for mine, theirs, more in ((model.source, start.source, new[0]), (model.target, start.target, new[1])):
        assert mine.merges == theirs.merges
        assert {*mine.vocabulary} == {*theirs.vocabulary} | {*more}
        assert mine.vocabulary.tokens[: len(theirs)] == theirs.vocabulary.tokens
    assert f"tokens known, {len(new[0]) + len({*new[1]} - {*start.target.vocabulary})} new" in display.text
    for name, weight in start.network.state_dict().items():
        torch.testing.assert_close(model.network.state_dict()[name][: len(weight)], weight, rtol=0, atol=1e-6)
    bias = model.network.output.bias[len(start.target) :]
    assert torch.allclose(bias, start.network.output.bias.min(), atol=1e-6)


def test_what_a_translator_does_not_go_on_from(tmp_path: Path) -> None:
    translator().save(tmp_path / "start.safetensors")
    given = {"init_from": str(tmp_path / "start.safetensors")}
    assert TranslationTask.resolve(given).network.hidden == 6
    for options, said in (
        ({"hidden": 8}, "^hidden 8: with --init-from it is the translator's, 6"),
        ({"unit": "word"}, "^unit word: with --init-from it is the translator's, char"),
        ({"tied": True}, "^tied True: with --init-from it is the translator's, False"),
    ):
        with pytest.raises(InputError, match=said):
            TranslationTask.resolve({**given, **options})
    LanguageModel.untrained("ab" * 40, hidden=4, embedding=4).save(tmp_path / "lm.safetensors")
    with pytest.raises(ModelFileError, match=r"holds a language-model .*expected a translator"):
        TranslationTask.resolve({"init_from": str(tmp_path / "lm.safetensors")})
