"""``seqtree plot``: pictures of what runs have measured."""

from __future__ import annotations

from pathlib import Path

import click

from seqtree.cli.options import FILE, picture_option
from seqtree.drawing.charts import FORMATS
from seqtree.errors import InputError
from seqtree.files import write_atomically
from seqtree.wording import counted

MOST = 100_000  # records of a run


@click.group()
def plot() -> None:
    """Pictures of what runs have measured."""


@plot.command(
    epilog="\b\nExamples:\n  seqtree plot curves runs/a runs/b --out loss.svg\n"
    "  seqtree plot curves runs/a --figure loss --figure learning_rate --over seconds --out a.png"
)
@click.argument("runs", nargs=-1, required=True, type=FILE, metavar="RUN...")
@picture_option("--out", "The picture", FORMATS, required=True)
@click.option("--figure", "figures", multiple=True, help="What to show, a panel each.  [default: the first of the run]")
@click.option("--over", type=click.Choice(["step", "epoch", "seconds"]), default="step", help="The horizontal axis.")
@click.option("--logarithmic", is_flag=True, help="Draw figures on a logarithmic axis.")
def curves(runs: tuple[str, ...], out: Path, figures: tuple[str, ...], over: str, logarithmic: bool) -> None:
    """Draw the curves of run folders: loss, rates or accuracies over steps, epochs or seconds."""
    from seqtree.drawing import curves as drawing
    from seqtree.training.run_folder import RunFolder

    records = {run: RunFolder(Path(run)).records(MOST) for run in runs}
    for run, found in records.items():
        if not found:
            raise InputError(f"{run}: expected the folder of a run that has been evaluated (metrics.jsonl)")
    chosen = figures or drawing.figures_of(records)[:1]
    write_atomically(out, drawing.curves(records, chosen, over, out.suffix.lower(), logarithmic))
    click.echo(f"{out}: {', '.join(chosen)} of {counted(len(runs), 'run')}")
