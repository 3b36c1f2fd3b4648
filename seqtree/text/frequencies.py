"""How common words are, counted in a text: their place on the Zipf scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqtree.errors import InputError
from seqtree.text.blocks import count_words
from seqtree.text.config import END, check_encoding
from seqtree.text.reading import read_text, sources
from seqtree.text.tokenizers import line_blocks


def counted_form(word: str) -> str:
    """A word as it is counted: in lower case, without the punctuation at its ends, unless it is nothing else.

    >>> counted_form('"Don\\'t!"'), counted_form("--")
    ("don't", '--')
    """
    first = next((i for i, character in enumerate(word) if character.isalnum()), None)
    if first is None:
        return word
    last = max(i for i, character in enumerate(word) if character.isalnum())
    return word[first : last + 1].lower()


class Frequencies:
    """The counts of words (runs of characters that are no white space), in the form of ``counted_form``."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts: Counter[str] = Counter()
        for word, count in counts.items():
            self._counts[counted_form(word)] += count
        self._total = sum(self._counts.values()) + len(self._counts)

    @classmethod
    def of_files(cls, paths: Sequence[str | Path], encoding: str = "utf-8") -> Frequencies:
        """Those of files, folders or standard input. Raises InputError if there is no word in them."""
        check_encoding(encoding)
        with sources(paths) as (files,):
            counts = count_words(line_blocks(read_text(files, encoding)), "whitespace")
        del counts[END]
        if not counts:
            raise InputError(f"{', '.join(map(str, paths))}: no word to count in it")
        return cls(counts)

    def zipf(self, word: str) -> float:
        """log10 of the word's occurrences in a thousand million, one added to the count of every word.

        The Zipf scale of van Heuven, Mandera, Keuleers and Brysbaert (2014): below 3 rare, above 4 common.
        """
        return math.log10((self._counts[counted_form(word)] + 1) / self._total * 1e9)
