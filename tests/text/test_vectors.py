"""Files of word vectors: both forms, compressed or not, and what is wrong with others."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from seqtree.errors import InputError
from seqtree.text.vectors import VectorFile, write_vectors

PLAIN = b"the 0.5 -1 2e-1\ncat 1 2 3\nthe 9 9 9\nnew york 4 5 6\n"


def _file(folder: Path, data: bytes, name: str = "v.txt") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


class Everything:
    def __contains__(self, word: object) -> bool:
        return True


def _all(file: Path) -> dict[str, list[float]]:
    return {word: vector.tolist() for word, vector in VectorFile.opened(file).vectors(Everything())}


@pytest.mark.parametrize("head", [b"", b"4 3\n", b"\xef\xbb\xbf4 3\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_both_forms(tmp_path: Path, head: bytes, packed: bool) -> None:
    data = head + PLAIN
    file = _file(tmp_path, gzip.compress(data) if packed else data)
    opened = VectorFile.opened(file)
    assert (opened.width, opened.words) == (3, 4 if head else None)
    found = _all(file)
    assert list(found) == ["the", "cat", "new york"]  # the first of a repeated word
    np.testing.assert_allclose(found["the"], [0.5, -1, 0.2], rtol=1e-6)
    assert [word for word, _ in opened.vectors({"cat", "dog"})] == ["cat"]


def test_tabs_trailing_spaces_and_a_word_of_several_parts_first(tmp_path: Path) -> None:
    assert _all(_file(tmp_path, b". . . 1 2 \r\na\t3\t4\n")) == {". . .": [1, 2], "a": [3, 4]}
    assert _all(_file(tmp_path, b"2009 1 2\na 3 4")) == {"2009": [1, 2], "a": [3, 4]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"\n", "v.txt: its first line is empty; expected a word and its numbers in a line"),
        (b"just some text\n", "v.txt:1: 'just some text'; expected a word and its numbers"),
        (b"0 3\n", "v.txt:1: 0 vectors of width 3; expected at least 1 of each"),
        (b"a 1 2 3\nb 1 2\n", "v.txt:2: 2 numbers; expected a word and 3 numbers"),
        (b"a 1 2 3\nb 1 2 3 4\n", "v.txt:2: 4 numbers; expected a word and 3 numbers"),
        (b"2 3\na 1 2 3\nb 1 2 3 4\n", "v.txt:3: 4 numbers; expected a word and 3 numbers"),
        (b"a 1 2 3\n\nb 1 2 3\n", "v.txt:2: an empty line; expected a word and 3 numbers"),
        (b"a 1 2 3\nb 1 x 3\n", "v.txt:2: 'x' where a number was expected"),
        (b"a 1 2 3\nb 1 nan 3\n", "v.txt:2: 'nan' where a number was expected"),
        (b"a 1 2 3\nb 1 1e39 3\n", "v.txt:2: a number that is not finite"),
        (b"3 2\na 1 2\nb 1 2\n", "v.txt: ends after 2 of the 3 words that its first line promises"),
        (b"1 2\na 1 2\nb 1 2\n", "v.txt:3: line 1 promises 1 word; here is one more"),
        (b"2 2\na \x00\x01\x02\xff\xfe\n", "v.txt:2: 1 number; expected a word and 2 numbers"),
        (b"PK\x03\x04...", "is a zip archive"),
        (gzip.compress(PLAIN * 99, mtime=0)[:-30], "its compressed text breaks off or is damaged"),
        (b"\x1f\x8bnothing", "its compressed text breaks off or is damaged"),
    ],
)
def test_what_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(InputError) as error:
        _all(_file(tmp_path, data))
    assert said in str(error.value)


def test_words_that_are_not_wanted_are_checked_too(tmp_path: Path) -> None:
    for fault in (b"b 1 2 oops\n", b"b 1 2\n"):
        with pytest.raises(InputError, match=r"v.txt:2: "):
            list(VectorFile.opened(_file(tmp_path, b"a 1 2 3\n" + fault)).vectors({"a"}))


def test_words_that_cannot_stand_in_a_line_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "a\x07b 2 2\n\u2028 3 3\n\u200a 3 4\na\x85b 4 4\n".encode()
    (tmp_path / "v.txt").write_bytes(b"b 0 1\ncaf\xe9 1 2\n\xff\xfe 1 3\n" + odd)
    file = VectorFile.opened(tmp_path / "v.txt")
    assert [word for word, _ in file.vectors()] == ["b"] and file.first(9) == ("b",)
    left_out = "words that are not UTF-8 text, or are white space or control characters, 6 in all, are left out"
    assert capsys.readouterr().err == f"warning: {tmp_path / 'v.txt'}:2: {left_out}\n"


def test_words_with_invisible_characters_are_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A joiner (Persian, emoji), a soft hyphen, spaces that do not break or have no width, letters not in Unicode."""
    words = ("می\u200cخواهم", "co\u00adop", "10\u00a0000", "a\u200bb", "\U0001f469\u200d\U0001f680", "\ue000")
    file = VectorFile.opened(_file(tmp_path, "".join(f"{word} 1 2\n" for word in words).encode()))
    assert tuple(word for word, _ in file.vectors()) == file.first(9) == words
    assert not capsys.readouterr().err


def test_places_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a file"):
        VectorFile.opened(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        VectorFile.opened(tmp_path / "none.txt")


def test_lines_without_end_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtree.text.vectors.MAX_LINE", 64)
    with pytest.raises(InputError, match=r"v.txt:1: a line of more than 64 bytes"):
        VectorFile.opened(_file(tmp_path, b"1 " * 99))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    names = ["a", "new york", "naïve", "d", "\ud800"]
    written = io.BytesIO()
    write_vectors(written, names, [vectors[:3], vectors[3:]], 5)
    found = _all(_file(tmp_path, written.getvalue()))
    assert list(found) == ["a", "new_york", "naïve", "d", "?"]
    assert np.array_equal(np.array(list(found.values()), np.float32), vectors)
