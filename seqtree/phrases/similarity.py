"""How alike two texts are by their vectors, and how well that agrees with people's judgements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import Vector
from seqtree.phrases.vectors import PhraseVectors
from seqtree.text.reading import numbered_lines, sources

EXPECTED = "text<TAB>text<TAB>score"


class ScoredPair(NamedTuple):
    """Two texts, and how alike people find them."""

    first: str
    second: str
    score: float


@dataclass(frozen=True)
class SimilarityEvaluation:
    """How well cosines agree with scores of ``pairs``: Spearman's rank correlation over the ``covered`` ones.

    A pair is covered if the model knows a word of each of its texts. ``spearman`` is None for fewer than two pairs, or
    if all scores or all cosines are the same.
    """

    pairs: int
    covered: int
    spearman: float | None

    @property
    def coverage(self) -> float:
        """The share of pairs that are covered."""
        return self.covered / self.pairs

    def to_json(self) -> dict[str, Any]:
        """The figures with their names."""
        return {**asdict(self), "coverage": self.coverage}


def cosine(first: Vector, second: Vector) -> float:
    """The cosine of the angle between two vectors (D,); 0 if one of them is zero. Raises InputError for other shapes.

    >>> cosine(np.array([1.0, 0.0], np.float32), np.array([1.0, 1.0], np.float32))  # doctest: +ELLIPSIS
    0.707...
    """
    try:
        one, other = (np.asarray(vector, dtype=np.float64) for vector in (first, second))
    except (TypeError, ValueError):
        raise InputError("expected two vectors of numbers") from None
    if one.ndim != 1 or one.shape != other.shape:
        raise InputError(f"vectors of shapes {one.shape} and {other.shape}; expected two of one length")
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / scale if scale else 0.0


def cosines(vector: Vector, others: Sequence[Vector]) -> npt.NDArray[np.float64]:
    """The cosines (N,) of a vector (D,) and each of N others, as ``cosine`` gives them but for rounding."""
    one, rows = np.asarray(vector, np.float64), np.asarray(others, np.float64)
    scale = np.linalg.norm(one) * np.linalg.norm(rows, axis=1)
    found: npt.NDArray[np.float64] = rows @ one / np.where(scale, scale, 1.0)
    return found


def read_pairs(path: str, encoding: str = "utf-8") -> list[ScoredPair]:
    """The pairs of a file, ``text<TAB>text<TAB>score`` in each line. Raises InputError, naming file and line."""
    with sources([path]) as (files,):
        lines = numbered_lines(files, encoding)
        found = [_pair(line, f"{path}:{number}") for number, line in lines if line.strip()]
    if not found:
        raise InputError(f"{path}: no pair in it; expected {EXPECTED} in each line")
    return found


def _pair(line: str, place: str) -> ScoredPair:
    """The pair of a line. Raises InputError, naming its place."""
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) != 3:
        raise InputError(f"{place}: {line[:60]!r}; expected {EXPECTED}")
    first, second, given = fields
    if not first or not second:
        raise InputError(f"{place}: an empty text; expected {EXPECTED}")
    try:
        score = float(given)
    except ValueError:
        score = np.nan
    if not np.isfinite(score):
        raise InputError(f"{place}: the score {given[:60]!r} is no finite number; expected {EXPECTED}, such as 3.5")
    return ScoredPair(first, second, score)


def evaluate(vectors: PhraseVectors, pairs: Sequence[ScoredPair]) -> SimilarityEvaluation:
    """The agreement of a model's cosines with the scores of pairs."""
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.first, pair.second)))
    all_known = not vectors.unknown(texts)
    found = dict(zip(texts, vectors.vectors(texts), strict=True))
    read = {text: vector for text, vector in found.items() if all_known or _known(vectors, text)}
    scores, alike = [], []
    for pair in pairs:
        first, second = read.get(pair.first), read.get(pair.second)
        if first is not None and second is not None:
            scores.append(pair.score)
            alike.append(cosine(first, second))
    return SimilarityEvaluation(len(pairs), len(scores), spearman(scores, alike))


def _known(vectors: PhraseVectors, text: str) -> bool:
    """Whether the model knows a word of a text."""
    return bool(vectors.words.ids(Phrase(text)))


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation: Pearson's of the ranks, equal numbers sharing the mean of theirs.

    None if there are fewer than two, or one of the two lists is constant. Raises InputError for NaN.

    >>> spearman([1, 2, 3], [10, 30, 20])
    0.5
    """
    one, other = (_ranks(np.asarray(values, dtype=np.float64)) for values in (first, second))
    if len(one) < 2:
        return None
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale else None


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rank of each value from 1; the mean rank for equal ones. Raises InputError for NaN."""
    if np.isnan(values).any():
        raise InputError("NaN, which is no number, has no rank; leave its pair out")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return ranks
