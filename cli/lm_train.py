"""``seqtree lm train``: from text files to a run folder."""

from __future__ import annotations

from typing import Any

import click

from seqtree.cli.options import default_out, encoding_option, report_training, training_options, with_options

_NETWORK = [
    click.option("--unit", type=click.Choice(["char", "word"]), help="What a token is.  [default: char]"),
    click.option(
        "--tokenizer",
        type=click.Choice(["whitespace", "treebank"]),
        default="whitespace",
        help="How a line is split into words.",
    ),
    click.option("--min-count", type=int, default=1, help="Rarer tokens become <unk>."),
    click.option("--max-vocabulary", type=int, help="Keep the most frequent tokens.  [default: all]"),
    click.option("--valid", multiple=True, metavar="FILE", help="Validation text.  [default: the end of the corpus]"),
    click.option("--valid-share", type=float, default=0.1, help="Share of the corpus to validate on; 0 for none."),
    click.option("--preset", help="tiny, small, medium or large.  [default: small]"),
    click.option("--cell", type=click.Choice(["rnn", "lstm", "gru"]), help="[default: lstm]"),
    click.option("--nonlinearity", type=click.Choice(["tanh", "relu"]), help="Of the rnn cell.  [default: tanh]"),
    click.option("--layers", type=int, help="[default: the preset's, as all that follow]"),
    click.option("--hidden", type=int, help="Units of a layer."),
    click.option("--embedding", type=int, help="Width of the input vectors."),
    click.option("--one-hot", is_flag=True, default=None, help="One-hot input vectors instead of an embedding."),
    click.option("--tied/--free", default=None, help="Output weights = embedding (needs embedding = hidden)."),
    click.option("--bidirectional", is_flag=True, default=None, help="Read both sides, to fill blanks."),
    click.option("--dropout", type=float, help="The same share on inputs, between layers and on outputs."),
    click.option("--dropout-embedding", type=float, help="Share of whole tokens dropped from the embedding."),
    click.option("--dropout-input", type=float, help="Share dropped from input vectors."),
    click.option("--dropout-hidden", type=float, help="Share dropped between layers."),
    click.option("--dropout-output", type=float, help="Share dropped before the output layer."),
    click.option("--weight-drop", type=float, help="Share dropped from the recurrent weights."),
    click.option(
        "--dropout-locked/--dropout-fresh",
        default=None,
        help="One mask for all time steps of a window, or another at each.  [default: locked]",
    ),
    click.option("--batch", "rows", type=int, help="Rows of text read in parallel."),
    click.option("--window", type=int, help="Tokens of each row in a step."),
    click.option("--init-from", metavar="MODEL", help="Start from a model; new tokens are added to its vocabulary."),
]


@click.command(
    epilog="\b\nExamples:\n  seqtree lm train novel.txt --out runs/novel --minutes 10\n"
    "  seqtree lm train news/ --unit word --min-count 2 --preset medium --out runs/news\n"
    "  seqtree lm train --out runs/first        (the embedded sample)"
)
@click.argument("corpus", nargs=-1)
@with_options(_NETWORK)
@training_options
@encoding_option
def train(corpus: tuple[str, ...], as_json: bool, quiet: bool, threads: int | None, **options: Any) -> int:
    """Train a language model on CORPUS: text files, folders of them, or - for stdin.

    Writes a run folder; stop it with Ctrl-C at any time, go on with --resume. Without CORPUS it reads the embedded
    English sample.
    """
    import torch

    from seqtree.language.training import Recipe, train_language_model
    from seqtree.training.progress import Display

    if threads:
        torch.set_num_threads(threads)
    display = Display(quiet=quiet)
    if not corpus:
        from seqtree import corpora

        corpus = (str(corpora.path(corpora.DEFAULT)),)
        display.message(f"no corpus named: reading the embedded sample {corpora.DEFAULT!r}")
    options["out"] = options["out"] or default_out(corpus[0])
    try:
        report = train_language_model(Recipe.from_options(corpus, options), display)
    finally:
        display.close()
    return report_training(report, as_json)
