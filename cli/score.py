"""``seqtree lm score``: surprisals of a text's tokens, words, lines and documents, and of the rows of a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqtree.cli.options import (
    FILE,
    condition_option,
    encoding_option,
    finite,
    given_class,
    json_option,
    open_model,
    open_parser,
)
from seqtree.errors import InputError
from seqtree.escapes import json_line

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel
    from seqtree.language.study import MoreOfWords, ReadingStudy

    Rows = Iterable[list[Any]]

TOKEN_COLUMNS, WORD_COLUMNS = ("entropy", "rank"), ("entropy", "rank", "length", "frequency")


@dataclass(frozen=True, kw_only=True)
class _Options:
    """What the command was told."""

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
    encoding: str
    format: str | None

    @property
    def level(self) -> str:
        return self.by or ("word" if self.items is not None else "token")

    @property
    def details(self) -> bool:
        return bool({"entropy", "rank"} & {*self.columns})


def _columns(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",")) if value else ()
    for name in names:
        if name not in WORD_COLUMNS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(WORD_COLUMNS)}")
    return tuple(dict.fromkeys(names))


@click.command(
    epilog="\b\nExamples:\n  seqtree lm score runs/novel sentences.txt --independent > surprisals.tsv\n"
    "  seqtree lm score runs/novel story.txt --by word --columns length,frequency --spillover 2 > words.tsv\n"
    "  seqtree lm score runs/novel --items words.csv --word-column word --by-column story > scored.csv\n"
    "  seqtree lm score runs/novel story.txt --by word --parser default --k 10 > words.tsv"
)
@click.argument("model", type=FILE)
@click.argument("file", type=FILE, required=False)
@click.option(
    "--by",
    type=click.Choice(["token", "word", "line", "document"]),
    help="What a row is about: a token of the model, a word as it stands in the text, a line, a whole text.  "
    "[default: token; word with --items]",
)
@click.option("--independent", is_flag=True, help="Score every line as a text of its own.")
@click.option(
    "--columns",
    callback=_columns,
    metavar="NAMES",
    help=f"More columns, with commas between them: {', '.join(WORD_COLUMNS)} (of tokens: {', '.join(TOKEN_COLUMNS)}).",
)
@click.option(
    "--spaces",
    type=click.Choice(["before", "after"]),
    default="before",
    help="Which white space counts for a word: that before it (and the line end after the last one), or after it.",
)
@click.option("--spillover", type=click.IntRange(0, 100), default=0, help="Repeat the figures of so many words before.")
@click.option(
    "--frequencies",
    type=FILE,
    multiple=True,
    help="Text to count the words of, for the column frequency.  [default: the model's training text]",
)
@click.option("--items", type=FILE, metavar="FILE", help="Score the rows of a .csv file, or of one with tabs, instead.")
@click.option("--word-column", default="word", help="Its column of words.")
@click.option("--by-column", multiple=True, help="A column that tells its documents apart; may be given several times.")
@click.option("--sentences", is_flag=True, help="Make every sentence of the items a line, as word models expect it.")
@click.option("--join", default=" ", show_default="a space", help="What stands between the words of the items.")
@click.option("--prefix", default="", help="Put this before the names of the columns that are added to the items.")
@click.option("--ngram", type=FILE, multiple=True, help="Score by n-grams of this text instead, over MODEL's tokens.")
@click.option("--ngram-order", type=click.IntRange(1, 10), default=3, help="Their order.")
@click.option(
    "--parser",
    type=FILE,
    metavar="MODEL",
    help="Add what a parser's trees say of words. MODEL is as in seqtree parse; shipped: the one it takes without.",
)
@click.option("--k", type=click.IntRange(min=1), default=1, help="The expectation over so many best trees.")
@condition_option
@encoding_option
@click.option("--format", type=click.Choice(["tsv", "csv", "jsonl"]), help="[default: tsv, or that of the items]")
@json_option
def score(model: str, file: str | None, condition: str | None, as_json: bool, **chosen: Any) -> None:
    """Surprisal in bits of every token, word or line of FILE (- for stdin), or of the words of --items.

    Each line is read after all lines before it, unless --independent; without that, the surprisals add up to the bits
    of lm eval. Unseen tokens are scored as <unk> and counted. A word is a run of characters that are no white space:
    the surprisals of all its tokens, with the white space that counts for it, are summed.
    """
    options = _Options(**chosen)
    _check_usage(file, options)
    study = _study(given_class(open_model("lm", model), condition), model, options)
    kind = "csv" if options.items and Path(options.items).suffix.lower() == ".csv" else "tsv"
    format = "json" if as_json else options.format or kind
    if options.items is not None:
        _write_items(study, options, format)
        return
    rows = _text_rows(study, file or "-", options)
    if options.level == "token" and format == "tsv":
        rows = ([line, json_line(token)[1:-1], *others] for line, token, *others in rows)
    _write(f"{options.level}s", study.names(options.level), rows, format)


def _check_usage(file: str | None, options: _Options) -> None:
    """Raises click.UsageError for options that do not go together."""
    level, items = options.level, options.items is not None
    wrong = {
        "give FILE or --items, not both": items and file is not None,
        "--items goes with --by word or document": items and level not in ("word", "document"),
        "--by-column, --sentences and --prefix go with --items": not items
        and bool(options.by_column or options.sentences or options.prefix),
        "--spillover, --frequencies and --parser go with --by word": level != "word"
        and bool(options.spillover or options.frequencies or options.parser is not None),
        f"of --columns, --by {level} has {', '.join(TOKEN_COLUMNS) if level == 'token' else 'none'}": level != "word"
        and not {*options.columns} <= {*(TOKEN_COLUMNS if level == "token" else ())},
        "entropy and rank are those of MODEL, not of --ngram": options.details and bool(options.ngram),
        "--k goes with --parser": options.k > 1 and options.parser is None,
    }
    for message, is_so in wrong.items():
        if is_so:
            raise click.UsageError(message)


def _study(model: LanguageModel, path: str, options: _Options) -> ReadingStudy:
    from seqtree.language.study import ReadingStudy

    surprisals = frequency = None
    if options.ngram:
        from seqtree.language.ngram import counted

        surprisals = counted(model, options.ngram, options.ngram_order, options.encoding).surprisals
    if "frequency" in options.columns:
        from seqtree.language.memorisation import training_text_of_run
        from seqtree.text.frequencies import Frequencies

        texts = options.frequencies or training_text_of_run(Path(path), "--frequencies")
        frequency = Frequencies.of_files(texts, options.encoding).zipf
    more: MoreOfWords | None = None
    more_names: Sequence[str] = ()
    if options.parser is not None:
        more, more_names = _trees(options.parser, options.k)
    return ReadingStudy(
        model,
        options.columns,
        options.spaces,
        options.independent,
        options.spillover,
        frequency,
        surprisals,
        more,
        more_names,
    )


def _trees(parser: str, k: int) -> tuple[MoreOfWords, Sequence[str]]:
    """What the trees of a parser say of words, and the names of that."""
    from seqtree.parsing.word_counts import NAMES, word_counts

    loaded = open_parser(None if parser == "shipped" else parser)
    return lambda lines: [list(map(astuple, counts)) for counts in word_counts(loaded, lines, k)], NAMES


def _text_rows(study: ReadingStudy, file: str, options: _Options) -> Rows:
    from seqtree.text.reading import read_blocks, whole_lines

    lines = chain.from_iterable(whole_lines(read_blocks(file, options.encoding)))
    if options.level == "token":
        return study.tokens(lines)
    if options.level == "word":
        return study.words(lines)
    return study.sums(lines, file if options.level == "document" else None)


def _write_items(study: ReadingStudy, options: _Options, format: str) -> None:
    from seqtree.language.items import documents
    from seqtree.language.study import PLACES
    from seqtree.text.tables import open_table

    with open_table(options.items or "-", options.encoding) as table:
        found = documents(table, options.word_column, options.by_column, options.sentences, options.join)
        if options.level == "word":
            names = [*table.header, *(options.prefix + name for name in study.names("word")[PLACES:])]
            rows: Rows = (row for document in found for row in study.items(document))
        else:
            names = [*options.by_column, *study.names("document")[1:]]
            rows = ([*document.name, *study.document(document)] for document in found)
        for name in (name for name in names if names.count(name) > 1):
            raise InputError(f"{table.name}:1: column {name!r} is there already, expected another name (see --prefix)")
        _write(f"{options.level}s", names, rows, format)


def _write(name: str, names: Sequence[str], rows: Rows, format: str) -> None:
    """Write rows, whose columns have these names, as they come."""
    write, head, between, end = sys.stdout.write, "", "", ""  # not click.echo, which would flush every line
    if format == "json":
        head, between, end = f'{{"{name}": [', ", ", '], "unit": "bits"}\n'
    elif format != "jsonl":
        head = _line(names, format)
    for number, row in enumerate(rows):
        write(between if number else head)
        if format in ("json", "jsonl"):
            write(json_line(finite(dict(zip(names, row, strict=True)))) + "\n" * (format == "jsonl"))
        else:
            write(_line(list(map(_text, row)), format))
        head = ""
    write(head + end)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(int(value)) if isinstance(value, bool) else str(value)


def _line(fields: Sequence[str], format: str) -> str:
    """A row of a table as text. Raises InputError for a field that does not go between tabs."""
    from seqtree.text.tables import csv_line

    if format == "csv":
        return csv_line(fields)
    for wrong in (one for one in fields if {*"\t\n\r"} & {*one}):
        raise InputError(f"the field {wrong!r} has a tab or a line end, expected --format csv or jsonl for it")
    return "\t".join(fields) + "\n"
