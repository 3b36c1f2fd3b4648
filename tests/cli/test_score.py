"""``seqtree lm score``: tokens, words, lines, documents and items, and what it cannot take."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused, workers_of
from language_helpers import TEXT, model
from parsing_helpers import small_parser
from picture_helpers import texts_of, titles_of

from seqtree import LanguageModel
from seqtree.parsing.word_counts import NAMES

ITEMS = 'story,word,"reading, ms"\n1,the,1.50\n1,"""cat,""",2\n1,sat.,3\n2,on,\n2,the,5\n2,mat,6\n'


@pytest.fixture
def score(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree lm score m ...`` in a folder of its own, with a model m.safetensors, a text and a parser."""
    model().save(tmp_path / "m.safetensors")
    model(unit="word").save(tmp_path / "words.safetensors")
    (tmp_path / "text.txt").write_text('the "cat"  sat\r\n\r\non\tthe mat', encoding="utf-8")
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    return caller(capsys, tmp_path, monkeypatch, "lm", "score", "m.safetensors")


def _table(out: str, kind: str = "tsv") -> list[dict[str, str]]:
    quoting = csv.QUOTE_MINIMAL if kind == "csv" else csv.QUOTE_NONE
    return list(csv.DictReader(io.StringIO(out), delimiter="," if kind == "csv" else "\t", quoting=quoting))


def _bits(text: str) -> float:
    measured = LanguageModel.load("m.safetensors").evaluate(text)
    return measured.loss * measured.tokens / math.log(2)


def test_words(score: Run) -> None:
    code, out, err = score("text.txt", "--by", "word")
    assert (code, err) == (0, "")
    assert out.startswith("line\tword\tstart\tend\tsurprisal\ttokens\tunknown\n1\tthe\t0\t3\t")
    rows = _table(out)
    assert [(row["line"], row["word"]) for row in rows] == [
        *(("1", word) for word in ("the", '"cat"', "sat")),
        *(("3", word) for word in ("on", "the", "mat")),
    ]
    bits = sum(float(row["surprisal"]) for row in rows)
    assert bits == pytest.approx(_bits('the "cat"  sat\n\non\tthe mat'), abs=1e-4 * len(rows))


@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl"])
@pytest.mark.parametrize("level", ["token", "word", "line", "document"])
def test_every_format_says_the_same(score: Run, level: str, kind: str) -> None:
    whole = json.loads(score("text.txt", "--by", level, "--json")[1])
    out = score("text.txt", "--by", level, "--format", kind)[1]
    assert whole["unit"] == "bits"
    expected = whole[f"{level}s"]
    if kind == "jsonl":
        assert [json.loads(line) for line in out.splitlines()] == expected
        return
    rows = _table(out, kind)
    assert [list(row) for row in rows] == [list(row) for row in expected]
    for row, there in zip(rows, expected, strict=True):
        assert float(row["surprisal"]) == pytest.approx(there["surprisal"], abs=1e-4)
        token = row.get("token", "")
        assert (json.loads(f'"{token}"') if kind == "tsv" else token) == there.get("token", "")


def test_columns_spillover_and_frequencies(score: Run) -> None:
    Path("counted.txt").write_text("the the cat\n", encoding="utf-8")
    options = ("--columns", "length,frequency,rank", "--spillover", "1", "--frequencies", "counted.txt")
    rows = _table(score("text.txt", "--by", "word", *options)[1])
    assert list(rows[0])[7:] == ["length", "frequency", "rank", "surprisal_1", "length_1", "frequency_1"]
    assert rows[0]["surprisal_1"] == ""
    assert [row["surprisal_1"] for row in rows[1:]] == [row["surprisal"] for row in rows[:-1]]
    assert float(rows[1]["frequency"]) == pytest.approx(math.log10(2 / 5 * 1e9), abs=1e-4)
    Path("regions.csv").write_text("word\nthe cat\n", encoding="utf-8")
    (region,) = _table(score("--items", "regions.csv", *options)[1], "csv")
    assert float(region["frequency"]) == pytest.approx(
        math.log10(2 / 5 * 1e9) / 2 + math.log10(3 / 5 * 1e9) / 2, abs=1e-4
    )
    refused(score("text.txt", "--by", "word", "--columns", "frequency"), "config.json", "--frequencies")


def test_items_come_back_with_the_new_columns_beside_the_old(score: Run) -> None:
    code, out, _ = score("--items", "items.csv", "--by-column", "story", "--columns", "length")
    assert code == 0
    rows = _table(out, "csv")
    assert list(rows[0]) == ["story", "word", "reading, ms", "surprisal", "tokens", "unknown", "length"]
    old = [list(row.values())[:3] for row in rows]
    assert old == list(csv.reader(io.StringIO(ITEMS)))[1:]
    for story, text in (("1", 'the "cat," sat.'), ("2", "on the mat")):
        bits = sum(float(row["surprisal"]) for row in rows if row["story"] == story)
        assert bits == pytest.approx(_bits(text), abs=1e-3)
    documents = _table(score("--items", "items.csv", "--by-column", "story", "--by", "document")[1], "csv")
    assert [(row["story"], row["tokens"]) for row in documents] == [("1", "15"), ("2", "10")]


@pytest.mark.parametrize("model", ["m.safetensors", "words.safetensors"])
def test_regions_in_which_sentences_end_are_the_sums_of_their_words(
    score: Run, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from seqtree.cli import run

    small_parser().save("p.safetensors")
    regions = ["The cat sat. The", "man ran.", "A dog ran. It sat. A cat sat."]
    Path("regions.tsv").write_text("word\n" + "\n".join(regions) + "\n", encoding="utf-8")
    Path("words.tsv").write_text("word\n" + "\n".join(" ".join(regions).split()) + "\n", encoding="utf-8")
    Path("lines.txt").write_text("The cat sat.\nThe man ran.\nA dog ran.\nIt sat.\nA cat sat.", encoding="utf-8")
    found = []
    for file in ("regions.tsv", "words.tsv"):
        options = ("--sentences", "--columns", "rank,length", "--spillover", "1", "--parser", "p.safetensors")
        assert run(["lm", "score", model, "--items", file, *options]) == 0
        found.append(_table(capsys.readouterr().out))
    sums = ("surprisal", "tokens", "unknown", "opened", "closed", "announced", "merge_score")
    place = 0
    for row, region in zip(found[0], regions, strict=True):
        words = found[1][place : place + len(region.split())]
        for name in sums:
            assert float(row[name]) == pytest.approx(sum(float(word[name]) for word in words), abs=1e-3), name
        assert (row["rank"], row["depth"], row["length"]) == (words[0]["rank"], words[0]["depth"], str(len(region)))
        place += len(words)
    assert [row["surprisal_1"] for row in found[0]] == ["", *(row["surprisal"] for row in found[0][:-1])]
    assert run(["lm", "score", model, "lines.txt", "--by", "word"]) == 0
    whole = sum(float(row["surprisal"]) for row in _table(capsys.readouterr().out))
    assert sum(float(row["surprisal"]) for row in found[0]) == pytest.approx(whole, abs=1e-2)


def test_items_between_tabs_are_taken_as_they_stand(score: Run) -> None:
    data = 'word\tn\n"the\t1\n\ncat"\t2\n'
    out = score("--items", "-", "--prefix", "char_", stdin=data.encode())[1]
    rows = _table(out)
    assert [(row["word"], row["n"]) for row in rows] == [('"the', "1"), ('cat"', "2")]
    assert "char_surprisal" in rows[0]
    again = score("--items", "-", "--prefix", "word_", stdin=out.encode())[1]
    assert list(_table(again)[0])[:5] == ["word", "n", "char_surprisal", "char_tokens", "char_unknown"]
    refused(score("--items", "-", "--prefix", "char_", stdin=out.encode()), "'char_surprisal' is there already")
    assert score("--items", "-", stdin=b"word\n")[1] == "word\tsurprisal\ttokens\tunknown\n"


def test_a_field_that_does_not_go_between_tabs(score: Run) -> None:
    Path("a.csv").write_text('word,note\nthe,"two\nlines"\n', encoding="utf-8")
    assert score("--items", "a.csv")[1].startswith('word,note,surprisal,tokens,unknown\nthe,"two\nlines",')
    code, _, err = score("--items", "a.csv", "--format", "tsv")
    assert code == 2
    assert "--format csv or jsonl" in err


@pytest.mark.parametrize("items", [False, True])
def test_what_a_parser_says(score: Run, items: bool) -> None:
    small_parser().save("p.safetensors")
    source = ("--items", "items.csv", "--by-column", "story") if items else ("text.txt", "--by", "word")
    source = (*source, "--format", "csv")
    plain = _table(score(*source)[1], "csv")
    parsed = _table(score(*source, "--parser", "p.safetensors")[1], "csv")
    assert list(parsed[0]) == [*plain[0], *NAMES]
    assert [row | dict.fromkeys(NAMES) for row in parsed] == [row | dict.fromkeys(NAMES) for row in plain]
    assert sum(float(row["opened"]) for row in parsed) == sum(float(row["closed"]) for row in parsed) > 0
    several = _table(score(*source, "--parser", "p.safetensors", "--k", "4")[1], "csv")
    announced, closed = (sum(float(row[name]) for row in several) for name in ("announced", "closed"))
    assert announced == pytest.approx(closed, abs=1e-3) != 0


@pytest.mark.parametrize("name", ["m.safetensors", "words.safetensors"])
def test_ngrams(score: Run, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from seqtree.cli import run

    Path("train.txt").write_text(TEXT, encoding="utf-8")
    Path("a.txt").write_text("the cat sat on a man\na cat\n", encoding="utf-8")
    assert run(["lm", "eval", name, "a.txt", "--ngram", "train.txt", "--ngram-order", "4", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert run(["lm", "score", name, "a.txt", "--by", "word", "--ngram", "train.txt", "--ngram-order", "4"]) == 0
    rows = _table(capsys.readouterr().out)
    bits = measured["ngram"]["loss"] * measured["tokens"] / math.log(2)
    assert sum(float(row["surprisal"]) for row in rows) == pytest.approx(bits, abs=1e-3)
    refused(score("a.txt", "--by", "word", "--columns", "rank", "--ngram", "train.txt"), "not of --ngram")


def test_an_empty_text_has_a_header(score: Run) -> None:
    assert score("-", "--by", "line", stdin=b"")[0] == 2  # as lm eval
    assert score("-", "--by", "word", "--json", stdin=b"a\n")[1].startswith('{"words": [{"line": 1, "word": "a"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("text.txt", "--items", "items.csv"), "give FILE or --items, not both"),
        (("--items", "items.csv", "--by", "line"), "--items goes with --by word or document"),
        (("text.txt", "--by-column", "story"), "go with --items"),
        (("text.txt", "--spillover", "1"), "go with --by word"),
        (("text.txt", "--by", "line", "--columns", "rank"), "of --columns, --by line has none"),
        (("text.txt", "--columns", "length"), "of --columns, --by token has entropy, rank"),
        (("text.txt", "--by", "word", "--columns", "size"), "'size' is not one of entropy"),
        (("text.txt", "--by", "word", "--k", "2"), "--k goes with --parser"),
        (("text.txt", "--by", "word", "--frequencies", "text.txt"), "--frequencies is for the column frequency"),
        (("text.txt", "--ngram-order", "4"), "--ngram-order goes with --ngram"),
        (("text.txt", "--join", "-"), "--join and --word-column go with --items"),
        (("text.txt", "--word-column", "word"), "--join and --word-column go with --items"),
        (
            ("--items", "items.csv", "--by", "document", "--by-column", "tokens"),
            "column 'tokens' is there already, expected",
        ),
        (("--items", "items.csv", "--word-column", "token"), "items.csv:1: no column 'token' among"),
        (("--items", "items.csv", "--by-column", "list"), "items.csv:1: no column 'list' among"),
        (("--items", "ragged.csv"), "ragged.csv:3: 1 column, expected 2 as in the header"),
        (("--items", "."), ".: a folder, expected one file"),
        (("--items", "twice.csv"), "twice.csv:1: more than one column 'n', expected each name once"),
        (("--items", "twice.csv", "--prefix", "a_"), "twice.csv:1: more than one column 'n'"),
        (("--items", "missing.csv"), "missing.csv: no such file"),
        (("--items", "bytes.csv"), "bytes.csv: byte 5 (line 2)"),
        (("text.txt", "--by", "word", "--frequencies", "no.txt", "--columns", "frequency"), "no.txt: no such file"),
        (("text.txt", "--by", "word", "--parser", "m.safetensors"), "m.safetensors"),
    ],
)
def test_what_is_refused(score: Run, arguments: tuple[str, ...], said: str) -> None:
    Path("ragged.csv").write_text("word,n\nthe,1\ncat\n", encoding="utf-8")
    Path("twice.csv").write_text("word,n,n\nthe,1,1\n", encoding="utf-8")
    Path("bytes.csv").write_bytes(b"word\n\xff\n")
    code, _, err = score(*arguments)
    assert code == 2
    assert said in err.splitlines()[-1]


@pytest.mark.parametrize(
    "options",
    [
        ("text.txt", "--independent", "--by", "word", "--spillover", "1", "--columns", "rank", "--format", "csv"),
        ("--items", "items.csv", "--by-column", "story", "--json"),
    ],
    ids=" ".join,
)
def test_several_processes_write_the_same(
    options: tuple[str, ...], score: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtree.cli.score_rows.CHARACTERS", 12)
    Path("text.txt").write_text("".join(f"the cat {number} sat\n\n" for number in range(12)), encoding="utf-8")
    alone, shared = (score(*options, "--processes", count) for count in "12")
    assert alone[0] == 0
    assert shared == alone
    assert alone[1].count("\n") == (1 if "--json" in options else 12 * 4 + 1)


def test_lines_that_are_texts_are_numbered_through(score: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("text.txt").write_text("the cat\n\na mat\nwide\n" * 5, encoding="utf-8")
    whole = score("text.txt", "--independent", "--by", "word")
    monkeypatch.setattr("seqtree.cli.score_rows.CHARACTERS", 1)
    assert score("text.txt", "--independent", "--by", "word") == whole
    assert [int(row["line"]) for row in _table(whole[1])][-3:] == [19, 19, 20]


def test_what_precedes_a_fault_is_written_by_any_number_of_processes(
    score: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtree.text.reading.BLOCK", 16)
    Path("text.txt").write_bytes(b"the cat\n" * 40 + b"a \xff mat\n")
    alone, shared = (score("text.txt", "--independent", "--by", "line", "--processes", count) for count in "12")
    assert alone == shared
    assert alone[0] == 2
    assert alone[1].count("\n") == 41
    assert "byte 322 (line 41) is 0xFF" in alone[2]


def test_lines_that_follow_one_another_are_not_shared(score: Run) -> None:
    refused(score("text.txt", "--processes", "2"), "--processes shares texts that are apart")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc")
def test_a_process_that_is_killed_is_told(score: Run) -> None:
    Path("text.txt").write_text("the cat sat on the mat\n" * 50_000, encoding="utf-8")
    command = [sys.executable, "-m", "seqtree", "lm", "score", "m.safetensors", "text.txt", "--independent"]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "--processes", "2"], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("line\ttoken")
        os.kill(workers_of(process)[0], signal.SIGKILL)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 1
    assert said.startswith("seqtree: error: one of the processes was killed (out of memory?); fewer --processes")
    assert said.count("\n") == 1


# --- pictures


def test_a_picture_of_words_says_what_the_rows_say(score: Run) -> None:
    plain = score("text.txt", "--by", "word")
    code, out, err = score("text.txt", "--by", "word", "--plot", "a.svg")
    assert (code, out, err) == (0, plain[1], "a.svg: text.txt: 6 words\n")
    rows = _table(out)
    drawn = Path("a.svg").read_bytes()
    unseen = [", not in the vocabulary" if int(row["unknown"]) else "" for row in rows]
    assert titles_of(drawn)[1:] == [
        f"{row['word']}: {float(row['surprisal']):.2f} bits{more}" for row, more in zip(rows, unseen, strict=True)
    ]
    assert texts_of(drawn)[-6:] == [row["word"] for row in rows]


@pytest.mark.parametrize(("named", "kind"), [("m.safetensors", "characters"), ("words.safetensors", "words")])
def test_a_picture_of_tokens(
    capsys: pytest.CaptureFixture[str],
    score: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    kind: str,
) -> None:
    run = caller(capsys, tmp_path, monkeypatch, "lm", "score", named)
    code, out, err = run("text.txt", "--plot", "a.svg", "--json")
    tokens = json.loads(out)["tokens"]
    assert (code, err) == (0, f"a.svg: text.txt: {len(tokens)} {kind}\n")
    said = titles_of(Path("a.svg").read_bytes())[1:]
    assert [one.split(" bits")[0].rpartition(": ")[2] for one in said] == [f"{one['surprisal']:.2f}" for one in tokens]
    model = LanguageModel.load(named)
    scored = model.score(model.sample(length=30, seed=1))
    title, *items = titles_of(scored._repr_svg_())
    assert title == f"{len(scored)} {kind}" and len(items) == len(scored)
    assert model.score("")._repr_svg_().startswith("<svg")


def test_a_picture_of_lines_by_themselves_and_of_stdin(score: Run) -> None:
    code, _, err = score("text.txt", "--independent", "--plot", "a.png")
    pytest.importorskip("PIL", reason="the extra images is not installed")
    assert (code, Path("a.png").read_bytes()[:4]) == (0, b"\x89PNG")
    code, _, err = score("--by", "word", "--plot", "b.svg", stdin=b"the cat\n" * 3000)
    assert (code, err.startswith("b.svg: the first "), err.endswith(" of 6,000 words\n")) == (0, True, True)


def test_pictures_that_cannot_be_drawn(score: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.gif", "a.pdf", "no/a.svg", "."):
        refused(score("text.txt", "--plot", name), f"--plot {name}: expected a file that ends in .svg or .png")
    refused(score("text.txt", "--plot", "a.svg", "--by", "line"), "--plot draws the tokens or words of FILE")
    refused(score("--items", "items.csv", "--plot", "a.svg"), "--plot draws the tokens or words of FILE")
    refused(
        score("text.txt", "--independent", "--plot", "a.svg", "--processes", "2"), "--plot goes without --processes"
    )
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    refused(
        score("text.txt", "--plot", "a.png"),
        'a PNG file needs Pillow (an SVG file does not): pip install "seqtree[images]"',
    )
    assert not Path("a.svg").exists()
