"""What a few examples are enough for: trainings by the command line on some hundreds of labelled items.

Takes the first so many items of the shuffled training data, of which the command holds a tenth out, and measures on
the whole validation data. Options that this script does not know go to each training::

    python benchmarks/few_data.py trec:300 atis:100 --epochs 20
    python benchmarks/few_data.py trec:300 atis:100 --init-from open

Needs SEQTREE_DATA. Prints a line for each: data, items, options, figure in percent, steps, seconds.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from quality import run

from seqtree.images import read_set

CLASSES = 1000  # texts of TREC's training set to measure on
IMAGES = 5000  # of MNIST's training file to measure on


class Data(NamedTuple):
    """Files of a task, what stands between two items, and the path to the figure in what ``eval --json`` says."""

    task: str
    train: str
    valid: str
    figure: tuple[str, ...]
    between: str = "\n"


DATA = {
    "trec": Data("classify", "classify/trec/train.tsv", "", ("accuracy",)),
    "sst": Data("classify", "classify/sst-flat/binary.train.tsv", "classify/sst-flat/binary.dev.tsv", ("accuracy",)),
    "ewt": Data("tag", "tag/ud-ewt/train.conll", "tag/ud-ewt/dev.conll", ("accuracy",), "\n\n"),
    "atis": Data("tag", "tag/atis/slots.train.conll", "tag/atis/slots.dev.conll", ("chunk", "f1"), "\n\n"),
    "spanish": Data("tag", "tag/conll2002-es/train.conll", "tag/conll2002-es/dev.conll", ("chunk", "f1"), "\n\n"),
    "masc": Data("parser", "masc/train.mrg", "masc/dev.mrg", ("labelled", "f1")),
    "trees": Data("tree", "sst/train.txt", "sst/dev.txt", ("root", "fine")),
    "german": Data(
        "translate", "translate/inflection/german.train.tsv", "translate/inflection/german.dev.tsv", ("exact_match",)
    ),
    "mnist": Data("image", "mnist", "", ("accuracy",)),
}


def main() -> None:
    """Train on each of the data, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", metavar="NAME:ITEMS", help=", ".join(DATA))
    given, options = parser.parse_known_args()
    for one in given.data:
        name, count = one.split(":")
        with tempfile.TemporaryDirectory() as folder:
            figure, report = measured(DATA[name], int(count), Path(folder), options)
        took = f"{report['steps']:,} steps, {report['seconds']:.0f} s"
        print(name, count, *options, f"{figure:.1f}", took, flush=True)


def measured(data: Data, count: int, scratch: Path, options: list[str]) -> tuple[float, dict[str, Any]]:
    """The figure of a training on ``count`` items, in percent, and its report."""
    few, valid, out = scratch / "train", scratch / "valid", str(scratch / "run")
    (write_pictures if data.task == "image" else write_items)(data, count, few, valid)
    report = run([data.task, "train", str(few), "--out", out, "--threads", "1", *options])
    figure: Any = run([data.task, "eval", out, str(valid)])
    for key in data.figure:
        figure = figure[key]
    return figure * (1.0 if data.task == "parser" else 100.0), report


def write_items(data: Data, count: int, few: Path, valid: Path) -> None:
    """The files to train on and to measure on."""
    items = items_of(data, data.train)
    random.Random(1).shuffle(items)
    few.write_text(data.between.join(items[:count]) + data.between, encoding="utf-8")
    measured_on = items_of(data, data.valid) if data.valid else items[-CLASSES:]
    valid.write_text(data.between.join(measured_on) + data.between, encoding="utf-8")


def write_pictures(data: Data, count: int, few: Path, valid: Path) -> None:
    """The folders to train on and to measure on: a folder of pictures a class."""
    images = read_set(Path(os.environ["SEQTREE_DATA"]) / data.train, "train")
    numbers = list(range(len(images)))
    random.Random(1).shuffle(numbers)
    for folder, chosen in ((few, numbers[:count]), (valid, numbers[-IMAGES:])):
        for number in chosen:
            path = folder / str(images.labels[number])
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images.images[number]).save(path / f"{number}.png")


def items_of(data: Data, file: str) -> list[str]:
    """The items of a file."""
    text = (Path(os.environ["SEQTREE_DATA"]) / file).read_text(encoding="utf-8")
    return [item for item in text.split(data.between) if item.strip()]


if __name__ == "__main__":
    main()
