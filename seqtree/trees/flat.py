"""Labelled texts without trees, for training: parsed first, and only their roots have a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seqtree.errors import InputError
from seqtree.shipped import default_parser
from seqtree.tasks import TASKS, named
from seqtree.text.labelled import read_labelled
from seqtree.text.sentences import penn_tokens
from seqtree.treebank.labelled import LabelledTree, unlabelled


def flat_trees(specs: Sequence[str], encoding: str, parser: str | None = None) -> list[LabelledTree]:
    """The binary tree of each labelled text that ``specs`` name (see ``read_labelled``), its label at the root only.

    A text is parsed whole, by the parser of that path or name, or the one that comes with seqtree. Raises InputError,
    naming file and line.
    """
    items = read_labelled(specs, encoding)
    reader: Any = named(TASKS["parser"].model).load(parser or default_parser())
    words = [penn_tokens(item.text, reader.lexicon.words) for item in items]
    found = []
    for item, given, parse in zip(items, words, reader.parses(words), strict=True):
        if parse is None:
            raise InputError(f"{item.place}: a text without words")
        tree = unlabelled(parse.binary, given)
        found.append(replace(tree, labels=(*tree.labels[:-1], item.label)))
    return found
