"""Reading labelled texts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from seqtree.errors import InputError
from seqtree.text.labelled import read_labelled


def written(folder: Path, text: str, name: str = "a.tsv") -> list[str]:
    (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / name)]


def pairs(specs: list[str], **columns: str) -> list[tuple[str, str]]:
    return [(one.label, one.text) for one in read_labelled(specs, **columns)]


def test_labels_and_texts(tmp_path: Path) -> None:
    specs = written(tmp_path, 'x\tone "two"\n\n y z \ta\tb\n')
    assert pairs(specs) == [("x", 'one "two"'), ("y z", "a\tb")]  # a tab in the text is part of it
    assert [one.place for one in read_labelled(specs)] == [f"{specs[0]}:1", f"{specs[0]}:3"]
    assert read_labelled(Path(specs[0])) == read_labelled([Path(specs[0])]) == read_labelled(specs)


def test_csv(tmp_path: Path) -> None:
    specs = written(tmp_path, 'id,review,stars\n1,"good, ""very""\nindeed",5\n2,bad,1\n', "a.csv")
    assert pairs(specs, label="stars", text="review") == [("5", 'good, "very"\nindeed'), ("1", "bad")]
    places = [one.place for one in read_labelled(specs, label="stars", text="review")]
    assert places == [f"{specs[0]}:2", f"{specs[0]}:4"]
    with pytest.raises(InputError, match=r"a.csv:1: no column 'label' among 'id', 'review', 'stars'"):
        pairs(specs)


def test_a_table_between_tabs(tmp_path: Path) -> None:
    specs = written(tmp_path, "text\tid\tlabel\ngood\t1\tx\n\nbad\t2\ty\n")
    assert pairs(specs) == [("x", "good"), ("y", "bad")]
    assert pairs(written(tmp_path, 'stars\treview\n5\tso "good\n'), label="stars", text="review") == [("5", 'so "good')]
    assert pairs(written(tmp_path, "text\tlabel it\nx\ttext\n")) == [("text", "label it"), ("x", "text")]
    assert pairs(written(tmp_path, "Text\tLABEL\nLabel\ttext\n")) == [("text", "Label")]
    assert pairs(written(tmp_path, "label\tText\tLabel\nx\tgood\ty\n")) == [("x", "good")]
    with pytest.raises(InputError, match="column 'label' holds the labels and the texts; expected two columns"):
        pairs(specs, text="label")
    with pytest.raises(InputError, match=r"a.tsv:1: no column 'stars' among 'x', 'good'"):
        pairs(written(tmp_path, "x\tgood\n"), label="stars")
    with pytest.raises(InputError, match=r"a.tsv:2: 3 columns, expected 2 as in the header"):
        pairs(written(tmp_path, "label\ttext\nx\ta\tb\n"))


def test_json_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"label": 3, "text": "tab\there"}), "", json.dumps({"text": "ü", "label": "x"})]
    lines += [json.dumps({"label": truth, "text": "so"}) for truth in (True, False)]
    expected = [("3", "tab\there"), ("x", "ü"), ("true", "so"), ("false", "so")]
    assert pairs(written(tmp_path, "\n".join(lines), "a.jsonl")) == expected


@pytest.mark.parametrize("indent", [None, 1])
def test_one_list_of_json_objects(indent: int | None, tmp_path: Path) -> None:
    rows = [{"label": 3, "text": "a\nb"}, {"text": "[ü", "label": "x"}]
    specs = written(tmp_path, "\n " + json.dumps(rows, indent=indent), "a.json")
    assert pairs(specs) == [("3", "a\nb"), ("x", "[ü")]
    assert [one.place for one in read_labelled(specs)] == [f"{specs[0]}: item 1", f"{specs[0]}: item 2"]


def test_bytes_of_another_encoding_are_no_fault_of_the_json(tmp_path: Path) -> None:
    for text in (
        b'[{"label": "a", "text": "x"},\n{"label": "b", "text": "\xe9"}]',
        b'{"label": "a", "text": "\xe9"}\n',
    ):
        (tmp_path / "a.json").write_bytes(text)
        with pytest.raises(InputError, match=r"a.json: byte \d+ \(line \d\) is 0xE9, which is not valid utf-8"):
            pairs([str(tmp_path / "a.json")])


def test_csv_with_semicolons(tmp_path: Path) -> None:
    specs = written(tmp_path, '\nlabel;text\n1,5;"a; b, c"\nx;d, e\n', "a.csv")
    assert pairs(specs) == [("1,5", "a; b, c"), ("x", "d, e")]
    assert pairs(written(tmp_path, "text;s,label,text\n1,x,a;b\n", "a.csv")) == [("x", "a;b")]
    for lines, text in (('"label";"text, long"\n"x";"a, b"', "text, long"), ("id;so, so;label\n1;a, b;x", "so, so")):
        assert pairs(written(tmp_path, lines, "a.csv"), text=text) == [("x", "a, b")]
    for said, between in (("sep=;", ";"), ("SEP=,", ","), ("sep=|", "|")):
        lines = ["\ufeff" + said, f"label{between}text", "", f'x{between}"a;b,c|d"', f"y{between}e{between}f"]
        specs = written(tmp_path, "\r\n".join(lines[:4]), "a.csv")
        assert pairs(specs) == [("x", "a;b,c|d")]
        with pytest.raises(InputError, match=r"a.csv:5: 3 columns, expected 2 as in the header"):
            pairs(written(tmp_path, "\n".join(lines), "a.csv"))
    with pytest.raises(InputError, match=r"a.csv:1: no column 'label' among 'a', 'b', its header"):
        pairs(written(tmp_path, "a;b\nx;y\n", "a.csv"))


def test_lines_for_fasttext(tmp_path: Path) -> None:
    specs = written(tmp_path, "\n__label__x one  two\n\n __label__y-z\t three\tfour \n", "a.txt")
    assert pairs(specs) == [("x", "one  two"), ("y-z", "three\tfour")]
    assert pairs(written(tmp_path, "x\t__label__y\n", "a.txt")) == [("x", "__label__y")]
    assert pairs(written(tmp_path, " __label__x\ty z\n", "a.txt")) == [("x", "y z")]


def test_a_folder_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        "neg/2.txt",
        "neg/deep/1.txt",
        "pos/1.txt",
        ".git/x.txt",
        "none/readme.md",
        "pos/2.txt",
        "pos/3.txt",
        "pos/a.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n" if name not in ("pos/2.txt", "pos/3.txt") else " \n")
    assert pairs([str(tmp_path)]) == [
        ("neg", "neg/2.txt\n"),
        ("neg", "neg/deep/1.txt\n"),
        ("pos", "pos/1.txt\n"),
    ]
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"warning: {tmp_path / 'none'}: no .txt file in it, so it is no class"
    assert told[1] == f"warning: {tmp_path / 'pos' / 'a.md'} is not read: it is no .txt file"
    assert told[2:] == [f"warning: {tmp_path / 'pos'}: 2 empty files left out, such as {tmp_path / 'pos' / '2.txt'}"]
    for spec, instead in ((str(tmp_path), "a folder is a class here"), ("nltk:brown", "categories of the corpus here")):
        with pytest.raises(InputError, match=f"{instead}; --label-column and --text-column name columns of tables"):
            read_labelled([spec], label="stars")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.tsv", "x\ta\nb\n", "a.tsv:2: no tab in the line"),
        ("a.tsv", "x\t \n", "a.tsv:1: an empty text"),
        ("a.tsv", "\ta\n", "a.tsv:1: an empty label"),
        ("a.csv", "label,text\nx\n", "a.csv:2: 1 column, expected 2 as in the header"),
        ("a.csv", 'label,text\n"x\ny",a\n', "a.csv:2: the label 'x\\ny'; expected one without tabs and line ends"),
        ("a.json", '[{"text": "a", "label": "x\\ty"}]', "a.json: item 1: the label 'x\\ty'; expected one without tabs"),
        ("a.csv", "Label,text,LABEL\nx,a,y\n", "a.csv:1: more than one column 'label' among 'Label', 'text', 'LABEL'"),
        ("a.jsonl", "[1]\n", "a.jsonl: item 1: expected a JSON object, not int"),
        ("a.jsonl", '{"text": "a", "label": "x"}\n[1]\n', "a.jsonl:2: expected a JSON object, not list"),
        ("a.json", '[{"text": "a"}]', "a.json: item 1: no key 'label'"),
        ("a.json", '\n[{"x": 1},\n\n{"x" 1}]', "a.json: not a list of JSON objects: Expecting ':' delimiter: line 4 "),
        ("a.txt", "__label__x a\ny b\n", "a.txt:2: expected one label, as in the first line: __label__LABEL text"),
        ("a.txt", "__label__x __label__y b\n", "a.txt:1: expected one label"),
        ("a.txt", "__label__ b\n", "a.txt:1: an empty label"),
        ("a.txt", "__label__x\n", "a.txt:1: an empty text"),
        ("a.jsonl", "{\n", "a.jsonl:1: not a JSON object a line"),
        ("a.jsonl", '{"text": "a"}\n', "a.jsonl:1: no key 'label'"),
        ("a.jsonl", '{"text": 1, "label": "x"}\n', "a.jsonl:1: expected a text for 'text'"),
        ("a.jsonl", '{"text": "a", "label": null}\n', "a.jsonl:1: expected a text for 'text'"),
        ("a.jsonl", '{"text": "a", "label": "\\ud800"}\n', "a.jsonl:1: character 0 of the text is the lone surrogate"),
        ("a.jsonl", '{"text": "\\ud800", "label": "a"}\n', "a.jsonl:1: character 1 of the text is the lone surrogate"),
    ],
)
def test_what_is_not_labelled(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        pairs(written(tmp_path, text, name))
    assert said in str(caught.value)


def test_a_class_whose_name_is_no_text(tmp_path: Path) -> None:
    try:
        folder = tmp_path / os.fsdecode(b"\xff")
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has names of Unicode text only")
    (folder / "a.txt").write_text("a")
    with pytest.raises(InputError, match=r"a folder in .*: byte 0xFF after 0 characters is not Unicode text"):
        pairs([str(tmp_path)])


def test_classes_with_whole_numbers_for_names_stand_in_their_order(tmp_path: Path) -> None:
    for name in ("10", "9"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("a")
    assert [label for label, _ in pairs([str(tmp_path)])] == ["9", "10"]


@pytest.mark.realdata
def test_corpora_of_nltk(data: Path) -> None:
    found = list(read_labelled(["nltk:brown[0:3]"]))
    assert [one.label for one in found] == ["news"] * 3
    assert found[0].text.startswith("The Fulton County Grand Jury")
    with pytest.raises(InputError, match="no categories"):
        list(read_labelled(["nltk:treebank"]))
