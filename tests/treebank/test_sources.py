"""TREES arguments: files, folders, standard input, and NLTK's treebanks by name and range."""

import io

import nltk.corpus
import pytest
from nltk.corpus.reader import BracketParseCorpusReader, PlaintextCorpusReader, SinicaTreebankCorpusReader

from seqtree.errors import InputError
from seqtree.text import reading
from seqtree.treebank.bracketed import write_tree
from seqtree.treebank.sources import trees


def words(specs, **options):
    return " ".join(word for tree, _ in trees(specs, **options) for word in tree.leaves())


def refusal(*specs, **options):
    with pytest.raises(InputError) as caught:
        list(trees(specs, **options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "b.mrg": "(A b1)\n(A b2)",
        "a/z.ptb": "(A az)",
        "a/b/y.TREES": "(A aby)",
        "a.txt": "(A a)",
        "notes.md": "no trees",
        "x.tree": "(A x)",
        "w.tbf": "(\n(sn (da w1 el) (Fc w2 ,)))",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_files_and_folders_in_the_order_given(folder):
    assert words([str(folder)]) == words(str(folder)) == words(folder) == words([folder]) == "aby az a b1 b2 w1 w2 x"
    assert words([str(folder / "x.tree"), str(folder / "a"), str(folder / "b.mrg")]) == ("x aby az b1 b2")


def test_places_name_the_file_and_the_line(folder):
    [_, second] = trees([str(folder / "b.mrg")])
    assert str(second[1]) == f"{folder / 'b.mrg'}:2"


def test_standard_input(monkeypatch, folder):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("(A né)\n(A b".encode())))
    reader = trees([str(folder / "x.tree"), "-"])
    assert [next(reader)[0].leaves(), next(reader)[0].leaves()] == [["x"], ["né"]]
    with pytest.raises(InputError, match=r"^standard input:2: the tree that begins here is never closed"):
        next(reader)
    assert "only once" in refusal("-", "-")


def test_encodings(tmp_path):
    (tmp_path / "t.mrg").write_bytes("(A é)".encode("latin-1"))
    assert words([str(tmp_path / "t.mrg")], encoding="latin-1") == "é"
    assert "byte 3 (line 1) is 0xE9" in refusal(str(tmp_path / "t.mrg"))
    assert "'no-such' is not a text encoding" in refusal(str(tmp_path / "t.mrg"), encoding="no-such")
    assert "'base64' is not a text encoding" in refusal(str(tmp_path / "t.mrg"), encoding="base64")


def test_what_is_not_there(folder):
    assert "none.mrg: no such file or folder; expected trees" in refusal(str(folder / "none.mrg"))
    (folder / "empty").mkdir()
    assert "empty is a folder without .bracket or .brackets or " in refusal(str(folder / "empty"))
    (folder / "empty" / "t.mrg").touch()
    assert "t.mrg: contains no tree" in refusal(str(folder / "empty"))


def test_hidden_files_of_folders_are_not_read(folder):
    for hidden in ("._x.tree", ".git/b.mrg"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(b"\xff\x00 no trees")
    told = []
    assert [tree.leaves() for tree, _ in trees(folder, warn=told.append)][-1] == ["x"]
    assert told == [f"{folder / '._x.tree'} (hidden): not read, nor is one more"]


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    """Small corpora that NLTK finds by name: five bracketed files of two trees each, a Sinica file, plain text."""
    for place, stem in enumerate(["wsj-1", "wsj-2", "wsj-3", "wsj-4", "wsj-5"]):
        (tmp_path / f"{stem}.mrg").write_text(f"( (S (A {place}a)))\n( (S (A {place}b)))\n", encoding="utf-8")
    (tmp_path / "parsed").write_text(
        "#1:1.[1] NP(Head:Nad:友情)#。(PERIODCATEGORY)\n"
        "#2:2.[2] S(agent:NP(Head:Nhaa:我)|Head:VA4:來)#，(COMMACATEGORY)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(nltk.data, "path", [*nltk.data.path, str(tmp_path)])
    assert nltk.corpus.treebank is not None  # NLTK loads this module at the first look, and would drop what was set
    root = str(tmp_path)
    for name, reader in {
        "small": BracketParseCorpusReader(root, r"wsj-.*\.mrg"),
        "small_sinica": SinicaTreebankCorpusReader(root, ["parsed"]),
        "small_text": PlaintextCorpusReader(root, ["parsed"]),
    }.items():
        monkeypatch.setattr(nltk.corpus, name, reader, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("nltk:small", "0a 0b 1a 1b 2a 2b 3a 3b 4a 4b"),
        ("nltk:small/wsj-2", "1a 1b"),
        ("nltk:small/wsj-2.mrg", "1a 1b"),
        ("nltk:small/wsj-2-wsj-4", "1a 1b 2a 2b 3a 3b"),
        ("nltk:small/wsj-2.mrg-wsj-3.mrg", "1a 1b 2a 2b"),
        ("nltk:small/wsj-2-wsj-2", "1a 1b"),
        ("nltk:small[0:3]", "0a 0b 1a"),
        ("nltk:small[8:]", "4a 4b"),
        ("nltk:small[:1]", "0a"),
        ("nltk:small[:]", "0a 0b 1a 1b 2a 2b 3a 3b 4a 4b"),
        ("nltk:small[3]", "1b"),
        ("nltk:small[-1]", "4b"),
        ("nltk:small[-2]", "4a"),
        ("nltk:small[-3:-1]", "3b 4a"),
        ("nltk:small[ 2 : -6 ]", "1a 1b"),
        ("nltk:small[8:99]", "4a 4b"),
        ("nltk:small/wsj-2-wsj-4[2:4]", "2a 2b"),
    ],
)
def test_ranges_of_files_and_of_trees(corpora, spec, wanted):
    assert words([spec]) == wanted


def test_corpora_and_files_together(corpora, folder):
    assert words(["nltk:small[0]", str(folder / "x.tree"), "nltk:small[9]"]) == "0a x 4b"


def test_a_corpus_in_another_format_is_read_by_nltk(corpora):
    (one, _), (two, place) = trees(["nltk:small_sinica"])
    assert write_tree(one) == "(NP (Nad 友情))"
    assert write_tree(two) == "(S (NP (Nhaa 我)) (VA4 來))"
    assert str(place) == "nltk:small_sinica/parsed:2"


def test_malformed_trees_stop_in_files_and_in_corpora_or_are_left_out(corpora):
    text = "( (S (A 1)))\n( (S (A 2))\n( (S (A 3)))\n( (S (A 4))))\n( (S (A 5)))\n"
    (corpora / "wsj-1.mrg").write_text(text)
    (corpora / "wsj-2.mrg").write_text("(S (A 6)\n")
    for spec in ("nltk:small", str(corpora)):
        assert "wsj-1.mrg:3: a node without a label in the tree of line 2" in refusal(spec)
        assert refusal(spec) + " (--malformed skip leaves it out and reads on)" == refusal(spec, malformed="stop")
        said = []
        assert words([spec], malformed="skip", warn=said.append) == "1 3 5 2a 2b 3a 3b 4a 4b"
        [line] = said
        assert "wsj-1.mrg:3: a node without a label" in line
        assert line.endswith("; left out, as are 2 more")
    assert words(["nltk:small[-2:]"], malformed="skip", warn=said.append) == "4a 4b"
    assert said[1].endswith("as are 2 more")  # though they are read twice
    assert "malformed 'mend': expected one of stop, skip" in refusal(str(corpora), malformed="mend")


def test_a_malformed_tree_leaves_no_file_open(corpora, monkeypatch):
    """Though the error, which holds on to the reading that it stopped, is still there."""
    (corpora / "wsj-1.mrg").write_text("(S (A 1)) )\n")
    opened = []

    def noted(opening):
        def openings(*args, **options):
            opened.append(opening(*args, **options))
            return opened[-1]

        return openings

    monkeypatch.setattr("seqtree.text.reading._opened", noted(reading._opened))
    monkeypatch.setattr(type(nltk.corpus.small), "open", noted(type(nltk.corpus.small).open))
    for spec in ("nltk:small", str(corpora / "wsj-1.mrg")):
        with pytest.raises(InputError) as caught:
            list(trees([spec]))
        assert caught.tb is not None
        assert opened.pop().closed
    assert not opened


def test_very_deep_trees_of_a_corpus(corpora):
    (corpora / "wsj-1.mrg").write_text("( (S (A " + "(X " * 600 + "4" + ")" * 603 + "\n")
    assert words(["nltk:small/wsj-1"]) == "4"


def test_prd_files_beside_mrg_files_are_not_read_twice(tmp_path):
    for name in ("mrg/00/a.mrg", "prd/00/a.prd", "prd/00/b.prd", "c.mrg", "c.prd", "x/d.mrg", "y/d.prd"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"(A {name})")
    said = []
    assert words([str(tmp_path)], warn=said.append) == "c.mrg mrg/00/a.mrg prd/00/b.prd x/d.mrg y/d.prd"
    assert said == [
        f"{tmp_path / 'c.prd'}: not read, its trees are those of the .mrg file of the same name, nor is one more"
    ]
    assert words([str(tmp_path / "c.mrg"), str(tmp_path / "c.prd")], warn=pytest.fail) == "c.mrg c.prd"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nltk:", "expected nltk:NAME"),
        ("nltk:small[0:1][2]", "expected nltk:NAME"),
        ("nltk:no_such_corpus", "no corpus named 'no_such_corpus'"),
        ("nltk:reader", "no corpus named 'reader'"),
        ("nltk:small_text", "has no trees"),
        (
            "nltk:small/wsj-9",
            "no file or range of files 'wsj-9'; the corpus has 5 files, wsj-1.mrg to wsj-5.mrg",
        ),
        ("nltk:small/wsj-1-wsj-9", "no file or range of files 'wsj-1-wsj-9'"),
        ("nltk:small_sinica/x", "the corpus has one file, parsed"),
        ("nltk:small/wsj-3-wsj-1", "the first file comes after the last"),
        ("nltk:small[a:b]", "[a:b] is not a range of trees"),
        ("nltk:small[]", "[] is not a range of trees"),
        ("nltk:small[1 2]", "[1 2] is not a range of trees"),
        ("nltk:small[0:9:2]", "[0:9:2] is not a range of trees"),
        ("nltk:small[10:]", "[10:] selects no trees; there are 10"),
        ("nltk:small[10]", "[10] selects no trees; there are 10"),
        ("nltk:small[-11]", "[-11] selects no trees; there are 10"),
        ("nltk:small[3:3]", "[3:3] selects no trees; there are 10"),
    ],
)
def test_corpora_and_ranges_that_do_not_exist(corpora, spec, message):
    assert message in refusal(spec)


def test_a_corpus_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(nltk.data, "path", [])
    assert refusal("nltk:alpino") == (
        "nltk:alpino: the corpus 'alpino' is not installed; install it with nltk.download('alpino')"
    )


def test_faults_inside_a_corpus_name_its_file(corpora):
    (corpora / "wsj-2.mrg").write_text("(S (A b))\n(S (NP ))")
    assert "nltk:small/wsj-2.mrg:2: a node (NP ) without words" in refusal("nltk:small")
    (corpora / "parsed").write_text("#1:1.[1] NP(Head:Nad:友情#\n", encoding="utf-8")
    assert refusal("nltk:small_sinica").startswith("nltk:small_sinica/parsed: NLTK cannot read it: ")
