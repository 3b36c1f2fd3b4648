"""Phrases: from the lines of a file, or the constituents of a treebank."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.text.reading import numbered_lines, sources
from seqtree.treebank.binary import BinaryTree, binarise
from seqtree.treebank.labelled import LabelledTree, unlabelled
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.plain import begins_a_tree, is_treebank
from seqtree.treebank.sources import trees

KINDS = ("auto", "trees", "lines")  # of files
MAX_WORDS = 10  # of the constituents that are taken, by default


@dataclass(frozen=True)
class Phrase:
    """Words that belong together: their ``text``, a ``label`` if one is known, and a binary ``tree`` if there is one.

    A phrase with a tree has the words of the tree; any other is cut into words by the model that reads it.
    """

    text: str
    label: str | None = None
    tree: LabelledTree | None = None


def constituents(tree: Tree, max_words: int | None = MAX_WORDS) -> Iterator[Phrase]:
    """The constituents of a tree of two words or more, each with its label, without traces and functional tags.

    A node with more than two children is made binary from the left. Where one constituent is the only child of another,
    the upper one is taken. Longer ones than ``max_words`` are left out.
    """
    normal = normalise(tree)
    if normal is None:
        return
    binary = binarise(normal)
    for (start, end), labels in binary.labels.items():
        if end - start > 1 and (max_words is None or end - start <= max_words):
            yield Phrase(" ".join(binary.words[start:end]), labels[0], _part(binary, start, end))


def read_phrases(
    spec: str,
    kind: str = "auto",
    encoding: str = "utf-8",
    max_words: int | None = MAX_WORDS,
    warn: Callable[[str], object] = warnings.warn,
    once: bool = True,
) -> Iterator[Phrase]:
    """The phrases that FILE or TREEBANK names, in order, each once; lines as often as they are there, but if ``once``.

    A file of lines has a phrase in each, or ``label<TAB>phrase`` in each; empty lines are left out. TREES are read as
    for the parser (files in brackets, folders, ``nltk:NAME``), for their constituents; auto: by the name of the file,
    or else by its first line. ``warn`` is told of lines that repeat one. Raises InputError, naming file and line.
    """
    if kind not in KINDS:
        raise InputError(f"input {kind!r}: expected one of {', '.join(KINDS)}")
    seen: set[tuple[str, str | None]] = set()
    lines = 0
    for phrase in _phrases(spec, kind, encoding, max_words, warn):
        lines += phrase.tree is None
        if (key := (phrase.text, phrase.label)) not in seen or (phrase.tree is None and not once):
            seen.add(key)
            yield phrase
    if not seen:
        raise InputError(f"{spec}: no phrase in it")
    if once and lines > len(seen):
        again = lines - len(seen)
        warn(f"{spec}: {again:,} of {lines:,} phrases stood there before, and {'is' if again == 1 else 'are'} left out")


def _phrases(
    spec: str, kind: str, encoding: str, max_words: int | None, warn: Callable[[str], object]
) -> Iterator[Phrase]:
    if kind != "lines" and (is_treebank(spec) or _is_folder(spec)):
        kind = "trees"
    if kind == "trees":
        yield from _of_trees([spec], encoding, max_words, warn)
        return
    with sources([spec]) as (files,):
        lines = ((number, line) for number, line in numbered_lines(files, encoding) if line.strip())
        first = next(lines, None)
        if first is None:
            return
        if kind == "auto" and begins_a_tree(first[1]):
            yield from _of_trees([str(file.path) for file in files], encoding, max_words, warn)
        else:
            yield from _of_lines(spec, chain([first], lines))


def _of_trees(
    specs: Sequence[str], encoding: str, max_words: int | None, warn: Callable[[str], object]
) -> Iterator[Phrase]:
    for tree, _ in trees(specs, encoding, warn=warn):
        yield from constituents(tree, max_words)


def _of_lines(name: str, lines: Iterable[tuple[int, str]]) -> Iterator[Phrase]:
    """Phrases, with their labels if the first line has one. Raises InputError for a line of the other kind."""
    tabbed: bool | None = None
    for number, line in lines:
        label, tab, text = line.partition("\t")
        if tabbed is None:
            tabbed = bool(tab)
        if bool(tab) != tabbed:
            raise InputError(f"{name}:{number}: expected {'label<TAB>phrase' if tabbed else 'a phrase'}, as before it")
        if not tab:
            yield Phrase(" ".join(line.split()))
        elif label.strip() and text.strip():
            yield Phrase(" ".join(text.split()), label.strip())
        else:
            raise InputError(f"{name}:{number}: an empty {'label' if text.strip() else 'phrase'} beside the tab")


def _is_folder(spec: str) -> bool:
    try:
        return spec != "-" and Path(spec).is_dir()
    except (OSError, ValueError):
        return False


def _part(binary: BinaryTree, start: int, end: int) -> LabelledTree:
    """The words from start to end as a binary tree of their own, without labels."""
    merges = tuple((a - start, b - start, c - start) for a, b, c in binary.merges if start <= a and c <= end)
    return unlabelled(replace(binary, words=binary.words[start:end], merges=merges))
