"""Labelled texts without trees, for training: parsed first, and only their roots have a label."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from seqtree.errors import InputError
from seqtree.shipped import default_parser
from seqtree.tasks import TASKS, named
from seqtree.text.labelled import Labelled, read_labelled
from seqtree.text.sentences import ParagraphReader
from seqtree.treebank.bracketed import token
from seqtree.treebank.labelled import UNLABELLED, LabelledTree, unlabelled


def flat_trees(specs: Sequence[str], encoding: str, parser: str | None = None) -> list[LabelledTree]:
    """The binary tree of each labelled text that ``specs`` name (see ``read_labelled``), its label at the root only.

    The sentences of a text are parsed, by the parser of that path or name, or the one that comes with seqtree; their
    trees are then joined. Raises InputError, naming file and line, also for a label that brackets cannot hold.
    """
    items = read_labelled(specs, encoding)
    for item in items:
        _check_label(item)
    reader: Any = named(TASKS["parser"].model).load(parser or default_parser())
    texts = [_sentences(item, reader.lexicon.words) for item in items]
    parses = reader.parses([words for text in texts for words in text])
    found = []
    for item, text in zip(items, texts, strict=True):
        parts = [unlabelled(parse.binary, words) for words, parse in zip(text, islice(parses, len(text)), strict=True)]
        found.append(_joined(parts, item.label))
    return found


def _check_label(item: Labelled) -> None:
    if item.label == UNLABELLED or token(item.label) != item.label:
        raise InputError(
            f"{item.place}: the label {item.label!r}; expected one that can stand in a tree: without spaces and "
            f"brackets, and not {UNLABELLED}"
        )


def _sentences(item: Labelled, known: Any) -> list[list[tuple[str, str]]]:
    """The words of each sentence of a text, whose lines may be wrapped."""
    reader = ParagraphReader(known)
    found = [one.words for one in (*reader.feed(item.text.splitlines()), *reader.finish())]
    if not found:
        raise InputError(f"{item.place}: a text without words")
    return found


def _joined(parts: Sequence[LabelledTree], label: str) -> LabelledTree:
    """Trees side by side as one, of little depth: neighbours are joined two by two until one is left."""
    words = tuple(word for part in parts for word in part.words)
    children: list[tuple[int, int]] = []
    roots = []
    first = 0  # word of a part
    for part in parts:
        size, done = len(part), len(words) + len(children)  # numbers of its words and of its first phrase
        moved = [first + i for i in range(size)] + [done + i for i in range(size - 1)]
        children += [(moved[left], moved[right]) for left, right in part.children]
        roots.append(moved[-1])
        first += size
    while len(roots) > 1:
        pairs = list(zip(roots[::2], roots[1::2], strict=False))
        rest = roots[2 * len(pairs) :]
        roots = [len(words) + len(children) + i for i in range(len(pairs))] + rest
        children += pairs
    return LabelledTree(words, tuple(children), (None,) * (2 * len(words) - 2) + (label,))
