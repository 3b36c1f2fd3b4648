"""``seqtree models``: the models that come with seqtree."""

from __future__ import annotations

from dataclasses import asdict

import click

from seqtree.cli.options import json_option, print_json
from seqtree.shipped import cards


@click.command(epilog="\b\nExamples:\n  seqtree models\n  seqtree parse --model default 'The cat sat.'")
@json_option
def models(as_json: bool) -> None:
    """List the models that come with seqtree: name, licence, size, parameters, labelled F1 in percent.

    The licence is that of the trees the model was trained on; F1 is measured on validation trees. A model's name is
    taken wherever a model of its kind is asked for, unless a file or a run of that name is in the current folder.
    """
    rows = [{**asdict(card), "bytes": card.file.stat().st_size} for card in cards().values()]
    if as_json:
        print_json({"models": rows})
        return
    widths = {key: max((len(row[key]) for row in rows), default=0) for key in ("name", "licence")}
    for row in rows:
        names = "  ".join(f"{row[key]:<{width}}" for key, width in widths.items())
        figures = "  ".join(f"{trees} {f1:.2f}" for trees, f1 in row["f1"].items())
        click.echo(f"{names}  {row['bytes'] / 1e6:.1f} MB  {row['parameters']:,} parameters  F1: {figures}")
