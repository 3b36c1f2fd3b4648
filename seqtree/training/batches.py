"""Batches of sentences of similar length, about equally many words in each; and sentences held out of training."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seqtree.training.task import Batch, D, M, R, Task

T = TypeVar("T")
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


def held_out(items: list[T], share: float, most: int) -> tuple[list[T], list[T]]:
    """The items to train on, and those to validate on: this share of them from their end, ``most`` at most."""
    cut = len(items) - min(most, round(share * len(items)))
    return items[:cut], items[cut:]


def evenly(count: int, share: float, most: int) -> list[int]:
    """The numbers of this share of ``count`` items, ``most`` at most, at equal distances: a file may be sorted."""
    chosen = min(most, round(share * count))
    return [i * count // chosen for i in range(chosen)]


def at_most(items: list[T], most: int, what: str, warn: Callable[[str], object]) -> list[T]:
    """Items to validate on: if there are more than ``most``, so many of them ``evenly``, and ``warn`` is told."""
    if len(items) > most:
        warn(f"validating on {most:,} of {len(items):,} {what} set apart")
    return [items[i] for i in evenly(len(items), 1.0, most)]


def evenly_by_class(classes: Sequence[Hashable], share: float, most: int) -> list[int]:
    """As ``evenly``, of the items of each class, in whatever order they come; the first of each is never among them."""
    by_class: dict[Hashable, list[int]] = {}
    for number, label in enumerate(classes):
        by_class.setdefault(label, []).append(number)
    others = [number for numbers in by_class.values() for number in numbers[1:]]
    wanted = min(round(share * len(classes)), len(others))
    return sorted(others[place] for place in evenly(len(others), wanted / max(1, len(others)), most))


def spread_out(items: list[T], share: float, most: int, by: Callable[[T], Hashable]) -> tuple[list[T], list[T]]:
    """The items to train on, and those to validate on: this share of them ``evenly_by_class``, ``most`` at most."""
    chosen = dict.fromkeys(evenly_by_class([by(item) for item in items], share, most))
    return [item for i, item in enumerate(items) if i not in chosen], [items[i] for i in chosen]


class SentenceTask(Task[R, M, D]):
    """A task whose rows are sentences. ``lengths`` (N,) are those of the training sentences, in words.

    A batch has sentences of similar length and about as many words as any other: those of ``batch`` sentences of mean
    length. Its rows are numbers of sentences.
    """

    items = "words"

    def __init__(self, model: M, data: D, recipe: R, lengths: Ids) -> None:
        super().__init__(model, data, recipe)
        self.lengths = lengths
        self._order = lru_cache(maxsize=2)(self._shuffled)

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.lengths) / self.recipe.batch.batch)

    def batch(self, epoch: int, step: int) -> Batch:
        return self._order(epoch)[step]

    def longest_first(self, batch: Batch) -> list[int]:
        """The numbers of a batch's sentences, longest first."""
        found: list[int] = batch[np.argsort(-self.lengths[batch], kind="stable")].tolist()
        return found

    def _shuffled(self, epoch: int) -> list[Ids]:
        return similar_lengths(self.lengths, self.steps_per_epoch, self.recipe.training.seed, epoch)
