"""What a tree says of each word as it stands in a text: the node counts of reading studies.

A constituent is a node above the parts of speech, each node of a unary chain one of its own. It is *opened* at its
first word (top-down count), announced at the last word of its first child (left-corner count), and *closed* at its last
word (bottom-up count): Hale 2014, "Automaton theories of human sentence comprehension"; Brennan, Stabler, Van Wagenen,
Luh and Hale 2016. The depth of a word is how many constituents it is in. A merge's score counts at its last word.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from seqtree.errors import InputError
from seqtree.parsing.parse import Parse
from seqtree.text.sentences import Sentence, read_sentences

if TYPE_CHECKING:
    from seqtree.parsing.model import Parser


@dataclass(frozen=True)
class WordCounts:
    """Opened, announced and closed constituents and the merge scores of a word's tokens; the depth of the first."""

    opened: float = 0.0
    announced: float = 0.0
    closed: float = 0.0
    merge_score: float = 0.0
    depth: float = 0.0


NAMES = tuple(field.name for field in fields(WordCounts))


def word_counts(
    parser: Parser, lines: Sequence[tuple[str, Sequence[tuple[int, int]]]], k: int = 1
) -> list[list[WordCounts]]:
    """The counts of the words of each line, a text and the spans of its words.

    Sentences are found and split into tokens as in ``seqtree parse``; a token belongs to the word in which it begins,
    and a word's counts are the sums of its tokens', but for the depth. ``k`` above 1: the expectation over the k best
    trees, weighted by their probabilities. Raises InputError if these are not known.
    """
    read = list(read_sentences([text for text, _ in lines], False, parser.lexicon.words))
    found = [[parse] if parse else [] for parse in parser.parses(s.words for s in read)] if k == 1 else None
    parses = found or [parser.k_best(sentence.words, k) for sentence in read]
    counted = ((sentence, expected_counts(trees)) for sentence, trees in zip(read, parses, strict=True))
    results = []
    for number, sentences in groupby(counted, lambda pair: pair[0].line):
        results.append(_by_word([start for start, _ in lines[number - 1][1]], list(sentences)))
    return results


def _by_word(starts: list[int], sentences: list[tuple[Sentence, np.ndarray]]) -> list[WordCounts]:
    """The counts of the words that begin at ``starts`` in a line, from those of its tokens."""
    sums, begun = np.zeros((len(starts), len(NAMES))), [False] * len(starts)
    for sentence, tokens in sentences:
        for (start, _), counts in zip(sentence.offsets, tokens, strict=True):
            word = max(0, bisect(starts, start) - 1)
            depth = sums[word, -1] if begun[word] else counts[-1]
            sums[word] += counts
            sums[word, -1], begun[word] = depth, True
    return [WordCounts(*row) for row in sums.tolist()]


def expected_counts(parses: Sequence[Parse]) -> np.ndarray:
    """The expected counts of each token (words, 5) over the best trees of a sentence, in the order of ``NAMES``.

    Raises InputError if there are several and the parser, trained to compare whole trees, gives no probabilities.
    """
    if not parses:
        return np.zeros((0, len(NAMES)))
    counts = np.array([[astuple(token) for token in token_counts(parse)] for parse in parses])  # (k, words, 5)
    if len(parses) == 1:
        only: np.ndarray = counts[0]
        return only
    if any(parse.log_probability is None for parse in parses):
        raise InputError("a parser trained to compare whole trees gives no probabilities; expected one tree (k 1)")
    logarithms = [parse.log_probability or 0.0 for parse in parses]
    weights = np.array([math.exp(one - max(logarithms)) for one in logarithms])
    expected: np.ndarray = np.tensordot(weights / weights.sum(), counts, axes=1)
    return expected


def token_counts(parse: Parse) -> list[WordCounts]:
    """The counts of each token of one tree."""
    binary, n = parse.binary, len(parse.binary.words)
    opened, announced, closed, scores, change = np.zeros((5, n + 1))
    corner = -1, 0  # where the constituents begin that are looked at, and where the largest of them so far ends
    for start, end in sorted(span for span, labels in binary.labels.items() if labels):
        number, first = len(binary.labels[start, end]), corner[1] if corner[0] == start else start + 1
        opened[start] += number
        closed[end - 1] += number
        announced[first - 1] += 1
        announced[end - 1] += number - 1
        change[start] += number
        change[end] -= number
        corner = start, end
    for (_, _, end), score in zip(binary.merges, parse.scores, strict=True):
        scores[end - 1] += score
    rows = np.stack([opened, announced, closed, scores, change.cumsum()], axis=1)
    return [WordCounts(*row) for row in rows[:n].tolist()]
