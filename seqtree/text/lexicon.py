"""What a model over words knows by name: words and characters, and the labels that it predicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.text.vocabulary import Vocabulary

MAX_WORD_LENGTH = 40  # characters that are read of a word: its first and its last
MAX_REMEMBERED = 1 << 16  # words whose spelling is remembered

Ids = npt.NDArray[np.int64]
L = TypeVar("L", bound=Hashable)


class LabelSet(Generic[L]):
    """Labels (tags, classes, chains of node labels) and their indices 0..n-1. Raises InputError for a repeated one."""

    def __init__(self, names: Iterable[L]) -> None:
        self.names = tuple(names)
        self._index = {name: index for index, name in enumerate(self.names)}
        if len(self._index) != len(self.names):
            raise InputError("a label is listed twice")

    def __len__(self) -> int:
        return len(self.names)

    def extended(self, others: Iterable[L]) -> LabelSet[L]:
        """These labels and, after them, those of ``others`` that are new."""
        return LabelSet(dict.fromkeys((*self.names, *others)))

    def encode(self, names: Iterable[L | None]) -> Ids:
        """The indices (n,) of labels; that of None or an unknown one is -1, which no loss counts."""
        return np.array([-1 if name is None else self._index.get(name, -1) for name in names], dtype=np.int64)


def in_order(names: Iterable[str]) -> list[str]:
    """Names of classes sorted: as numbers, if they all are whole numbers.

    >>> in_order(["10", "9"]), in_order(["b", "9", "10"])
    (['9', '10'], ['10', '9', 'b'])
    """
    found = list(names)
    numbers = all(name.isdecimal() for name in found)
    return sorted(found, key=lambda name: (int(name), name)) if numbers else sorted(found)


class Known(NamedTuple):
    """Words and characters that are known besides those of the training data.

    ``first``: whether they are a model's, in its order: then they come before all others, and keep their numbers.
    """

    words: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    first: bool = False


NOTHING = Known()


class Lexicon:
    """Words and characters with their indices, and how often each word was seen in training.

    A word that is unknown as written but known in lower case is read in lower case.
    """

    def __init__(self, words: Vocabulary, characters: Vocabulary, counts: Sequence[int]) -> None:
        if len(counts) != len(words):
            raise InputError(f"{len(counts)} counts do not fit {len(words)} words")
        self.words, self.characters, self.counts = words, characters, tuple(counts)
        self._spelled: dict[str, Ids] = {}  # by what is read of a word

    def __len__(self) -> int:
        return len(self.words)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_spelled": {}}  # a copy makes its own

    @classmethod
    def build(cls, counts: Mapping[str, int], min_count: int = 1, more: Known = NOTHING) -> Lexicon:
        """The words with these counts, the most frequent first, and after them ``more``, in the same order.

        Words below ``min_count`` that are not among ``more`` are left to ``<unk>``.
        """
        characters: Counter[str] = Counter()
        for word, count in counts.items():
            characters.update(dict.fromkeys(word, count))
        if more.first:
            vocabulary = Vocabulary("word", more.words).extended(counts, min_count)
            known = Vocabulary("char", more.characters).extended(characters)
        else:
            others = {word: 1 + counts.get(word, 0) for word in more.words}
            vocabulary = Vocabulary.build(counts, "word", min_count).extended(others)
            known = Vocabulary.build(characters, "char").extended(dict.fromkeys(more.characters, 1))
        return cls(vocabulary, known, [counts.get(word, 0) for word in vocabulary])

    def encode(self, words: Sequence[str]) -> Ids:
        """The indices (n,) of words."""
        known = self.words
        return known.encode([word if word in known else word.lower() for word in words])

    def spelling(self, word: str) -> Ids:
        """The indices of a word's characters, at most ``MAX_WORD_LENGTH``."""
        if len(word) > MAX_WORD_LENGTH:
            half = MAX_WORD_LENGTH // 2
            word = word[:half] + word[-half:]
        ids = self._spelled.get(word)
        if ids is None:
            ids = self.characters.encode(list(word))
            if len(self._spelled) < MAX_REMEMBERED:
                self._spelled[word] = ids
        return ids

    def to_json(self) -> dict[str, Any]:
        """The JSON form, which ``from_json`` reads back."""
        return {
            "words": self.words.to_json(),
            "characters": self.characters.to_json(),
            "counts": list(self.counts),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Lexicon:
        """From the JSON form; raises InputError, KeyError or TypeError for anything else."""
        counts = data["counts"]
        if not isinstance(counts, list) or not all(type(n) is int and 0 <= n < 1 << 53 for n in counts):
            raise InputError("a lexicon's counts are whole numbers, 0 or more")
        return cls(Vocabulary.from_json(data["words"]), Vocabulary.from_json(data["characters"]), counts)
