"""The tree of one sentence of a document: as it is stored there, and found again by its spans.

A sentence's constituents stand in pre-order, a node before its children. White space that spaCy has made a token is no
word: no constituent begins or ends with it, but the whole sentence, which has all its tokens.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import neg
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

    from seqtree.parsing.parse import Parse

Stored = dict[str, Any]


def stored_tree(parse: Parse | None, places: Sequence[int], lengths: Sequence[int]) -> Stored:
    """A parse as numbers and strings, None for a sentence of white space.

    places: which of the tokens of the sentence the words are; ``lengths`` are those of its tokens, in characters, and
    tell whether they have changed since. ``starts``, ``ends``, ``labels`` and ``tags`` have an item for each
    constituent, words among them: its tokens [start, end) in the sentence, its labels, outermost first, and the tag of
    a word, None for phrases.
    """
    stored: Stored = {"lengths": lengths, "starts": [], "ends": [], "labels": [], "tags": []}
    if parse is None:
        return stored
    from seqtree.treebank.normalisation import ROOT

    binary, count = parse.binary, len(parse.binary.words)
    labels: dict[tuple[int, int], tuple[str, ...]] = {(i, i + 1): () for i in range(count)}
    labels |= binary.labels
    if not labels.get((0, count)) and (count > 1 or binary.tags[0] is None):
        labels[0, count] = (ROOT,)  # as ``restore`` has it
    for start, end in sorted(labels, key=lambda span: (span[0], -span[1])):
        stored["starts"].append(places[start])
        stored["ends"].append(places[end - 1] + 1)
        stored["labels"].append(labels[start, end])  # shared by all spans that have them
        stored["tags"].append(binary.tags[start] if end - start == 1 else None)
    return stored


def token_lengths(sentence: Iterable[Token]) -> tuple[int, ...]:
    """How many characters each token of a sentence has."""
    return tuple(map(len, sentence))


@dataclass(frozen=True)
class SentenceTree:
    """A sentence and its constituents, which are known by their numbers in pre-order."""

    sentence: Span
    starts: Sequence[int]
    ends: Sequence[int]
    labels: Sequence[Sequence[str]]
    tags: Sequence[str | None]

    @classmethod
    def of(cls, sentence: Span, stored: Stored) -> SentenceTree:
        """The tree that is stored for a sentence."""
        return cls(sentence, stored["starts"], stored["ends"], stored["labels"], stored["tags"])

    def find(self, start: int, end: int) -> int | None:
        """The constituent of these tokens of the sentence, which have no white space at their ends."""
        low, high = bisect_left(self.starts, start), bisect_right(self.starts, start)
        number = bisect_left(self.ends, -end, low, high, key=neg)
        return number if number < high and self.ends[number] == end else None

    def around(self, start: int, end: int) -> int | None:
        """The smallest constituent that has these tokens and more, None for the sentence and what goes beyond it."""
        number = self.find(start, end)
        first = bisect_right(self.starts, start) if number is None else number
        for other in range(first - 1, -1, -1):
            if self.ends[other] >= end:
                return other
        beside_all = number is None and bool(self.starts) and end <= len(self.sentence)
        return 0 if beside_all else None  # white space at an end of the sentence

    def inside(self, number: int) -> range:
        """A constituent and all that are in it."""
        return range(number, bisect_left(self.starts, self.ends[number]))

    def children(self, number: int) -> Iterator[int]:
        """The largest constituents in one."""
        within = self.inside(number)
        child = within.start + 1
        while child < within.stop:
            yield child
            child = self.inside(child).stop

    def span(self, number: int) -> Span:
        """A constituent's tokens; those of the first one are the sentence's."""
        first = self.sentence.start
        if number == 0:
            return self.sentence
        return self.sentence.doc[first + self.starts[number] : first + self.ends[number]]

    def brackets(self, number: int) -> str:
        """A constituent as a tree in brackets, as ``seqtree parse`` writes it."""
        from nltk.tree import Tree

        from seqtree.treebank.bracketed import write_tree

        top: list[Any] = []
        waiting = [(self.ends[number], top)]  # nodes that are not complete: where each ends, and its children
        for inner in self.inside(number):
            start, end, tag = self.starts[inner], self.ends[inner], self.tags[inner]
            while waiting[-1][0] <= start:
                waiting.pop()
            children = waiting[-1][1]
            for label in self.labels[inner]:
                children.append(Tree(label, []))
                children = children[-1]
            if end - start == 1:
                word = self.sentence[start].text
                children.append(word if tag is None else Tree(tag, [word]))
            else:
                waiting.append((end, children))
        return write_tree(top[0])
