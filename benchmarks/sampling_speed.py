"""Sampling speed, LSTM 2x128 over characters: one stream against the plain loop, and 256 side by side, in one run.

The plain loop calls the torch module for each character, takes a softmax and draws from torch.multinomial. All sample
from the same untrained weights over the vocabulary of the embedded sample, on one thread. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch

from seqtree import corpora
from seqtree.language.config import SamplingSettings
from seqtree.language.model import LanguageModel

LENGTH, ROUNDS, STREAMS = 5000, 5, 256


@torch.no_grad()
def plain(model: LanguageModel) -> str:
    """The loop as one would write it first."""
    network = model.network.eval()
    token, state, made = torch.tensor([[model.vocabulary.start]]), None, []
    for _ in range(LENGTH):
        logits, state = network(token, state)
        token = torch.multinomial(torch.softmax(logits[0], dim=1), 1)
        made.append(model.vocabulary.tokens[int(token)])
    return "".join(made)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    text = corpora.load("lighthouse")
    model = LanguageModel.untrained(text, layers=2, hidden=128, embedding=64)
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    side_by_side = SamplingSettings(length=LENGTH // 10)
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: model.sample(length=LENGTH, seed=1),
        "plain": lambda: plain(model),
        "side by side": lambda: list(model.samples("", side_by_side, range(STREAMS))),
    }
    for _ in range(ROUNDS):
        for name, sample in ways.items():
            began = time.perf_counter()
            sample()
            seconds[name].append(time.perf_counter() - began)
    characters = {"ours": LENGTH, "plain": LENGTH, "side by side": STREAMS * side_by_side.length}
    speed = {name: characters[name] / statistics.median(times) for name, times in seconds.items()}
    print(
        json.dumps(
            {"benchmark": "sampling_speed", "characters_per_second": speed, "ratio": speed["ours"] / speed["plain"]}
        )
    )


if __name__ == "__main__":
    main()
