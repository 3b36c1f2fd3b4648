"""``seqtree lm score``: surprisals of a text's tokens, words, lines and documents, and of the rows of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqtree.cli.options import (
    FILE,
    condition_option,
    device_option,
    encoding_option,
    json_option,
    picture_option,
    was_given,
    write_picture,
)
from seqtree.cli.score_rows import TOKEN_COLUMNS, WORD_COLUMNS, ScoreOptions, Work, item_rows, text_rows, write
from seqtree.drawing.canvas import FORMATS
from seqtree.errors import InputError

if TYPE_CHECKING:
    from seqtree.language.pictures import RowPicture
    from seqtree.language.study import ReadingStudy


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
    "  seqtree lm score runs/novel story.txt --by word --parser default --k 10 > words.tsv\n"
    "  seqtree lm score runs/novel story.txt --by word --plot story.svg > words.tsv"
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
@click.option(
    "--processes",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Score in so many processes texts that are apart: lines that are --independent, or items of their own for the "
    "model, and the documents of --items.",
)
@picture_option("--plot", "Draw the text, each token or word the darker the more surprising it is", FORMATS)
@condition_option
@encoding_option
@device_option
@click.option("--format", type=click.Choice(["tsv", "csv", "jsonl"]), help="[default: tsv, or that of the items]")
@json_option
def score(file: str | None, as_json: bool, **chosen: Any) -> None:
    """Surprisal in bits of every token, word or line of FILE (- for stdin), or of the words of --items.

    Each line is read after all lines before it, unless --independent; without that, the surprisals add up to the bits
    of lm eval. Unseen tokens are scored as <unk> and counted. A word is a run of characters that are no white space:
    the surprisals of all its tokens, with the white space that counts for it, are summed.
    """
    kind = "csv" if (items := chosen["items"]) and Path(items).suffix.lower() == ".csv" else "tsv"
    format = "json" if as_json else chosen.pop("format") or kind
    options = ScoreOptions(**{**chosen, "format": format})
    _check_usage(file, options)
    if options.items is not None:
        _items(options)
        return
    study = options.study()
    picture = _picture(study, options.level, file) if options.plot else None
    work = Work(options, study.names(options.level), picture=picture)
    write(f"{options.level}s", work.names, text_rows(study, file or "-", work), format)
    if options.plot and picture:
        write_picture(options.plot, picture.chart(options.plot.suffix.lower()))


def _picture(study: ReadingStudy, level: str, file: str | None) -> RowPicture:
    from seqtree.language.pictures import RowPicture

    return RowPicture(level, study.model.settings.unit, "" if file in (None, "-") else str(file))


def _check_usage(file: str | None, options: ScoreOptions) -> None:
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
        "--frequencies is for the column frequency (--columns)": bool(options.frequencies)
        and "frequency" not in options.columns,
        "--join and --word-column go with --items": not items and (was_given("join") or was_given("word_column")),
        "--ngram-order goes with --ngram": was_given("ngram_order") and not options.ngram,
        "entropy and rank are those of MODEL, not of --ngram": options.details and bool(options.ngram),
        "--plot draws the tokens or words of FILE (--by token or word)": options.plot is not None
        and (items or level not in ("token", "word")),
        "--plot goes without --processes": options.plot is not None and options.processes > 1,
        "--k goes with --parser": options.k > 1 and options.parser is None,
    }
    for message, is_so in wrong.items():
        if is_so:
            raise click.UsageError(message)


def _items(options: ScoreOptions) -> None:
    """Score the rows of a table."""
    from seqtree.language.items import documents
    from seqtree.language.study import PLACES
    from seqtree.text.tables import open_table

    study = options.study()
    with open_table(options.items or "-", options.encoding) as table:
        found = documents(table, options.word_column, options.by_column, options.sentences, options.join)
        by_word = options.level == "word"
        if by_word:
            names = [*table.header, *(options.prefix + name for name in study.names("word")[PLACES:])]
        else:
            names = [*options.by_column, *study.names("document")[1:]]
        for name in (name for name in names if names.count(name) > 1):
            if by_word and table.header.count(name) > 1:
                raise InputError(f"{table.name}:1: more than one column {name!r}, expected each name once")
            hint = " (see --prefix)" if by_word else ""
            raise InputError(f"{table.name}:1: column {name!r} is there already, expected another name{hint}")
        write(f"{options.level}s", names, item_rows(study, found, names, options), options.format)
