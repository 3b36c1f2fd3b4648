"""How fast a language model is measured: in pieces side by side, as ``lm eval`` does, and token by token.

    python benchmarks/evaluation_speed.py runs/novel test.txt [--threads 1] [--repeat 3]

Prints the model, tokens a second both ways (medians of turns), how many times as fast the pieces are, and by how much
the surprisals differ, in nats: at most, and on average over the text.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from seqtree.language import LanguageModel
from seqtree.language.pieces import ROWS, WINDOW, plan
from seqtree.language.surprisals import in_windows, streamed_surprisals


def main() -> None:
    """Measure a text both ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model = LanguageModel.load(given.model)
    ids, config = model.encode_files([given.text]).ids, model.network.config
    took: dict[int, list[float]] = {len(ids): [], WINDOW: []}
    found: dict[int, np.ndarray] = {}
    for _ in range(given.repeat):
        for size, times in took.items():
            began = time.perf_counter()
            parts = streamed_surprisals(model.network, model.vocabulary, in_windows(ids, size))
            found[size] = torch.cat(list(parts)).double().numpy()
            times.append(time.perf_counter() - began)
    pieces, tokens = (len(ids) / statistics.median(times) for times in took.values())
    difference = found[len(ids)] - found[WINDOW]
    rows, length = plan(config, len(ids))
    print(
        f"{config.cell} {config.layers}x{config.hidden}, {len(ids):,} tokens, vocabulary {len(model.vocabulary):,}; "
        f"{rows} pieces of {length:,} ({ROWS} at most): {pieces:,.0f} tokens/s; token by token {tokens:,.0f}; "
        f"{pieces / tokens:.1f} times; surprisals differ by {np.abs(difference).max():.1e} at most, "
        f"{abs(difference.mean()):.1e} on average"
    )


if __name__ == "__main__":
    main()
