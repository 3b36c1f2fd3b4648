"""From lines of text to trees: tokens, and the stack of open brackets on which a tree is built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, NoReturn

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.text.config import NEWLINE
from seqtree.treebank.dialects import WRAPPERS, morphemes_as_words, words_out_of_brackets

COMMENTS = ("#", "%%", "*x*", ";")
_LONG = 1 << 16  # characters; a longer line is processed in pieces
TOKEN = re.compile(
    r"\(([^\s()]++)[ \t]++([^\s()]++)[ \t]*+\)"  # a tag and its word
    r"|\(([^\s()]++)\)"  # a bracket with a single token
    r"|(\()[ \t]*+([^\s()]*+)"  # an opening bracket and its label, if it is on the same line
    r"|(\))"
    r"|([^\s()]++)",
    re.ASCII,
)


class MalformedTree(InputError):
    """A tree that cannot be read."""


class MissingBracket(MalformedTree):
    """A tree in which a closing bracket is missing, so that its end is not known."""


class Line(NamedTuple):
    """A line or a piece of a long one: its number, whether it is a comment, whether its line begins with it."""

    number: int
    text: str
    comment: bool
    begins: bool


def lines_of(blocks: Iterable[str], builder: Builder) -> Iterator[Line]:
    """The lines of a text in blocks; what is a comment depends on the builder, whose tree may be open.

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
            yield Line(number, line, begins and builder.is_comment(line), begins)
            number, begins = number + 1, True
        if len(tail) > _LONG:
            dropping = begins and builder.is_comment(tail)
            cut = len(tail) if dropping else tail.rfind(")") + 1
            if cut:
                yield Line(number, tail[:cut], dropping, begins)
                tail, begins = tail[cut:], False
    yield Line(number, tail, begins and builder.is_comment(tail), begins)


class Builder:
    """Builds trees from tokens, bottom-up, on a stack of open brackets: (label, children, line)."""

    def __init__(self, name: str, lemmas: bool) -> None:
        self.name = name
        self.lemmas = lemmas
        self.stack: list[tuple[str, list[Tree | str], int]] = []
        self.start = 0  # the line where the last finished tree begins
        self._sejong = False  # whether there are comments as in the Sejong treebank
        self._nothing = False  # whether an empty bracket was closed in the outer bracket
        self._bare: tuple[str, int] | None = None  # the tree's first bracket with a single token that may be a word

    def is_comment(self, line: str) -> bool:
        """Whether a line is a comment: there are none inside a tree."""
        if self.stack or not line.startswith(COMMENTS):
            return False
        self._sejong = self._sejong or line.startswith(";")
        return True

    def take(
        self, line: int, tag: str, word: str, single: str, opened: str, label: str, closed: str, text: str
    ) -> Tree | None:
        """Process one match of ``TOKEN``; returns a tree if this completes it."""
        if tag:
            return self._add(Tree(tag, [word]), line)
        if single:
            if any(map(str.isalnum, single)):
                if not self.stack:
                    self._without_words(line, single)
                self._bare = self._bare or (single, line)
            return self._add(Tree(single, [single]), line)
        if opened:
            self.stack.append((label, [], line))
        elif closed:
            if not self.stack:
                self._fail(line, "a closing bracket without an opening one")
            return self._close()
        else:
            self._text(line, text)
        return None

    def finish(self) -> None:
        """Raises MissingBracket if there is an open bracket, naming the line where its tree begins."""
        if self.stack:
            raise self.never_closed()

    def never_closed(self) -> MissingBracket:
        """What is wrong if the tree that is open is not closed any more."""
        what = "the tree that begins here is never closed; a closing bracket is missing"
        return MissingBracket(f"{self.name}:{self.stack[0][2]}: {what}")

    def clear(self) -> None:
        """Forget the tree that is open."""
        self.stack.clear()
        self._nothing, self._bare = False, None

    def _close(self) -> Tree | None:
        label, children, line = self.stack.pop()
        if not children:
            if self._holds_nothing(label):
                self._nothing = bool(self.stack)
                return None
            if not label:
                self._fail(line, "an empty bracket, where a label and words were expected")
            if any(map(str.isalnum, label)):
                self._without_words(line, label)
            children.append(label)
        elif self.lemmas and len(children) == 2 and not any(isinstance(child, Tree) for child in children):
            del children[1]
        return self._add(Tree(label, children), line)

    def _holds_nothing(self, label: str) -> bool:
        """Whether an empty bracket is part of ``(())``, which stands for no tree."""
        inside = (not label and bool(self.stack)) or (label in WRAPPERS and self._nothing)
        return inside and all(outer in WRAPPERS for outer, *_ in self.stack)

    def _add(self, node: Tree, line: int) -> Tree | None:
        """Add a finished node to its parent bracket; without one it is a complete tree, which is returned."""
        if not self.stack:
            return self._completed(node, line)
        label, children, opened = self.stack[-1]
        if not label and len(self.stack) > 1:
            what = f"a node without a label in the tree of line {self.stack[0][2]}; is a closing bracket missing?"
            raise MissingBracket(f"{self.name}:{opened}: {what}")
        children.append(node)
        return None

    def _completed(self, tree: Tree, line: int) -> Tree:
        self.start = line
        bare, self._bare, self._nothing = self._bare, None, False
        if bare and not words_out_of_brackets(tree):
            self._without_words(bare[1], bare[0], ", or a word in a bracket of its own among others that have none")
        return morphemes_as_words(tree) if self._sejong else tree

    def _text(self, line: int, text: str) -> None:
        if not self.stack:
            hint = "; this looks like CCGbank, which seqtree does not read" if text.startswith("ID=") else ""
            self._fail(line, f"{text!r} outside brackets, where a tree or a comment was expected{hint}")
        label, children, opened = self.stack[-1]
        if label or children:
            children.append(text)
        else:
            self.stack[-1] = (text, children, opened)

    def _without_words(self, line: int, label: str, or_else: str = "") -> NoReturn:
        self._fail(line, f"a node ({label} ) without words{or_else}")

    def _fail(self, line: int, what: str) -> NoReturn:
        raise MalformedTree(f"{self.name}:{line}: {what}")
