"""Items of an experiment: a table with a word in each row, whose rows make up the documents that are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from seqtree.errors import InputError
from seqtree.language.reading import WordsOfLine
from seqtree.text.config import NEWLINE
from seqtree.text.tables import Row, Table


class Document(NamedTuple):
    """What is read from the beginning to the end: its name, its rows, and its lines.

    words: of the rows, in order: what is in each, and of how many words of the lines it is made up: several where
    sentences end within it, and are lines.
    """

    name: tuple[str, ...]
    rows: list[Row]
    lines: list[WordsOfLine]
    words: list[tuple[str, int]]


def documents(
    table: Table, word: str, by: Sequence[str] = (), sentences: bool = False, join: str = " "
) -> Iterator[Document]:
    """The documents of a table, one at a time: neighbouring rows with the same fields in the columns ``by``.

    ``word`` is the column of words: a field may hold several of them, as a region does; the white space between them
    becomes one space. ``join`` stands between two rows. The document is one line; or ``sentences`` are lines of their
    own. Raises InputError for columns that are not there, a row without a word, and a document whose rows do not stand
    together.
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
        lines, parts = _lines(words, join, sentences)
        yield Document(name, rows, lines, [*zip(words, parts, strict=True)])


def _lines(words: list[str], join: str, sentences: bool) -> tuple[list[WordsOfLine], list[int]]:
    """The lines of a document, and of how many parts in them each of its words is."""
    whole = _line(words, join)
    if not sentences:
        return [whole], [1] * len(words)
    from seqtree.text.sentences import split_sentences  # here, so that studies of words do without NLTK

    begins, place = [], 0
    for sentence in split_sentences(whole.text):
        begins.append(whole.text.index(sentence, place))
        place = begins[-1] + len(sentence)
    lines: list[list[str]] = [[]]
    parts = []
    for start, end in whole.spans:
        first, last = bisect_left(begins, start), bisect_left(begins, end)
        cuts = sorted({start, *begins[first:last], end})
        for begin, after in pairwise(cuts):
            if lines[-1] and begin in begins[first:last]:
                lines.append([])
            lines[-1].append(whole.text[begin:after].rstrip())
        parts.append(len(cuts) - 1)
    found = [_line(line, join) for line in lines]
    return [*(line._replace(text=line.text + NEWLINE) for line in found[:-1]), found[-1]], parts


def _line(words: list[str], join: str) -> WordsOfLine:
    spans, place = [], 0
    for word in words:
        spans.append((place, place + len(word)))
        place += len(word) + len(join)
    return WordsOfLine(join.join(words), spans)
