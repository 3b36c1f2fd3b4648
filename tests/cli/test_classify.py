"""``seqtree classify``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused
from picture_helpers import texts_of

from seqtree import Classifier, corpora
from seqtree.drawing.characters import columns

SMALL = ("--preset", "tiny", "--hidden", "8", "--words", "6", "--characters", "6", "--max-ngrams", "64", "-q")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from seqtree.training.fit import train

    folder = tmp_path_factory.mktemp("model")
    options = {"preset": "tiny", "epochs": 5, "threads": 1, "pooling": "attention"}
    train("classify", corpora.path("requests"), out=folder, progress=False, **options)
    return folder


@pytest.fixture
def classify(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return caller(capsys, tmp_path, monkeypatch, "classify")


def test_eval(classify: Run, model: Path) -> None:
    code, out, _ = classify("eval", model, corpora.path("requests"), "--json")
    record = json.loads(out)
    assert code == 0
    assert {"accuracy", "macro_f1", "loss", "items", "rejected"} <= set(record)
    assert (record["items"], record["rejected"]) == (198, 0)
    code, out, _ = classify("eval", model, corpora.path("requests"), "--reject", "1")
    assert code == 0 and "none of these" in out


def test_eval_draws_what_was_taken_for_what(
    classify: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    texts = corpora.path("requests")
    plain, drawn = (classify("eval", model, texts, "--json", *rest) for rest in ((), ("--plot", "a.svg")))
    record, again = json.loads(plain[1]), json.loads(drawn[1])
    assert {**again, "items_per_second": 0} == {**record, "items_per_second": 0}
    said = f"{record['items']:,} texts, {record['accuracy']:.2%} right"
    assert drawn[2].splitlines()[-1] == f"a.svg: confusion of {said}"
    shown = {*texts_of(Path("a.svg").read_bytes())}
    assert {said, "taken for", "true class (its number of texts)"} <= shown
    sums = [sum(row) for row in record["confusion"]]
    names = Classifier.load(model).classes.names
    assert {f"{name}  ({count})" for name, count in zip(names, sums, strict=True)} <= shown
    for name, reason in (
        ("a.gif", "expected a file that ends in .svg, .png or .pdf"),
        ("no/a.svg", "in a folder that is"),
    ):
        refused(classify("eval", "none", texts, "--plot", name), name, reason)  # before the model is opened
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused(classify("eval", "none", texts, "--plot", "b.svg"), 'plots need matplotlib: pip install "seqtree[plot]"')
    assert not (tmp_path / "b.svg").exists()


def test_mistakes_stay_in_columns_whatever_the_script_of_the_classes(classify: Run, tmp_path: Path) -> None:
    names = ("财经新闻", "体育", "عربي", "sport")
    texts = ["".join(f"{name}\tword{number}\n" for number, name in enumerate(some)) for some in (names, names[::-1])]
    for name, lines in zip(("a.tsv", "b.tsv"), texts, strict=True):
        (tmp_path / name).write_text(lines * 8, encoding="utf-8")
    assert classify("train", "a.tsv", *SMALL, "--epochs", "1", "--out", "run")[0] == 0
    code, out, _ = classify("eval", "run", "b.tsv")
    header, *rows = out[out.index("class ") :].splitlines()
    assert code == 0 and len(rows) >= 3
    assert {columns(row) for row in rows} == {columns(header)}
    said = {row.split()[1]: columns(row[: row.index(row.split()[1])]) for row in rows}
    assert set(said.values()) == {columns(header[: header.index("taken")])}


def test_a_baseline_without_scikit_learn_is_refused_before_training(
    classify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    refused(
        classify("train", corpora.path("requests"), "--baseline", "--out", "run", "--epochs", "1", *SMALL),
        'the baseline needs scikit-learn: pip install "seqtree[baseline]"',
    )
    assert not (tmp_path / "run").exists()


def test_predict(classify: Run, model: Path) -> None:
    code, out, _ = classify("predict", model, "will it snow today?", " ", "-k", "2")
    first, second = out.splitlines()
    assert code == 0
    assert first.split("\t")[0] == "weather" and len(first.split("\t")) == 4
    assert second == ""
    _, out, _ = classify("predict", model, "nothing of all that", "--reject", "0.9999")
    assert out.split("\t")[0] == "-"
    _, out, _ = classify("predict", model, "will it\tsnow?", "", "--json")
    one, none = map(json.loads, out.splitlines())
    assert one["words"] == ["will", "it", "snow", "?"]
    assert sum(one["attention"]) == pytest.approx(1.0, abs=1e-4)
    assert sum(one["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)
    assert none["label"] is None


def test_lines_keep_their_order(classify: Run, model: Path, tmp_path: Path) -> None:
    lines = [f'will it "snow"\tin {i}' * (1 + i % 5) if i % 7 else "" for i in range(3000)]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")
    code, out, _ = classify("predict", model, "--file", "a.txt", "--json")
    assert code == 0
    found = [json.loads(line)["words"] for line in out.splitlines()]
    assert len(found) == len(lines)
    assert [words[-1:] for words in found] == [[str(i)] if line else [] for i, line in enumerate(lines)]
    few = "\n".join(lines[:20]).encode()
    assert classify("predict", model, "-", stdin=few) == classify("predict", model, "--file", "-", stdin=few)


def test_other_sources(classify: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("stars,review\n" + '5,"good, yes"\n1,"bad\nno"\n' * 10)
    columns = ("--label-column", "stars", "--text-column", "review")
    code, _, err = classify("train", "a.csv", "--out", "r", "--epochs", "2", *columns, *SMALL)
    assert code == 0, err
    _, out, _ = classify("eval", "r", "a.csv", *columns, "--json")
    assert json.loads(out)["items"] == 20
    refused(classify("eval", "r", "a.csv"), "a.csv:1: no column 'label'")
    (tmp_path / "a.tsv").write_text("id\tstars\treview\n7\t5\tgood, yes\n")
    _, out, _ = classify("eval", "r", "a.tsv", *columns, "--json")
    assert json.loads(out)["items"] == 1
    _, out, err = classify("predict", "r", "--file", "a.csv", "--text-column", "Review", "--json")
    assert [json.loads(line)["words"] for line in out.splitlines()[:2]] == [["good", ",", "yes"], ["bad", "no"]]
    assert len(out.splitlines()) == 20 and err == ""
    _, out, err = classify("predict", "r", "--file", "a.csv")
    assert len(out.splitlines()) == 31
    assert err == "a.csv: each line is read as one text; --text-column reads a column of a table\n"
    _, out, err = classify("predict", "r", stdin=b"5\tgood\n1\tbad\n")
    assert err == "lines have tabs: each is one text; --text-column reads a column of a table\n"
    _, out, _ = classify("predict", "r", "--text-column", "review", "--json", stdin=b"review\tid\nbad, no\t8\n")
    assert json.loads(out)["words"] == ["bad", ",", "no"]
    refused(classify("predict", "r", "--text-column", "text", stdin=b"review\nbad\n"), "no column 'text'")
    refused(classify("predict", "r", "good", "--text-column", "review"), "--text-column goes with --file or stdin")
    refused(classify("predict", "r", "good", "--reject", "nan"), "'--reject': nan is in no range.")
    refused(classify("eval", "r", "a.csv", *columns, "--reject", "nan"), "'--reject': nan is in no range")
    refused(classify("predict", "r", "-1 degree"), "write -- before it")
    refused(classify("predict", "r", "good", "-k", "2", "--json"), "-k goes without --json, which has all classes")
    (tmp_path / "b.tsv").write_text("5\tgood\n")
    refused(classify("eval", "r", "b.tsv", *columns), "b.tsv:1: no column 'stars' among '5', 'good'")


def test_a_class_with_one_text_is_told(classify: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("x\ta b\ny\tc d\n" * 10 + "z\te\n")
    words = ("train", "a.tsv", "--out", "r", "--epochs", "1", "--valid-share", "0", *SMALL)
    code, _, err = classify(*words)
    assert code == 0
    assert "of 3 classes, 1 has one text only: z" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x\ta\ny\n", "a.tsv:2: no tab in the line, expected label<TAB>text"),
        ("x\ta\nx\tb\n", "every text is 'x'; expected two classes or more"),
        ("x\ta\n\ty\n", "a.tsv:2: an empty label"),
        ("x\ta\ny\t \n", "a.tsv:2: an empty text"),
        ("", "a.tsv is empty"),
    ],
)
def test_bad_texts(text: str, said: str, classify: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(text)
    refused(classify("train", "a.tsv", "--out", "r", *SMALL), said)
    assert not (tmp_path / "r").exists()


def test_bad_use(classify: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("strange\ta\nweather\tb\n")
    refused(classify("eval", model, "a.tsv"), "a.tsv:1: the classifier does not know the label 'strange'")
    (tmp_path / "b.tsv").write_text("x\ta\ny\tb\n" * 5)
    refused(classify("train", "b.tsv", "--valid", "a.tsv", "--out", "r"), "a.tsv:1", "'strange'")
    refused(classify("predict", model, "--file", "-", stdin=b"\xff\n"), "standard input:1: byte 0xFF")
    (tmp_path / "c.tsv").write_bytes(b"x\ta\ny\t\xff\n")
    refused(classify("train", "c.tsv", "--out", "r"), "c.tsv", "line 2")
