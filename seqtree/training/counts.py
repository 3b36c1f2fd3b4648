"""Starts from counts: vectors of tokens made of what stands beside them in the training data, before any step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.nn.counted import counted_vectors
from seqtree.nn.words import WordEncoder
from seqtree.text.lexicon import Ids
from seqtree.training.settings import LARGE, RunSettings
from seqtree.training.task import Counted

TOKENS = 2_000_000  # of a text that are counted
WORDS = 50_000  # the most frequent tokens, which have counts
NEIGHBOURS = 2000  # the most frequent tokens, beside which the others are counted
DIRECTIONS = 300  # of a vector that are made of counts
ROUNDS = 2  # power iterations


def counted_words(words: WordEncoder, sentences: Iterable[Ids]) -> Counted:
    """``Task.counted`` of a task with a word encoder."""
    return {"words": (words.embedding.weight, sentences)} if words.config.words else {}


def start_from_counts(vectors: Counted, run: RunSettings, tell: Callable[[str], object]) -> None:
    """Start the vectors of ``Task.counted`` from counts, unless the run starts from something else; ``tell`` of each.

    Raises InputError if counted or random vectors are asked for where there is another start, or counted ones where
    there are no vectors.
    """
    other = next((f"--{name.replace('_', '-')}" for name in ("init_from", "vectors") if getattr(run, name)), "")
    asked = "--random-vectors" if run.counted_vectors is False else "--counted-vectors"
    if other and run.counted_vectors is not None:
        raise InputError(f"{asked}: the network starts from {other}")
    if run.counted_vectors and not vectors:
        raise InputError(f"{asked}: the network has no vectors of tokens")
    for name, (weight, sentences) in vectors.items():
        large = len(weight) >= LARGE if run.counted_vectors is None else run.counted_vectors
        if large and not other:
            tell(f"{name}: {start_counted(weight, sentences)}")


@torch.no_grad()
def start_counted(weight: Tensor, sentences: Iterable[npt.NDArray[Any]]) -> str:
    """Start the rows (V, E) of the tokens in sentences (N,) from counts of their neighbours; says so.

    What stands around a sentence is a neighbour, too. Only the first sentences of a long text are counted, only
    frequent tokens of a large vocabulary have counts, and in wide rows only the first numbers are made of them. These
    spread as the random ones do that they replace. See ``counted_vectors``.
    """
    size = len(weight)
    text = _beginning(sentences, size)
    counts = np.bincount(text, minlength=size)[:size]
    known = np.argsort(-counts, kind="stable")[: min(WORDS, int((counts > 0).sum()))]
    neighbours = np.append(known[:NEIGHBOURS], size)
    width = min(DIRECTIONS, weight.shape[1], len(neighbours), len(known))
    table = torch.from_numpy(counted_vectors(text, known, neighbours, width, ROUNDS))
    weight[torch.from_numpy(known), :width] = (weight.std() * table.to(weight.device)).to(weight.dtype)
    return f"{len(known):,} of {size:,} vectors start from counts of {counts.sum():,} tokens"


def _beginning(sentences: Iterable[npt.NDArray[Any]], end: int) -> Ids:
    """The first ``TOKENS`` tokens of sentences, with ``end`` around each of them."""
    parts, left = [np.array([end])], TOKENS
    for sentence in sentences:
        parts += [sentence[:left].astype(np.int64), parts[0]]
        left -= len(sentence)
        if left <= 0:
            break
    return np.concatenate(parts)
