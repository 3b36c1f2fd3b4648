"""Vectors of words from sentences of plain text alone, by counts of the words next to them (``nn/counted.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from seqtree.errors import InputError, check_count
from seqtree.nn.counted import PLACES, counted_vectors
from seqtree.phrases.readers import Vector
from seqtree.text.lexicon import Ids
from seqtree.treebank.plain import NumberedText

SPREAD = 0.5  # the standard deviation of the vectors' numbers, that of random word vectors at the start of a training
ROUNDS = 4  # power iterations


class LearnedVectors(NamedTuple):
    """The vectors (V, width) of ``words``, the most frequent first; ``tokens``: how many words the text has in all."""

    words: tuple[str, ...]
    table: Vector
    tokens: int


def learn_vectors(
    sentences: Iterable[Sequence[str]], width: int = 100, min_count: int = 3, neighbours: int = 6000
) -> LearnedVectors:
    """Vectors of the words that occur ``min_count`` times or more, from sentences of words.

    neighbours: how many of the most frequent words are counted as neighbours. The text is kept as numbers, twelve bytes
    a word; words with white space in them are left out. Raises InputError if there are fewer words than ``width``, or
    too few neighbours for it.
    """
    check_count("width", width)
    read = NumberedText.of(sentences)
    names, text = read.names, _surrounded(read)
    counts = np.bincount(text, minlength=len(names) + 1)
    counts[0] = 0  # what stands around sentences
    order = np.argsort(-counts, kind="stable")
    frequent = order[: int((counts >= max(1, min_count)).sum())]
    known = frequent[[names[i - 1].split() == [names[i - 1]] for i in frequent]]
    if len(known) < width:
        raise InputError(
            f"{len(known):,} words occur {min_count:,} times or more; vectors of {width:,} numbers need as many words: "
            "lower --width or --min-count"
        )
    if (most := len(PLACES) * (min(neighbours, len(names)) + 1)) < width:
        raise InputError(f"width {width}: {neighbours:,} neighbours are enough for vectors of {most:,} numbers")
    near = np.append(0, order[: min(neighbours, len(names))])  # a sentence's start and end are neighbours, too
    table = np.float32(SPREAD) * counted_vectors(text, known, near, width, ROUNDS)
    return LearnedVectors(tuple(names[i - 1] for i in known), table, int(counts.sum()))


def _surrounded(text: NumberedText) -> Ids:
    """A text in the numbers of its words from 1, with 0s around every sentence."""
    around = max(PLACES)
    found = np.zeros(len(text.numbers) + around * len(text.starts), np.int64)
    sentence = np.repeat(np.arange(1, len(text.starts)), text.lengths)
    found[np.arange(len(text.numbers)) + around * sentence] = text.numbers + 1
    return found
