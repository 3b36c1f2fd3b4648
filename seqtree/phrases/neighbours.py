"""The phrases that are nearest to a phrase, of any number that are read one after the other."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice, tee
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from seqtree.errors import InputError, check_count
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import Reader, Vector
from seqtree.phrases.similarity import cosine, cosines
from seqtree.phrases.vectors import missing

TOGETHER = 4096  # vectors of one product
ROUNDING = 1e-9  # by which a cosine of many differs from one by itself, at most


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
    phrases, read = tee(one for one in among if one.text != own)
    both = zip(phrases, reader.vectors(read), strict=True)
    known = ((phrase, other) for phrase, other in both if other is not None)
    scored = (one for some in iter(lambda: list(islice(known, TOGETHER)), []) for one in _scored(vector, some, count))
    best = heapq.nlargest(count, scored, key=attrgetter("cosine"))  # the first of equal ones first
    if not best:
        raise InputError("there is no other phrase that the model can read")
    return best


def _scored(vector: Vector, some: list[tuple[Phrase, Vector]], count: int) -> Iterator[Neighbour]:
    """Those of some phrases that may be among the ``count`` nearest: one product of all their vectors finds which."""
    scores = cosines(vector, [other for _, other in some])
    least = np.partition(scores, -count)[-count] - ROUNDING if count < len(some) else -np.inf
    for phrase, other in (some[i] for i in np.flatnonzero(scores >= least)):
        yield Neighbour(cosine(vector, other), phrase)
