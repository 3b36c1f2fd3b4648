"""Bracketed trees: reading them one by one, and writing them on one line.

The format is the Penn Treebank's: ``(S (NP (PRP it)) (VP (VBZ works)))``. A tree may span several lines, and a line may
contain several trees; a tree, or several parts of one, may be inside one more bracket without a label, ``( (S ...))``.
Between trees, a line that starts with ``#``, ``%%``, ``*x*`` or ``;`` is a comment, and ``(())``, which parsers write
for a sentence without a parse, is nothing; inside a tree there are no comments. Only ASCII whitespace separates tokens,
so a word may contain a no-break space. A bracket with a single token without letters or digits, as in ``(,)``, is a
word that is its own tag; if every word of a tree has a bracket of its own, as in ``(NN (cat))``, these are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.text.reading import Source, read_text
from seqtree.treebank.builder import TOKEN, Builder, lines_of
from seqtree.treebank.dialects import is_preterminal as is_preterminal, other_format, words_of as words_of
from seqtree.treebank.skipping import Skip, well_formed

_EXAMPLE = "(S (NP (PRP it)) (VP (VBZ works)))"


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a tree's first bracket: file name and line number, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def read_trees(
    source: str | Path | Source, encoding: str = "utf-8", lemmas: bool = False, skip: Skip | None = None
) -> Iterator[tuple[Tree, Place]]:
    """The trees of a file, unchanged, each with its place; only one tree is in memory at a time.

    lemmas, skip: as for ``parse_trees``. Raises the InputErrors of ``parse_trees``, and InputError for a file that
    cannot be read, is empty, or is not in the encoding.
    """
    file = source if isinstance(source, Source) else Source(Path(source), str(source))
    with closing(read_text([file], encoding)) as blocks:
        yield from parse_trees(blocks, file.name, lemmas=lemmas, skip=skip)


def parse_trees(
    blocks: Iterable[str], name: str, lemmas: bool = False, skip: Skip | None = None
) -> Iterator[tuple[Tree, Place]]:
    """The trees of a text given in blocks of any size, each with its place; ``name`` is the file name for messages.

    lemmas: a bracket of three tokens is a tag, a word and a lemma (as in AnCora's ``.tbf`` files); lemmas are dropped.
    skip: called with a message for each malformed tree, which is left out; without it such a tree raises InputError.
    Malformed are, with file and line: a bracket that is never closed (the line where its tree begins), an extra closing
    bracket, text outside brackets, an unlabelled node below the top, and a node without words. After one, reading goes
    on where its brackets are closed, or at a line that begins with a bracket no further to the right than its first.
    Raises InputError also for a text without any tree, and for other formats in brackets (AMR, CCGbank, discontinuous
    trees).
    """
    builder = Builder(name, lemmas)
    found = False
    faults = 0

    def left_out(what: str) -> None:
        nonlocal faults
        faults += 1
        if skip is not None:
            skip(what)

    for tree, line in _every(blocks, builder) if skip is None else well_formed(blocks, builder, left_out):
        if not found and (other := other_format(tree)):
            raise InputError(f"{name}:{line}: this looks like {other}; expected trees such as {_EXAMPLE}")
        yield tree, Place(name, line)
        found = True
    if not found and not faults:
        raise InputError(f"{name}: contains no tree; expected trees such as {_EXAMPLE}")


class TreeReader:
    """Reads trees from lines that come bit by bit; each is given as soon as it is closed, with its place.

    ``name`` is the file name for messages; malformed trees raise the InputErrors of ``parse_trees``.
    """

    def __init__(self, name: str) -> None:
        self.builder = Builder(name, lemmas=False)
        self.number = 0

    def feed(self, lines: Iterable[str]) -> Iterator[tuple[Tree, Place]]:
        """The trees that these lines complete."""
        for line in lines:
            self.number += 1
            if not self.builder.is_comment(line):
                for tree in _closed(self.builder, self.number, line):
                    yield tree, Place(self.builder.name, self.builder.start)

    def finish(self) -> None:
        """Raises MissingBracket if a tree is still open."""
        self.builder.finish()


def write_tree(tree: Tree) -> str:
    """The tree in brackets on one line: ``(S (NP (PRP it)) (VP (VBZ works)))``.

    Words and labels are written by ``token``. A word that ends in a backslash is followed by a space, because NLTK
    takes a backslash and a bracket for a part of the word.
    """
    parts: list[str] = []
    open_nodes: list[Iterator[Tree | str]] = [iter([tree])]  # what is left of their children
    while open_nodes:
        for node in open_nodes[-1]:
            if isinstance(node, Tree):
                parts.append(f" ({token(node.label())}")
                open_nodes.append(iter(node))
                break
            parts.append(f" {token(node) or '_'}")
        else:
            open_nodes.pop()
            parts.append(" )" if parts[-1].endswith("\\") else ")")
    return "".join(parts)[1:-1]  # without the first space, and the bracket that closes the list around the tree


def token(value: object) -> str:
    """A word or label as it can stand in brackets: ``(`` is ``-LRB-`` and ``)`` is ``-RRB-``, as in the Penn Treebank.

    Unicode whitespace inside becomes ``_``. Other brackets stay as they are: they mean nothing to readers of trees.
    """
    text = str(value)
    if text.isalnum():  # as most are
        return text
    return "_".join(text.replace("(", "-LRB-").replace(")", "-RRB-").split())


def as_leaf(word: str) -> str:
    """A word as a leaf of a tree that NLTK writes and reads again: by ``token``, a final backslash as ``-BSL-``."""
    leaf = token(word) or "_"
    return f"{leaf[:-1]}-BSL-" if leaf.endswith("\\") else leaf


def _every(blocks: Iterable[str], builder: Builder) -> Iterator[tuple[Tree, int]]:
    """The trees and their lines. Raises InputError at the first malformed one."""
    for line in lines_of(blocks, builder):
        if not line.comment:
            for tree in _closed(builder, line.number, line.text):
                yield tree, builder.start
    builder.finish()


def _closed(builder: Builder, number: int, line: str) -> Iterator[Tree]:
    """The trees that a line, or a piece of it, closes."""
    for token in TOKEN.findall(line):
        if (tree := builder.take(number, *token)) is not None:
            yield tree
