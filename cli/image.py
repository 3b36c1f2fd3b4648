"""``seqtree image``: train a classifier of images, measure it, and let it say what a picture shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import (
    FILE,
    device_option,
    json_option,
    note,
    open_model,
    picture_option,
    print_json,
    threads_option,
    write_picture,
)
from seqtree.cli.texts import classes_line, classes_option, classes_shown, ranked
from seqtree.cli.train import train_command
from seqtree.confusion import mistakes
from seqtree.drawing.charts import FORMATS

NOTHING_NAMED = "no data named: generating digits"
labels_option = click.option(
    "--labels", type=FILE, metavar="FILE", help="Labels of a file of images.  [default: beside it, by the usual name]"
)


@click.group(
    epilog="\b\nExamples:\n  seqtree image train mnist/ --model cnn --out runs/cnn\n"
    "  seqtree image eval runs/cnn mnist/ --plot cnn.svg\n  seqtree image predict runs/cnn seven.png"
)
def image() -> None:
    """Images: train a classifier, evaluate it, classify pictures.

    DATA is a folder with IDX files of the usual names (train-images-idx3-ubyte, t10k-labels-idx1-ubyte, ...; .gz or
    not), a folder with a folder of pictures for each class (or with such folders in train, valid and test), or a file
    of images. Without it, seqtree draws digits itself.
    """


image.add_command(
    train_command(
        "image",
        "Train a classifier on DATA: a folder with IDX files (their train part) or with a folder of pictures for each "
        "class, or a file of images.\n\nWrites a run folder; stop it with Ctrl-C at any time, continue with --resume. "
        "Without DATA it draws digits itself.",
        "\b\nExamples:\n  seqtree image train mnist/ --model lenet5 --out runs/lenet5\n"
        "  seqtree image train mnist/ --plan 'conv 16x5 norm, pool, full 64 drop 0.3' --epochs 5\n"
        "  seqtree image train drawings/ --out runs/drawings       (drawings/cat/1.png, drawings/dog/1.png, ...)\n"
        "  seqtree image train --model mlp --out runs/first        (generated digits)",
    )
)


@image.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree image eval runs/cnn mnist/\n"
    "  seqtree image eval runs/cnn mnist/ --part train --json\n"
    "  seqtree image eval runs/first --plot first.svg        (generated digits)",
)
@click.argument("model", type=FILE)
@click.argument("data", type=FILE, required=False)
@labels_option
@click.option("--part", type=click.Choice(["train", "test"]), default="test", help="Which part of a folder.")
@picture_option("--plot", "Draw which class was taken for which, and the first filters", FORMATS)
@device_option
@threads_option
@json_option
def eval_(
    model: str,
    data: str | None,
    labels: str | None,
    part: str,
    plot: Path | None,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL (a run folder or a model file) on the images of DATA."""
    from seqtree.images.evaluation import evaluate
    from seqtree.images.generated import read_part

    loaded = open_model("image", model, threads, device)
    if not data:
        note(NOTHING_NAMED)
    measured = evaluate(loaded, read_part(data, part, labels, loaded.size))
    if plot:
        filters = loaded.network.filters().cpu().numpy()
        write_picture(plot, measured.picture(plot.suffix.lower(), filters))
    if as_json:
        print_json(measured.to_json())
    else:
        _print_table(measured)


@image.command(
    epilog="\b\nExamples:\n  seqtree image predict runs/cnn seven.png\n"
    "  seqtree image predict runs/cnn mnist/t10k-images-idx3-ubyte.gz --json > said.json"
)
@click.argument("model", type=FILE)
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@classes_option
@device_option
@threads_option
@json_option
def predict(model: str, files: tuple[str, ...], k: int | None, device: str, threads: int | None, as_json: bool) -> None:
    """Say what the images of each FILE show: IDX files, or pictures (PNG, JPEG, ...; these need Pillow).

    A line is the image, then classes and their probabilities. A picture that is dark on light is inverted, one on grey
    ground stretched to black and white; one of another size is resized and centred as the digits of MNIST are; what
    was done is said.
    """
    shown = classes_shown(k, as_json)
    loaded = open_model("image", model, threads, device)

    import numpy as np

    from seqtree.images.reading import read_inputs

    predictions = []
    for file in files:
        readings = list(read_inputs(file, loaded.size))
        for reading in readings:
            for change in reading.changes:
                note(f"{reading.name}: {change}")
        probabilities = loaded.probabilities(np.stack([reading.image for reading in readings])).astype(float)
        for reading, row in zip(readings, probabilities.tolist(), strict=True):
            best = ranked(loaded.classes, row)
            if as_json:
                predictions.append(
                    {
                        "image": reading.name,
                        "class": best[0][0],
                        "probability": best[0][1],
                        "probabilities": dict(zip(loaded.classes, row, strict=True)),
                        "changes": list(reading.changes),
                    }
                )
            else:
                click.echo(f"{reading.name}\t{classes_line(best[:shown])}")
    if as_json:
        print_json({"predictions": predictions})


def _print_table(measured: Any) -> None:
    click.echo(f"{'accuracy':<20} {measured.accuracy:>10.4f}")
    click.echo(f"{'error':<20} {measured.error:>10.4f}")
    click.echo(f"{'loss':<20} {measured.loss:>10.4f}")
    click.echo(f"{'images':<20} {measured.images:>10,}")
    click.echo(f"{'images per second':<20} {measured.images_per_second:>10,.0f}")
    for count, true, said in mistakes(measured.pairs)[:5]:
        click.echo(f"{true} taken for {said:<8} {count:>10,}")
