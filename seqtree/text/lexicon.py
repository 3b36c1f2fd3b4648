"""What a parser knows by name: words, characters, tags and labels; and sentences and gold trees in its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.parsing.spans import Ids
from seqtree.text.vocabulary import Vocabulary
from seqtree.treebank.binary import BinaryTree, Labels

MAX_WORD_LENGTH = 40  # characters that are read of a word: its first and its last
EMPTY: Labels = ()


@dataclass(frozen=True)
class GoldTree:
    """A training tree in numbers: ``words`` (n,), ``tags`` (n,), and its constituents' ``starts``, ``ends``, ``labels``
    (k,), single words included. ``binary`` is where they come from."""

    words: Ids
    tags: Ids
    starts: Ids
    ends: Ids
    labels: Ids
    binary: BinaryTree

    def __len__(self) -> int:
        return len(self.words)


class Lexicon:
    """Words, characters, tags and labels with their indices; label 0 is the empty one.

    A word that is unknown as it is written but known in lower case is read in lower case.
    """

    def __init__(
        self,
        words: Vocabulary,
        characters: Vocabulary,
        tags: Sequence[str],
        labels: Sequence[Labels],
        counts: Sequence[int],
    ) -> None:
        if len(counts) != len(words):
            raise InputError(f"{len(counts)} counts do not fit {len(words)} words")
        if not labels or labels[0] != EMPTY:
            raise InputError("the first label of a parser is the empty one")
        self.words, self.characters = words, characters
        self.tags, self.labels, self.counts = tuple(tags), tuple(labels), tuple(counts)
        self._tag_index = {tag: i for i, tag in enumerate(self.tags)}
        self._label_index = {label: i for i, label in enumerate(self.labels)}
        self._spelled: dict[str, Ids] = {}

    @classmethod
    def build(cls, trees: Iterable[BinaryTree], min_count: int = 1, more: Iterable[str] = ()) -> Lexicon:
        """What a treebank's trees hold, and ``more`` words; others seen less than ``min_count`` times are left to
        ``<unk>``."""
        words: Counter[str] = Counter()
        tags: Counter[str] = Counter()
        labels: Counter[Labels] = Counter()
        for tree in trees:
            words.update(tree.words)
            tags.update(tag for tag in tree.tags if tag is not None)
            labels.update(tree.labels.values())
        vocabulary = Vocabulary.build(words, "word", min_count).extended(dict.fromkeys(more, 1))
        characters: Counter[str] = Counter()
        for word, count in words.items():
            characters.update(dict.fromkeys(word, count))
        del labels[EMPTY]
        return cls(
            vocabulary,
            Vocabulary.build(characters, "char"),
            sorted(tags),
            [EMPTY, *sorted(labels)],
            [words[word] for word in vocabulary],
        )

    def gold(self, tree: BinaryTree) -> GoldTree:
        """A tree in numbers; a tag or label that the lexicon lacks becomes -1, which no loss counts."""
        spans = sorted(tree.labels)
        return GoldTree(
            words=self.word_ids(tree.words),
            tags=np.array([self._tag_index.get(tag or "", -1) for tag in tree.tags], dtype=np.int64),
            starts=np.array([start for start, _ in spans], dtype=np.int64),
            ends=np.array([end for _, end in spans], dtype=np.int64),
            labels=np.array([self._label_index.get(tree.labels[span], -1) for span in spans], dtype=np.int64),
            binary=tree,
        )

    def word_ids(self, words: Sequence[str]) -> Ids:
        """The indices (n,) of words."""
        known = self.words
        return known.encode([word if word in known else word.lower() for word in words])

    def tag_names(self, ids: Iterable[int]) -> list[str | None]:
        """The tags of these indices; None for each if the treebank had no tags."""
        return [self.tags[i] if self.tags else None for i in ids]

    def spelling(self, word: str) -> Ids:
        """The indices of a word's characters, at most ``MAX_WORD_LENGTH``."""
        ids = self._spelled.get(word)
        if ids is None:
            half = MAX_WORD_LENGTH // 2
            read = word if len(word) <= MAX_WORD_LENGTH else word[:half] + word[-half:]
            ids = self.characters.encode(list(read))
            if len(self._spelled) < 200_000:
                self._spelled[word] = ids
        return ids

    @property
    def sizes(self) -> dict[str, int]:
        """How many words, characters, tags and labels there are."""
        return {
            "words": len(self.words),
            "characters": len(self.characters),
            "tags": len(self.tags),
            "labels": len(self.labels),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "words": self.words.to_json(),
            "characters": self.characters.to_json(),
            "tags": list(self.tags),
            "labels": [list(label) for label in self.labels],
            "counts": list(self.counts),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Lexicon:
        """From the JSON form; raises InputError, KeyError or TypeError for anything else."""
        return cls(
            Vocabulary.from_json(data["words"]),
            Vocabulary.from_json(data["characters"]),
            data["tags"],
            [tuple(label) for label in data["labels"]],
            data["counts"],
        )
