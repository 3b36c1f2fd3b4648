"""A parser's figures on the validation trees of the cards; ``--as NAME`` makes it the one that comes with seqtree.

    python benchmarks/ship_parser.py runs/mine
    python benchmarks/ship_parser.py mean.safetensors --as default

Labelled and unlabelled F1 and tags in percent, computed in float32, and labelled F1 on average, as one JSON object.
``--as`` writes the model file and the parameters and figures of its card (its licence stays), and the trees and scores
that a test expects of ``default``; the pages and figures of other tests are to be changed by hand.
``SEQTREE_DATA`` names the data.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from seqtree import shipped
from seqtree.parsing.evaluation import evaluate
from seqtree.parsing.model import Parser
from seqtree.text import penn_tokens
from seqtree.treebank.sources import normalised_trees

TREES = {"treebank": "nltk:treebank/wsj_0161-wsj_0179"}
TREES |= {name: f"{name.lower()}/dev.mrg" for name in ("GUM", "MASC", "CRAFT")}
EXPECTED = Path(__file__).resolve().parent.parent / "tests" / "data" / "earlier" / "expected.json"


def main() -> None:
    """Print the figures, and replace what comes with seqtree if asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model", help="a run folder, a model file, or default or open")
    options.add_argument("--as", dest="name", choices=shipped.cards("parser"), help="the parser that it becomes")
    arguments = options.parse_args()
    file = shipped.located(arguments.model, "parser")
    parser = Parser.load(file, precision="fp32")
    figures = {name: scored(parser, source) for name, source in TREES.items()}
    labelled = {name: found["labelled"] for name, found in figures.items()}
    mean = round(sum(labelled.values()) / len(labelled), 2)
    print(json.dumps({"benchmark": "ship_parser", "model": arguments.model, "mean": mean, **figures}))
    if arguments.name is None:
        return
    card = shipped.cards()[arguments.name]
    card.file.write_bytes(file.read_bytes())
    parameters = sum(weight.numel() for weight in parser.network.parameters())
    lines = {"kind": card.kind, "licence": card.licence, "parameters": parameters, "f1": labelled}
    text = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in lines.items())
    card.file.with_suffix(".json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    if arguments.name == shipped.DEFAULT:
        write_expected(parser)


def scored(parser: Parser, source: str) -> dict[str, float]:
    """The figures on the trees of a source."""
    path = source if source.startswith("nltk:") else f"{os.environ['SEQTREE_DATA']}/{source}"
    found = evaluate(parser, normalised_trees([path])).scores
    return {
        "labelled": round(found.labelled.f1, 2),
        "unlabelled": round(found.unlabelled.f1, 2),
        "tags": round(found.tag_accuracy, 2),
    }


def write_expected(parser: Parser) -> None:
    """The trees and the sums of scores of the sentences that the test reads."""
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    rows = expected["shipped"]
    parses = parser.parses([penn_tokens(row["text"], parser.lexicon.words) for row in rows])
    for row, parse in zip(rows, parses, strict=True):
        assert parse is not None
        row |= {"tree": " ".join(str(parse.tree).split()), "score": round(parse.score, 3)}
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
