"""Text as it comes: the lines of a file or of standard input, in blocks that do not wait; and prompts."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seqtree.errors import InputError
from seqtree.text.config import NEWLINE, check_encoding
from seqtree.text.reading import (
    STANDARD_INPUT,
    check_kind,
    checked_text,
    normalised,
    reason,
    standard_input,
    whole_lines,
)

START = 512  # bytes of a file that tell whether it is a text
READ = 1 << 18  # bytes of standard input that are read at once, if so many are there


def read_prompt(file: str) -> str:
    """The text of a file, or of standard input (``-``), with line ends as in texts to train on. Raises InputError."""
    try:
        data = standard_input().read() if file == "-" else Path(file).read_bytes()
        return normalised(data.decode("utf-8"))
    except OSError as error:
        raise InputError(f"{file}: the prompt cannot be read: {reason(error)}") from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{file}: byte {error.start} of the prompt is 0x{byte:02X}, which is not utf-8") from error


def around_blank(text: str, blank: str) -> tuple[str, str]:
    """What stands before and after the blank in a text. Raises InputError if it does not hold exactly one."""
    checked_text(text)
    if not blank:
        raise InputError("the blank is empty; expected how it is written in the text")
    if text.count(blank) != 1:
        raise InputError(f"{text!r} holds {text.count(blank)} blanks ({blank}), expected exactly one")
    before, _, after = text.partition(blank)
    return before, after


def checked_arguments(sentences: Iterable[str]) -> Iterator[str]:
    """Sentences given on the command line. Raises InputError for one with a byte that could not be decoded."""
    return (checked_argument(sentence, f"SENTENCE {number}") for number, sentence in enumerate(sentences, 1))


def checked_argument(text: str, name: str) -> str:
    """A text given on the command line. Raises InputError, which says its name, as ``checked_arguments``."""
    _check(text, name, "Unicode text")
    return text


def line_blocks(file: str, encoding: str) -> Iterator[Iterator[str]]:
    """The lines of a file in one block, or of standard input (``-``) in blocks, each of those that are there by then.

    So whoever writes a line and waits for its tree gets it. Raises InputError for a file that cannot be read and for
    bytes that are not in the encoding.
    """
    check_encoding(encoding)
    if file != "-":
        yield _file(file, encoding)
        return
    name, number = STANDARD_INPUT, 1
    with _naming(name, encoding):
        for lines in whole_lines(_as_it_comes(name, encoding)):
            yield _checked([line.removesuffix(NEWLINE) for line in lines], name, encoding, number)
            number += len(lines)


def _as_it_comes(name: str, encoding: str) -> Iterator[str]:
    """The text of standard input, as much at a time as is there; a byte that is not in the encoding as a surrogate."""
    stream, checked = standard_input(), False
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("surrogateescape"), translate=True)
    while data := stream.read1(READ):  # waits only while there is nothing at all
        if not checked:
            check_kind(name, data[:START], encoding)
            checked = True
        yield decoder.decode(data)
    yield decoder.decode(b"", final=True)


def _file(file: str, encoding: str) -> Iterator[str]:
    with _naming(file, encoding), open(file, "rb") as stream:
        yield from stream_lines(stream, file, encoding)


def stream_lines(stream: io.BufferedReader, name: str, encoding: str) -> Iterator[str]:
    """The lines, with their ends, of an open file of this name, as ``line_blocks`` gives them; it is closed then.

    Raises InputError for bytes that are not in the encoding.
    """
    with _naming(name, encoding):
        check_kind(name, stream.peek(START)[:START], encoding)
        with io.TextIOWrapper(stream, encoding, "surrogateescape") as text:
            yield from _checked(text, name, encoding)


@contextmanager
def _naming(name: str, encoding: str) -> Iterator[None]:
    """Makes an InputError, which says where, of what goes wrong in reading."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeError as error:
        raise InputError(f"{name} is not {encoding} text: {error}") from None


def _checked(lines: Iterable[str], name: str, encoding: str, first: int = 1) -> Iterator[str]:
    """Lines of which ``first`` is the number of the first, without a byte-order mark at the very beginning.

    They hold a byte that cannot be decoded as a lone surrogate. Raises InputError at the first such line.
    """
    for number, line in enumerate(lines, first):
        _check(line, f"{name}:{number}", f"{encoding}; name the text's own encoding with --encoding")
        yield line.removeprefix("\ufeff") if number == 1 else line


def _check(text: str, where: str, expected: str) -> None:
    """Raises InputError, which says where, for a text with a byte that could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) & 0xFF
        raise InputError(f"{where}: byte 0x{byte:02X} after {error.start} characters is not {expected}") from None
