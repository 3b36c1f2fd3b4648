"""The phrases that are nearest to a phrase, of any number that are read one after the other."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import NamedTuple

from seqtree.errors import InputError, check_count
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import Reader, Vector
from seqtree.phrases.similarity import cosine
from seqtree.phrases.vectors import missing


class Neighbour(NamedTuple):
    """A phrase and the cosine of its vector with that of the phrase that was asked about."""

    cosine: float
    phrase: Phrase


def nearest(reader: Reader, text: str, among: Iterable[Phrase], count: int = 10) -> list[Neighbour]:
    """The ``count`` phrases whose vectors are nearest to that of ``text``, nearest first, the text itself left out.

    Only some thousands of phrases are in memory at a time. Raises InputError if the text has no vector, or no phrase
    among the others has one.
    """
    check_count("n", count)
    (vector,) = missing([text], reader.vectors([Phrase(text)]))
    own = " ".join(text.split())
    best = heapq.nlargest(count, _scored(reader, vector, (one for one in among if one.text != own)))
    if not best:
        raise InputError("there is no other phrase that the model can read")
    return [Neighbour(score, phrase) for score, _, phrase in best]


def _scored(reader: Reader, vector: Vector, among: Iterable[Phrase]) -> Iterator[tuple[float, int, Phrase]]:
    phrases, read = tee(among)
    for number, (phrase, other) in enumerate(zip(phrases, reader.vectors(read), strict=True)):
        if other is not None:
            yield cosine(vector, other), -number, phrase
