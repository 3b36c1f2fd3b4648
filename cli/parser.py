"""``seqtree parser``: train a parser on a treebank, and measure it on another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import (
    FILE,
    compute_options,
    json_option,
    note,
    open_model,
    picture_option,
    print_json,
    write_picture,
)
from seqtree.cli.train import train_command
from seqtree.drawing.charts import FORMATS


@click.group(
    epilog="\b\nExamples:\n  seqtree parser train trees.mrg --out runs/mine --minutes 20\n"
    "  seqtree parser eval runs/mine test.mrg\n  seqtree parse --model runs/mine 'It works.'"
)
def parser() -> None:
    """Parsers: train on a treebank, evaluate (PARSEVAL). To parse, see ``seqtree parse``.

    TREES are bracketed files, folders of them, - for stdin, or treebanks that NLTK knows: nltk:treebank,
    nltk:treebank/wsj_0001-wsj_0160, nltk:sinica_treebank[0:8000].
    """


parser.add_command(
    train_command(
        "parser",
        "Train a parser on TREES: bracketed files, folders of them, - for stdin, or nltk:NAME.\n\nWrites a run folder; "
        "stop it with Ctrl-C at any time, continue with --resume. Without TREES it reads the embedded trees of a toy "
        "grammar.",
        "\b\nExamples:\n  seqtree parser train trees.mrg --out runs/mine --minutes 20\n"
        "  seqtree parser train nltk:treebank/wsj_0001-wsj_0160 --valid nltk:treebank/wsj_0161-wsj_0179\n"
        "  seqtree parser train --preset tiny --out runs/first        (the embedded sample)",
    )
)


@parser.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree parser eval runs/mine test.mrg\n"
    "  seqtree parser eval runs/mine nltk:treebank/wsj_0180-wsj_0199 --json\n"
    "  seqtree parser eval runs/mine test.mrg --plot f1.svg",
)
@click.argument("model", type=FILE)
@click.argument("trees", type=FILE, nargs=-1, required=True)
@click.option(
    "--malformed",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do about a malformed tree: stop, or leave it out (skip).",
)
@picture_option("--plot", "Draw labelled F1 by length of sentences and by label", FORMATS)
@compute_options
@json_option
def eval_(
    model: str,
    trees: tuple[str, ...],
    encoding: str,
    malformed: str,
    plot: Path | None,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL on the gold TREES, in percent, as EVALB does.

    MODEL is a run folder, a model file, or a parser that comes with seqtree by its name (see ``seqtree models``).

    Traces and functional tags are stripped from the gold trees first. A sentence whose words do not match is skipped,
    and so is one of punctuation only.
    """
    from seqtree.parsing.evaluation import evaluate
    from seqtree.treebank.sources import normalised_trees

    loaded = open_model("parser", model, threads, device, precision)
    gold = normalised_trees(trees, encoding, note, malformed=malformed)
    measured = evaluate(loaded, gold)
    for skipped in measured.scores.skipped:
        note(f"sentence {skipped.number} skipped: {skipped.reason}")
    if plot:
        write_picture(plot, measured.picture(plot.suffix.lower()))
    record = measured.to_json()
    if as_json:
        print_json(record)
    else:
        _print_table(record)


def _print_table(record: dict[str, Any]) -> None:
    click.echo(f"{'':<20} {'precision':>9} {'recall':>9} {'F1':>9}")
    for name in ("labelled", "unlabelled"):
        figures = "".join(f" {record[name][key]:>9.2f}" for key in ("precision", "recall", "f1"))
        click.echo(f"{name:<20}{figures}")
    for name in ("exact_match", "tag_accuracy"):
        click.echo(f"{name.replace('_', ' '):<20} {record[name]:>9.2f}")
    click.echo(f"{'sentences':<20} {record['sentences']:>9,}")
    click.echo(f"{'skipped':<20} {record['skipped']:>9,}")
    click.echo(f"{'sentences per second':<20} {record['sentences_per_second']:>9,.1f}")
