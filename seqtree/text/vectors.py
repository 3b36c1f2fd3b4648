"""Files of word vectors: the text form of word2vec, whose first line counts words and width, and GloVe's without one.

A line is a word and its numbers, separated by spaces or tabs; a file may be compressed by gzip. Files are read line by
line, so that only the vectors that are wanted are ever in memory.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.text.reading import check_kind, reason, say
from seqtree.wording import counted

MAX_LINE = 1 << 22  # bytes
FORM = "a word and its numbers in a line, as word2vec and GloVe write text"
ODD = "words that are not UTF-8 text, or are white space or control characters"
_GZIP = b"\x1f\x8b"
_NUMERIC = b"0123456789+-.eE \t"

_NO_WORD = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # controls, ends of lines, odd bytes

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class VectorFile:
    """A file of word vectors of one ``width``; ``words``: how many its first line promises, None without such a line.

    >>> import tempfile; folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "v.txt").write_text("2 3\\ncat 1 2 3\\ndog 4 5 6\\n")
    >>> file = VectorFile.opened(folder / "v.txt")
    >>> file.width, {word: vector.tolist() for word, vector in file.vectors({"dog", "bird"})}
    (3, {'dog': [4.0, 5.0, 6.0]})
    """

    path: Path
    width: int
    words: int | None = None

    @classmethod
    def opened(cls, path: str | Path) -> VectorFile:
        """The file of that path, by its first lines. Raises InputError if it has no vectors."""
        lines = _lines(Path(path))
        number, first = next(lines, (0, b""))
        if not first.strip():
            raise InputError(f"{path}: {'its first line' if number else 'it'} is empty; expected {FORM}")
        fields = first.split()
        if len(fields) == 2 and all(field.isdigit() for field in fields):
            words, width = map(int, fields)
            if words < 1 or width < 1:
                raise InputError(f"{path}:1: {words} vectors of width {width}; expected at least 1 of each")
            return cls(Path(path), width, words)
        width = len(fields) - 1
        while width and not _is_number(fields[-width]):  # a word of several parts, such as ". . ."
            width -= 1
        if not width or (_is_number(fields[0]) and len(fields) < 3):
            raise InputError(f"{path}:1: {_shown(first)}; expected {FORM}")
        return cls(Path(path), width)

    def vectors(self, wanted: Container[str] | None = None) -> Iterator[tuple[str, Vector]]:
        """The vectors (width,) of those words of the file that are ``wanted``; of a word that is repeated the first.

        None: of all words. A warning says how many are left out: they are not UTF-8 text, are white space, or hold
        control characters or ends of lines.

        Raises InputError, with the number of the line, for a line of another width or without numbers, and for a file
        that ends early.
        """
        found: set[str] = set()
        count, odd = 0, []
        for number, line in _lines(self.path):
            if number == 1 and self.words is not None:
                continue
            word, numbers = self._parts(number, line)
            count += 1
            if self.words is not None and count > self.words:
                raise InputError(
                    f"{self.path}:{number}: line 1 promises {counted(self.words, 'word')}; here is one more"
                )
            if word in found:
                continue
            if _is_word(word) if wanted is None else word in wanted:
                found.add(word)
                yield word, self._vector(number, numbers)
            elif not _is_word(word):
                odd.append(number)
        if odd:
            say(f"{self.path}:{odd[0]}: {ODD}, {len(odd):,} in all, are left out")
        if self.words is not None and count < self.words:
            raise InputError(
                f"{self.path}: ends after {count:,} of the {self.words:,} words that its first line promises; "
                "the file is not whole"
            )

    def first(self, most: int) -> tuple[str, ...]:
        """The first ``most`` words of the file, each once, but for those that ``vectors`` leaves out.

        Raises InputError.
        """
        found: dict[str, None] = {}
        lines = islice(_lines(self.path), self.words is not None, None)
        while len(found) < most and (line := next(lines, None)) is not None:
            word, _ = self._parts(*line)
            if _is_word(word):
                found[word] = None
        return tuple(found)

    def _parts(self, number: int, line: bytes) -> tuple[str, list[bytes]]:
        """The word of a line and its numbers, as they stand there."""
        fields = line.split()
        numbers, word = fields[-self.width :], fields[: -self.width]
        if len(word) != 1 and (not word or any(map(_is_number, word[1:]))):
            more = counted(max(0, len(fields) - 1), "number") if fields else "an empty line"
            raise InputError(f"{self.path}:{number}: {more}; expected a word and {counted(self.width, 'number')}")
        if b"".join(numbers).translate(None, _NUMERIC):
            self._vector(number, numbers)
        return b" ".join(word).decode("utf-8", "surrogateescape"), numbers

    def _vector(self, number: int, numbers: list[bytes]) -> Vector:
        for one in numbers:
            if not _is_number(one):
                raise InputError(f"{self.path}:{number}: {_shown(one)} where a number was expected")
        with np.errstate(over="ignore"):
            vector = np.array(numbers, dtype=np.float64).astype(np.float32)
        if not np.isfinite(vector).all():
            raise InputError(f"{self.path}:{number}: a number that is not finite; expected {self.width:,} finite ones")
        return vector


def write_vectors(file: BinaryIO, names: Iterable[str], blocks: Iterable[npt.NDArray[np.float32]], words: int) -> None:
    """Write the text form of word2vec: ``words`` names, a space within one as ``_``, with the vectors of ``blocks``."""
    rest = iter(names)
    for number, block in enumerate(blocks):
        if not number:
            file.write(f"{words} {block.shape[1]}\n".encode())
        for vector in block:
            name = "_".join(next(rest).split())
            file.write(f"{name} {' '.join(map(_text, vector.tolist()))}\n".encode(errors="replace"))


def _is_word(word: str) -> bool:
    """Whether it may stand in a vocabulary and a line; unlike ``isprintable``, invisible characters may be in it."""
    return word.isprintable() or not (word.isspace() or _NO_WORD.search(word))


def _text(number: float) -> str:
    """A number of 32 bits: nine digits tell any two of them apart."""
    return f"{number:.9g}"


def _is_number(field: bytes) -> bool:
    try:
        return math.isfinite(float(field)) and b"_" not in field
    except ValueError:
        return False


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, without their ends, and their numbers from 1. Raises InputError."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a file; expected word vectors, {FORM}")
        with path.open("rb") as plain:
            start = plain.read(512)
            plain.seek(0)
            packed = start.startswith(_GZIP)
            if not packed:
                check_kind(str(path), start)
            with gzip.open(plain) if packed else plain as file:
                yield from _numbered(path, file)  # type: ignore[arg-type]
    except InputError:
        raise
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: its compressed text breaks off or is damaged ({error})") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None


def _numbered(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise InputError(f"{path}:{number}: a line of more than {MAX_LINE:,} bytes; expected {FORM}")
        yield number, (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).rstrip(b"\r\n")


def _shown(part: bytes) -> str:
    text = part[:40].decode("utf-8", "replace")
    return repr(text + (" ..." if len(part) > 40 else ""))
