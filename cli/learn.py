"""``seqtree phrases learn``: vectors of words from plain text."""

from __future__ import annotations

from pathlib import Path

import click

from seqtree.cli.options import FILE, encoding_option, json_option, note, print_json, threads_option

POSITIVE = click.IntRange(min=1)


@click.command(
    epilog="\b\nExamples:\n  seqtree phrases learn novel.txt essays/ --out words.txt\n"
    "  seqtree phrases learn --tokenized sentences.txt nltk:treebank --out words.txt --min-count 5\n"
    "  seqtree parser train trees.mrg --vectors words.txt"
)
@click.argument("texts", nargs=-1, required=True, type=FILE, metavar="TEXT|TREEBANK...")
@click.option("--out", required=True, type=FILE, metavar="FILE", help="The file to write, in word2vec's text form.")
@click.option("--width", type=POSITIVE, default=100, show_default=True, help="Numbers of a vector.")
@click.option("--min-count", type=POSITIVE, default=3, show_default=True, help="Leave out words that occur less often.")
@click.option(
    "--neighbours",
    type=POSITIVE,
    default=6000,
    show_default=True,
    help="How many of the most frequent words count beside a word.",
)
@click.option(
    "--tokenized", is_flag=True, help="Each line of a text is a sentence, its words between ASCII white space."
)
@encoding_option
@threads_option
@json_option
def learn(
    texts: tuple[str, ...],
    out: str,
    width: int,
    min_count: int,
    neighbours: int,
    tokenized: bool,
    encoding: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Learn vectors of words from plain text, by the words that stand next to them, and write them to a file.

    TEXT is a file, a folder of .txt files, or - for stdin; of a TREEBANK (nltk:NAME, a file named .mrg or so) only the
    words are read. What is written can be the start of a training (--vectors), and a MODEL of the other commands here.
    It takes some seconds for a million words.
    """
    import torch

    from seqtree.phrases import Phrase, export, learn_vectors
    from seqtree.phrases.files import places
    from seqtree.treebank.plain import read_words

    if Path(out).suffix not in (".txt", ".vec"):
        raise click.UsageError(f"--out {out}: expected a name that ends in .txt or .vec")
    if threads:
        torch.set_num_threads(threads)
    places(out, "word2vec", texts)
    found = learn_vectors(read_words(texts, tokenized, encoding, note), width, min_count, neighbours)
    export([Phrase(word) for word in found.words], list(found.table), "word2vec", out)
    if as_json:
        print_json({"vectors": out, "words": len(found.words), "width": width, "tokens": found.tokens})
    else:
        click.echo(f"{out}: {len(found.words):,} words of {width:,} numbers, from {found.tokens:,} words of text")
