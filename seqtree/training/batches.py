"""Batches of sentences of similar length, about equally many words in each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
UNEVEN = 0.2  # how much longer or shorter than it is a sentence may be taken to be when batches are made


def similar_lengths(lengths: Ids, steps: int, seed: int, epoch: int) -> list[Ids]:
    """The sentences of each of ``steps`` batches, by their numbers: another choice and order in every epoch.

    Sorted by length, not quite exactly, cut into equal shares of words (``lengths`` (N,)), and shuffled.
    """
    generator = np.random.default_rng((seed, epoch))
    order = np.argsort(lengths * generator.uniform(1.0 - UNEVEN, 1.0 + UNEVEN, len(lengths)), kind="stable")
    step = np.arange(1, steps)
    cuts = np.searchsorted(np.cumsum(lengths[order]), step * lengths.sum() / steps)
    cuts = np.maximum.accumulate(np.maximum(cuts, 1) - step) + step  # one sentence at least in each
    batches = np.split(order, np.minimum(cuts, len(order) - steps + step))
    return [batches[i] for i in generator.permutation(len(batches))]
