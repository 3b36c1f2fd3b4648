"""``seqtree tag``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused
from picture_helpers import texts_of

from seqtree import corpora
from seqtree.drawing.characters import columns

SMALL = ("--preset", "tiny", "--hidden", "8", "--words", "6", "--characters", "6", "--threads", "1", "-q")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from seqtree.training.fit import train

    folder = tmp_path_factory.mktemp("model")
    options = {"preset": "tiny", "hidden": 8, "words": 6, "characters": 6, "epochs": 3, "threads": 1}
    train("tag", corpora.path("toy_chunks"), out=folder, progress=False, **options)
    return folder


@pytest.fixture
def tag(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return caller(capsys, tmp_path, monkeypatch, "tag")


def test_eval(tag: Run, model: Path) -> None:
    code, out, _ = tag("eval", model, corpora.path("toy_chunks"), "--json")
    record = json.loads(out)
    assert code == 0
    assert {"accuracy", "sentence_accuracy", "chunk", "intent_accuracy", "tokens", "sentences", "unknown_tokens"} <= {
        *record
    }
    assert set(record["chunk"]) == {"precision", "recall", "f1"}
    assert record["sentences"] == 200
    code, out, _ = tag("eval", model, corpora.path("toy_chunks"))
    assert code == 0 and "sentence accuracy" in out and "NP" in out


def test_eval_draws_what_was_taken_for_what(
    tag: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    texts = corpora.path("toy_chunks")
    plain, drawn = (tag("eval", model, texts, "--json", *rest) for rest in ((), ("--plot", "a.svg")))
    record, again = json.loads(plain[1]), json.loads(drawn[1])
    assert {**again, "tokens_per_second": 0} == {**record, "tokens_per_second": 0}
    said = f"{record['tokens']:,} words, {record['accuracy']:.2%} right"
    assert drawn[2].splitlines()[-1] == f"a.svg: confusion of {said}"
    shown = {*texts_of(Path("a.svg").read_bytes())}
    assert {said, "taken for", "true class (its number of words)"} <= shown
    first = record["mistakes"][0]
    assert {first["said"], f"{first['count']:,}"} <= {line for one in shown for line in one.split("  ")}
    for name, reason in (
        ("a.gif", "expected a file that ends in .svg, .png or .pdf"),
        ("no/a.svg", "in a folder that is"),
    ):
        refused(tag("eval", "none", texts, "--plot", name), name, reason)  # before the model is opened
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused(tag("eval", "none", texts, "--plot", "b.svg"), 'plots need matplotlib: pip install "seqtree[plot]"')
    assert not (tmp_path / "b.svg").exists()


def test_tables_stay_in_columns_whatever_the_script_of_the_tags(tag: Run, tmp_path: Path) -> None:
    names = ("B-人名", "B-地名机构及其他名称", "O")
    for file, some in (("a.conll", names), ("b.conll", names[1:] + names[:1])):
        sentence = "".join(f"word{number}\t{name}\n" for number, name in enumerate(some))
        (tmp_path / file).write_text((sentence + "\n") * 12, encoding="utf-8")
    assert tag("train", "a.conll", *SMALL, "--epochs", "1", "--out", "run")[0] == 0
    code, out, _ = tag("eval", "run", "b.conll")
    tables = out.split("\n\n")[1:]
    assert code == 0 and len(tables) == 2
    for table in tables:
        assert len({columns(row) for row in table.splitlines()}) == 1


def test_words_without_names_have_no_row_of_their_own(tag: Run, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("我\tS\n喜\tB\n欢\tE\n你\tS\n\n" * 12, encoding="utf-8")
    assert tag("train", "a.conll", *SMALL, "--epochs", "1", "--out", "run")[0] == 0
    code, out, _ = tag("eval", "run", "a.conll")
    rows = out.split("\n\n")[1].splitlines()
    assert code == 0 and len(rows) == 2 and rows[1].startswith("all ")


def test_predict(tag: Run, model: Path) -> None:
    code, out, _ = tag("predict", model, "the cat sat", "a dog")
    blocks = out.split("\n\n")
    assert code == 0
    assert [[row.split("\t")[0] for row in block.splitlines()] for block in blocks] == [
        ["the", "cat", "sat"],
        ["a", "dog"],
        [],
    ]
    code, out, _ = tag("predict", model, "--format", "json", "--tokenized", "the cat's \x1b[m")
    record = json.loads(out)
    assert record["words"] == ["the", "cat's", "\x1b[m"]
    assert [record["offsets"][1]] == [[4, 9]]
    code, out, _ = tag("predict", model, "--k", "3", "--format", "inline", "the cat")
    assert len(set(out.splitlines())) == 3


def test_one_dash_is_standard_input(tag: Run, model: Path) -> None:
    text = b"the cat sat\n\n- a dog -\n"
    assert tag("predict", model, "-", stdin=text) == tag("predict", model, "--file", "-", stdin=text)


def test_lines_keep_their_order(tag: Run, model: Path) -> None:
    lines = [f"word{i} sat" if i % 3 else "" for i in range(3000)]
    code, out, _ = tag(
        "predict", model, "--file", "-", "--tokenized", "--format", "inline", stdin="\n".join(lines).encode()
    )
    assert code == 0
    assert [line.split("/")[0] for line in out.splitlines()] == [line.split(" ")[0] for line in lines]


def test_columns_get_a_column_more(tag: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("1 the\n2 cat\n\n1 sat\n")
    code, out, _ = tag("predict", model, "--columns", "--word-column", "2", "--file", "a.conll", "--probabilities")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [row[:2] for row in rows] == [["1", "the"], ["2", "cat"], [""], ["1", "sat"], [""]]
    assert all(len(row) == 4 for row in rows if row != [""])


def test_columns_keep_the_lines_that_are_no_words(tag: Run, model: Path, tmp_path: Path) -> None:
    rest = "\t_" * 6
    rows = ["-DOCSTART-", "", "# sent_id = 1", f"1-2\tal\t_\t_{rest}", f"1\ta\ta\tADP{rest}", f"2\til\til\tDET{rest}"]
    rows += [f"2.1\tx\tx\tX{rest}", "", "# sent_id = 2", f"1\tmare\tmare\tNOUN{rest}", "", "# the", "", "# end", ""]
    (tmp_path / "a.conllu").write_text("\n".join(rows) + "\n")
    code, out, _ = tag("predict", model, "--columns", "--file", "a.conllu", "--probabilities")
    assert code == 0
    found = out.split("\n")[:-1]
    assert [line.split("\t")[:10] for line in found] == [line.split("\t") for line in rows]
    assert [len(line.split("\t")) for line in found] == [1, 1, 1, 12, 12, 12, 12, 1, 1, 12, 1, 1, 1, 1, 1]
    assert found[3].endswith("\t_\t_") and found[6].endswith("\t_\t_")
    (tmp_path / "b.conllu").write_text(out)
    assert tag("predict", model, "--columns", "--word-column", "2", "--file", "b.conllu")[0] == 0


def test_an_intent_takes_the_place_of_the_one_in_the_file(tag: Run, tmp_path: Path) -> None:
    text = "# intent: move\n# from home\ngo\tO\nhome\tB-x\n\n# intent: halt\nstop\tO\n\n"
    (tmp_path / "a.conll").write_text(text * 10)
    assert tag("train", "a.conll", "--intent", "--out", "r", "--epochs", "1", *SMALL)[0] == 0
    code, out, _ = tag("predict", "r", "--columns", "--file", "a.conll")
    assert code == 0
    assert out.count("# intent: ") == 20 and out.count("# from home\n# intent: ") == 10


def test_intents_from_a_file(tag: Run, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("go\tO\nhome\tB-x\n\nstop\tO\n\n" * 10)
    (tmp_path / "a.tsv").write_text("move\tgo home\nhalt\tstop\n" * 10)
    code, _, err = tag("train", "a.conll", "--intents", "a.tsv", "--out", "r", "--epochs", "2", *SMALL)
    assert code == 0, err
    _, out, _ = tag("eval", "r", "a.conll", "--intents", "a.tsv", "--json")
    assert json.loads(out)["intent_accuracy"] is not None
    _, out, _ = tag("predict", "r", "go home")
    assert out.startswith("# intent: ")
    (tmp_path / "short.tsv").write_text("move\tgo home\n")
    refused(tag("eval", "r", "a.conll", "--intents", "short.tsv"), "short.tsv", "1 intents for 20 sentences")
    (tmp_path / "other.tsv").write_text("move\tgo\nhalt\tstop\n" * 10)
    refused(tag("eval", "r", "a.conll", "--intents", "other.tsv"), "other.tsv:1", "are not those of the sentence")
    small = ("--out", "s", "--epochs", "1", *SMALL)
    for options in (("--intents", "a.tsv"), ("--valid", "a.conll")):
        refused(
            tag("train", "a.conll", *options, "--valid-intents", "none", *small), "--valid-intents: only with --valid"
        )
    (tmp_path / "none.tsv").write_text("go home\n")
    refused(tag("eval", "r", "a.conll", "--intents", "none.tsv"), "none.tsv:1: expected intent<TAB>text")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a X\nb\n", "a.conll:2: 1 column, expected 2"),
        ("a X\nb X\n", "every tag is X; expected several to tell apart"),
        ("a\nb\n", "expected a tag in column 2"),
        ("", "a.conll is empty"),
        ("\n", "no sentence in it"),
    ],
)
def test_bad_sentences(text: str, said: str, tag: Run, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text(text)
    refused(tag("train", "a.conll", "--out", "r", *SMALL), said)
    assert not (tmp_path / "r").exists()


def test_eval_takes_the_column_with_the_tags_of_the_tagger(tag: Run, model: Path, tmp_path: Path) -> None:
    rows = corpora.path("toy_chunks").read_text().splitlines()
    more = [f"{row}\t{'I-x' if number % 3 else 'B-x'}" if row else "" for number, row in enumerate(rows)]
    (tmp_path / "a.conll").write_text("\n".join(more) + "\n")
    _, plain, _ = tag("eval", model, corpora.path("toy_chunks"), "--json")
    code, out, err = tag("eval", model, "a.conll", "--json")
    assert code == 0, err
    assert json.loads(out)["accuracy"] == json.loads(plain)["accuracy"]
    assert "tags from column" in err
    last = str(len(more[0].split("\t")))
    refused(tag("eval", model, "a.conll", "--tag-column", last), "is not one of the tagger's, nor is any other: ")


def test_options_that_a_segmenter_does_not_have(tag: Run, tmp_path: Path) -> None:
    (tmp_path / "seg.conll").write_text("a\tB\nb\tM\nc\tE\nd\tS\n\n" * 10)
    assert tag("train", "seg.conll", "--out", "s", "--epochs", "1", *SMALL)[0] == 0
    assert tag("predict", "s", "abcd")[0] == 0
    refused(tag("predict", "s", "--probabilities", "abcd"), "--probabilities goes with --format columns, not words")
    refused(tag("predict", "s", "--tokenized", "abcd"), "--tokenized goes with a tagger of words")


def test_bad_options(tag: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("a X\nb Y\n")
    refused(tag("eval", model, "a.conll"), "a.conll:1: the tag 'X' is not one of the tagger's, nor is any other: ")
    refused(tag("train", "a.conll", "--intent", "--out", "r"), "a.conll:1: a sentence without an intent")
    refused(tag("train", "a.conll", "--valid", "none.conll", "--out", "r"), "none.conll")
    refused(tag("predict", model, "--columns", "text"), "--columns goes with --file")
    refused(tag("predict", model, "--format", "words", "text"), "goes with a segmenter")
    refused(tag("predict", model, "--word-column", "2", "text"), "--word-column goes with --columns")
    refused(tag("predict", model, "--format", "inline", "--probabilities", "text"), "goes with --format columns")
    refused(tag("predict", model, "- yes"), "-- '- yes'")
    (tmp_path / "pos.conll").write_text("a\tX\nb\tY\n\n" * 10)
    assert tag("train", "pos.conll", "--out", "p", "--epochs", "1", *SMALL)[0] == 0
    for k in ("1", "2"):
        refused(
            tag("predict", "p", "--scheme", "iob2", "--k", k, "a b"), "scheme iob2: this tagger's tags are no chunk"
        )
    for text, said in (
        ("\n\n", "no sentence in it"),
        ("", "bad.conll is empty"),
        ("a X\nb\n", "bad.conll:2: 1 column, expected 2"),
    ):
        (tmp_path / "bad.conll").write_text(text)
        refused(tag("predict", model, "--columns", "--file", "bad.conll"), said)
    refused(tag("predict", model, "--columns", "--file", "none.conll"), "none.conll")
    refused(tag("predict", model, "--file", "-", stdin=b"a\xff\n"), "standard input:1: byte 0xFF")
    refused(tag("predict", model, "text", "--file", "x"), "not both")
