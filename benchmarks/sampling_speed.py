"""Sampling speed, one stream, LSTM 2x128 over characters: seqtree against the plain loop, in one run on one thread.

The plain loop calls the torch module for each character, takes a softmax and draws from torch.multinomial. Both sample
from the same untrained weights over the vocabulary of the embedded sample. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch

from seqtree import corpora
from seqtree.language.model import LanguageModel

LENGTH, ROUNDS = 5000, 5


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
    torch.set_num_threads(1)
    text = corpora.load(corpora.DEFAULT)
    model = LanguageModel.untrained(text, layers=2, hidden=128, embedding=64)
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: model.sample(length=LENGTH, seed=1),
        "plain": lambda: plain(model),
    }
    for _ in range(ROUNDS):
        for name, sample in ways.items():
            began = time.perf_counter()
            sample()
            seconds[name].append(time.perf_counter() - began)
    speed = {name: LENGTH / statistics.median(times) for name, times in seconds.items()}
    print(
        json.dumps(
            {"benchmark": "sampling_speed", "characters_per_second": speed, "ratio": speed["ours"] / speed["plain"]}
        )
    )


if __name__ == "__main__":
    main()
