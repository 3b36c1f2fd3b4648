"""The rows of ``seqtree lm score``: made of texts, by one process or by several, and as lines of a table or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click

from seqtree.cli.options import finite, given_class, open_model, open_parser
from seqtree.errors import InputError, SeqtreeError
from seqtree.escapes import json_line

if TYPE_CHECKING:
    from seqtree.language.items import Document
    from seqtree.language.pictures import RowPicture
    from seqtree.language.study import MoreOfWords, ReadingStudy

    Chunk: TypeAlias = "Document | Lines"
    Rows = Iterable[list[Any]]
    Shown = tuple[list[str], SeqtreeError | None]  # rows, and what came instead of the next one

TOKEN_COLUMNS = ("entropy", "rank")
WORD_COLUMNS = (*TOKEN_COLUMNS, "length", "frequency")
CHARACTERS = 1 << 16  # of lines that are texts by themselves, which are scored together


class Lines(NamedTuple):
    """Lines of a text, with the number of the first one."""

    first: int
    lines: list[str]


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What the command was told."""

    model: str
    condition: str | None
    by: str | None
    independent: bool
    columns: tuple[str, ...]
    spaces: str
    spillover: int
    frequencies: tuple[str, ...]
    items: str | None
    word_column: str
    by_column: tuple[str, ...]
    sentences: bool
    join: str
    prefix: str
    ngram: tuple[str, ...]
    ngram_order: int
    parser: str | None
    k: int
    processes: int
    plot: Path | None
    encoding: str
    device: str
    format: str

    @property
    def level(self) -> str:
        """What a row is about: a token, a word, a line or a document."""
        return self.by or ("word" if self.items is not None else "token")

    @property
    def details(self) -> bool:
        """Whether columns are asked for that take the whole distribution of the next token."""
        return bool({*TOKEN_COLUMNS} & {*self.columns})

    def study(self) -> ReadingStudy:
        """What makes the rows."""
        from seqtree.language.study import ReadingStudy

        model = given_class(open_model("lm", self.model, device=self.device), self.condition)
        surprisals = frequency = None
        if self.ngram:
            from seqtree.language.ngram import ngrams_of

            surprisals = ngrams_of(model, self.ngram, self.ngram_order, self.encoding).surprisals
        if "frequency" in self.columns:
            from seqtree.language.memorisation import training_text_of_run
            from seqtree.text.frequencies import Frequencies

            if model.classes is not None and not self.frequencies:
                raise InputError("frequency: the model's training texts have classes; name a text with --frequencies")
            texts = self.frequencies or training_text_of_run(Path(self.model), "--frequencies").paths
            encoding = self.encoding if self.frequencies else model.settings.encoding
            frequency = Frequencies.of_files(texts, encoding).zipf
        more, names = _trees(self.parser, self.k) if self.parser is not None else (None, ())
        apart, spilled = self.independent, self.spillover
        return ReadingStudy(
            model, self.columns, self.spaces, apart, spilled, frequency, surprisals, more, more_names=names
        )


def _trees(parser: str, k: int) -> tuple[MoreOfWords, Sequence[str]]:
    """What the trees of a parser say of words, and the names of that."""
    from seqtree.parsing.word_counts import NAMES, word_counts

    loaded = open_parser(None if parser == "shipped" else parser)
    return lambda lines: [list(map(astuple, counts)) for counts in word_counts(loaded, lines, k)], NAMES


@dataclass(frozen=True)
class Work:
    """What is made of a chunk of texts that are apart: called in a process, it opens the model there.

    names: those of the columns. threads: of torch. picture: where rows are drawn besides, in this process.
    """

    options: ScoreOptions
    names: Sequence[str] = ()
    threads: int | None = None
    picture: RowPicture | None = None

    def __call__(self) -> Callable[[Chunk], Shown]:
        if self.threads:
            import torch

            torch.set_num_threads(self.threads)
        return self.on(self.options.study())

    def on(self, study: ReadingStudy) -> Callable[[Chunk], Shown]:
        """The rows of a chunk by that study."""

        def shown(chunk: Chunk) -> Shown:
            found: list[str] = []
            try:
                found.extend(self.texts(_chunk_rows(study, chunk, self.options)))
            except SeqtreeError as error:
                return found, error
            return found, None

        return shown

    def texts(self, rows: Rows) -> Iterator[str]:
        """Each row as text."""
        plain = self.options.level == "token" and self.options.format == "tsv" and self.options.items is None
        for row in rows:
            if self.picture is not None:
                self.picture.add(row)
            if self.options.format in ("json", "jsonl"):
                line = json_line(finite(dict(zip(self.names, row, strict=True))))
                yield line + "\n" * (self.options.format == "jsonl")
            else:
                fields = [row[0], json_line(row[1])[1:-1], *row[2:]] if plain else row
                yield table_line([_text(field) for field in fields], self.options.format)

    def many(self, study: ReadingStudy, chunks: Iterable[Chunk]) -> Iterator[str]:
        """The rows of all chunks as text, in order, made by as many processes as the options say."""
        if self.options.processes == 1:
            results: Iterable[Shown] = map(self.on(study), chunks)
        else:
            from seqtree.processes import cores, in_processes

            threads = max(1, cores() // self.options.processes)
            results = in_processes(replace(self, threads=threads), chunks, self.options.processes)
        for found, error in results:
            yield from found
            if error is not None:
                raise error


def text_rows(study: ReadingStudy, file: str, work: Work) -> Iterator[str]:
    """The rows of a file as text. Raises click.UsageError where several processes cannot share it."""
    from seqtree.text.reading import read_blocks, whole_lines

    options = work.options
    lines = chain.from_iterable(whole_lines(read_blocks(file, options.encoding)))
    if (classes := study.model.classes) is not None:
        first = next(lines, "")
        classes.check_plain(first, file)
        lines = chain([first], lines)
    if study.apart:
        yield from work.many(study, _line_chunks(lines))
        return
    if options.processes > 1:
        raise click.UsageError(
            "--processes shares texts that are apart: it goes with --independent, --items, or a model of lines; "
            "otherwise each line is read after all lines before it"
        )
    yield from work.texts(_level_rows(study, lines, options, file))


def item_rows(study: ReadingStudy, documents: Iterable[Document], names: Sequence[str], options: ScoreOptions) -> Any:
    """The rows of the documents of a table as text."""
    return Work(options, names).many(study, documents)


def _line_chunks(lines: Iterable[str]) -> Iterator[Lines]:
    """Lines in chunks that begin with a word, for what is in a line without one belongs to the last word before it.

    What precedes an input error comes before it.
    """
    first, chunk, size = 1, list[str](), 0
    try:
        for line in lines:
            if size >= CHARACTERS and line.strip():
                yield Lines(first, chunk)
                first, chunk, size = first + len(chunk), [], 0
            chunk.append(line)
            size += len(line)
    except InputError:
        yield Lines(first, chunk)
        raise
    yield Lines(first, chunk)


def _chunk_rows(study: ReadingStudy, chunk: Chunk, options: ScoreOptions) -> Rows:
    if isinstance(chunk, Lines):
        rows = _level_rows(study, chunk.lines, options)
        return ([row[0] + chunk.first - 1, *row[1:]] for row in rows)
    return study.items(chunk) if options.level == "word" else [[*chunk.name, *study.document(chunk)]]


def _level_rows(study: ReadingStudy, lines: Iterable[Any], options: ScoreOptions, text: str | None = None) -> Rows:
    if options.level == "token":
        return study.tokens(lines)
    if options.level == "word":
        return study.words(lines)
    return study.sums(lines, text if options.level == "document" else None)


def write(name: str, names: Sequence[str], rows: Iterable[str], format: str) -> None:
    """Write rows, whose columns have these names, as they come."""
    write, head, between, end = sys.stdout.write, "", "", ""  # not click.echo, which would flush every line
    if format == "json":
        head, between, end = f'{{"{name}": [', ", ", '], "unit": "bits"}\n'
    elif format != "jsonl":
        head = table_line(names, format)
    for number, row in enumerate(rows):
        write((between if number else head) + row)
        head = ""
    write(head + end)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(int(value)) if isinstance(value, bool) else str(value)


def table_line(fields: Sequence[str], format: str) -> str:
    """A row of a table as text. Raises InputError for a field that does not go between tabs."""
    from seqtree.text.tables import csv_line

    if format == "csv":
        return csv_line(fields)
    for wrong in (one for one in fields if {*"\t\n\r"} & {*one}):
        raise InputError(f"the field {wrong!r} has a tab or a line end, expected --format csv or jsonl for it")
    return "\t".join(fields) + "\n"
