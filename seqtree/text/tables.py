"""Tables with a header: CSV, with commas or semicolons, or fields between tabs as they stand."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from seqtree.errors import InputError
from seqtree.text.config import check_encoding
from seqtree.text.reading import Source, numbered_lines, sources
from seqtree.wording import counted

CSV = (".csv",)
_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
MAX_FIELD = 1 << 27  # characters of a CSV field


class Row(NamedTuple):
    """The fields of a row, as many as the header has, and where it stands."""

    fields: list[str]
    place: str


class Table(NamedTuple):
    """The names of the columns, and the rows as they are read."""

    header: list[str]
    rows: Iterator[Row]
    name: str

    def column(self, name: str, option: str) -> int:
        """Where a column stands, whose name may be in other capitals if none is written as asked for.

        Raises InputError, which names the option, if there is none or more than one.
        """
        header = self.header if name in self.header else [one.lower() for one in self.header]
        asked = name if name in header else name.lower()
        if header.count(asked) != 1:
            found = ", ".join(map(repr, self.header))
            wrong = "no column" if asked not in header else "more than one column"
            raise InputError(f"{self.name}:1: {wrong} {name!r} among {found}, its header (see {option})")
        return header.index(asked)


def read_table(source: Source, encoding: str) -> Table:
    """The table in a file: CSV where its name ends so, else with fields between tabs, without quoting.

    CSV is separated by semicolons where its header has more of them than commas, as spreadsheets write it in many
    countries, or by what a first line ``sep=;`` says, as one of them has it.
    Empty lines are left out. Raises InputError, naming file and line, for a row of another number of fields than the
    header, and for what is no CSV.
    """
    lines = numbered_lines([source], encoding)
    rows = _csv(lines, source.name) if Path(source.name).suffix.lower() in CSV else _tabbed(lines, source.name)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{source.name}: empty, expected a header with the names of the columns")
    return Table(first.fields, _checked(rows, len(first.fields)), source.name)


@contextmanager
def open_table(path: str, encoding: str) -> Iterator[Table]:
    """The table in a file or in standard input (``-``). Raises InputError as ``read_table``."""
    check_encoding(encoding)
    with sources([path]) as (found,):
        if len(found) != 1 or not found[0].named:
            raise InputError(f"{path}: a folder, expected one file with a table")
        yield read_table(found[0], encoding)


def _checked(rows: Iterator[Row], width: int) -> Iterator[Row]:
    for row in rows:
        if len(row.fields) != width:
            raise InputError(f"{row.place}: {counted(len(row.fields), 'column')}, expected {width} as in the header")
        yield row


def _tabbed(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Row]:
    return (Row(line.split("\t"), f"{name}:{number}") for number, line in lines if line)


def _csv(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Row]:
    rest, head = iter(lines), []
    for _, line in rest:
        head.append(line)
        if line.strip():
            break
    said = _SEPARATOR.fullmatch(head[-1]) if head else None
    if said:
        head[-1] = ""
    outside = _QUOTED.sub("", head[-1]) if head else ""
    between = said[1] if said else ";" if outside.count(";") > outside.count(",") else ","
    written = (line + "\n" for line in chain(head, (line for _, line in rest)))
    rows = csv.reader(written, delimiter=between, strict=True)
    first = 1
    try:
        while (row := _next(rows)) is not None:
            place = f"{name}:{first}"
            first = rows.line_num + 1
            if row:
                yield Row(row, place)
    except csv.Error as error:
        raise InputError(f"{name}:{rows.line_num}: not CSV: {error}") from None


def _next(rows: Iterator[list[str]]) -> list[str] | None:
    """The next row, whose fields may be long: the limit is the whole program's, and stays what it is elsewhere."""
    before = csv.field_size_limit(MAX_FIELD)
    try:
        return next(rows, None)
    finally:
        csv.field_size_limit(before)


def csv_line(fields: Sequence[object]) -> str:
    """One row of CSV, with its line end."""
    written: list[str] = []

    class _Writing:
        def write(self, text: str) -> None:
            written.append(text)

    csv.writer(_Writing(), lineterminator="\n").writerow(fields)
    return "".join(written)
