"""Reads files, folders and standard input as normalised text, in blocks; decoding errors name the byte and the line."""

from __future__ import annotations

import codecs
import hashlib
import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from io import BufferedReader, IncrementalNewlineDecoder
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from seqtree.errors import InputError, SeqtreeError
from seqtree.escapes import one_line
from seqtree.files import SET_TMPDIR, scratch
from seqtree.text.config import NEWLINE, check_encoding
from seqtree.text.encodings import likely_encodings, utf_16

T = TypeVar("T")
Specs = str | Path | Sequence[str | Path]  # of what is read: one or several files, folders or corpora
STANDARD_INPUT = "standard input"
BLOCK = 1 << 20  # bytes read at a time
ZEROS = 0.4  # of the first characters, from which on a file is no text
TELLING = 64  # bytes of a text that show whether it is UTF-16, unless it is full of zeros
_BYTE_ORDER_MARK = "\ufeff"
_UNPACK, _CONVERT = "unpack it first", "convert it to plain text first"
_NO_TEXTS = (
    (b"\x1f\x8b", "gzip-compressed", _UNPACK),
    (b"BZh", "bzip2-compressed", _UNPACK),
    (b"\xfd7zXZ\0", "xz-compressed", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"PK\x03\x04", "a zip archive or an office document", "unpack it, or save it as plain text"),
    (b"%PDF-", "a PDF document", _CONVERT),
)
_MAY_BE_NO_TEXT = "and may not be text; if it is, give its encoding with --encoding"
_NOT_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"


@dataclass(frozen=True)
class Source:
    """One file of a corpus: its path, its name in messages, and whether the user named it (not only its folder)."""

    path: Path
    name: str
    named: bool = True


@cache
def say(message: str) -> None:
    """A warning on standard error, once in a process; a message, not Python's warning, which shows source code."""
    print(f"warning: {one_line(message)}", file=sys.stderr)


def names(specs: Specs) -> list[str]:
    """What is to be read, as strings. Raises InputError for what is neither a path nor several."""
    return [str(spec) for spec in ([specs] if isinstance(specs, str | Path) else several(specs, "paths"))]


@contextmanager
def sources(
    *groups: Sequence[str | Path],
    skipped: list[str] | None = None,
    suffixes: tuple[str, ...] = (".txt",),
    what: str = "a text",
) -> Iterator[list[list[Source]]]:
    """The files of each group of paths: files, folders (those of ``suffixes`` at any depth, sorted by name), "-".

    Of a folder, hidden files and folders (``.git``, ``._a.txt``) and files that may not be read are left out; these
    are named in ``skipped``. ``what`` they hold is said where there is nothing.

    Standard input, and anything else that cannot be read twice, is first copied to a temporary folder, deleted when the
    context ends. Raises InputError for a path that does not exist, cannot be read, or is a folder without text files.
    """
    lists = [names(group) for group in groups]
    check_standard_input(path for paths in lists for path in paths)
    left_out = [] if skipped is None else skipped
    with ExitStack() as copies:
        yield [
            [source for path in paths for source in _find(path, copies, left_out, suffixes, what)] for paths in lists
        ]


def standard_input() -> BufferedReader:
    """The bytes that are piped in. Raises InputError if there is no standard input."""
    stream: BufferedReader | None = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise InputError("there is no standard input to read (-)")
    return stream


def check_standard_input(paths: Iterable[str | Path]) -> None:
    """Raises InputError if standard input, "-", is among the paths more than once."""
    if sum(str(path) == "-" for path in paths) > 1:
        raise InputError("standard input (-) can be read only once, but was named more than once")


def read_text(files: Iterable[Source], encoding: str, hashes: list[str] | None = None) -> Generator[str, None, None]:
    """The text of the files in blocks: without byte-order marks, every line ending as "\\n", "\\n" between two files.

    hashes: the SHA-256 of each file's bytes, in hex, is appended to it. Raises InputError for a file that cannot be
    read, is not in the encoding (naming file, byte, line and a remedy), or is empty although the user named it, and for
    an unknown encoding.
    """
    check_encoding(encoding)
    ended = True
    for source in files:
        digest = hashlib.sha256()
        empty = True
        for block in _decoded(source, encoding, digest if hashes is not None else None):
            if not ended and empty:
                yield NEWLINE
            yield block
            empty = False
            ended = block.endswith(NEWLINE)
        if empty and source.named:
            raise InputError(f"{source.name} is empty")
        if hashes is not None:
            hashes.append(digest.hexdigest())


def read_blocks(path: str, encoding: str) -> Iterator[str]:
    """The text of a file, a folder or standard input (``-``) in blocks, as ``read_text``. Raises InputError."""
    with sources([path]) as (found,):
        yield from read_text(found, encoding)


def whole_lines(blocks: Iterable[str]) -> Iterator[list[str]]:
    """The lines, with their ends, of a text in blocks: the lists join up to the text."""
    begun: list[str] = []  # what has come of a line, which is put together once
    for block in blocks:
        begun.append(block)
        if NEWLINE in block:
            *lines, rest = "".join(begun).split(NEWLINE)
            begun = [rest]
            yield [line + NEWLINE for line in lines]
    if rest := "".join(begun):
        yield [rest]


def numbered_lines(files: Iterable[Source], encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of files, without their ends, each with its number from 1. Raises InputError as ``read_text``."""
    lines = chain.from_iterable(whole_lines(read_text(files, encoding)))
    yield from ((number, line.removesuffix(NEWLINE)) for number, line in enumerate(lines, 1))


def normalised(text: str) -> str:
    """A text without its byte-order mark and with every line ending as "\\n". Raises InputError as ``checked_text``."""
    text = checked_text(text).removeprefix(_BYTE_ORDER_MARK)
    return str(IncrementalNewlineDecoder(None, translate=True).decode(text, final=True))


def checked_text(text: str) -> str:
    """A text as it is. Raises InputError for what is no string, and for one with a lone surrogate."""
    if not isinstance(text, str):
        raise InputError(f"expected a text, that is one string, not {type(text).__name__}")
    utf8_length(text)
    return text


def utf8_length(text: str) -> int:
    """The bytes of ``text`` as UTF-8. Raises InputError for a lone surrogate, which has none."""
    try:
        return len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as error:
        raise surrogate_error(text, error.start) from None


def surrogate_error(text: str, position: int) -> InputError:
    """The error for a lone surrogate at ``position`` (in characters) of ``text``."""
    return InputError(
        f"character {position} of the text is the lone surrogate U+{ord(text[position]):04X}; "
        "text must contain only valid Unicode characters"
    )


def several(texts: Iterable[T], what: str = "texts") -> Iterable[T]:
    """Several texts or the like. Raises InputError for one string, which would be read by its letters, and for less."""
    if isinstance(texts, str):
        raise InputError(f"expected several {what}, not one string; put it in a list")
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise InputError(f"expected several {what}, not {type(texts).__name__}")
    return texts


def _find(path: str, copies: ExitStack, skipped: list[str], suffixes: tuple[str, ...], what: str) -> list[Source]:
    if path == "-":
        return [Source(copied(standard_input(), copies.enter_context(scratch()), STANDARD_INPUT), STANDARD_INPUT)]
    if not path:
        raise InputError(f"an empty name; expected {what}")
    place = Path(path)
    try:
        if place.is_dir():
            return [Source(file, str(file), named=False) for file in _readable_in(place, skipped, suffixes, what)]
        if not place.exists():
            raise InputError(f"{path}: no such file or folder; expected {what}")
        if place.is_file():
            return [Source(place, path)]
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path!r} cannot be read: {reason(error)}") from None
    with _opened(Source(place, path)) as file:
        return [Source(copied(file, copies.enter_context(scratch()), path), path)]


def files_in(folder: Path) -> Iterator[tuple[Path, bool]]:
    """The files of a folder, at any depth, sorted by name, and whether each is hidden or in a hidden folder."""
    inside = ((file.relative_to(folder).parts, file) for file in folder.rglob("*"))
    for parts, file in sorted(inside):
        if file.is_file():
            yield file, any(part.startswith(".") for part in parts)


def _readable_in(folder: Path, skipped: list[str], suffixes: tuple[str, ...], what: str) -> list[Path]:
    """The files of a folder with one of the suffixes, at any depth. Raises InputError if there is none."""
    found = []
    for file, hidden in files_in(folder):
        if file.suffix.lower() not in suffixes:
            continue
        if hidden:
            skipped.append(f"{file} (hidden)")
        elif not os.access(file, os.R_OK):
            skipped.append(f"{file} (permission denied)")
        else:
            found.append(file)
    if not found:
        left_out = f" that can be read; left out: {', '.join(skipped[:5])}" if skipped else ""
        raise InputError(
            f"{folder} is a folder without {' or '.join(suffixes)} files{left_out or f'; expected {what}'}"
        )
    return found


def check_kind(name: str, start: bytes, encoding: str | None = None) -> None:
    """Raises InputError for a file that begins so if it is plainly no text, or not in the encoding.

    If its text is marked up, it is said.
    """
    for beginning, kind, advice in _NO_TEXTS:
        if start.startswith(beginning):
            raise InputError(f"{name} is {kind}, not a text; {advice}")
    mark = start[:200].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if mark.startswith((b"{\\rtf", b"<!doctype html", b"<html")):
        kind = "RTF" if mark.startswith(b"{") else "HTML"
        say(f"{name} is {kind}: its markup is read as text; convert it to plain text first")
    if encoding is not None and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = start[:200].decode(encoding, "ignore")
        full_of_zeros = text.count("\0") > ZEROS * len(text)
        other = not codecs.lookup(encoding).name.startswith("utf-16") and (full_of_zeros or len(start) >= TELLING)
        if other and (found := utf_16(start[:4096])):
            raise InputError(f"{name} looks like UTF-16 without a mark: try --encoding {found}")
        if full_of_zeros:
            raise InputError(f"{name} is full of zero bytes {_MAY_BE_NO_TEXT}")


def copied(stream: BinaryIO, folder: Path, name: str) -> Path:
    """A file in a temporary folder with all of a stream of that name. Raises InputError if it cannot be read, and
    SeqtreeError if there is no space for it.
    """
    source = Source(folder / "text", name)
    try:
        with source.path.open("wb") as file:
            while data := _read(stream, source, BLOCK):
                file.write(data)
    except OSError as error:
        raise SeqtreeError(f"{name} could not be copied to {folder} ({reason(error)}): {SET_TMPDIR}") from None
    return source.path


def _decoded(source: Source, encoding: str, digest: Any) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line_ends = IncrementalNewlineDecoder(None, translate=True)
    offset = 0
    first = True
    with _opened(source) as file:
        while True:
            data = _read(file, source, BLOCK)
            if not offset:
                check_kind(source.name, data, encoding)
            if digest is not None:
                digest.update(data)
            pending = len(decoder.getstate()[0])  # bytes of an incomplete character
            try:
                raw = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise _decoding_error(source, encoding, offset - pending + error.start) from None
            except UnicodeError as error:
                raise InputError(f"{source.name} is not {encoding} text: {error}") from None
            text = line_ends.decode(raw, final=not data)
            if first and text:
                text, first = text.removeprefix(_BYTE_ORDER_MARK), False
            if text:
                yield text
            if not data:
                return
            offset += len(data)


def _opened(source: Source) -> BinaryIO:
    try:
        return source.path.open("rb")
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {reason(error)}") from None


def _read(file: BinaryIO, source: Source, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Why something could not be read, in a few words."""
    return (isinstance(error, OSError) and error.strerror and error.strerror.lower()) or str(error)


def _decoding_error(source: Source, encoding: str, offset: int) -> InputError:
    """The error for the byte at ``offset``; its line is found by reading the file again up to there."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line_ends = IncrementalNewlineDecoder(None, translate=True)
    line = 1
    with _opened(source) as file:
        while data := _read(file, source, min(BLOCK, offset - file.tell())):
            line += line_ends.decode(decoder.decode(data)).count(NEWLINE)
        line += line_ends.decode("", final=True).count(NEWLINE)
        byte = _read(file, source, 1)
    return InputError(
        f"{source.name}: byte {offset} (line {line}) is 0x{byte.hex().upper()}, which is not valid {encoding}; "
        f"{_advice(source, encoding)}"
    )


def _advice(source: Source, encoding: str) -> str:
    """Which encoding to try, judged by the bytes of the whole file."""
    with _opened(source) as file:
        beginning = _read(file, source, BLOCK)
        start = beginning[:2]
        file.seek(0)
        nul = undefined = high = False
        while data := _read(file, source, BLOCK):
            nul = nul or b"\0" in data
            undefined = undefined or len(data.translate(None, _NOT_IN_CP1252)) < len(data)
            high = high or len(data.translate(None, bytes(range(0x80, 0xA0)))) < len(data)
    name = codecs.lookup(encoding).name
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and name != "utf-16":
        return "it begins like UTF-16: try --encoding utf-16"
    if nul:
        return f"the file contains zero bytes {_MAY_BE_NO_TEXT}"
    if likely := likely_encodings(beginning):
        return f"its bytes look like {' or '.join(likely)}: try --encoding {likely[0]}"
    if not high and name != "iso8859-1":
        return "try --encoding latin-1, or give the file's encoding"
    if not undefined and name != "cp1252":
        return "try --encoding cp1252 (the Windows variant of latin-1), or give the file's encoding"
    return "give the file's encoding with --encoding"
