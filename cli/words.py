"""``seqtree words``: masked language models, from which parsers, taggers and classifiers start."""

from __future__ import annotations

import click

from seqtree.cli.options import (
    FILE,
    TextCommand,
    compute_options,
    json_option,
    note,
    open_model,
    print_json,
    print_tokens,
)
from seqtree.cli.texts import as_text
from seqtree.cli.train import train_command


@click.group(
    epilog="\b\nExamples:\n  seqtree words train novel.txt essays/ --minutes 30 --out runs/words\n"
    "  seqtree parser train trees.mrg --init-from runs/words --out runs/parser\n"
    "  seqtree words fill runs/words 'She ____ the letter and left.'"
)
def words() -> None:
    """Words in their sentences, learned from plain text: for parsers, taggers and classifiers to start from.

    A masked language model reads a sentence from both sides and guesses the words in it that are hidden. With
    --init-from, other networks start from its words, characters and encoder, which is worth most where labelled data
    are few.
    """


words.add_command(
    train_command(
        "words",
        "Train a masked language model on TEXTS: files, folders of .txt files, - for stdin, or treebanks for their "
        "words.\n\nWrites a run folder; stop it with Ctrl-C at any time, continue with --resume. Without TEXTS it "
        "reads the embedded sample. A line may have several sentences, but none goes on in the next.",
        "\b\nExamples:\n  seqtree words train texts/ nltk:treebank/wsj_0001-wsj_0160 --minutes 30 --out runs/words\n"
        "  seqtree words train sentences.txt --tokenized --vectors vectors.txt\n"
        "  seqtree words train --preset tiny --out runs/first        (the embedded sample)",
    )
)


@words.command("eval", epilog="\b\nExample:\n  seqtree words eval runs/words test.txt")
@click.argument("model", type=FILE)
@click.argument("texts", type=FILE, nargs=-1, required=True)
@click.option("--tokenized", is_flag=True, help="Each line is a sentence, its words between ASCII white space.")
@compute_options
@json_option
def eval_(
    model: str,
    texts: tuple[str, ...],
    tokenized: bool,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Hide every fifth word of TEXTS, and measure how well MODEL guesses those that it can guess."""
    from seqtree.masked.evaluation import evaluate, in_pieces
    from seqtree.treebank.plain import read_words

    loaded = open_model("words", model, threads, device, precision)
    measured = evaluate(loaded, list(in_pieces(read_words(texts, tokenized, encoding, note))))
    if as_json:
        print_json(measured.to_json())
        return
    click.echo(f"loss        {measured.loss:.4f} nats")
    click.echo(f"perplexity  {measured.perplexity:.2f}")
    click.echo(f"accuracy    {100 * measured.accuracy:.2f} % of {measured.guesses:,} hidden words")
    click.echo(f"coverage    {100 * measured.coverage:.2f} % of all that were hidden are words that it guesses")


@words.command(cls=TextCommand, epilog="\b\nExample:\n  seqtree words fill runs/words 'She ____ the letter and left.'")
@click.argument("model", type=FILE)
@click.argument("text", callback=as_text)
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="How many words.")
@click.option("--blank", default="____", show_default=True, help="How the blank is written.")
@json_option
def fill(model: str, text: str, k: int, blank: str, as_json: bool) -> None:
    """Print the most probable words for the blank in TEXT, a sentence, with their probabilities."""
    print_tokens(open_model("words", model).fill(text, k, blank), as_json)
