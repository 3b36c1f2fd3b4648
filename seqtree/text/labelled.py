"""Labelled texts: ``label<TAB>text`` files, tables and JSON by column name, a folder a class, NLTK's corpora."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from seqtree.errors import InputError
from seqtree.text.class_folders import class_folders
from seqtree.text.config import check_encoding
from seqtree.text.nltk_corpora import PREFIX, NamedCorpus, open_corpus
from seqtree.text.reading import Source, Specs, names, numbered_lines, read_text, say, sources, utf8_length
from seqtree.text.tables import CSV, read_table
from seqtree.wording import counted, some

JSON = (".json", ".jsonl", ".ndjson")
TEXTS = (".txt",)  # of a folder a class
SUFFIXES = (".tsv", *CSV, *JSON)  # of files in other folders
COLUMNS = ("label", "text")  # of tables and JSON, where no others are named
FASTTEXT = "__label__"  # what a line begins with in a file for fastText


class Labelled(NamedTuple):
    """A text, its label, and where it stands."""

    label: str
    text: str
    place: str


def read_labelled(
    specs: Specs, encoding: str = "utf-8", label: str = COLUMNS[0], text: str = COLUMNS[1]
) -> list[Labelled]:
    """The labelled texts that ``specs`` name, in order. Tables and JSON have columns: ``label`` and ``text``.

    A file that ends in .csv has a header; one that ends in .json, .jsonl or .ndjson has an object a line, or one list
    of objects; any other has ``label<TAB>text`` or fastText's ``__label__LABEL text`` a line, or is a table too: where
    its first line has both names, or other columns are asked for. A folder whose folders hold .txt files has a class in
    each of them and a text in each file; of any other folder, the files with one of ``SUFFIXES`` are read.
    ``nltk:NAME[/FILES][RANGE]`` is a corpus with categories, a file a text.
    Empty lines are left out. Raises InputError, naming file and line, and if there is no labelled text.
    """
    check_encoding(encoding)
    if label == text:
        raise InputError(f"column {label!r} holds the labels and the texts; expected two columns")
    found = list(_labelled(specs, encoding, label, text))
    if not found:
        raise InputError(f"{', '.join(names(specs))}: no labelled text in it")
    return found


def rare_classes(counts: Mapping[str, int]) -> Iterator[str]:
    """A sentence about the classes that have one text only, if there are any; ``counts``: how many each has."""
    if single := [name for name, count in counts.items() if count == 1]:
        have = "has" if len(single) == 1 else "have"
        yield f"of {counted(len(counts), 'class')}, {len(single)} {have} one text only: {some(single, 5)}"


def _labelled(specs: Specs, encoding: str, label: str, text: str) -> Iterator[Labelled]:
    for spec in names(specs):
        if spec.startswith(PREFIX):
            _check_columns(spec, "the labels are the categories of the corpus", label, text)
            yield from _corpus(spec)
        elif spec != "-" and Path(spec).is_dir() and (classes := _classes(Path(spec))):
            _check_columns(spec, "a folder is a class", label, text)
            yield from _folders(Path(spec), classes, encoding)
        else:
            with sources([spec], suffixes=SUFFIXES) as (files,):
                for file in files:
                    yield from _file(file, encoding, label, text)


def _file(source: Source, encoding: str, label: str, text: str) -> Iterator[Labelled]:
    suffix = Path(source.name).suffix.lower()
    if suffix in JSON:
        found = _json(source, encoding, label, text)
    elif suffix in CSV or (label, text) != COLUMNS:
        found = _table(source, encoding, label, text)
    else:
        found = _lines(source, encoding)
    for one in found:
        if not one.label or not one.text.strip():
            raise InputError(f"{one.place}: an empty {'text' if one.label else 'label'}, expected a label and a text")
        if "\t" in one.label or len(one.label.splitlines()) > 1:
            raise InputError(f"{one.place}: the label {one.label!r}; expected one without tabs and line ends")
        yield one


def _check_columns(name: str, instead: str, *columns: str) -> None:
    """Raises InputError if columns are named where there are none."""
    if columns != COLUMNS:
        raise InputError(
            f"{name}: {instead} here; --label-column and --text-column name columns of tables and keys of JSON"
        )


def _lines(source: Source, encoding: str) -> Iterator[Labelled]:
    """A file that is not known by its name."""
    first = next((line for _, line in numbered_lines([source], encoding) if line.strip()), "")
    if set(COLUMNS) <= set(first.lower().split("\t")):
        return _table(source, encoding, *COLUMNS)
    if first.lstrip().startswith(FASTTEXT):
        return _fasttext(source, encoding)
    return _tabbed(source, encoding)


def _tabbed(source: Source, encoding: str) -> Iterator[Labelled]:
    for number, line in numbered_lines([source], encoding):
        if line.strip():
            label, tab, text = line.partition("\t")
            if not tab:
                raise InputError(f"{source.name}:{number}: no tab in the line, expected label<TAB>text")
            yield Labelled(label.strip(), text, f"{source.name}:{number}")


def _fasttext(source: Source, encoding: str) -> Iterator[Labelled]:
    for number, line in numbered_lines([source], encoding):
        if line.strip():
            place = f"{source.name}:{number}"
            label, *rest = line.split(None, 1)
            text = rest[0].rstrip() if rest else ""
            if not label.startswith(FASTTEXT) or text.startswith(FASTTEXT):
                raise InputError(f"{place}: expected one label, as in the first line: {FASTTEXT}LABEL text")
            yield Labelled(label.removeprefix(FASTTEXT), text, place)


def _table(source: Source, encoding: str, label: str, text: str) -> Iterator[Labelled]:
    table = read_table(source, encoding)
    first, second = (table.column(name, "--label-column, --text-column") for name in (label, text))
    for fields, place in table.rows:
        yield Labelled(fields[first].strip(), fields[second], place)


def _json(source: Source, encoding: str, label: str, text: str) -> Iterator[Labelled]:
    for record, place in _records(source, encoding):
        if not isinstance(record, dict):
            raise InputError(f"{place}: expected a JSON object, not {type(record).__name__}")
        for name in (label, text):
            if name not in record:
                raise InputError(f"{place}: no key {name!r} (see --label-column, --text-column)")
        if isinstance(record[label], (dict, list, float)) or record[label] is None or not isinstance(record[text], str):
            raise InputError(f"{place}: expected a text for {text!r} and a name or whole number for {label!r}")
        name = record[label] if isinstance(record[label], str) else json.dumps(record[label])
        found = Labelled(name.strip(), record[text], place)
        try:
            utf8_length(found.label + found.text)
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        yield found


def _records(source: Source, encoding: str) -> Iterator[tuple[Any, str]]:
    """The values of JSON, one a line or all in one list, and where they stand."""
    lines = numbered_lines([source], encoding)
    begin, first = next((one for one in lines if one[1].strip()), (1, ""))
    if first.lstrip().startswith("["):
        whole = "\n" * (begin - 1) + "\n".join([first, *(line for _, line in lines)])  # the error says in which line
        values = enumerate(_parsed(whole, f"{source.name}: not a list of JSON objects"), 1)
        yield from ((value, f"{source.name}: item {item}") for item, value in values)
        return
    for number, line in chain([(begin, first)], lines):
        place = f"{source.name}:{number}"
        if line.strip():
            yield _parsed(line, f"{place}: not a JSON object a line"), place


def _parsed(text: str, wrong: str) -> Any:
    """The value of JSON. Raises InputError, which begins with what is ``wrong``."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{wrong}: {error}") from None


def _classes(folder: Path) -> Iterable[str]:
    """The folders of a folder that hold texts: its classes."""
    return class_folders(folder, TEXTS, f"{' or '.join(TEXTS)} file")


def _folders(folder: Path, classes: Iterable[str], encoding: str) -> Iterator[Labelled]:
    for label in classes:
        with sources([folder / label], suffixes=TEXTS) as (files,):
            empty = []
            for file in files:
                text = "".join(read_text([file], encoding))
                if text.strip():
                    yield Labelled(label, text, file.name)
                else:
                    empty.append(file.name)
        if empty:
            say(f"{folder / label}: {counted(len(empty), 'empty file')} left out, such as {empty[0]}")


def _corpus(spec: str) -> Iterator[Labelled]:
    corpus = open_corpus(spec, "brown and movie_reviews")
    if not hasattr(corpus.reader, "categories"):
        raise InputError(f"{spec}: NLTK's corpus {corpus.name!r} has no categories")
    return corpus.selected(lambda: _read(corpus), "texts")


def _read(corpus: NamedCorpus) -> Iterator[Labelled]:
    for file in corpus.files:
        place = f"{PREFIX}{corpus.name}/{file}"
        try:
            labels = corpus.reader.categories(file)
            text = " ".join(map(str, corpus.reader.words(file)))
        except (LookupError, OSError, ValueError, AssertionError) as error:
            raise corpus.cannot_read(file, error) from None
        if len(labels) != 1:
            raise InputError(f"{place}: {len(labels)} categories, expected one")
        yield Labelled(str(labels[0]), text, place)
