"""``seqtree image``: train a classifier of images, measure it, and let it say what a picture shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import (
    default_out,
    json_option,
    print_json,
    quick_imports,
    report_training,
    threads_option,
    training_options,
    with_options,
)

NOTHING_NAMED = "no images named: drawing digits"
labels_option = click.option(
    "--labels", metavar="FILE", help="Labels of a file of images.  [default: beside it, by the usual name]"
)
_RECIPE = [
    labels_option,
    click.option("--names", metavar="A,B,...", help="Names of the classes.  [default: their labels]"),
    click.option(
        "--valid-share", type=float, default=0.1, help="Share of the images, evenly taken, to validate on; 0 for none."
    ),
    click.option("--model", default="cnn", help="mlp, notes, lenet5, cnn, tensorflow; over the rows rnn, lstm, gru."),
    click.option(
        "--plan",
        help="Layers, such as 'conv 32x5, pool, full 128 drop 0.5'.  [default: the model's, as all that follow]",
    ),
    click.option(
        "--objective",
        type=click.Choice(["softmax", "squared"]),
        help="Cross-entropy, or the squared error of sigmoid units.",
    ),
    click.option("--layers", type=int, help="Of a model over the rows."),
    click.option("--hidden", type=int, help="Units of its layers, in each direction."),
    click.option("--bidirectional/--forward", default=None, help="Whether it reads from the bottom, too."),
    click.option("--readout", type=click.Choice(["last", "mean"]), help="Its last state, or the mean of its states."),
    click.option("--dropout", type=float, help="Share dropped between its layers and before the classes."),
    click.option("--shift", type=int, help="Training images are moved by up to so many pixels each way,"),
    click.option("--turn", type=float, help="turned by up to so many degrees,"),
    click.option("--stretch", type=float, help="stretched or shrunk by up to that share each way,"),
    click.option("--slant", type=float, help="and slanted by up to so many pixels a pixel."),
    click.option("--batch", type=int, help="Images of a step."),
]


@click.group(
    epilog="\b\nExamples:\n  seqtree image train mnist/ --model cnn --out runs/cnn\n"
    "  seqtree image eval runs/cnn mnist/ --plot cnn.svg\n  seqtree image predict runs/cnn seven.png"
)
def image() -> None:
    """Images: train a classifier, evaluate it, classify pictures.

    DATA is a folder with IDX files of the usual names (train-images-idx3-ubyte, t10k-labels-idx1-ubyte, ...; .gz or
    not), or a file of images. Without it, seqtree draws digits itself.
    """


@image.command(
    epilog="\b\nExamples:\n  seqtree image train mnist/ --model lenet5 --out runs/lenet5\n"
    "  seqtree image train mnist/ --plan 'conv 16x5 norm, pool, full 64 drop 0.3' --epochs 5\n"
    "  seqtree image train --model mlp --out runs/first        (generated digits)"
)
@click.argument("data", required=False)
@with_options(_RECIPE)
@training_options
def train(data: str | None, as_json: bool, quiet: bool, threads: int | None, **options: Any) -> int:
    """Train a classifier on DATA: a folder with IDX files (their train part), or a file of images.

    Writes a run folder; stop it with Ctrl-C at any time, go on with --resume. Without DATA it draws digits itself.
    """
    with quick_imports():
        import torch

        from seqtree.images.training import Recipe, train_images
        from seqtree.training.progress import Display

    if threads:
        torch.set_num_threads(threads)
    display = Display("images", quiet=quiet)
    if not data:
        display.message(NOTHING_NAMED)
    options["out"] = options["out"] or default_out(data or "digits")
    try:
        report = train_images(Recipe.from_options(data, options), display)
    finally:
        display.close()
    return report_training(report, as_json)


@image.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree image eval runs/cnn mnist/\n"
    "  seqtree image eval runs/cnn mnist/ --part train --json\n"
    "  seqtree image eval runs/first --plot first.svg        (generated digits)",
)
@click.argument("model")
@click.argument("data", required=False)
@labels_option
@click.option("--part", type=click.Choice(["train", "test"]), default="test", help="Which files of a folder.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.svg",
    help="Draw the confusion table and the first filters.",
)
@threads_option
@json_option
def eval_(
    model: str, data: str | None, labels: str | None, part: str, plot: Path | None, threads: int | None, as_json: bool
) -> None:
    """Measure MODEL (a run folder or a model file) on the images of DATA."""
    from seqtree.errors import InputError
    from seqtree.images.evaluation import evaluate
    from seqtree.images.training import read_data

    if plot and (plot.suffix.lower() != ".svg" or not plot.parent.is_dir()):
        raise InputError(f"--plot {plot}: expected a file that ends in .svg, in a folder that is there")
    loaded = _load(model, threads)
    if not data:
        click.echo(NOTHING_NAMED, err=True)
    measured = evaluate(loaded, read_data(data, part, labels))
    if as_json:
        print_json(measured.to_json())
    else:
        _print_table(loaded.classes, measured)
    if plot:
        from seqtree.drawing import confusion as pictures
        from seqtree.files import write_atomically

        write_atomically(plot, pictures.plot(loaded, measured).encode())


@image.command(
    epilog="\b\nExamples:\n  seqtree image predict runs/cnn seven.png\n"
    "  seqtree image predict runs/cnn mnist/t10k-images-idx3-ubyte.gz --json > said.json"
)
@click.argument("model")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-k", type=click.IntRange(min=1), default=1, help="How many classes, most probable first.")
@threads_option
@json_option
def predict(model: str, files: tuple[str, ...], k: int, threads: int | None, as_json: bool) -> None:
    """Say what the images of each FILE show: IDX files, or pictures (PNG, JPEG, ...; these need Pillow).

    A line is the image, then classes and their probabilities. A picture that is dark on light is inverted, one on grey
    ground stretched to black and white; one of another size is resized and centred as the digits of MNIST are; what
    was done is said.
    """
    loaded = _load(model, threads)

    import numpy as np

    from seqtree.images.reading import read_inputs

    predictions = []
    for file in files:
        readings = list(read_inputs(file, loaded.size))
        for reading in readings:
            for change in reading.changes:
                click.echo(f"{reading.name}: {change}", err=True)
        probabilities = loaded.probabilities(np.stack([reading.image for reading in readings])).astype(float)
        for reading, row in zip(readings, probabilities.tolist(), strict=True):
            best = sorted(zip(row, loaded.classes, strict=True), key=lambda pair: -pair[0])[:k]
            if as_json:
                predictions.append(
                    {
                        "image": reading.name,
                        "class": best[0][1],
                        "probability": best[0][0],
                        "probabilities": dict(zip(loaded.classes, row, strict=True)),
                        "changes": list(reading.changes),
                    }
                )
            else:
                click.echo("\t".join([reading.name, *(f"{name}\t{share:.4f}" for share, name in best)]))
    if as_json:
        print_json({"predictions": predictions})


def _load(model: str, threads: int | None) -> Any:
    """The ``ImageClassifier`` in a model file or run folder, to compute with so many CPU threads."""
    with quick_imports():
        import torch

        from seqtree.images.model import ImageClassifier

    if threads:
        torch.set_num_threads(threads)
    return ImageClassifier.load(model)


def _print_table(classes: tuple[str, ...], measured: Any) -> None:
    click.echo(f"{'accuracy':<20} {measured.accuracy:>10.4f}")
    click.echo(f"{'error':<20} {measured.error:>10.4f}")
    click.echo(f"{'loss':<20} {measured.loss:>10.4f}")
    click.echo(f"{'images':<20} {measured.images:>10,}")
    click.echo(f"{'images per second':<20} {measured.images_per_second:>10,.0f}")
    wrong = sorted(
        ((count, i, j) for i, row in enumerate(measured.confusion) for j, count in enumerate(row) if i != j and count),
        reverse=True,
    )
    for count, true, said in wrong[:5]:
        click.echo(f"{classes[true]} taken for {classes[said]:<8} {count:>10,}")
