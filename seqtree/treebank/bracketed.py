"""Bracketed trees: reading them one by one, writing them on one line, and escaping brackets in words.

The format is the Penn Treebank's: ``(S (NP (PRP it)) (VP (VBZ works)))``. A tree may span several lines, and a line may
contain several trees; a tree may be inside one more bracket without a label, ``( (S ...))``. Between trees, a line that
starts with ``#``, ``%%`` or ``*x*`` is a comment; inside a tree there are no comments. Only ASCII whitespace separates
tokens, so a word may contain a no-break space. A bracket with a single token without letters or digits, as in ``(,)``,
is a word that is its own tag.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.text.brackets import escape_word
from seqtree.text.config import NEWLINE
from seqtree.text.reading import Source, read_text

COMMENTS = ("#", "%%", "*x*")
_LONG = 1 << 16  # characters; a longer line is processed in pieces
_TOKEN = re.compile(
    r"\(([^\s()]++)[ \t]++([^\s()]++)[ \t]*+\)"  # a tag and its word
    r"|(\()[ \t]*+([^\s()]*+)"  # an opening bracket and its label, if it is on the same line
    r"|(\))"
    r"|([^\s()]++)",
    re.ASCII,
)
_NEXT_SENTENCE = re.compile(r"\(\s*(\(|$)", re.ASCII)
_CLOSE = object()


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a tree's first bracket: file name and line number, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def is_preterminal(node: Tree | str) -> bool:
    """Whether a node is a part-of-speech tag: its only child is a word."""
    return isinstance(node, Tree) and len(node) == 1 and not isinstance(node[0], Tree)


def words_of(tree: Tree) -> list[str]:
    """The words of a tree of any depth (the recursion of ``tree.leaves()`` fails beyond about a thousand levels)."""
    words: list[str] = []
    stack: list[Tree | str] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Tree):
            stack.extend(reversed(node))
        else:
            words.append(node)
    return words


def read_trees(
    source: str | Path | Source, encoding: str = "utf-8", lemmas: bool = False
) -> Iterator[tuple[Tree, Place]]:
    """The trees of a file, unchanged, each with its place; only one tree is in memory at a time.

    lemmas: as for ``parse_trees``. Raises the InputErrors of ``parse_trees``, and InputError for a file that cannot be
    read, is empty, or is not in the encoding.
    """
    file = source if isinstance(source, Source) else Source(Path(source), str(source))
    return parse_trees(read_text([file], encoding), file.name, lemmas=lemmas)


def parse_trees(blocks: Iterable[str], name: str, lemmas: bool = False) -> Iterator[tuple[Tree, Place]]:
    """The trees of a text given in blocks of any size, each with its place; ``name`` is the file name for messages.

    lemmas: a bracket of three tokens is a tag, a word and a lemma (as in AnCora's ``.tbf`` files); lemmas are dropped.
    Raises InputError with file and line for a bracket that is never closed (the line where its tree begins), an extra
    closing bracket, text outside brackets, an unlabelled node below the top, a node without words, several trees in one
    outer bracket, and a text without trees.
    """
    builder = _Builder(name, lemmas)
    found = False
    for number, line, comment, _ in _lines(blocks, builder):
        for token in () if comment else _TOKEN.findall(line):
            if (tree := builder.take(number, *token)) is not None:
                yield tree, Place(name, builder.start)
                found = True
    builder.finish()
    if not found:
        raise InputError(f"{name}: contains no tree; expected trees such as (S (NP (PRP it)) (VP (VBZ works)))")


def parse_published(blocks: Iterable[str], name: str, lemmas: bool = False) -> Iterator[tuple[Tree, Place]]:
    """As ``parse_trees``, but tolerant of the bracketing errors of published corpora; one tree for each sentence.

    A sentence begins at a comment line and at a line that starts with a bracket (inside a tree: one without a label).
    Missing closing brackets are added at its end and extra ones ignored; several trees of one sentence are put into one
    bracket without a label. An unclosed bracket around a single word is dropped. This way Floresta has the 9,266
    sentences that NLTK counts in it, 71 of which NLTK flattens.
    Raises InputError for other errors: text outside brackets, a node without a label or a word, no tree at all.
    """
    builder = _Builder(name, lemmas, strict=False)
    found = False
    parts: list[tuple[Tree, int]] = []
    for number, line, comment, begins in itertools.chain(_lines(blocks, builder), [(0, "", True, True)]):
        if comment or (begins and ((line.startswith("(") and not builder.stack) or _NEXT_SENTENCE.match(line))):
            if (cut := builder.finish()) is not None:
                parts.append((cut, builder.start))
            if parts:
                sentence = parts[0][0] if len(parts) == 1 else Tree("", [tree for tree, _ in parts])
                yield sentence, Place(name, parts[0][1])
                found = True
            parts = []
        for token in () if comment else _TOKEN.findall(line):
            if (tree := builder.take(number, *token)) is not None:
                parts.append((tree, builder.start))
    if not found:
        raise InputError(f"{name}: contains no tree")


def write_tree(tree: Tree) -> str:
    """The tree in brackets on one line: ``(S (NP (PRP it)) (VP (VBZ works)))``.

    Words and labels are escaped by ``escape_word`` and stripped; Unicode whitespace inside them becomes ``_``, and so
    does an empty word.
    """
    parts: list[str] = []
    stack: list[object] = [tree]
    while stack:
        node = stack.pop()
        if node is _CLOSE:
            parts.append(")")
        elif isinstance(node, Tree):
            parts.append(f" ({_token(node.label())}")
            stack.append(_CLOSE)
            stack.extend(reversed(node))
        else:
            parts.append(f" {_token(node) or '_'}")
    return "".join(parts)[1:]


def _token(value: object) -> str:
    return "_".join(escape_word(str(value)).split())


def _lines(blocks: Iterable[str], builder: _Builder) -> Iterator[tuple[int, str, bool, bool]]:
    """(line number, text, whether it is a comment, whether it is the beginning of its line) for each line.

    A long line is given in several pieces, cut after a closing bracket; of a long comment only the first piece.
    """
    number, tail = 1, ""
    begins, dropping = True, False  # whether ``tail`` is the beginning of its line; whether it continues a comment
    for block in blocks:
        if dropping:
            end = block.find(NEWLINE)
            if end < 0:
                continue
            block, dropping = block[end:], False
        *whole, tail = (tail + block).split(NEWLINE)
        for line in whole:
            yield number, line, begins and builder.is_comment(line), begins
            number, begins = number + 1, True
        if len(tail) > _LONG:
            dropping = begins and builder.is_comment(tail)
            cut = len(tail) if dropping else tail.rfind(")") + 1
            if cut:
                yield number, tail[:cut], dropping, begins
                tail, begins = tail[cut:], False
    yield number, tail, begins and builder.is_comment(tail), begins


class _Builder:
    """Builds trees from tokens, bottom-up, on a stack of open brackets: (label, children, line)."""

    def __init__(self, name: str, lemmas: bool, strict: bool = True) -> None:
        self.name = name
        self.lemmas = lemmas
        self.strict = strict
        self.stack: list[tuple[str, list[Tree | str], int]] = []
        self.start = 0

    def is_comment(self, line: str) -> bool:
        """Whether a line is a comment; inside a tree only a published corpus (not strict) has comments."""
        return line.startswith(COMMENTS) and not (self.strict and self.stack)

    def take(self, line: int, tag: str, word: str, opened: str, label: str, closed: str, text: str) -> Tree | None:
        """Process one match of ``_TOKEN``; returns a tree if this completes it."""
        if tag:
            return self._add(Tree(tag, [word]), line)
        if opened:
            self.stack.append((label, [], line))
            return None
        if closed:
            if self.stack:
                return self._close()
            if self.strict:
                self._fail(line, "a closing bracket without an opening one")
            return None
        self._text(line, text)
        return None

    def finish(self) -> Tree | None:
        """Brackets still open at the end are an error, or (if not strict) are closed; returns their tree, if any."""
        if not self.stack:
            return None
        if self.strict:
            self._fail(self.stack[0][2], "the tree that begins here is never closed; a closing bracket is missing")
        if len(self.stack) == 1 and not any(isinstance(child, Tree) for child in self.stack[0][1]):
            self.stack.clear()
            return None
        tree = None
        while self.stack:
            tree = self._close()
        return tree

    def _close(self) -> Tree | None:
        label, children, line = self.stack.pop()
        if not children:
            if not label:
                self._fail(line, "an empty bracket, where a label and words were expected")
            if any(character.isalnum() for character in label):
                self._fail(line, f"a node ({label} ) without words")
            children.append(label)
        elif (
            self.lemmas
            and len(children) == 2
            and not isinstance(children[0], Tree)
            and not isinstance(children[1], Tree)
        ):
            del children[1]
        return self._add(Tree(label, children), line)

    def _add(self, node: Tree, line: int) -> Tree | None:
        """Add a finished node to its parent bracket; without one it is a complete tree, which is returned."""
        if not self.stack:
            self.start = line
            return node
        label, children, opened = self.stack[-1]
        if not label:
            if len(self.stack) > 1:
                start = self.stack[0][2]
                self._fail(opened, f"a node without a label in the tree of line {start}; is a closing bracket missing?")
            if children and self.strict:
                self._fail(line, f"a second tree in the bracket that opens on line {opened}, where one was expected")
        children.append(node)
        return None

    def _text(self, line: int, text: str) -> None:
        if not self.stack:
            self._fail(line, f"{text!r} outside brackets, where a tree or a comment was expected")
        label, children, opened = self.stack[-1]
        if label:
            children.append(text)
        elif children:
            self._fail(line, f"the word {text!r} in the bracket without a label that opens on line {opened}")
        else:
            self.stack[-1] = (text, children, opened)

    def _fail(self, line: int, what: str) -> NoReturn:
        raise InputError(f"{self.name}:{line}: {what}")
