"""Pairs: reading them, what is said of bad ones, holding some out; and those that seqtree generates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from seqtree.corpora import pairs as generated
from seqtree.errors import InputError
from seqtree.training.progress import Display
from seqtree.translation import Pair, read_pairs
from seqtree.translation.data import MAX_VALIDATION, set_apart
from seqtree.translation.task import TranslationTask

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file in the working folder, and gives its name."""
    monkeypatch.chdir(tmp_path)

    def make(name: str, content: str | bytes) -> str:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return make


def test_two_columns(write: Write) -> None:
    file = write("a.tsv", '\ufeffein  Hund\t"a dog"\r\nzwei\ttwo \n')
    assert read_pairs([file]) == [Pair("ein  Hund", '"a dog"', "a.tsv:1"), Pair("zwei", "two ", "a.tsv:2")]
    assert [pair[:2] for pair in read_pairs([file], swap=True)] == [('"a dog"', "ein  Hund"), ("two ", "zwei")]
    other = write("b.tsv", "drei\tthree")
    assert [pair.where for pair in read_pairs([file, other])] == ["a.tsv:1", "a.tsv:2", "b.tsv:1"]


def test_two_files_line_by_line(write: Write) -> None:
    files = (
        [write("a.de", "ein\thund\nzwei\n"), write("b.de", "drei\n")],
        [
            write("a.en", "a dog\ntwo"),
            write("b.en", "three\n"),
        ],
    )
    expected = [
        Pair("ein\thund", "a dog", "a.de:1, a.en:1"),
        Pair("zwei", "two", "a.de:2, a.en:2"),
        Pair("drei", "three", "b.de:1, b.en:1"),
    ]
    assert read_pairs(*files) == expected
    assert read_pairs(*files, swap=True) == [Pair(two, one, where) for one, two, where in expected]


def test_empty_lines_and_a_header_are_left_out(write: Write) -> None:
    file = write("a.tsv", "Source\tTarget\n\na\tb\nsource\ttarget\n\n")
    expected = [("a", "b", "a.tsv:3"), ("source", "target", "a.tsv:4")]
    assert read_pairs([file]) == expected
    assert read_pairs([write("a.tsv", "\n\nsource\ttarget\na\tb\n")]) == [("a", "b", "a.tsv:4")]
    reversed_header = write("a.tsv", "Target\tSource\nb\ta\n")
    assert read_pairs([reversed_header], swap=True) == [("a", "b", "a.tsv:2")]
    with pytest.raises(InputError, match=r"a.tsv:1: the columns are target and source; give --swap to read them so"):
        read_pairs([reversed_header])
    assert read_pairs([write("a", "x\n\ny\n\n")], [write("b", "1\n \n2\n\n")])[1] == Pair("y", "2", "a:3, b:3")


def test_other_encodings(write: Write) -> None:
    file = write("a.tsv", "Mädchen\tgirl\n".encode("latin-1"))
    assert read_pairs([file], encoding="latin-1")[0].source == "Mädchen"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\tb\nno tab\n", r"a.tsv:2: no tab; expected a source, one tab, and its target"),
        ("a\tb\n\nc\n", r"a.tsv:3: no tab"),
        ("a\tb\tc\n", r"a.tsv:1: 2 tabs; expected a source, one tab, and its target"),
        ("a\tb\n \tc\n", r"a.tsv:2: the source is empty; expected a text"),
        ("a\t\n", r"a.tsv:1: the target is empty; expected a text"),
        (b"a\tb\nb\t\xff\n", r"a.tsv: byte 6 \(line 2\) is 0xFF, which is not valid utf-8"),
        ("\n", r"a.tsv: no pair"),
        ("source\ttarget\n", r"a.tsv: no pair"),
        ("", r"a.tsv is empty"),
    ],
)
def test_bad_columns(write: Write, content: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_pairs([write("a.tsv", content)])


def test_bad_files_beside_each_other(write: Write) -> None:
    two, three, hole = write("two", "a\nb\n"), write("three", "x\ny\nz\n"), write("hole", "x\n\n")
    with pytest.raises(InputError, match="two ends after line 2, but three goes on: expected as many lines"):
        read_pairs([two], [three])
    with pytest.raises(InputError, match="two ends after line 2, but three goes on"):
        read_pairs([three], [two])
    with pytest.raises(InputError, match="hole:2: the target is empty"):
        read_pairs([two], [hole])
    with pytest.raises(InputError, match="hole:2: the source is empty"):
        read_pairs([hole], [two])
    with pytest.raises(InputError, match="2 files of sources, but 1 of targets"):
        read_pairs([two, two], [three])
    with pytest.raises(InputError, match="nothing: no such file"):
        read_pairs(["nothing"])
    with pytest.raises(InputError, match="'klingon' is not a text encoding"):
        read_pairs([two], encoding="klingon")


# --- holding out


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40), st.floats(0, 0.9))
def test_no_source_is_in_both_parts_and_no_pair_is_lost(sources: list[str], share: float) -> None:
    pairs = [Pair(source, str(number)) for number, source in enumerate(sources)]
    training, valid = set_apart(pairs, share)
    assert sorted(training + valid) == sorted(pairs)
    assert not {pair.source for pair in training} & {pair.source for pair in valid}
    assert len({pair.source for pair in valid}) == round(share * len(set(sources)))


def test_pairs_are_held_out_evenly() -> None:
    pairs = [Pair(f"{number:05}", "x") for number in range(1000)]
    valid = set_apart(pairs, 0.1)[1]
    assert [pair.source for pair in valid[:3]] == ["00000", "00010", "00020"]
    many = [Pair(str(number), "x") for number in range(4 * MAX_VALIDATION)]
    assert len(set_apart(many, 0.5)[1]) == MAX_VALIDATION


# --- generated pairs


@pytest.mark.parametrize("name", generated.NAMES)
def test_same_seed_same_pairs(name: str) -> None:
    assert generated.generate(name, 30, 4)[:10] == generated.generate(name, 10, 4)
    assert generated.generate(name, 10, 4) != generated.generate(name, 10, 5)
    assert generated.generate(name, 0) == []


def test_what_is_generated_is_right() -> None:
    for source, target in generated.generate("reverse", 300):
        assert source == target[::-1] and source.isdigit() and 1 <= len(source) <= 12
    for source, target in generated.generate("numerals", 300):
        assert generated.figures(int(target)) == source and str(int(target)) == target
    found = generated.generate("dates", 2000)
    for source, target in found:
        day = date.fromisoformat(target)
        assert str(day.year) in source and str(day.day) in source
        assert f"{day:%b}" in source or f".{day.month}." in source
        assert f"{day:%A}" in source or "day" not in source
    for form in ("the 22nd of ", "the 11th of ", "the 3rd of ", " 1st, "):
        assert any(form in source for source, _ in found)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (85, "eighty-five"),
        (100, "one hundred"),
        (101, "one hundred and one"),
        (1000, "one thousand"),
        (1001, "one thousand and one"),
        (12_345, "twelve thousand three hundred and forty-five"),
        (999_999, "nine hundred and ninety-nine thousand nine hundred and ninety-nine"),
    ],
)
def test_figures(number: int, words: str) -> None:
    assert generated.figures(number) == words


def test_pairs_that_are_not_generated() -> None:
    with pytest.raises(InputError, match="no pairs 'dreams' to generate; choose from reverse, dates, numerals"):
        generated.generate("dreams", 3)
    with pytest.raises(InputError, match="cannot be negative"):
        generated.generate("dates", -1)


@pytest.mark.parametrize(
    ("lines", "unit", "told"),
    [
        ("我是学生。\tI am a student.\n他来了。\tHe came.\n", "word", "sources: spaces part few words"),
        ("I am here.\t我在这里。\nHe came.\t他来了。\n", "word", "targets: spaces part few words"),
        ("我是学生。\tI am a student.\n他来了。\tHe came.\n", "bpe", ""),
        ("it is good\tyes\nit is bad\tno\nit is fine\tyes\nit is awful\tno\n", "word", ""),
    ],
)
def test_texts_without_spaces_are_told(write: Write, lines: str, unit: str, told: str) -> None:
    said, recipe = StringIO(), TranslationTask.resolve({"unit": unit, "valid_share": 0})
    TranslationTask.read([write("a.tsv", lines)], recipe, Display(said))
    assert told in said.getvalue()
    assert ("few words" in said.getvalue()) == bool(told)


@pytest.mark.parametrize(("pieces", "told"), [(5, "7 target pieces, more than asked for"), (7, "")])
def test_more_pieces_than_asked_for_are_told(write: Write, pieces: int, told: str) -> None:
    said, recipe = StringIO(), TranslationTask.resolve({"unit": "bpe", "pieces": pieces, "valid_share": 0})
    data = TranslationTask.read([write("a.tsv", "a a\tabc\n")], recipe, Display(said))
    TranslationTask.over(data, recipe, Display(said))
    assert (told in said.getvalue()) and ("pieces" in said.getvalue()) == bool(told)


@pytest.mark.parametrize(
    ("lines", "unit", "told"),
    [
        ("g e h e n V PST\tg i n g\n", "char", True),
        ("gehen V PST\tg i n g\n", "char", True),  # one side is enough
        ("g e h e n V PST\tg i n g\n", "word", False),
        ("gehen V PST\tging\n", "char", False),
        ("a\tb\n", "char", False),  # a letter alone has no spaces beside it
        ("May 5, 1955\t1955-05-05\n", "char", False),
    ],
)
def test_letters_that_stand_by_themselves_are_told(write: Write, lines: str, unit: str, told: bool) -> None:
    said, recipe = StringIO(), TranslationTask.resolve({"unit": unit})
    TranslationTask.read([write("a.tsv", lines * 2)], recipe, Display(said))
    assert (
        "letters stand by themselves, and the spaces between them are read, too; --unit word reads letters only"
        in said.getvalue()
    ) == told
