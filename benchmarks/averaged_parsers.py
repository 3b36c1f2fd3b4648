"""A mean of the weights of two parsers, of which the second went on from the first.

Between a network and what further training has made of it there often is a better one than either (Wortsman and others
2022, "Robust fine-tuning of zero-shot models"). SHARE is the second one's; the mean knows the words, tags and labels of
the first. Where the first is such a mean already, no evaluation of the second may be as good, so that its run keeps the
first as the best: ``--latest`` takes the weights that the run has at its end::

    seqtree parser train more.mrg --init-from first --out second
    python benchmarks/averaged_parsers.py first second SHARE mean.safetensors [--latest]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from seqtree.nn.network import load_state
from seqtree.parsing.model import Parser
from seqtree.training.run_folder import RunFolder


@torch.no_grad()
def main() -> None:
    """Write the model file, with 16 bits per weight."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("first", type=Path)
    options.add_argument("second", type=Path)
    options.add_argument("share", type=float)
    options.add_argument("mean", type=Path)
    options.add_argument("--latest", action="store_true", help="the weights at the end of the second's run")
    arguments = options.parse_args()
    first, second = (Parser.load(path, precision="fp32") for path in (arguments.first, arguments.second))
    if arguments.latest:
        load_latest(second, arguments.second)
    given = second.network.state_dict()
    known = {
        "words.embedding.weight": second.lexicon.words.encode(first.lexicon.words.tokens),
        "words.spelling.embedding.weight": second.lexicon.characters.encode(first.lexicon.characters.tokens),
    }
    for name, weight in first.network.state_dict().items():
        rows = known.get(name, range(len(weight)))  # what the second predicts begins with what the first does
        weight[: len(rows)].lerp_(given[name][list(rows)], arguments.share)
    first.save(arguments.mean, half=True)


def load_latest(parser: Parser, folder: Path) -> None:
    """Give a run's parser the averaged weights of the run's checkpoint."""
    checkpoint = RunFolder(folder).read_checkpoint()
    assert checkpoint is not None
    average = "average."
    latest = {name.removeprefix(average): w for name, w in checkpoint[1].items() if name.startswith(average)}
    load_state(parser.network, latest)


if __name__ == "__main__":
    main()
