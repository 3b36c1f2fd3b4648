"""``seqtree phrases``."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from command_helpers import Run, caller, refused

from seqtree.cli import run
from seqtree.drawing.characters import columns
from seqtree.language.model import LanguageModel
from seqtree.model import load

PHRASES = "the land of my fathers\nthe place where I was born\na cup of tea\nsat on the mat\nunder the table\n"
TEXT = "the cat sat on the mat\na dog ran to the old man\n"
ONE = ("--threads", "1")


@pytest.fixture
def phrases(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    LanguageModel.untrained(TEXT, unit="word", hidden=6, embedding=5).save(tmp_path / "lm")
    (tmp_path / "p.txt").write_text(PHRASES)
    return caller(capsys, tmp_path, monkeypatch, "phrases")


def test_near(phrases: Run) -> None:
    code, out, err = phrases("near", "default", "on the table", "--among", "p.txt", "-n", "3", *ONE)
    assert code == 0, err
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[0][1] == "under the table" and len(lines) == 3
    assert [float(line[0]) for line in lines] == sorted((float(line[0]) for line in lines), reverse=True)
    piped = phrases("near", "default", "-", "--among", "p.txt", "-n", "3", *ONE, stdin=b"on the table\n")
    assert piped == (code, out, err)
    refused(phrases("near", "default", "-", "--among", "-", stdin=b"a cat\n"), "(-) can be read only once")
    _, out, _ = phrases("near", "default", "on the table", "--among", "p.txt", "--json", *ONE)
    record = json.loads(out)
    assert record["phrase"] == "on the table" and len(record["near"]) == 5
    assert record["near"][0]["phrase"] == "under the table" and record["near"][0]["label"] is None
    code, out, err = phrases("near", "lm", "cat", "-n", "99")
    assert code == 0 and len(out.splitlines()) == 10 and "<unk>" not in out and "\tcat" not in out
    code, out, err = phrases("near", "lm", "the unicorn", "--among", "p.txt")
    assert code == 0 and "unknown to the model: unicorn" in err


def test_near_among_constituents(phrases: Run, tmp_path: Path) -> None:
    trees = "(S (NP (DT the) (NN dog)) (VP (VBD sat) (PP (IN on) (NP (DT a) (NN man)))))\n"
    (tmp_path / "t.txt").write_text(trees)
    code, out, err = phrases("near", "lm", "a cat", "--among", "t.txt", "--json")
    assert code == 0, err
    found = {one["phrase"]: one["label"] for one in json.loads(out)["near"]}
    expected = {"the dog": "NP", "a man": "NP", "on a man": "PP", "sat on a man": "VP", "the dog sat on a man": "S"}
    assert found == expected
    _, out, _ = phrases("near", "lm", "a cat", "--among", "t.txt", "--max-words", "2")
    assert sorted(line.split("\t")[1:] for line in out.splitlines()) == [["a man", "NP"], ["the dog", "NP"]]


def test_similarity(phrases: Run, tmp_path: Path) -> None:
    code, out, _ = phrases("similarity", "lm", "cat", "cat")
    assert (code, out) == (0, "1.000000\n")
    _, out, _ = phrases("similarity", "lm", "the cat", "a dog", "--json")
    assert -1 <= json.loads(out)["cosine"] < 1
    (tmp_path / "a.tsv").write_text("cat\tdog\t8\ncat\tman\t3\nmat\tman\t1\ncat\tunicorn\t5\n")
    code, out, _ = phrases("similarity", "lm", "a.tsv", "--json")
    record = json.loads(out)
    assert code == 0 and (record["pairs"], record["covered"], record["coverage"]) == (4, 3, 0.75)
    assert -1 <= record["spearman"] <= 1
    code, out, _ = phrases("similarity", "lm", "a.tsv", "a.tsv")
    head, first, second = (line.split() for line in out.splitlines())
    assert head == ["file", "pairs", "coverage", "Spearman"] and first == second == ["a.tsv", "4", "0.7500", first[3]]
    assert [one["file"] for one in json.loads(phrases("similarity", "lm", "a.tsv", "a.tsv", "--json")[1])["files"]]
    (tmp_path / "词语相似.tsv").write_bytes((tmp_path / "a.tsv").read_bytes())
    _, out, _ = phrases("similarity", "lm", "a.tsv", "词语相似.tsv")
    assert len({columns(line) for line in out.splitlines()}) == 1
    refused(phrases("similarity", "lm", "cat", ""), "an empty text; expected a text or a file")


def test_map(phrases: Run, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    code, out, err = phrases("map", "default", "p.txt", "--out", "m.svg", *ONE)
    assert (code, out) == (0, ""), err
    assert "m.svg: 5 phrases, 5 of them with their label; the two axes keep" in err
    texts = {text.text for text in ElementTree.parse(tmp_path / "m.svg").getroot().iter() if text.tag.endswith("text")}
    assert {"a cup of tea", "under the table", "NP", "PP"} <= texts
    (tmp_path / "l.txt").write_text("x\tthe cat\ny\ta dog\nx\tthe man\ny\told\n")
    code, _, err = phrases("map", "lm", "l.txt", "--out", "m.png", "--most", "3")
    assert code == 0 and "showing 3 of 4 phrases" in err
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "w.txt").write_text("cat\ndog\nunicorn\nman\n")
    code, _, err = phrases("map", "lm", "w.txt", "--out", "w.svg")
    assert code == 0 and "left out, since the model knows none of their words: unicorn" in err


def test_export(phrases: Run, tmp_path: Path) -> None:
    code, out, _ = phrases("export", "lm", "p.txt", "--out", "v.npy")
    assert (code, out) == (0, "v.npy\nv.txt\n")
    assert np.load(tmp_path / "v.npy").shape == (5, 6)
    (tmp_path / "w.txt").write_text("cat\nthe\n")
    phrases("export", "lm", "w.txt", "--out", "rows.npy")
    model = LanguageModel.load(tmp_path / "lm")
    rows = model.network.embedding.weight[model.vocabulary.encode(["cat", "the"])]
    assert np.array_equal(np.load(tmp_path / "rows.npy"), rows.detach().numpy())
    (tmp_path / "again.txt").write_text("cat\nthe\ncat\n")
    code, _, err = phrases("export", "lm", "again.txt", "--out", "twice.npy")
    assert (code, err) == (0, "")
    assert np.array_equal(np.load(tmp_path / "twice.npy"), np.load(tmp_path / "rows.npy")[[0, 1, 0]])
    code, _, err = phrases("export", "lm", "again.txt", "--format", "word2vec", "--out", "once.txt")
    assert "1 of 3 phrases stood there before, and is left out" in err
    code, out, _ = phrases("export", "lm", "--format", "word2vec", "--out", "words.txt")
    assert code == 0
    written = {line.split()[0] for line in (tmp_path / "words.txt").read_text().splitlines()[1:]}
    assert written == {*model.vocabulary.tokens} - {"<unk>", "<s>", "</s>"}
    from seqtree.cli import run

    given = ("--vectors", "words.txt", "--unit", "word", "--preset", "tiny", "--epochs", "0.5", "--threads", "1", "-q")
    (tmp_path / "text.txt").write_text(TEXT * 10)
    assert run(["lm", "train", "text.txt", *given, "--learning-rate", "1e-9", "--weight-decay", "0", "--out", "r"]) == 0
    old, new = LanguageModel.load(tmp_path / "lm"), LanguageModel.load(tmp_path / "r")
    for word in ("cat", "the"):
        rows = [model.network.embedding.weight[model.vocabulary.index(word)].tolist() for model in (old, new)]
        assert rows[0] == pytest.approx(rows[1], abs=1e-5)


def test_what_is_read_or_another_file_is_not_replaced(phrases: Run, tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("cat\nthe\n")
    for command in (
        ("export", "lm", "w.txt", "--out", "w.npy"),
        ("export", "lm", "w.txt", "--format", "word2vec", "--out", "w.txt"),
        ("learn", "w.txt", "--min-count", "1", "--out", "w.txt"),
    ):
        refused(phrases(*command), "w.txt: is read, and would be replaced; expected another --out")
    (tmp_path / "gone.txt").symlink_to("nothing")
    refused(phrases("learn", "missing.txt", "--out", "gone.txt"), "gone.txt: a link to nothing")  # before it is read
    (tmp_path / "v.txt").write_text("mine")
    (tmp_path / "v.metadata.tsv").write_text("mine")
    refused(phrases("export", "lm", "w.txt", "--out", "v.npy"), "v.txt: is there, and would be replaced beside v.npy")
    refused(
        phrases("export", "lm", "w.txt", "--format", "tsv", "--out", "v.tsv"), "v.metadata.tsv: is there, and would"
    )
    assert (tmp_path / "v.txt").read_text() == (tmp_path / "v.metadata.tsv").read_text() == "mine"
    for _ in range(2):  # its own second file is
        assert phrases("export", "lm", "w.txt", "--out", "u.npy")[0] == 0
    assert (tmp_path / "w.txt").read_text() == "cat\nthe\n"


def test_learn(phrases: Run, tmp_path: Path) -> None:
    """What is learned from plain text can be looked at, and be the start of a training."""
    (tmp_path / "big.txt").write_text("The cat sat on the mat. A dog sat on the rug.\n" * 20)
    given = ("--width", "4", "--out", "v.txt", *ONE)
    code, out, err = phrases("learn", "big.txt", *given)
    assert (code, out) == (0, "v.txt: 10 words of 4 numbers, from 280 words of text\n"), err
    assert (tmp_path / "v.txt").read_text().startswith("10 4\n")
    before = (tmp_path / "v.txt").read_bytes()
    code, out, _ = phrases("learn", "--tokenized", "big.txt", "--json", *given)
    assert json.loads(out) == {"vectors": "v.txt", "words": 9, "width": 4, "tokens": 240}
    (tmp_path / "v.txt").write_bytes(before)
    code, out, err = phrases("near", "v.txt", "cat", "-n", "3")
    assert code == 0 and out.splitlines()[0].split("\t")[1] == "dog", out + err
    code, out, _ = phrases("similarity", "v.txt", "the cat", "a dog")
    assert code == 0 and -1 <= float(out) <= 1
    code, out, err = phrases("map", "v.txt", "p.txt", "--out", "m.svg")
    assert code == 0 and (tmp_path / "m.svg").read_text().startswith("<svg"), err
    refused(
        phrases("trees", "v.txt", "the cat"),
        "a file of vectors: expected a parser or a tree classifier, which read trees",
    )
    options = ("--preset", "tiny", "--epochs", ".1", "--vectors", "v.txt", "--out", "run", "--json")
    assert run(["tag", "train", *options, *ONE]) == 0
    assert "dog" in load("run").lexicon.words


def test_learn_refuses(phrases: Run, tmp_path: Path) -> None:
    refused(phrases("learn", "p.txt", "--out", "v.txt"), "vectors of 100 numbers need as many words")
    refused(phrases("learn", "missing.txt", "--out", "v.txt"), "missing.txt")
    refused(phrases("learn", "p.txt", "--out", "none/v.txt"), "expected the name of a file in a folder that is there")
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9 au lait\n")
    refused(phrases("learn", "bad.txt", "--out", "v.txt"), "bad.txt")
    (tmp_path / "bad.mrg").write_text("(S (NP")
    refused(phrases("learn", "bad.mrg", "--out", "v.txt"), "bad.mrg")
    assert not (tmp_path / "v.txt").exists()
    (tmp_path / "w.txt").write_text("a cat\n")
    refused(phrases("near", "w.txt", "cat"), "w.txt:1")
    (tmp_path / "u.txt").write_text("\x07 1 2\n")
    refused(phrases("near", "u.txt", "cat"), "u.txt: no word in it that can be read")
    refused(phrases("learn", "p.txt", "--out", "vectors"), "--out vectors: expected a name that ends in .txt or .vec")


def test_files_that_are_no_vectors(phrases: Run, tmp_path: Path) -> None:
    """Word vectors in files of other endings, or in word2vec's binary form, are told which files are read."""
    (tmp_path / "v.w2v").write_text("a 1 2\nb 3 4\n")
    (tmp_path / "v.bin").write_bytes(b"2 2\na " + np.ones(2, np.float32).tobytes() + b"\nb " + bytes(8) + b"\n")
    for name in ("v.w2v", "v.bin"):
        form = "word vectors are text (not word2vec's binary form), in files that end in .txt, .vec or .gz"
        refused(phrases("near", name, "a"), f"{name}: ", form)
    (tmp_path / "v.safetensors").write_text("a 1 2\n")
    refused(phrases("near", "v.safetensors", "a"), "v.safetensors: a text; expected a model, in a run folder or")


def test_special_words_of_a_file(phrases: Run, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("<unk> 1 2\na 1 1\ns -1 0\n")
    assert phrases("similarity", "v.txt", "<unk>", "<unk>")[1] == "1.000000\n"
    refused(phrases("near", "v.txt", "<s>"), "'<s>': the model knows none of its words")
    refused(phrases("near", "lm", "<unk>"), "'<unk>': the model knows none of its words")


def test_a_phrase_with_two_labels_is_written_once_as_a_word(phrases: Run, tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("x\tthe cat\ny\tthe cat\ny\tthe man\n")
    code, _, err = phrases("export", "lm", "l.txt", "--format", "word2vec", "--out", "w.txt")
    assert code == 0 and "1 of 3 phrases stood there with another label before, and is left out" in err
    assert [line.split()[0] for line in (tmp_path / "w.txt").read_text().splitlines()] == ["2", "the_cat", "the_man"]


def test_trees(phrases: Run) -> None:
    code, out, err = phrases("trees", "default", "the man with the telescope in the park", *ONE)
    assert code == 0, err
    assert out.startswith("1 of 2\n") and "2 of 2, cosine with the first " in out and "telescope" in out
    _, out, _ = phrases("trees", "default", "old men and women", "--json", *ONE)
    first, second = json.loads(out)["trees"]
    assert first["cosine"] == 1 and second["cosine"] < 1 and first["tree"] != second["tree"]
    assert phrases("trees", "default", "-", "--json", *ONE, stdin=b"old men and women\r\n")[1] == out
    refused(phrases("trees", "lm", "old men"), "language-model: expected a parser or a tree classifier")


def test_a_png_file_without_pillow_is_refused_before_anything_is_read(
    phrases: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    refused(
        phrases("map", "none", "p.txt", "--out", "m.png"),
        'Pillow (an SVG file does not): pip install "seqtree[images]"',
    )


def test_usage(phrases: Run, tmp_path: Path) -> None:
    refused(phrases("similarity", "lm", "cat"), "expected two texts, or files", "there is no file 'cat'")
    refused(phrases("similarity", "lm", "p.txt", "none.tsv"), "expected two texts, or files", "no file 'none.tsv'")
    (tmp_path / "same.txt").write_text("the cat\nthe_cat\n")
    both = "'the cat' and 'the_cat' would both be the_cat in word2vec's form; expected another --format"
    given = ("--as", "words", "--format", "word2vec", "--out", "v")
    (tmp_path / "v.txt").write_text("the cat 1 2 3\nthe_cat 1 2 4\nb 1 1 1\n")
    refused(phrases("export", "v.txt", "same.txt", *given), both)
    refused(phrases("similarity", "lm", "p.txt", "--encoding", "nope"), "'nope' is not a text encoding")
    refused(phrases("similarity", "lm", "p.txt"), "p.txt:1: 'the land of my fathers'; expected text<TAB>text<TAB>score")
    refused(phrases("map", "lm", "p.txt", "--out", "m.gif"), "--out m.gif: expected a file that ends in .svg or .png")
    refused(phrases("near", "lm", "unicorn"), "'unicorn': the model knows none of its words")
    for asked in (("near", "lm", "caf\udce9"), ("similarity", "lm", "cat", "caf\udce9"), ("trees", "lm", "caf\udce9")):
        refused(phrases(*asked), "TEXT: byte 0xE9 after 3 characters is not Unicode text")
    refused(phrases("near", "lm", "cat", "--among", "none.txt"), "none.txt")
    refused(phrases("export", "lm", "--as", "phrases", "--out", "v"), "--as phrases expects a FILE")
    (tmp_path / "w.txt").write_text("cat\ndog\n")
    refused(phrases("map", "lm", "w.txt", "--out", "m.svg"), "2 phrases are too few for a map")
    LanguageModel.untrained(TEXT, hidden=4, embedding=4).save(tmp_path / "char")
    refused(phrases("near", "char", "cat"), "over characters has no word vectors", "--among FILE) and --as phrases")
    assert phrases("similarity", "char", "cat", "dog")[0] == 0
