"""``seqtree parser``: train a parser on a treebank, and measure it on another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import (
    default_out,
    device_option,
    encoding_option,
    json_option,
    precision_option,
    print_json,
    quick_imports,
    report_training,
    threads_option,
    training_options,
    with_options,
)
from seqtree.cli.parse import load_parser

SAMPLE = "toy"  # the embedded trees to train on without TREES

_RECIPE = [
    click.option("--valid", multiple=True, metavar="TREES", help="Validation trees.  [default: the last of TREES]"),
    click.option("--valid-share", type=float, default=0.1, help="Share of the trees to validate on; 0 for none."),
    click.option("--preset", help="tiny, small, medium, large or chapters.  [default: medium]"),
    click.option(
        "--encoder",
        type=click.Choice(["none", "rnn", "lstm", "gru"]),
        help="How a word sees its sentence.  [default: the preset's, as all that follow]",
    ),
    click.option(
        "--composition",
        type=click.Choice(["tanh", "relu", "max", "lstm"]),
        help="How a node's vector is made of its children's.",
    ),
    click.option("--words", type=int, help="Width of the vectors of known words; 0 for none."),
    click.option("--characters", type=int, help="Width of the vectors made of a word's characters; 0 for none."),
    click.option("--layers", type=int, help="Of the encoder."),
    click.option("--hidden", type=int, help="Units of a layer in each direction."),
    click.option("--vector", type=int, help="Width of a tree node."),
    click.option("--scorer", type=int, help="Hidden units that score merges and labels."),
    click.option("--dropout", type=float, help="Share dropped in encoder and scorers."),
    click.option("--weight-drop", type=float, help="Share dropped from the encoder's recurrent weights."),
    click.option(
        "--word-dropout", type=float, help="A word seen n times is read as unknown with probability D / (D + n)."
    ),
    click.option(
        "--objective",
        type=click.Choice(["stepwise", "softmax", "structured"]),
        help="A margin or a probability for each merge, or a margin between whole trees.",
    ),
    click.option("--explore", type=float, help="Share of merges that follow the parser's own choice (not structured)."),
    click.option("--kappa", type=float, help="Margin for each wrong span (structured)."),
    click.option("--label-weight", type=float, help="Of the labels' loss."),
    click.option("--tag-weight", type=float, help="Of the tags' loss."),
    click.option("--batch", type=int, help="Sentences of a step."),
    click.option("--min-count", type=int, default=1, help="Rarer words are known by their characters only."),
    click.option(
        "--init-from",
        metavar="MODEL",
        help="Start from a language model over words (seqtree lm train): its words, as wide as they are, and "
        "recurrent layers of the same kind and units.",
    ),
    click.option("--half", is_flag=True, help="Write the model with 16 bits a weight: half the size."),
]


@click.group(
    epilog="\b\nExamples:\n  seqtree parser train trees.mrg --out runs/mine --minutes 20\n"
    "  seqtree parser eval runs/mine test.mrg\n  seqtree parse --model runs/mine 'It works.'"
)
def parser() -> None:
    """Parsers: train on a treebank, evaluate (PARSEVAL). To parse, see ``seqtree parse``.

    TREES are bracketed files, folders of them, - for stdin, or treebanks that NLTK knows: nltk:treebank,
    nltk:treebank/wsj_0001-wsj_0160, nltk:sinica_treebank[0:8000].
    """


@parser.command(
    epilog="\b\nExamples:\n  seqtree parser train trees.mrg --out runs/mine --minutes 20\n"
    "  seqtree parser train nltk:treebank/wsj_0001-wsj_0160 --valid nltk:treebank/wsj_0161-wsj_0179\n"
    "  seqtree parser train --preset tiny --out runs/first        (the embedded sample)"
)
@click.argument("trees", nargs=-1, metavar="[TREES]...")
@with_options(_RECIPE)
@training_options
@encoding_option
def train(trees: tuple[str, ...], as_json: bool, quiet: bool, threads: int | None, **options: Any) -> int:
    """Train a parser on TREES: bracketed files, folders of them, - for stdin, or nltk:NAME.

    Writes a run folder; stop it with Ctrl-C at any time, go on with --resume. Without TREES it reads the embedded
    trees of a toy grammar.
    """
    with quick_imports():
        import torch

        from seqtree.parsing.training import Recipe, train_parser
        from seqtree.training.progress import Display

    if threads:
        torch.set_num_threads(threads)
    display = Display("words", quiet=quiet)
    if not trees:
        from seqtree import corpora

        trees = (str(corpora.path(SAMPLE)),)
        display.message(f"no treebank named: reading the embedded sample {SAMPLE!r}")
    options["out"] = options["out"] or _out(trees[0])
    try:
        report = train_parser(Recipe.from_options(trees, options), display)
    finally:
        display.close()
    return report_training(report, as_json)


@parser.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree parser eval runs/mine test.mrg\n"
    "  seqtree parser eval runs/mine nltk:treebank/wsj_0180-wsj_0199 --json",
)
@click.argument("model")
@click.argument("trees", nargs=-1, required=True)
@encoding_option
@precision_option
@device_option
@threads_option
@json_option
def eval_(
    model: str, trees: tuple[str, ...], encoding: str, precision: str, device: str, threads: int | None, as_json: bool
) -> None:
    """Measure MODEL (a run folder or a model file) on the gold TREES, in percent, as EVALB does.

    Traces and functional tags are stripped from the gold trees first. A sentence whose words do not match is skipped.
    """
    from seqtree.parsing.evaluation import evaluate
    from seqtree.parsing.training import read_normalised

    loaded = load_parser(model, device, threads, precision)
    gold = read_normalised(trees, encoding, lambda line: click.echo(line, err=True))
    measured = evaluate(loaded, gold)
    for skipped in measured.scores.skipped:
        click.echo(f"sentence {skipped.number} skipped: {skipped.reason}", err=True)
    record = measured.to_json()
    if as_json:
        print_json(record)
    else:
        _print_table(record)


def _out(first: str) -> Path:
    """The run folder for the first of TREES: ``runs/`` and its name, for NLTK's treebanks without files and range.

    >>> str(_out("trees/mine.mrg")), str(_out("nltk:treebank/wsj_0001-wsj_0160[:9]"))
    ('runs/mine', 'runs/treebank')
    """
    return default_out(re.sub(r"^nltk:(\w+).*", r"\1", first))


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
