"""Reading columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqtree.errors import InputError
from seqtree.text.columns import column_sentences, read_tagged


def written(folder: Path, text: str, name: str = "a.conll") -> list[str]:
    (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / name)]


def test_two_columns(tmp_path: Path) -> None:
    one, two = read_tagged(written(tmp_path, "\n\nthe\tDT\ncat\tNN\n \n\nsat\tVBD"))
    assert (one.words, one.tags) == (("the", "cat"), ("DT", "NN"))
    assert (two.words, two.tags) == (("sat",), ("VBD",))
    assert (one.place, two.place) == (f"{tmp_path}/a.conll:3", f"{tmp_path}/a.conll:7")


def test_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    (file,) = written(tmp_path, "the\tDT\n")
    assert read_tagged(Path(file)) == read_tagged([Path(file)]) == read_tagged([file])


def test_words_may_have_spaces_where_columns_are_parted_by_tabs(tmp_path: Path) -> None:
    (one,) = read_tagged(written(tmp_path, 'New York\tNNP\n"\tPUNCT\n'))
    assert one.words == ("New York", '"')


def test_which_column_is_found_and_told(tmp_path: Path) -> None:
    said: list[str] = []
    chunked = written(tmp_path, "the DT B-NP\ncat NN I-NP\n")
    assert read_tagged(chunked, say=said.append)[0].tags == ("B-NP", "I-NP")
    assert read_tagged(chunked, tag=2, say=said.append)[0].tags == ("DT", "NN")
    assert said == ["3 columns: words from column 1, tags from column 3 (see --word-column, --tag-column)"]
    known = {"known": ["DT", "VB"]}  # as many of these as a tagger knows
    assert read_tagged(chunked, say=said.append, **known)[0].tags == ("DT", "NN")
    assert said[1:] == ["3 columns: words from column 1, tags from column 2 (see --word-column, --tag-column)"]
    assert read_tagged(chunked, say=said.append, known=["S-NP", "O"])[0].tags == ("B-NP", "I-NP")
    assert read_tagged(chunked, say=said.append, known=["X"])[0].tags == ("B-NP", "I-NP")
    others = written(tmp_path, "the DT x 1\ncat NN y 2\n")
    assert read_tagged(others, say=said.append)[0].tags == ("DT", "NN")
    with pytest.raises(InputError, match="column 2 holds the words and the tags; expected two columns"):
        read_tagged(others, word=2, tag=2)
    with pytest.raises(InputError, match=r"a.conll:1: 4 columns, expected a tag in column 5"):
        read_tagged(others, tag=5)
    with pytest.raises(InputError, match=r"a.conll:1: 4 columns, expected a word in column 9"):
        read_tagged(others, word=9)
    for wrong in (0, -1):
        with pytest.raises(InputError, match=f"a.conll:1: 4 columns, expected a word in column {wrong}"):
            read_tagged(others, word=wrong)
        with pytest.raises(InputError, match=f"a.conll:1: 4 columns, expected a tag in column {wrong}"):
            read_tagged(others, tag=wrong)


def test_conllu(tmp_path: Path) -> None:
    rest = "\t_" * 6
    rows = ["# sent_id = 1", "# text = al mare", f"1-2\tal\t_\t_{rest}", f"1\ta\ta\tADP{rest}", f"2\til\til\tDET{rest}"]
    rows += [f"2.1\tx\tx\tX{rest}", f"3\tmare\tmare\tNOUN{rest}"]
    (one,) = read_tagged(written(tmp_path, "\n".join(rows) + "\n", "a.conllu"), say=lambda message: None)
    assert (one.words, one.tags) == (("a", "il", "mare"), ("ADP", "DET", "NOUN"))


def test_comments_marks_and_intents(tmp_path: Path) -> None:
    text = "-DOCSTART- O\n\n# intent: book a flight\nto O\nYork B-city\n\n# what it says\n# O\nis O\n"
    one, two = read_tagged(written(tmp_path, text))
    assert (one.intent, two.intent) == ("book a flight", None)
    assert two.words == ("#", "is")  # a row of two columns is no comment


def test_comments_of_as_many_words_as_there_are_columns(tmp_path: Path) -> None:
    text = "# about food\n# intent: order\nthe DT B-NP\n# NN I-NP\n\n# a comment\n# NN B-NP\n\n"
    text += "# intent: ask\ncat NN B-Np\n"
    one, two, three = read_tagged(written(tmp_path, text), say=lambda message: None)
    assert (one.words, one.tags, one.intent) == (("the", "#"), ("B-NP", "I-NP"), "order")
    assert (two.words, two.tags) == (("#",), ("B-NP",))
    assert (three.words, three.intent) == (("cat",), "ask")
    first, _ = read_tagged(written(tmp_path, "# DT\nthe DT\n\n# of these\na DT\n"))  # the word # in the first row
    assert first.words == ("#", "the")


def test_words_that_begin_with_the_mark_of_a_comment(tmp_path: Path) -> None:
    text = "# SENTENCE 1\nthe x B-NP\n\n#MeToo x B-NP\n\n# x B-NP\n\n# x 2\na # #\n"
    tagged = read_tagged(written(tmp_path, text), tag=3)
    assert [one.words for one in tagged] == [("the",), ("#MeToo",), ("#",), ("a",)]
    tagged = read_tagged(written(tmp_path, "the det\ncat noun\n\n# noun\none num\n"))
    assert [one.words for one in tagged] == [("the", "cat"), ("#", "one")]


def test_folders(tmp_path: Path) -> None:
    for name in ("b.conll", "a.txt", "c.pdf"):
        written(tmp_path, f"{name} X\n", name)
    assert [one.words[0] for one in read_tagged([str(tmp_path)])] == ["a.txt", "b.conll"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a X\nb\n", "a.conll:2: 1 column, expected 2 as in the lines before"),
        ("a X\n\nb X Y\n", "a.conll:3: 3 columns, expected 2 as in the lines before"),
        ("a\tX\n\tX\n", "a.conll:2: column 1 is empty"),
        ("a\tX\nb\t \n", "a.conll:2: column 2 is empty"),
        ("\n\n", "no sentence in it"),
        ("a\nb\n", "a.conll:1: 1 column, expected a tag in column 2"),
    ],
)
def test_what_is_no_column_file(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_tagged(written(tmp_path, text))
    assert said in str(caught.value)


def test_files_of_different_columns(tmp_path: Path) -> None:
    specs = written(tmp_path, "a X\n") + written(tmp_path, "b X Y\n", "b.conll")
    with pytest.raises(InputError, match=r"b.conll:1: 3 columns, expected 2 as at .*a.conll:1"):
        list(column_sentences(specs))


def test_bytes_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_bytes("né X\n".encode("latin-1"))
    with pytest.raises(InputError, match="line 1"):
        read_tagged([str(tmp_path / "a.conll")])
    assert read_tagged([str(tmp_path / "a.conll")], encoding="latin-1")[0].words == ("né",)


@pytest.mark.realdata
def test_corpora_of_nltk(data: Path) -> None:
    assert sum(1 for _ in column_sentences(["nltk:treebank/wsj_0001-wsj_0160"])) == 3401
    (one,) = read_tagged(["nltk:conll2000/train.txt[0]"], say=lambda message: None)
    assert one.words[:4] == ("Confidence", "in", "the", "pound")
    assert one.tags[:4] == ("B-NP", "B-PP", "B-NP", "I-NP")
    words = read_tagged(["nltk:treebank[0:20]"])
    assert not any(tag == "-NONE-" for one in words for tag in one.tags)
    assert len(read_tagged(["nltk:brown/ca01[-5:]"])) == 5
    with pytest.raises(InputError, match="no tagged words"):
        read_tagged(["nltk:inaugural"])
