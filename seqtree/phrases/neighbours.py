"""The phrases that are nearest to a phrase, of any number that are read one after the other."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, tee
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from seqtree.errors import InputError, check_count
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import Reader, Vector
from seqtree.phrases.similarity import cosine, cosines
from seqtree.phrases.vectors import required
from seqtree.text.reading import checked_text, several
from seqtree.wording import a

SAME = 0.9999  # no smaller is the cosine of what is read as the same words

TOGETHER = 4096  # vectors of one product
ROUNDING = 1e-9  # by which a cosine of many differs from one by itself, at most


class Neighbour(NamedTuple):
    """A phrase and the cosine of its vector with that of the phrase that was asked about."""

    cosine: float
    phrase: Phrase


def nearest(reader: Reader, text: str, among: Iterable[Phrase], count: int = 10) -> list[Neighbour]:
    """The ``count`` phrases whose vectors are nearest to that of ``text``, nearest first, the text itself left out.

    So is what is read as the same words: ``company`` where ``Company`` is known only in lower case. Only some thousands
    of phrases are in memory at a time. Raises InputError if the text has no vector, no phrase among the others has one,
    and for what are no Phrases.
    """
    check_count("n", count)
    if not isinstance(reader, Reader):
        raise InputError(f"expected what PhraseVectors.by_words or .by_phrases is, not {a(type(reader).__name__)}")
    asked = Phrase(checked_text(text))
    (vector,) = required([text], reader.vectors([asked]))
    own, forms = " ".join(text.split()), reader.forms(asked)
    phrases, read = tee(one for one in _phrases(among) if one.text != own)
    both = zip(phrases, reader.vectors(read), strict=True)
    known = ((phrase, other) for phrase, other in both if other is not None)
    parts = iter(lambda: list(islice(known, TOGETHER)), [])
    scored = (one for some in parts for one in _scored(vector, some, count, lambda it: reader.forms(it) == forms))
    best = heapq.nlargest(count, scored, key=attrgetter("cosine"))  # the first of equal ones first
    if not best:
        raise InputError("there is no other phrase that the model can read")
    return best


def _phrases(among: Iterable[Phrase]) -> Iterator[Phrase]:
    for one in several(among, "phrases"):
        if not isinstance(one, Phrase):
            raise InputError(f"expected Phrases to look among, not {one!r:.60}")
        yield one


def _scored(
    vector: Vector, some: list[tuple[Phrase, Vector]], count: int, is_own: Callable[[Phrase], bool]
) -> Iterator[Neighbour]:
    """Those of some phrases that may be among the ``count`` nearest: one product of all their vectors finds which."""
    scores = cosines(vector, [other for _, other in some])
    for number in np.flatnonzero(scores >= SAME):
        if is_own(some[number][0]):
            scores[number] = -np.inf
    least = np.partition(scores, -count)[-count] - ROUNDING if count < len(some) else -np.inf
    for phrase, other in (some[i] for i in np.flatnonzero((scores >= least) & (scores > -np.inf))):
        yield Neighbour(cosine(vector, other), phrase)
