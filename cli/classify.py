"""``seqtree classify``: train a classifier of texts, measure it, and let it classify."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import (
    FILE,
    NumberRange,
    TextCommand,
    columns_options,
    compute_options,
    json_lines_option,
    json_option,
    open_model,
    picture_option,
    print_json,
    write_picture,
)
from seqtree.cli.texts import (
    check_texts,
    classes_line,
    classes_shown,
    in_chunks,
    ranked,
    texts_options,
    texts_or_column,
)
from seqtree.cli.train import train_command
from seqtree.confusion import mistakes
from seqtree.drawing.characters import columns, padded
from seqtree.drawing.charts import FORMATS
from seqtree.escapes import json_line

SHOWN = 10  # mistakes
REJECTED = "-"
reject_option = click.option(
    "--reject",
    type=NumberRange(0, 1),
    default=0.0,
    metavar="P",
    help="Give no class where the most probable one has less than this probability.",
)


@click.group(
    epilog="\b\nExamples:\n  seqtree classify train train.tsv --valid dev.tsv --out runs/topics\n"
    "  seqtree classify eval runs/topics test.tsv\n  seqtree classify predict runs/topics 'What is a phoneme?'"
)
def classify() -> None:
    """Classes for texts: topics, intents, sentiment, languages.

    TEXTS are files with label<TAB>text or __label__LABEL text a line; tables with a header, .json and .jsonl files, by
    the names of columns; a folder with a folder of .txt files for each class; - for stdin; or corpora that NLTK knows:
    nltk:movie_reviews, nltk:brown[0:400].
    """


classify.add_command(
    train_command(
        "classify",
        "Train a classifier on labelled TEXTS: files, folders, or nltk:NAME.\n\nWrites a run folder; stop it with "
        "Ctrl-C at any time, continue with --resume. Without TEXTS it reads the embedded sample.",
        "\b\nExamples:\n  seqtree classify train train.tsv --valid dev.tsv --minutes 5 --out runs/topics\n"
        "  seqtree classify train reviews.csv --label-column stars --text-column review --baseline\n"
        "  seqtree classify train names.tsv --unit char --out runs/names\n"
        "  seqtree classify train --preset tiny --out runs/first        (the embedded sample)",
    )
)


@classify.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree classify eval runs/topics test.tsv\n"
    "  seqtree classify eval runs/intents test.tsv --reject 0.5 --json\n"
    "  seqtree classify eval runs/intents test.tsv --plot mistakes.svg",
)
@click.argument("model", type=FILE)
@click.argument("texts", type=FILE, nargs=-1, required=True)
@columns_options
@reject_option
@picture_option("--plot", "Draw which class was taken for which", FORMATS)
@compute_options
@json_option
def eval_(
    model: str,
    texts: tuple[str, ...],
    label_column: str,
    text_column: str,
    reject: float,
    plot: Path | None,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL (a run folder or a model file) on labelled TEXTS.

    With --reject, a label that the model does not know stands for "none of these": right if the text is rejected.
    """
    from seqtree.classification.evaluation import evaluate
    from seqtree.text.labelled import read_labelled

    loaded = open_model("classify", model, threads, device, precision)
    measured = evaluate(loaded, read_labelled(texts, encoding, label_column, text_column), reject)
    if plot:
        write_picture(plot, measured.picture(plot.suffix.lower()))
    if as_json:
        print_json(measured.to_json())
    else:
        _print_table(measured)


@classify.command(
    cls=TextCommand,
    epilog="\b\nExamples:\n  seqtree classify predict runs/topics 'What is a phoneme?' -k 3\n"
    "  seqtree classify predict runs/topics --file questions.txt > classes.tsv\n"
    "  seqtree classify predict runs/topics --file questions.txt --json > classes.jsonl",
)
@click.argument("model", type=FILE)
@texts_options
@reject_option
@compute_options
@json_lines_option
def predict(
    model: str,
    texts: tuple[str, ...],
    file: str | None,
    k: int | None,
    text_column: str | None,
    reject: float,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Classify each TEXT, or each line of a file or of stdin.

    A line of the output is a class and its probability, with -k several of both, separated by tabs; the class is "-"
    where none is probable enough (--reject), and the line is empty for a text without a word. Line i of the output
    belongs to text i.
    """
    check_texts(texts, file, "TEXT")
    shown = classes_shown(k, as_json)
    loaded = open_model("classify", model, threads, device, precision)
    for block in texts_or_column(texts, file, encoding, text_column):
        for chunk in in_chunks(block, len):
            for found in loaded.classifications(chunk, reject):
                sys.stdout.write((_as_json(loaded, found) if as_json else _as_line(loaded, found, shown)) + "\n")
        sys.stdout.flush()


def _as_line(classifier: Any, found: Any, k: int) -> str:
    if found is None:
        return ""
    best = ranked(classifier.classes.names, found.probabilities)[:k]
    if found.label is None:
        best = [(REJECTED, best[0][1]), *best[1:]]
    return classes_line(best)


def _as_json(classifier: Any, found: Any) -> str:
    if found is None:
        return json_line({"label": None, "probability": None, "probabilities": {}, "words": [], "attention": None})
    return json_line(
        {
            "label": found.label,
            "probability": round(found.probability, 6),
            "probabilities": {name: round(p, 6) for name, p in ranked(classifier.classes.names, found.probabilities)},
            "words": list(found.words),
            "attention": None if found.attention is None else [round(weight, 6) for weight in found.attention],
        }
    )


def _print_table(measured: Any) -> None:
    for name in ("accuracy", "macro_f1", "loss", "calibration_error"):
        click.echo(f"{name.replace('_', ' '):<20} {getattr(measured, name):>10.4f}")
    click.echo(f"{'items':<20} {measured.items:>10,}")
    click.echo(f"{'rejected':<20} {measured.rejected:>10,}")
    click.echo(f"{'items per second':<20} {measured.items_per_second:>10,.0f}")
    if wrong := mistakes(measured.pairs)[:SHOWN]:
        width = max(len("taken for"), *(columns(name) for _, *both in wrong for name in both))
        click.echo(f"\n{'class':<{width}} {'taken for':<{width}} {'texts':>8}")
        for count, true, said in wrong:
            click.echo(f"{padded(true, width)} {padded(said, width)} {count:>8,}")
