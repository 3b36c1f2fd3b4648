"""Reading on after a malformed tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from nltk.tree import Tree

from seqtree.treebank.builder import TOKEN, Builder, Line, MalformedTree, MissingBracket, lines_of

MAX_KEPT = 1 << 16  # characters from a line that looks like the next tree; a tree still open after them is malformed
Skip = Callable[[str], object]


def well_formed(blocks: Iterable[str], builder: Builder, skip: Skip) -> Iterator[tuple[Tree, int]]:
    """The well-formed trees of a text and where they begin; ``skip`` is told what is wrong with each of the others."""
    reader = _Reader(blocks, builder, skip)
    while (line := reader.next_line()) is not None:
        if not builder.stack and (reader.looks_like_a_tree(line) or not line.begins):
            yield from reader.taken()
        reader.read(line)
    yield from reader.taken()


class _Reader:
    """Reads lines, and finds where to go on after a fault.

    After a fault its tree is read to its last bracket (``depth`` counts those still open). While a tree is open, whole
    or not, the lines from the first that looks like the next tree are ``kept``: where the open one lacks a bracket,
    they are read again. Finished trees wait for the next line, for an extra closing bracket takes back those before it.
    """

    def __init__(self, blocks: Iterable[str], builder: Builder, skip: Skip) -> None:
        self.builder, self.skip = builder, skip
        self.lines = lines_of(blocks, builder)
        self.again: deque[Line] = deque()
        self.finished: list[tuple[Tree, int]] = []
        self.kept: list[Line] = []
        self.size = 0  # characters of those lines
        self.indent = 0  # columns before the open tree
        self.depth = 0  # of the malformed tree that is passed over
        self.passing = False
        self.faults = ("", "")  # what is wrong with it: if its brackets are closed, and if they are not
        self.endless = False  # whether it lacks a bracket: then it ends where the next tree seems to begin

    def next_line(self) -> Line | None:
        """The next line to read; at the end of the text, a tree that is still open is a fault."""
        while not self.again:
            if (line := next(self.lines, None)) is not None:
                return line
            if not self.builder.stack and not self.kept and not self.faults[0]:
                return None
            self._give_up()
        return self.again.popleft()

    def taken(self) -> list[tuple[Tree, int]]:
        """The trees that are finished; they are no longer kept here."""
        trees, self.finished = self.finished, []
        return trees

    def looks_like_a_tree(self, line: Line) -> bool:
        """Whether a line begins with a bracket, no further to the right than the tree that is open."""
        return line.begins and line.text.lstrip().startswith("(") and _indent(line.text) <= self.indent

    def read(self, line: Line) -> None:
        """Take in one line."""
        if line.comment or (line.begins and self.builder.is_comment(line.text)):
            return
        next_tree = self.looks_like_a_tree(line)
        if self.endless and next_tree:
            self.passing = self.endless = False
        if (self.builder.stack or self.passing) and (self.kept or next_tree):
            self.kept.append(line)
            self.size += len(line.text)
        for found in TOKEN.findall(line.text):
            if self.passing and self._pass(*found):
                continue
            if not self.builder.stack:
                self._forget()
                self.indent = _indent(line.text) if line.begins else 0
            if self._take(line.number, found):
                return
        if not self.builder.stack and not self.passing:
            self._forget()
        elif self.kept and self.size > MAX_KEPT:
            self._give_up()

    def _take(self, number: int, found: tuple[str, ...]) -> bool:
        """Give a token to the builder; after a fault, whether lines are to be read again."""
        closed = found[5]
        if closed and not self.builder.stack:
            self.finished.clear()
        try:
            if (tree := self.builder.take(number, *found)) is not None:
                self.finished.append((tree, self.builder.start))
        except MalformedTree as error:
            self.passing, self.depth = True, len(self.builder.stack)
            self.endless = isinstance(error, MissingBracket)
            if self.endless or not self.depth:
                self.skip(str(error))
            else:
                self.faults = str(error), str(self.builder.never_closed())
            self.builder.clear()
            if self.endless and self.kept:
                self._read_again()
                return True
        return False

    def _pass(self, tag: str, word: str, single: str, opened: str, label: str, closed: str, text: str) -> bool:
        """Whether a token belongs to the malformed tree; the first bracket after it does not."""
        if self.depth == 0 and (tag or single or opened):
            self.passing = self.endless = False
        elif self.depth:
            self.depth += bool(opened) - bool(closed)
            if not self.depth:
                self._say(self.faults[0])
        return self.passing

    def _give_up(self) -> None:
        """What is open will not be closed."""
        self._say(str(self.builder.never_closed()) if self.builder.stack else self.faults[1])
        self.builder.clear()
        self._read_again()

    def _say(self, fault: str) -> None:
        """Tell what is wrong with the malformed tree, once."""
        if fault:
            self.skip(fault)
        self.faults = ("", "")

    def _read_again(self) -> None:
        self.again.extendleft(reversed(self.kept))
        self._forget()
        self.passing = self.endless = False

    def _forget(self) -> None:
        self.kept, self.size = [], 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
