"""A mean of the weights of two parsers, of which the second went on from the first.

Between a network and what further training has made of it there often is a better one than either (Wortsman and others
2022, "Robust fine-tuning of zero-shot models"). SHARE is the second one's; the mean knows the words, tags and labels of
the first::

    seqtree parser train more.mrg --init-from first --out second
    python benchmarks/averaged_parsers.py first second SHARE mean.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from seqtree.parsing.model import Parser


@torch.no_grad()
def main() -> None:
    """Write the model file, with 16 bits per weight."""
    first, second = (Parser.load(path, precision="fp32") for path in sys.argv[1:3])
    given = second.network.state_dict()
    known = {
        "words.embedding.weight": second.lexicon.words.encode(first.lexicon.words.tokens),
        "words.spelling.embedding.weight": second.lexicon.characters.encode(first.lexicon.characters.tokens),
    }
    for name, weight in first.network.state_dict().items():
        rows = known.get(name, range(len(weight)))  # what the second predicts begins with what the first does
        weight[: len(rows)].lerp_(given[name][list(rows)], float(sys.argv[3]))
    first.save(Path(sys.argv[4]), half=True)


if __name__ == "__main__":
    main()
