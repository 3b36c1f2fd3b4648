"""Baseline: an n-gram model with interpolated Kneser-Ney smoothing, over the same tokens as a neural language model.

Kneser and Ney (1995), interpolated as in Chen and Goodman (1999, section 2.7), one absolute discount for each order.
With h' = h without its first token, the highest order n, and the counts c defined below,

    p(w | h) = max(c(h w) - D, 0) / sum_v c(h v)  +  D |{v: c(h v) > 0}| / sum_v c(h v)  p(w | h')

and p(w | h) = p(w | h') if h was never seen; the unigrams are interpolated with 1 / V, so that every token of the
vocabulary has a probability. At order n, c is the number of occurrences; at lower orders, the number of distinct tokens
seen to the left. A word model reads sentence by sentence, each after one ``<s>``, and no context extends beyond it: an
n-gram that begins with ``<s>`` has nothing to its left, so its c is the number of occurrences at every order.
Characters are one stream after a newline, or lines that are read in the same way as sentences, where each of them is an
item of its own. D = n1 / (n1 + 2 n2), n1 and n2 being how many n-grams of the order have a count of one and two; 0.5 if
either is 0.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.text.perplexity import perplexity
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel

Ids = npt.NDArray[np.int64]
MAX_ORDER = 10


def compare(
    model: LanguageModel,
    training_paths: Sequence[str | Path],
    text: Sequence[str | Path] | TokenStream,
    order: int = 3,
    encoding: str = "utf-8",
) -> dict[str, float]:
    """Count n-grams in training text and evaluate on another: {order, loss, perplexity, bits_per_character,
    bits_per_byte, seconds}, over the same tokens and in the same units as ``model.evaluate_files``.

    Both texts are encoded with the model's vocabulary, unseen tokens as ``<unk>``. Memory: about 200 bytes per token of
    the texts. Raises InputError for an order outside 1 to 10, and as ``encode_paths`` does.
    """
    began = time.perf_counter()
    ngrams = ngrams_of(model, training_paths, order, encoding)
    stream = text if isinstance(text, TokenStream) else model.encode_files(text, encoding)
    total = -math.fsum(np.log(ngrams.probabilities(stream.ids)))
    loss, bits = total / len(stream), total / math.log(2)
    return {
        "order": order,
        "loss": loss,
        "perplexity": perplexity(loss),
        "bits_per_character": bits / stream.characters,
        "bits_per_byte": bits / stream.bytes,
        "seconds": time.perf_counter() - began,
    }


def ngrams_of(model: LanguageModel, training_paths: Sequence[str | Path], order: int, encoding: str) -> KneserNey:
    """The n-grams of a training text, over the tokens of a model. Raises InputError as ``compare`` does."""
    ids = model.encode_files(training_paths, encoding).ids
    return KneserNey(ids, model.vocabulary, order, lines=model.settings.lines)


class KneserNey:
    """An interpolated Kneser-Ney model of a stream of token indices ``ids`` (N,).

    discounts: one for each order from 1 to ``order``, each in [0, 1]; None estimates them. lines: read characters line
    by line. Raises InputError if there are no tokens, or for an order or discounts out of range.

    An n-gram of k tokens is identified by a number: the index of its key among the sorted distinct keys of order k,
    where the key is the number of its first k - 1 tokens times V plus its last token (V + 1 where the start of a line
    is no token of the vocabulary). So keys of any order fit into 64 bits, the number of a context is known from the
    position before, and counting is sorting.
    """

    def __init__(
        self,
        ids: npt.ArrayLike,
        vocabulary: Vocabulary,
        order: int = 3,
        discounts: Sequence[float] | None = None,
        lines: bool = False,
    ) -> None:
        if not 1 <= order <= MAX_ORDER:
            raise InputError(f"order {order} of the n-grams: expected 1 to {MAX_ORDER}")
        if discounts is not None and (len(discounts) != order or not all(0 <= d <= 1 for d in discounts)):
            raise InputError(f"discounts {list(discounts)}: expected {order} numbers from 0 to 1")
        self.vocabulary, self.order = vocabulary, order
        self._sentences = lines or vocabulary.unit == "word"
        apart = self._sentences and vocabulary.unit == "char"  # a newline is only ever an end
        self._start = len(vocabulary) if apart else vocabulary.start
        self._size = len(vocabulary) + apart
        tokens, offsets = self._with_starts(np.asarray(ids).astype(np.int64))
        if len(tokens) < 2:
            raise InputError("no token to count n-grams of")
        self._keys: list[Ids] = []  # sorted keys of each order; at order 1 keys, numbers and tokens are the same
        self._counts: list[Ids] = []  # of each order, indexed by number
        self._count(tokens, offsets)
        self._totals, self._followers = self._by_context()
        self.discounts = list(discounts) if discounts is not None else [_discount(c) for c in self._counts]

    def probabilities(self, ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """p(token | all before it) for every token of a text ``ids`` (N,); (N,), above 0 if no discount is 0.

        Raises InputError for an index outside the vocabulary.
        """
        wanted = np.asarray(ids).astype(np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < len(self.vocabulary):
            raise InputError(f"an index is outside the vocabulary of {len(self.vocabulary)} tokens")
        tokens, offsets = self._with_starts(wanted)
        probability = np.full(len(tokens), 1 / len(self.vocabulary))
        numbers = tokens
        context = np.where(offsets > 0, 0, -1)
        for k in range(1, self.order + 1):
            if not len(self._keys[k - 1]):
                break  # no training sentence is that long
            if k > 1:
                context = np.concatenate([[-1], np.where(offsets[1:] >= k - 1, numbers[:-1], -1)])
                numbers = _find(self._keys[k - 1], context, tokens, self._size)
            probability = self._interpolated(k, context, numbers, probability)
        return probability[offsets > 0]

    def surprisals(self, windows: Iterable[npt.ArrayLike]) -> Iterator[Tensor]:
        """Surprisals in nats (T,) of each window of a text (T,), after all windows before it."""
        before = np.zeros(0, dtype=np.int64)
        for ids in windows:
            both = np.concatenate([before, np.asarray(ids).astype(np.int64)])
            yield -torch.from_numpy(self.probabilities(both)[len(before) :]).log()
            before = both[max(0, len(both) - self.order + 1) :]

    def _interpolated(
        self, k: int, context: Ids, numbers: Ids, lower: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """The module's formula at order k, from the numbers of contexts and n-grams (-1: never seen)."""
        totals = np.where(context >= 0, self._totals[k - 1][context], 0)
        followers = self._followers[k - 1][context]
        counts = np.where(numbers >= 0, self._counts[k - 1][numbers], 0)
        discount, seen = self.discounts[k - 1], totals > 0
        safe = np.where(seen, totals, 1)
        return np.where(seen, (np.maximum(counts - discount, 0) + discount * followers * lower) / safe, lower)

    def _with_starts(self, ids: Ids) -> tuple[Ids, Ids]:
        """The text with sentence starts inserted, and the distance of each position from the last start."""
        first = np.zeros(len(ids), dtype=bool)
        first[:1] = True
        if self._sentences:
            first[1:] = ids[:-1] == self.vocabulary.end
        places = np.arange(len(ids)) + np.cumsum(first)
        tokens = np.full(len(ids) + int(first.sum()), self._start, dtype=np.int64)
        tokens[places] = ids
        starts = np.zeros(len(tokens), dtype=np.int64)
        begins = places[first] - 1
        starts[begins] = begins
        return tokens, np.arange(len(tokens)) - np.maximum.accumulate(starts)

    def _count(self, tokens: Ids, offsets: Ids) -> None:
        """Fill keys and counts, order by order."""
        size = self._size
        numbers, keys, found = tokens, np.arange(size), np.bincount(tokens[offsets > 0], minlength=size)
        starting = (keys == self._start) & self._sentences  # n-grams that begin with <s>
        for k in range(2, self.order + 1):
            self._keys.append(keys)
            places = np.flatnonzero(offsets >= k - 1)
            here = numbers[places - 1] * size + tokens[places]
            keys, first, inverse, longer = np.unique(here, return_index=True, return_inverse=True, return_counts=True)
            distinct = np.bincount(numbers[places[first]], minlength=len(found))  # distinct tokens to the left
            self._counts.append(np.where(starting, found, distinct))
            numbers = np.full(len(tokens), -1, dtype=np.int64)
            numbers[places] = inverse
            found, starting = longer, starting[keys // size]
        self._keys.append(keys)
        self._counts.append(found)

    def _by_context(self) -> tuple[list[Ids], list[Ids]]:
        """For each order and context, the sum of the counts after it and the number of distinct tokens after it."""
        totals, followers = [self._counts[0].sum(keepdims=True)], [(self._counts[0] > 0).sum(keepdims=True)]
        for k in range(2, self.order + 1):
            counts, before = self._counts[k - 1], self._keys[k - 1] // self._size
            size = len(self._counts[k - 2])
            totals.append(np.bincount(before, weights=counts, minlength=size).astype(np.int64))
            followers.append(np.bincount(before[counts > 0], minlength=size))
        return totals, followers


def _find(keys: Ids, context: Ids, tokens: Ids, size: int) -> Ids:
    """The numbers of n-grams with these contexts (-1: unknown) and last tokens; -1 for n-grams not in ``keys``."""
    wanted = context * size + tokens
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((context >= 0) & (keys[places] == wanted), places, -1)


def _discount(counts: Ids) -> float:
    ones, twos = int((counts == 1).sum()), int((counts == 2).sum())
    return ones / (ones + 2 * twos) if ones and twos else 0.5
