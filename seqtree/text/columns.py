"""Columns: one word a line with its tags beside it, and an empty line after every sentence (CoNLL, CoNLL-U, NLTK)."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple

from seqtree.errors import InputError
from seqtree.text.chunks import kind_of, scheme_of
from seqtree.text.config import check_encoding
from seqtree.text.nltk_corpora import PREFIX, NamedCorpus, open_corpus
from seqtree.text.reading import Source, Specs, names, numbered_lines, sources
from seqtree.wording import counted

SUFFIXES = (".bio", ".conll", ".conllu", ".iob", ".tsv", ".txt")  # of files in folders
DOCUMENT = "-DOCSTART-"
_INTENT = re.compile(r"#\s*intent\s*[:=]\s*(?P<intent>.*\S)\s*")
_CONLLU = 10  # columns, the first of which is a word's number
_NUMBER = re.compile(r"\d+(?P<no_word>[-.]\d+)?")
_NO_WORD = "-NONE-"  # the tag of a trace in the Penn Treebank


class Other(NamedTuple):
    """A line of a file that is no word: how many words of its sentence are before it, and whether it has columns."""

    before: int
    line: str
    columns: bool


class Rows(NamedTuple):
    """A sentence's rows, all of the same columns, where it stands, and the intent that a comment gives it, if any.

    ``others`` are the lines of its file that are left out.
    """

    rows: list[tuple[str, ...]]
    place: str
    intent: str | None
    others: Sequence[Other] = ()


class Tagged(NamedTuple):
    """A sentence's words and their tags, where it stands, and its intent, if it has one."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    place: str
    intent: str | None


def column_sentences(specs: Specs, encoding: str = "utf-8") -> Iterator[Rows]:
    """The sentences of files, folders (those with one of ``SUFFIXES``), ``-`` or ``nltk:NAME[/FILES][RANGE]``.

    Columns are separated by tabs, or by white space in a file without any. No words are: comments (before a sentence,
    ``#`` and what is no tag of other words), document marks, and in CoNLL-U, which is known by its ten columns, the
    rows of multiword tokens and empty nodes. Raises InputError, naming file and line, for a row of another number of
    columns than those before it.
    """
    check_encoding(encoding)
    named = names(specs)
    columns: dict[int, str] = {}  # how many there are, and where that was seen first
    with sources([spec for spec in named if not spec.startswith(PREFIX)], suffixes=SUFFIXES) as (files,):
        read = [_file(file, encoding) for file in files]
        read += [_corpus(spec) for spec in named if spec.startswith(PREFIX)]
        for sentences in read:
            for sentence in sentences:
                columns.setdefault(len(sentence.rows[0]), sentence.place)
                if len(columns) > 1:
                    (first, place), (second, other) = columns.items()
                    raise InputError(f"{other}: {second} columns, expected {first} as at {place}")
                yield sentence
    if not columns:
        raise InputError(f"{', '.join(named)}: no sentence in it")


def read_tagged(
    specs: Specs,
    word: int | None = None,
    tag: int | None = None,
    encoding: str = "utf-8",
    say: Callable[[str], object] = warnings.warn,
    known: Collection[str] = (),
) -> list[Tagged]:
    """``column_sentences`` with two columns, counted from 1, as words and tags; None: found, and ``say`` is told.

    Words are column 1, or 2 in CoNLL-U. Tags are the last column if it holds chunk tags; else the one after the words,
    or the fourth (UPOS) in CoNLL-U; or whichever has more of the tags that are ``known``, in any scheme of chunks.
    Raises InputError for a column that is not there.
    """
    sentences = list(column_sentences(specs, encoding))
    width = len(sentences[0].rows[0])
    word = word_column(sentences[0], word)
    if tag is None:
        tag = _known_column(sentences, word, _tag_column(sentences, word), known)
        if width > 2:
            say(f"{width} columns: words from column {word}, tags from column {tag} (see --word-column, --tag-column)")
    _check_column(sentences[0], "tag", tag)
    if word == tag:
        raise InputError(f"column {tag} holds the words and the tags; expected two columns")
    return [
        Tagged(tuple(row[word - 1] for row in rows), tuple(row[tag - 1] for row in rows), where, intent)
        for rows, where, intent, _ in sentences
    ]


def word_column(sentence: Rows, given: int | None = None) -> int:
    """The column of words, from 1: the one that is given, or as in ``read_tagged``. InputError if it is not there."""
    word = (2 if _is_conllu(sentence) else 1) if given is None else given
    _check_column(sentence, "word", word)
    return word


def _check_column(sentence: Rows, name: str, column: int) -> None:
    width = len(sentence.rows[0])
    if not 1 <= column <= width:
        raise InputError(f"{sentence.place}: {counted(width, 'column')}, expected a {name} in column {column}")


def _is_conllu(sentence: Rows) -> bool:
    return len(sentence.rows[0]) == _CONLLU and _NUMBER.fullmatch(sentence.rows[0][0]) is not None


def _tag_column(sentences: Sequence[Rows], word: int) -> int:
    width = len(sentences[0].rows[0])
    if _is_conllu(sentences[0]):
        return 4
    if width > 2 and scheme_of([row[-1] for row in one.rows] for one in sentences):
        return width
    return word + 1


def _known_column(sentences: Sequence[Rows], word: int, usual: int, known: Collection[str]) -> int:
    """The column after the words' with most tags that are known, whatever their chunks' scheme; else the usual one."""
    width, kinds = len(sentences[0].rows[0]), {kind_of(tag) for tag in known}
    found = Counter(
        column
        for sentence in sentences
        for row in sentence.rows
        for column in range(word + 1, width + 1)
        if kind_of(row[column - 1]) in kinds
    )
    return max((usual, *found), key=lambda column: found[column])


def intent_of(comment: str) -> str | None:
    """The intent that a comment gives to the sentence after it, if it does."""
    said = _INTENT.fullmatch(comment.strip())
    return said["intent"] if said else None


def _file(source: Source, encoding: str) -> Iterator[Rows]:
    """The sentences of a file; the lines after the last one go with it."""
    last: Rows | None = None
    for part in _parts(source, encoding):
        if part.rows:
            if last is not None:
                yield last
            last = part
        elif last is not None:
            lines = [other.line for other in part.others]
            if not lines[-1]:  # every sentence ends with an empty line
                lines.pop()
            after = [Other(len(last.rows), line, columns=False) for line in ("", *lines)]
            last = last._replace(others=[*last.others, *after])
    if last is not None:
        yield last


def _parts(source: Source, encoding: str) -> Iterator[Rows]:
    """The sentences of a file, each with the lines before it; then, without rows, the lines after the last one."""
    rows: list[tuple[str, ...]] = []
    others: list[Other] = []
    first, intent = 0, None
    width, separator, lines = _shape(numbered_lines([source], encoding))
    tags = cache(partial(_last_column, source, encoding))
    for number, line in lines:
        if not line.strip():
            if rows:
                yield Rows(rows, f"{source.name}:{first}", intent, others)
                rows, others = [], []
            elif others:
                others.append(Other(0, "", columns=False))
            intent = None
            continue
        row = tuple(part.strip() for part in line.split(separator))
        if not rows and line.startswith("#") and (len(row) != width or _is_comment(line, separator, tags)):
            intent = intent_of(line) or intent
            others.append(Other(0, line.rstrip(), columns=False))
            continue
        if row[0] == DOCUMENT:
            others.append(Other(len(rows), line.rstrip(), columns=False))
            continue
        _check(row, width, f"{source.name}:{number}")
        known = _NUMBER.fullmatch(row[0]) if width == _CONLLU else None
        if known is None or known["no_word"] is None:
            first = first if rows else number
            rows.append(row)
        else:
            others.append(Other(len(rows), "\t".join(row), columns=True))
    if rows or others:
        yield Rows(rows, f"{source.name}:{first}", intent, others)


def _shape(lines: Iterator[tuple[int, str]]) -> tuple[int, str | None, Iterator[tuple[int, str]]]:
    """The number of columns, what separates them, and the lines: the first that is a row for sure tells."""
    head: list[tuple[int, str]] = []
    for number, line in lines:
        head.append((number, line))
        if line.strip() and not line.startswith(("#", DOCUMENT)):
            separator = "\t" if "\t" in line else None
            return len(line.split(separator)), separator, chain(head, lines)
    return 0, None, iter(head)


def _is_comment(line: str, separator: str | None, tags: Callable[[], set[str]]) -> bool:
    """Whether a line of as many parts as there are columns is no word ``#`` whose tag other words have, too."""
    if separator or not line.startswith("# "):
        return False
    return intent_of(line) is not None or line.split()[-1] not in tags()


def _last_column(source: Source, encoding: str) -> set[str]:
    """What stands in the last column of a file with spaces, in lines that are rows for sure."""
    found: set[str] = set()
    inside = False
    for _, line in numbered_lines([source], encoding):
        inside = bool(line.strip()) and (inside or not line.startswith("#"))
        if inside:
            found.add(line.split()[-1])
    return found


def _check(row: tuple[str, ...], width: int, place: str) -> None:
    if len(row) != width:
        raise InputError(f"{place}: {counted(len(row), 'column')}, expected {width} as in the lines before")
    if "" in row:
        raise InputError(f"{place}: column {row.index('') + 1} is empty")


def _corpus(spec: str) -> Iterator[Rows]:
    corpus = open_corpus(spec, "treebank, conll2000 and brown")
    method = next((name for name in ("iob_sents", "tagged_sents") if hasattr(corpus.reader, name)), None)
    if method is None:
        raise InputError(f"{spec}: NLTK's corpus {corpus.name!r} has no tagged words")
    return corpus.selected(lambda: _read(corpus, method), "sentences")


def _read(corpus: NamedCorpus, method: str) -> Iterator[Rows]:
    for file in corpus.files:
        try:
            sentences: Any = getattr(corpus.reader, method)(file)
            for number, sentence in enumerate(sentences, 1):
                place = f"{PREFIX}{corpus.name}/{file}, sentence {number}"
                rows = [tuple(map(str, row)) for row in sentence if row[1] != _NO_WORD]
                if rows:
                    yield Rows(rows, place, None)
        except (LookupError, OSError, ValueError, AssertionError) as error:
            raise corpus.cannot_read(file, error) from None
