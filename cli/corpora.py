"""``seqtree corpora``: the embedded samples, listed, shown and generated."""

from __future__ import annotations

from dataclasses import asdict

import click

from seqtree.cli.options import json_option, print_json

GRAMMAR = "toy"  # what is generated if nothing is named


@click.group(
    epilog="\b\nExamples:\n  seqtree corpora list\n  seqtree corpora show lighthouse --lines 5\n"
    "  seqtree corpora generate --count 1000 --seed 7 --trees > trees.mrg\n"
    "  seqtree corpora generate dates --count 1000 > dates.tsv"
)
def corpora() -> None:
    """Small texts and trees that come with seqtree, to try every command on."""


@corpora.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the embedded samples: name, kind, language, size, description."""
    from seqtree.corpora import describe, names, path

    rows = [{**asdict(describe(name)), "bytes": path(name).stat().st_size} for name in names()]
    if as_json:
        print_json({"corpora": rows})
        return
    width = max(len(name) for name in names())
    for row in rows:
        columns = f"{row['name']:<{width}}  {row['kind']:<5}  {row['language']:<7}  {row['bytes']:>6} bytes"
        click.echo(f"{columns}  {row['description']}")


@corpora.command("path")
@click.argument("name")
def path_(name: str) -> None:
    """Print where the sample NAME lies on this machine, for other programs."""
    from seqtree.corpora import path

    click.echo(str(path(name)))


@corpora.command()
@click.argument("name")
@click.option("--lines", type=click.IntRange(min=0), help="Only the first so many lines.  [default: all]")
def show(name: str, lines: int | None) -> None:
    """Print the sample NAME."""
    from seqtree.corpora import load

    kept = load(name).splitlines(keepends=True)[:lines]
    click.echo("".join(kept), nl=False)


@corpora.command()
@click.argument("name", default=GRAMMAR)
@click.option("--count", type=click.IntRange(min=0), default=10, help="How many sentences or pairs.")
@click.option(
    "--seed", type=int, default=0, help="Another seed gives others, but for the toy grammar's first sentence."
)
@click.option("--trees", is_flag=True, help="Print bracketed trees, one a line, instead of sentences.")
def generate(name: str, count: int, seed: int, trees: bool) -> None:
    """Generate sentences, or their trees, with the toy grammar; or, by NAME, pairs of a source, a tab and a target.

    NAME is toy, or one of reverse (digits, and the same from the last to the first), dates (as people write them, in
    ISO form), numerals (English words, in figures).
    """
    from seqtree.corpora import grammar, pairs

    if name != GRAMMAR:
        if trees:
            raise click.UsageError("--trees goes with the toy grammar only")
        for source, target in pairs.generate(name, count, seed):
            click.echo(f"{source}\t{target}")
        return
    for tree in grammar.generate(count, seed):
        click.echo(" ".join(str(tree).split()) if trees else " ".join(tree.leaves()))
