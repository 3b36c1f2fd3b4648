"""What each part of the parser is worth: one change at a time, the same budget, the same trees.

    python benchmarks/parser_ablation.py nltk:treebank/wsj_0001-wsj_0160 --valid nltk:treebank/wsj_0161-wsj_0179

Every row of ``VARIANTS`` is trained by ``seqtree parser train`` for ``--epochs`` and measured on the validation trees.
``--only NAME ...`` picks rows; ``--init-from LM`` adds one that starts from that language model; ``--beam K`` measures
the first row with a beam as well. Prints one JSON object a row, as soon as it is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqtree.parsing.model import Parser
from seqtree.treebank.bracketed import words_of
from seqtree.treebank.parseval import Parseval
from seqtree.treebank.sources import normalised_trees

VARIANTS: dict[str, tuple[str, ...]] = {
    "base": (),
    "objective stepwise": ("--objective", "stepwise"),
    "objective structured": ("--objective", "structured"),
    "composition tanh": ("--composition", "tanh"),
    "composition max": ("--composition", "max"),
    "composition lstm": ("--composition", "lstm"),
    "encoder none": ("--encoder", "none"),
    "encoder gru": ("--encoder", "gru"),
    "no mistakes of its own": ("--explore", "0"),
    "only its own choices": ("--explore", "1"),
    "no characters": ("--characters", "0"),
    "no words": ("--words", "0"),
    "no weight drop": ("--weight-drop", "0"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="+")
    parser.add_argument("--valid", nargs="+", required=True)
    parser.add_argument("--epochs", type=float, default=8.0)
    parser.add_argument("--only", nargs="*", default=[*VARIANTS, "language model"])
    parser.add_argument("--init-from", help="a model of seqtree lm train, over words")
    parser.add_argument("--beam", type=int, default=0)
    arguments = parser.parse_args()
    variants = dict(VARIANTS)
    if arguments.init_from:
        variants["language model"] = ("--init-from", arguments.init_from)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            if name not in variants:  # the language model, where none was named
                continue
            out = Path(folder) / name.replace(" ", "-")
            record = {"variant": name, **train(arguments, out, variants[name])}
            print(json.dumps(record), flush=True)
            if name == "base" and arguments.beam:
                record = {"variant": f"beam of {arguments.beam}", **beam(out, arguments.valid, arguments.beam)}
                print(json.dumps(record), flush=True)


def train(arguments: argparse.Namespace, out: Path, options: Sequence[str]) -> dict[str, Any]:
    """One training and its figures on the validation trees."""
    valid = [part for trees in arguments.valid for part in ("--valid", trees)]
    command = [
        sys.executable,
        "-m",
        "seqtree",
        "parser",
        "train",
        *arguments.trees,
        *valid,
        "--epochs",
        str(arguments.epochs),
        "--threads",
        "1",
        "--out",
        str(out),
        "--json",
        "--quiet",
        *options,
    ]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        **_f1(report),
        "tags": round(report["tag_accuracy"], 2),
        "minutes": round(report["seconds"] / 60, 1),
        "sentences_per_second": report["sentences_per_second"],
    }


def beam(run: Path, valid: Sequence[str], size: int) -> dict[str, Any]:
    """The figures of a trained parser that decodes with a beam."""
    parser, parseval = Parser.load(run), Parseval()
    for number, tree in enumerate(normalised_trees(valid), 1):
        parseval.add(tree, next(parser.parse(list(words_of(tree)), k=size)), number)
    return _f1(parseval.result.figures())


def _f1(figures: dict[str, Any]) -> dict[str, float]:
    return {name: round(figures[name]["f1"], 2) for name in ("labelled", "unlabelled")}


if __name__ == "__main__":
    main()
