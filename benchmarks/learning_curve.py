"""How a parser's F1 grows with its trees, from random weights and from plain text: a table and a picture.

Trains on the first so many trees of files 0001-0160 of NLTK's Penn Treebank sample, and scores files 0161-0179 by the
best evaluation. A start is ``random`` or ``counted`` (vectors of words, from counts in these trees alone), a file of
vectors (``seqtree phrases learn``), a masked language model (``seqtree words train``) or a parser. Runs are kept in OUT
and not trained again::

    python benchmarks/learning_curve.py OUT --trees 340 --trees 1020 --start random --start words.txt --start runs/words
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import seqtree
from seqtree.drawing.charts import chart
from seqtree.drawing.colours import class_colours

TREES, VALID = "nltk:treebank/wsj_0001-wsj_0160", "nltk:treebank/wsj_0161-wsj_0179"


def main() -> None:
    """Train what is missing, print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trees", type=int, action="append", required=True)
    parser.add_argument("--start", action="append", required=True)
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--epochs", type=float, help="as many as the preset reads these trees, if not given")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    print(f"{'start':<28} {'trees':>6} {'labelled':>9} {'unlabelled':>11} {'tags':>6}")
    for trees in given.trees:
        for start in given.start:
            report = trained(given.out / f"{Path(start).stem}-{trees}-{given.preset}-{given.seed}", start, trees, given)
            labelled, unlabelled = (report[name]["f1"] for name in ("labelled", "unlabelled"))
            print(
                f"{start:<28} {trees:>6,} {labelled:>9.2f} {unlabelled:>11.2f} {report['tag_accuracy']:>6.2f}",
                flush=True,
            )
            found[start].append((trees, labelled))
    (given.out / "learning-curve.svg").write_bytes(drawn(found))


def trained(out: Path, start: str, trees: int, given: argparse.Namespace) -> Mapping[str, Any]:
    """The report of a run, which is trained if it is not there."""
    report = out / "report.json"
    if not report.exists():
        options = {"preset": given.preset, "epochs": given.epochs, "seed": given.seed, "threads": 1, "evaluations": 10}
        made = seqtree.train(
            "parser", f"{TREES}[0:{trees}]", valid=(VALID,), out=out, progress=False, **options, **begun(start)
        )
        report.write_text(json.dumps(made), encoding="utf-8")
    read: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return read


def begun(start: str) -> dict[str, Any]:
    """The options of a start."""
    if start in ("random", "counted"):
        return {"counted_vectors": start == "counted"}
    return {"vectors" if start.endswith(".txt") else "init_from": start}


def drawn(found: Mapping[str, Sequence[tuple[int, float]]]) -> bytes:
    """The picture: a line for each start."""
    colours = class_colours([Path(start).stem for start in found])

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (start, points), colour, mark in zip(found.items(), colours.values(), cycle("os^Dv")):
            axes.plot(*zip(*points, strict=True), marker=mark, color=colour, label=Path(start).stem)
        axes.set_xscale("log")
        ticks = sorted({trees for points in found.values() for trees, _ in points})
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("trees")
        axes.set_ylabel("labelled F1")
        axes.grid(visible=True, alpha=0.3)
        axes.legend()

    return chart((6.5, 4), draw, ".svg")


if __name__ == "__main__":
    main()
