"""What encoding and decoding a batch of sentences result in: in tensors, or in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from seqtree.parsing.spans import Pairs
from seqtree.text.lexicon import Ids

Floats = npt.NDArray[np.float32]
V = TypeVar("V")  # Tensor or Floats


@dataclass(frozen=True)
class Encoded(Generic[V]):
    """What the encoder makes of a batch of N words in B sentences.

    ``leaves`` (N, vector): the leaves of the trees, in whose type all nodes are computed. ``merges`` and ``labels``
    (N + B, scorer): the part that each fence has in the scores of a span that begins or ends there; None without an
    encoder. ``tags`` (N, tags): logits.
    """

    leaves: V
    merges: V | None
    labels: V | None
    tags: V


@dataclass(frozen=True)
class Merges:
    """All merges of a batch, sentence by sentence in the order they were made; (S,) each.

    ``pair`` is the number of the merged pair, ``score`` the score by which it was chosen, and ``margin`` the difference
    to the best other pair (infinite if there was none).
    """

    row: Ids
    start: Ids
    middle: Ids
    end: Ids
    pair: Ids
    score: Floats
    margin: Floats


@dataclass(frozen=True)
class Decoding(Generic[V]):
    """The result of decoding a batch: every scored pair, the vectors (N + pairs, V) of all nodes, and the merges."""

    pairs: Pairs
    vectors: V
    merges: Merges
