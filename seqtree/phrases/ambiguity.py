"""The readings of an ambiguous phrase: its best trees that differ in their constituents, and their vectors."""

from __future__ import annotations

from typing import NamedTuple

from nltk.tree import Tree

from seqtree.errors import InputError, check_count
from seqtree.parsing.parse import Parse
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import TreeReader, Vector, parsed
from seqtree.phrases.vectors import PhraseVectors, required

MORE = 16  # times as many trees are looked at, since most differ in labels only


class Reading(NamedTuple):
    """A tree of a phrase, the vector of its root, and the natural logarithm of its probability, where it has one."""

    tree: Tree
    vector: Vector
    log_probability: float | None


def readings(vectors: PhraseVectors, text: str, count: int = 2) -> list[Reading]:
    """Up to ``count`` readings of a phrase, best first; any two of them differ in what belongs together.

    The trees are those of the model, a parser, or of the parser that reads sentences for a tree classifier. Raises
    InputError for a model of another kind, and for a phrase without words.
    """
    reader = vectors.by_phrases
    if not isinstance(reader, TreeReader):
        kind = getattr(vectors.model, "kind", "a file of vectors")
        raise InputError(f"{kind}: expected a parser or a tree classifier, which read trees")
    check_count("k", count)
    words = reader.words(text)
    if not words:
        raise InputError("the phrase has no words")
    best: list[Parse] = []
    for parse in reader.parser.k_best(words, MORE * count):
        if len(best) < count and all(_differ(parse, other) for other in best):
            best.append(parse)
    phrases = [Phrase(text, tree=parsed(parse, words)) for parse in best]
    found = required([text] * len(best), reader.vectors(phrases))
    return [Reading(parse.tree, vector, parse.log_probability) for parse, vector in zip(best, found, strict=True)]


def _differ(one: Parse, other: Parse) -> bool:
    """Whether two parses have different constituents of two words or more, and different merges, too."""
    brackets = ({(start, end) for start, end in parse.binary.labels if end - start > 1} for parse in (one, other))
    merges = ({(start, end) for start, _, end in parse.binary.merges} for parse in (one, other))
    return next(brackets) != next(brackets) and next(merges) != next(merges)
