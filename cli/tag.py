"""``seqtree tag``: train a tagger, measure it, and let it tag or segment texts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import (
    FILE,
    TextCommand,
    compute_options,
    json_option,
    note,
    open_model,
    picture_option,
    print_json,
    with_options,
    write_picture,
)
from seqtree.cli.texts import check_texts, file_option, in_chunks, text_blocks, texts_argument, tokenized_option
from seqtree.cli.train import train_command
from seqtree.confusion import mistakes
from seqtree.drawing.characters import columns, padded
from seqtree.drawing.charts import FORMATS

SHOWN = 10  # mistakes
word_column_option = click.option(
    "--word-column", type=click.IntRange(min=1), help="Which column holds the words.  [default: found]"
)
columns_options = with_options(
    [
        word_column_option,
        click.option("--tag-column", type=click.IntRange(min=1), help="Which column holds the tags.  [default: found]"),
    ]
)


@click.group(
    epilog="\b\nExamples:\n  seqtree tag train train.conll --valid dev.conll --out runs/tags\n"
    "  seqtree tag eval runs/tags test.conll\n  seqtree tag predict runs/tags 'It works.'"
)
def tag() -> None:
    """Tags for words: parts of speech, chunks, names, slots; and words in a text without spaces.

    SENTENCES are files with a word a line, its tags beside it and an empty line after each sentence (CoNLL, CoNLL-U),
    folders of them, - for stdin, or corpora that NLTK knows: nltk:treebank, nltk:conll2000/train.txt,
    nltk:brown[:9000].
    """


tag.add_command(
    train_command(
        "tag",
        "Train a tagger on SENTENCES: columns of words and tags, or nltk:NAME.\n\nWrites a run folder; stop it with "
        "Ctrl-C at any time, continue with --resume. Without SENTENCES it reads the embedded sample.",
        "\b\nExamples:\n  seqtree tag train train.conll --valid dev.conll --minutes 10 --out runs/tags\n"
        "  seqtree tag train nltk:treebank/wsj_0001-wsj_0160 --valid nltk:treebank/wsj_0161-wsj_0179\n"
        "  seqtree tag train slots.conll --intents intents.tsv --out runs/slots\n"
        "  seqtree tag train --preset tiny --out runs/first        (the embedded sample)",
    )
)


@tag.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree tag eval runs/tags test.conll\n"
    "  seqtree tag eval runs/chunks nltk:conll2000/test.txt --json\n"
    "  seqtree tag eval runs/tags test.conll --plot mistakes.svg",
)
@click.argument("model", type=FILE)
@click.argument("sentences", type=FILE, nargs=-1, required=True)
@columns_options
@click.option("--intents", type=FILE, multiple=True, metavar="FILE", help="Lines of intent<TAB>text.")
@picture_option("--plot", "Draw which tag was taken for which", FORMATS)
@compute_options
@json_option
def eval_(
    model: str,
    sentences: tuple[str, ...],
    word_column: int | None,
    tag_column: int | None,
    intents: tuple[str, ...],
    plot: Path | None,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL (a run folder or a model file) on the tagged SENTENCES; chunks are counted as conlleval does."""
    from seqtree.tagging.config import ColumnSettings
    from seqtree.tagging.data import read_sentences
    from seqtree.tagging.evaluation import evaluate

    loaded = open_model("tag", model, threads, device, precision)
    columns = ColumnSettings(word_column, tag_column, encoding)
    measured = evaluate(loaded, read_sentences(sentences, columns, note, intents, loaded.tags.names), note)
    if plot:
        write_picture(plot, measured.picture(plot.suffix.lower()))
    if as_json:
        print_json(measured.to_json())
    else:
        _print_table(measured)


@tag.command(
    cls=TextCommand,
    epilog="\b\nExamples:\n  seqtree tag predict runs/tags 'The cat sat.'\n"
    "  seqtree tag predict runs/tags --file text.txt --format json > tags.jsonl\n"
    "  seqtree tag predict runs/tags --columns --file words.conll > tagged.conll\n"
    "  seqtree tag predict runs/words --file chinese.txt > segmented.txt",
)
@click.argument("model", type=FILE)
@texts_argument
@file_option
@click.option(
    "--columns", is_flag=True, help="The file has a word a line and empty lines between sentences; tags are added."
)
@word_column_option
@tokenized_option
@click.option(
    "--format",
    type=click.Choice(["columns", "inline", "words", "json"]),
    help="Lines of word<TAB>tag; or one line a sentence: word/tag, the words of a segmenter, a JSON object.  "
    "[default: columns; words for a segmenter]",
)
@click.option(
    "--scheme",
    type=click.Choice(["iob1", "iob2", "bioes", "bilou"]),
    help="How chunks are written.  [default: as in the training data]",
)
@click.option("--probabilities", is_flag=True, help="Add the probability of each tag.")
@click.option(
    "--k",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many sequences of tags of each sentence, most probable first.",
)
@compute_options
def predict(
    model: str,
    texts: tuple[str, ...],
    file: str | None,
    columns: bool,
    word_column: int | None,
    tokenized: bool,
    format: str | None,
    scheme: str | None,
    probabilities: bool,
    k: int,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
) -> None:
    """Tag each TEXT, of one or several sentences, or the lines of a file or of stdin, each by itself.

    Results come in the order of the sentences, in blocks as they are read, whatever the length of the file. A segmenter
    (trained on characters tagged B, M, E, S) takes raw text and prints its words.
    """
    check_texts(texts, file, "TEXT")
    _check_usage(columns, bool(texts or tokenized or format or k > 1), word_column)
    loaded = open_model("tag", model, threads, device, precision)
    if columns:
        for line in _columns(loaded, file or "-", encoding, word_column, scheme, probabilities):
            sys.stdout.write(line)
        return
    from seqtree.tagging.formats import format_tagging

    chosen = _format(format, loaded.segments, tokenized, probabilities)
    for sentences in _read(text_blocks(texts, file, encoding), tokenized, loaded):
        for chunk in in_chunks(sentences, lambda sentence: len(sentence.words)):
            for sentence, taggings in _tagged(loaded, chunk, scheme, probabilities or chosen == "json", k):
                for tagging in taggings:
                    sys.stdout.write(format_tagging(tagging, chosen, sentence, probabilities, loaded.segments) + "\n")
        sys.stdout.flush()


def _check_usage(columns: bool, others: bool, word_column: int | None) -> None:
    """Raises click.UsageError for options that do not go together; ``others``: any that does not go with columns."""
    if columns and others:
        raise click.UsageError("--columns goes with --file or stdin, and without --tokenized, --format and --k")
    if word_column is not None and not columns:
        raise click.UsageError("--word-column goes with --columns")


def _format(format: str | None, segments: bool, tokenized: bool, probabilities: bool) -> str:
    """The format of the results. Raises click.UsageError for options that do not go with it, or with the model."""
    chosen = format or ("words" if segments else "columns")
    if chosen == "words" and not segments:
        raise click.UsageError("--format words goes with a segmenter: a model trained on characters tagged B, M, E, S")
    if probabilities and chosen in ("inline", "words"):
        raise click.UsageError(f"--probabilities goes with --format columns, not {chosen}; json always has them")
    if tokenized and segments:
        raise click.UsageError("--tokenized goes with a tagger of words; a segmenter reads raw text")
    return chosen


def _read(blocks: Iterable[Iterator[str]], tokenized: bool, tagger: Any) -> Iterator[Iterator[Any]]:
    """The sentences of each block of lines."""
    from seqtree.text.sentences import character_sentences, read_sentences

    numbers = count(1)
    for lines in blocks:
        if tagger.segments:
            yield character_sentences(lines, numbers)
        else:
            yield read_sentences(lines, tokenized, tagger.lexicon.words, numbers)


def _tagged(
    tagger: Any, sentences: list[Any], scheme: str | None, probabilities: bool, k: int
) -> Iterator[tuple[Any, list[Any]]]:
    """Each sentence with its taggings."""
    words = [sentence.words for sentence in sentences]
    if k == 1:
        found = ([one] for one in tagger.taggings(words, probabilities, scheme))
    else:
        found = (tagger.n_best(one, k, scheme) or [None] for one in words)
    return zip(sentences, found, strict=True)


def _columns(
    tagger: Any, file: str, encoding: str, word_column: int | None, scheme: str | None, probabilities: bool
) -> Iterator[str]:
    """The rows of a file, each with its tag as one column more."""
    from seqtree.text.columns import column_sentences, word_column as column_of
    from seqtree.text.sentences import words_as_given

    column: int | None = None
    for chunk in in_chunks(column_sentences([file], encoding), lambda sentence: len(sentence.rows)):
        column = column or column_of(chunk[0], word_column)
        words = [words_as_given([row[column - 1] for row in one.rows], tagger.lexicon.words) for one in chunk]
        for sentence, tagging in zip(chunk, tagger.taggings(words, probabilities, scheme), strict=True):
            added: list[tuple[str, ...]] = [tagging.tags]
            if probabilities:
                added.append(tuple(f"{probability:.4f}" for probability in tagging.probabilities))
            yield from _with_columns(sentence, added, tagging.intent)
            yield "\n"


def _with_columns(sentence: Any, added: list[tuple[str, ...]], intent: str | None) -> Iterator[str]:
    """The lines of a sentence, each word with what is added to it; ``intent`` replaces the one that the file gives."""
    from seqtree.text.columns import intent_of

    others = [one for one in sentence.others if intent is None or one.columns or intent_of(one.line) is None]
    for number, (row, *more) in enumerate(zip(sentence.rows, *added, strict=True)):
        yield from (_left_alone(one, len(more)) for one in others if one.before == number)
        if intent is not None and not number:
            yield f"# intent: {intent}\n"
        yield "\t".join([*row, *more]) + "\n"
    yield from (_left_alone(one, len(added)) for one in others if one.before == len(sentence.rows))


def _left_alone(other: Any, added: int) -> str:
    """A line that is no word, as it is; with columns, nothing in those that are added."""
    line: str = other.line + "\t_" * (added if other.columns else 0) + "\n"
    return line


def _print_table(measured: Any) -> None:
    click.echo(f"{'accuracy':<20} {measured.accuracy:>10.4f}")
    click.echo(f"{'sentence accuracy':<20} {measured.sentence_accuracy:>10.4f}")
    if measured.intent_accuracy is not None:
        click.echo(f"{'intent accuracy':<20} {measured.intent_accuracy:>10.4f}")
    click.echo(f"{'tokens':<20} {measured.tokens:>10,}")
    click.echo(f"{'sentences':<20} {measured.sentences:>10,}")
    click.echo(f"{'unknown tokens':<20} {measured.unknown_tokens:>10,}")
    click.echo(f"{'tokens per second':<20} {measured.tokens_per_second:>10,.0f}")
    if measured.chunk:
        width = max(20, *map(columns, measured.kinds))
        click.echo(f"\n{'chunks':<{width}} {'precision':>10} {'recall':>10} {'F1':>10} {'count':>8}")
        for kind, one in [("all", measured.chunk), *(item for item in measured.kinds.items() if item[0])]:
            figures = "".join(f" {value:>10.4f}" for value in (one.precision, one.recall, one.f1))
            click.echo(f"{padded(kind, width)}{figures} {one.gold:>8,}")
    if wrong := mistakes(measured.confusion)[:SHOWN]:
        width = max(10, *(columns(name) for _, *both in wrong for name in both))
        click.echo(f"\n{'tag':<{width}} {'taken for':<{width}} {'words':>8}")
        for number, true, said in wrong:
            click.echo(f"{padded(true, width)} {padded(said, width)} {number:>8,}")
