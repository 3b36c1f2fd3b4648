"""Lines of texts in blocks and of standard input: which they are, and that a long one is put together once."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqtree.errors import InputError, SeqtreeError
from seqtree.text.lines import line_blocks
from seqtree.text.reading import copied, whole_lines


class Piece(str):
    """A piece of text that notes how much is copied to stand before it."""

    copied = 0

    def __radd__(self, before: str) -> str:
        Piece.copied += len(before)
        return before.__add__(self)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], []),
        (["", "a", "", "b"], [["ab"]]),
        (["a\nb", "c", "\n", "\n\nd\n"], [["a\n"], ["bc\n"], ["\n", "\n", "d\n"]]),
        (["a", "\n", "b\nc"], [["a\n"], ["b\n"], ["c"]]),
    ],
)
def test_lines_of_blocks(blocks: list[str], expected: list[list[str]]) -> None:
    assert list(whole_lines(blocks)) == expected


def test_a_line_of_many_blocks_is_not_copied_for_each() -> None:
    Piece.copied = 0
    assert list(whole_lines(Piece("ab") for _ in range(100))) == [["ab" * 100]]
    assert Piece.copied == 0


class Slow(io.BytesIO):
    """Bytes of which three are there at a time."""

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(3)


def _read(data: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Slow(data), encoding="utf-8"))
    return map(list, line_blocks("-", "utf-8"))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one long line", ["one long line"]),
        (b"one long line\r\nand \xc3\xa4\r\n\r\nthree\r", ["one long line", "and \u00e4", "", "three"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", ["a", "\ufeffb"]),
    ],
)
def test_lines_of_standard_input(data: bytes, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert [line for block in _read(data, monkeypatch) for line in block] == lines


def test_a_line_is_there_before_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = _read(b"a\nbc\nd\xff\n", monkeypatch)
    assert [next(blocks), next(blocks)] == [["a"], ["bc"]]
    with pytest.raises(InputError, match=r"^standard input:3: byte 0xFF after 1 characters is not utf-8"):
        next(blocks)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_stream_for_whose_copy_there_is_no_space(tmp_path: Path) -> None:
    (tmp_path / "text").symlink_to("/dev/full")
    with pytest.raises(
        SeqtreeError, match=r"^standard input could not be copied to .*no space left.*: set TMPDIR"
    ) as e:
        copied(io.BytesIO(b"the cat sat"), tmp_path, "standard input")
    assert not isinstance(e.value, InputError)  # nothing is wrong with the input
