"""Items of an experiment: a table with a word in each row, whose rows make up the documents that are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from seqtree.errors import InputError
from seqtree.language.reading import WordsOfLine
from seqtree.text.config import NEWLINE
from seqtree.text.sentences import split_sentences
from seqtree.text.tables import Row, Table


class Document(NamedTuple):
    """What is read from the beginning to the end: its name, its rows, and its lines, a word for each of the rows."""

    name: tuple[str, ...]
    rows: list[Row]
    lines: list[WordsOfLine]


def documents(
    table: Table, word: str, by: Sequence[str] = (), sentences: bool = False, join: str = " "
) -> Iterator[Document]:
    """The documents of a table, one at a time: neighbouring rows with the same fields in the columns ``by``.

    ``word`` is the column of words: a field may hold several of them, as a region does; the white space between them
    becomes one space. ``join`` stands between two rows. The document is one line; or ``sentences`` are lines of their
    own, ending with the row in which a sentence ends. Raises InputError for columns that are not there, a row without a
    word, and a document whose rows do not stand together.
    """
    place = table.column(word, "--word-column")
    keys = [table.column(name, "--by-column") for name in by]
    seen: set[tuple[str, ...]] = set()
    for name, group in groupby(table.rows, lambda row: tuple(row.fields[key] for key in keys)):
        rows: list[Row] = []
        words: list[str] = []
        for row in group:
            if name in seen and not rows:
                raise InputError(
                    f"{row.place}: {', '.join(map(repr, name))} begins again, expected its rows to stand together"
                )
            if not row.fields[place].strip():
                raise InputError(f"{row.place}: no word in column {word!r}, expected one in every row")
            rows.append(row)
            words.append(" ".join(row.fields[place].split()))
        seen.add(name)
        yield Document(name, rows, _lines(words, join, sentences))


def _lines(words: list[str], join: str, sentences: bool) -> list[WordsOfLine]:
    whole = _line(words, join)
    if not sentences:
        return [whole]
    starts = [start for start, _ in whole.spans]
    breaks, place = {0, len(words)}, 0
    for sentence in split_sentences(whole.text):
        place = whole.text.index(sentence, place)
        breaks.add(bisect_left(starts, place))
        place += len(sentence)
    lines = [_line(words[first:last], join) for first, last in pairwise(sorted(breaks))]
    return [*(line._replace(text=line.text + NEWLINE) for line in lines[:-1]), lines[-1]]


def _line(words: list[str], join: str) -> WordsOfLine:
    spans, place = [], 0
    for word in words:
        spans.append((place, place + len(word)))
        place += len(word) + len(join)
    return WordsOfLine(join.join(words), spans)
