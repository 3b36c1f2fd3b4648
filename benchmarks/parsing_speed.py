"""Parsing speed: batches, one sentence at a time, and node by node, with one model in one run.

    python benchmarks/parsing_speed.py runs/treebank --trees nltk:treebank/wsj_0180-wsj_0199

Sentences per second without loading, the first time that they are read, and the median of ``--repeat`` passes after it;
node by node (every pair of neighbours composed and scored by itself, none twice) reads the first ``--plain`` sentences
only. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from seqtree.parsing.model import Parser
from seqtree.parsing.spans import Spans
from seqtree.text.batches import make_batch
from seqtree.text.sentences import Word
from seqtree.treebank.bracketed import words_of
from seqtree.treebank.sources import normalised_trees


@torch.inference_mode()
def node_by_node(parser: Parser, sentence: Sequence[Word]) -> list[tuple[int, int]]:
    """The spans of the greedy tree, in the plain way."""
    words = [word for _, word in sentence]
    batch = make_batch([words], [parser.lexicon.encode(words)], parser.lexicon)
    network = parser.network.eval()
    encoded = network.encode(batch)
    nodes = [(i, i + 1, leaf[None]) for i, leaf in enumerate(encoded.leaves.float())]
    known: dict[tuple[int, int, int], tuple[float, torch.Tensor]] = {}
    spans = []
    while len(nodes) > 1:
        options = []
        for (start, middle, left), (_, end, right) in pairwise(nodes):
            if (start, middle, end) not in known:
                vector = network.composition(left, right)
                span = Spans(np.array([0]), np.array([start]), np.array([end]))
                known[start, middle, end] = network.score_merges(encoded, batch, vector, span).item(), vector
            options.append(known[start, middle, end])
        best = max(range(len(options)), key=lambda i: options[i][0])
        (start, _, _), (_, end, _) = nodes[best : best + 2]
        nodes[best : best + 2] = [(start, end, options[best][1])]
        spans.append((start, end))
    return spans


def rates(run: Callable[[], object], sentences: int, repeat: int) -> tuple[float, float]:
    """Sentences per second the first time, and the median of ``repeat`` others."""
    seconds = []
    for _ in range(1 + repeat):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return round(sentences / seconds[0], 1), round(sentences / statistics.median(seconds[1:]), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--trees", default="nltk:treebank/wsj_0180-wsj_0199")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--plain", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    loaded = Parser.load(options.model)
    sentences = [loaded.words(words_of(tree)) for tree in normalised_trees([options.trees])]
    few = sentences[: options.plain]
    ways: dict[str, tuple[Callable[[], object], Sequence[Sequence[Word]]]] = {
        "batched": (lambda: list(loaded.parses(sentences)), sentences),
        "one_at_a_time": (lambda: [list(loaded.parses([sentence])) for sentence in sentences], sentences),
        "node_by_node": (lambda: [node_by_node(loaded, sentence) for sentence in few], few),
    }
    found = {name: rates(run, len(read), options.repeat) for name, (run, read) in ways.items()}
    print(
        json.dumps(
            {
                "benchmark": "parsing_speed",
                "trees": options.trees,
                "sentences": len(sentences),
                "words": sum(map(len, sentences)),
                "threads": options.threads,
                "first_time": {name: first for name, (first, _) in found.items()},
                "sentences_per_second": {name: rate for name, (_, rate) in found.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
