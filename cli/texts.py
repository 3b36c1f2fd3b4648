"""Texts to work on one by one: given on the command line, or the lines of a file or of standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import click
from click.core import ParameterSource

from seqtree.cli.options import FILE, note, with_options
from seqtree.errors import InputError

T = TypeVar("T")
CHUNK = 1 << 15  # words that are read before they are worked on together


def unless_piped(texts: tuple[str, ...]) -> tuple[str, ...]:
    """An argument for texts: none for a single ``-``, which stands for standard input, as in other commands.

    A warning tells of one that names a file: it is read as a text.
    """
    if len(texts) == 1 and os.path.isfile(texts[0]):
        note(f"warning: {texts[0]} is read as a text, but is a file, too: --file reads its lines")
    return () if texts == ("-",) else texts


def as_unicode(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """The callback of an argument for a text. Raises InputError for bytes that are no Unicode text."""
    from seqtree.text.lines import checked_argument

    return checked_argument(text, "TEXT")


def as_text(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """The callback of an argument for one text, read by ``text_given``."""
    return text_given(text)


def text_given(text: str) -> str:
    """An argument for one text: ``-`` stands for standard input, without its last line end. Raises InputError."""
    from seqtree.text.lines import checked_argument, read_prompt

    return read_prompt("-").removesuffix("\n") if text == "-" else checked_argument(text, "TEXT")


def as_texts(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """The callback of an argument for texts, read by ``unless_piped``."""
    return unless_piped(texts)


texts_argument = click.argument("texts", nargs=-1, metavar="[TEXT]...", callback=as_texts)
file_option = click.option(
    "--file", "-f", type=FILE, metavar="FILE", help="Read the lines of a file (- for stdin) instead, each by itself."
)
tokenized_option = click.option(
    "--tokenized", is_flag=True, help="Every text is one sentence, its words between ASCII white space."
)


def check_texts(texts: Sequence[str], file: str | None, name: str) -> None:
    """Raises click.UsageError unless there are texts, called ``name``, or a file, or something is piped in."""
    if texts and file is not None:
        raise click.UsageError(f"give {name} or --file, not both")
    if not texts and file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError(f"nothing to read: give {name} or --file, or pipe a text in")


def text_blocks(texts: Sequence[str], file: str | None, encoding: str) -> Iterable[Iterator[str]]:
    """The texts, or the lines of the file, in blocks of those that are there by then. Raises InputError."""
    from seqtree.text.lines import checked_arguments, line_blocks

    return [checked_arguments(texts)] if texts else line_blocks(file or "-", encoding)


def with_note_of_tabs(blocks: Iterable[Iterator[str]], what: str) -> Iterator[Iterator[str]]:
    """The texts as they are; the first one that has a tab is noted, with what each of them is taken for."""
    told = False

    def watched(block: Iterator[str]) -> Iterator[str]:
        nonlocal told
        for text in block:
            if "\t" in text and not told:
                told = True
                note(f"lines have tabs: each is {what}")
            yield text

    return map(watched, blocks)


classes_option = click.option(
    "-k", type=click.IntRange(min=1), help="How many classes, most probable first; one by default, all with --json."
)
texts_options = with_options(  # of what classifies texts
    [
        texts_argument,
        file_option,
        classes_option,
        click.option(
            "--text-column",
            metavar="NAME",
            help="Read the texts in this column of --file, a table: CSV where its name ends so, else with tabs between "
            "fields.",
        ),
    ]
)


def classes_shown(k: int | None, as_json: bool) -> int:
    """How many classes a line of output has. Raises UsageError for ``-k`` beside ``--json``, if it is on the line."""
    if as_json and click.get_current_context().get_parameter_source("k") is ParameterSource.COMMANDLINE:
        raise click.UsageError("-k goes without --json, which has all classes")
    return k or 1


def texts_or_column(
    texts: Sequence[str], file: str | None, encoding: str, column: str | None
) -> Iterable[Iterator[str]]:
    """``text_blocks``, or the texts in a column of the file, a row each. A note tells of lines that look like rows."""
    from seqtree.text.labelled import JSON
    from seqtree.text.tables import CSV

    if column is not None:
        if texts:
            raise click.UsageError("--text-column goes with --file or stdin")
        return _column(file or "-", encoding, column)
    if file is not None and file.lower().endswith((*CSV, *JSON)):
        note(f"{file}: each line is read as one text; --text-column reads a column of a table")
    return with_note_of_tabs(text_blocks(texts, file, encoding), "one text; --text-column reads a column of a table")


def _column(file: str, encoding: str, column: str) -> Iterator[Iterator[str]]:
    from seqtree.text.tables import open_table

    with open_table(file, encoding) as table:
        place = table.column(column, "--text-column")
        yield (row.fields[place] for row in table.rows)


def in_chunks(items: Iterable[T], size: Callable[[T], int], limit: int = CHUNK) -> Iterator[list[T]]:
    """Neighbouring items of some ``limit`` words together. What precedes an input error comes before it."""
    chunk: list[T] = []
    words = 0
    try:
        for item in items:
            chunk.append(item)
            words += size(item) + 1
            if words >= limit:
                yield chunk
                chunk, words = [], 0
    except InputError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def ranked(names: Sequence[str], probabilities: Iterable[float]) -> list[tuple[str, float]]:
    """Classes with their probabilities, most probable first."""
    pairs = [(name, float(share)) for name, share in zip(names, probabilities, strict=True)]
    return sorted(pairs, key=lambda pair: -pair[1])


def classes_line(best: Iterable[tuple[str, float]]) -> str:
    """Classes and their probabilities in one line, separated by tabs."""
    return "\t".join(f"{name}\t{share:.4f}" for name, share in best)
