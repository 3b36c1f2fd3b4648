"""What decoding a batch of sentences results in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from seqtree.parsing.spans import Pairs
from seqtree.text.lexicon import Ids

Floats = npt.NDArray[np.float32]


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
class Decoding:
    """The result of decoding a batch: every scored pair, the vectors (N + pairs, V) of all nodes, and the merges."""

    pairs: Pairs
    vectors: Tensor
    merges: Merges
