"""``seqtree scene``: train a parser of scenes, measure it, and let it say what an image shows and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seqtree.cli.options import FILE, device_option, json_option, note, open_model, print_json, threads_option
from seqtree.cli.train import train_command


@click.group(
    epilog="\b\nExamples:\n  seqtree scene train msrc/ --out runs/scenes\n"
    "  seqtree scene eval runs/scenes msrc/ --part dev\n  seqtree scene predict runs/scenes photo.jpg --out parsed"
)
def scene() -> None:
    """Scenes: a class for every pixel of an image, and the tree of its segments.

    FOLDER has images/, labels/ (PNG of class numbers, 0 for void), classes.txt (a number and a name a line, 0 for
    void), and lists of images, one name a line: train.txt, dev.txt, test.txt. Needs: pip install 'seqtree[scenes]'.
    """


scene.add_command(
    train_command(
        "scene",
        "Train a parser of scenes on FOLDER: images/, labels/, classes.txt and train.txt.\n\nWrites a run folder; stop "
        "it with Ctrl-C at any time, continue with --resume.",
        "\b\nExamples:\n  seqtree scene train msrc/ --out runs/scenes\n"
        "  seqtree scene train msrc/ --leaves-only                    (without the tree)\n"
        "  seqtree scene train mine/ --init-from runs/scenes          (goes on with other images)\n"
        "  seqtree scene train stanford/ --part all --fold 1/5        (cross-validation)",
    )
)


@scene.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree scene eval runs/scenes msrc/\n"
    "  seqtree scene eval runs/scenes msrc/ --part dev --json",
)
@click.argument("model", type=FILE)
@click.argument("folder", type=FILE)
@click.option("--part", default="test", metavar="PART", help="The list of images: PART.txt in the folder.")
@click.option("--fold", metavar="K/N", help="Only every N-th image of the list, from the K-th on.")
@device_option
@threads_option
@json_option
def eval_(
    model: str, folder: str, part: str, fold: str | None, device: str, threads: int | None, as_json: bool
) -> None:
    """Measure MODEL (a run folder or a model file) on labelled images of FOLDER: shares of 1, without void pixels.

    pixel accuracy: of all pixels, those whose class is right. class accuracy: the mean of the same over the classes.
    The classes of FOLDER go by their names; all of them must be MODEL's.
    """
    from seqtree.scenes.data import SceneFolder, in_folds

    opened = SceneFolder.open(folder)
    loaded = open_model("scene", model, threads, device)
    images = opened.among(loaded.classes).part(part)
    if fold is not None:
        images = in_folds(images, fold)[1]

    from seqtree.scenes.evaluation import evaluate
    from seqtree.scenes.preparing import prepared_scene

    textons = loaded.network.textons.arrays
    measured = evaluate(loaded, [prepared_scene(one, loaded.segments, textons) for one in images])
    if as_json:
        print_json(measured.to_json())
    else:
        _print_table(measured)


@scene.command(
    epilog="\b\nExamples:\n  seqtree scene predict runs/scenes photo.jpg --out parsed\n"
    "  seqtree scene predict runs/scenes *.jpg --json > segments.json"
)
@click.argument("model", type=FILE)
@click.argument("images", type=FILE, nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write NAME.png, the labels of the pixels, and NAME-parsed.png, to be looked at.",
)
@device_option
@threads_option
@json_option
def predict(
    model: str, images: tuple[str, ...], out: Path | None, device: str, threads: int | None, as_json: bool
) -> None:
    """Parse each IMAGE: cut it into segments, say the class of each, and merge them into a tree.

    Without --json, a line is the image, then the classes and their shares of it. --out also draws the classes over the
    image, with a legend, and the tree of merges beside it.
    """
    from seqtree.scenes.pictures import read_image

    if out:
        _check_outputs(out, images)
    loaded = open_model("scene", model, threads, device)
    found = []
    for file in images:
        parse = loaded.parse(read_image(Path(file)))
        if out:
            _write(out, file, parse)
        if as_json:
            found.append({"image": file, **parse.to_json()})
        else:
            click.echo(f"{file}\t{' '.join(f'{label} {share:.2f}' for label, share in parse.shares.items())}")
    if as_json:
        print_json({"images": found})


def _outputs(out: Path, image: str) -> tuple[Path, Path]:
    """What is written of an image: the labels of its pixels, and a picture to be looked at."""
    name = Path(image).stem
    return out / f"{name}.png", out / f"{name}-parsed.png"


def _check_outputs(out: Path, images: tuple[str, ...]) -> None:
    """Raises InputError if what is written of an image would replace one of the images, or what another one gave."""
    from seqtree.errors import InputError

    read = {Path(image).resolve(): image for image in images}
    owner: dict[Path, str] = {}
    for image in images:
        for path in _outputs(out, image):
            if path.resolve() in read:
                raise InputError(f"{path}: is one of the images, and would be replaced; expected another --out")
            if path in owner:
                raise InputError(
                    f"{owner[path]} and {image} would both be written to {path}; expected names that differ"
                )
            owner[path] = image


def _write(out: Path, image: str, parse: Any) -> None:
    from seqtree.drawing.scenes import png
    from seqtree.files import write_atomically

    labels, picture = _outputs(out, image)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(labels, png(parse.pixels))
    write_atomically(picture, parse.picture())
    note(f"{labels} and {picture}")


def _print_table(measured: Any) -> None:
    click.echo(f"{'pixel accuracy':<20} {measured.pixel_accuracy:>10.4f}")
    click.echo(f"{'class accuracy':<20} {measured.class_accuracy:>10.4f}")
    click.echo(f"{'best possible':<20} {measured.best_possible:>10.4f}")
    click.echo(f"{'images':<20} {measured.images:>10,}")
    click.echo(f"{'segments':<20} {measured.segments:>10,}")
    for name, share in measured.by_class.items():
        click.echo(f"  {name:<18} {share:>10.4f}")
