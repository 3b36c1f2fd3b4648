"""Words as they stand in a text: each token's surprisal is counted for one of them, whatever the model's tokens are.

A word is a maximal run of characters that are no white space. A token that holds such a character belongs to the word
in which it begins. White space belongs to the word after it in its line, and to the last word of its line where there
is none after it, as does the line's end; with ``spaces="after"`` it belongs to the word before it. Where a line has no
word, what is in it belongs to the last word before it; what precedes the first word of a text, to that word.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from seqtree.errors import InputError
from seqtree.language.scoring import Scorer, TokenScore
from seqtree.text.config import END, NEWLINE

SPACES = ("before", "after")
_WORD = re.compile(r"\S+")
Span = tuple[int, int]


class WordScore(NamedTuple):
    """A word of a text, ``text_of_the_line[start:end]``, and the sum of the surprisals of its tokens in bits.

    line: its number, from 1. tokens, unknown: how many of them there are, and how many are outside the vocabulary. A
    text without any word has one that is empty, if it has tokens. Where they are asked for: the entropy in bits of the
    distribution from which the first token of the word itself (no white space) was predicted, and its rank there.
    """

    line: int
    word: str
    start: int
    end: int
    surprisal: float
    tokens: int
    unknown: int
    entropy: float | None = None
    rank: int | None = None


class WordsOfLine(NamedTuple):
    """A line, with its end if it has one, and the spans of its words."""

    text: str
    spans: list[Span]


def text_line(line: str) -> WordsOfLine:
    """A line of a text with its words."""
    return WordsOfLine(line, [found.span() for found in _WORD.finditer(line)])


def score_words(
    scorer: Scorer, lines: Iterable[WordsOfLine], independent: bool = False, spaces: str = "before"
) -> Iterator[WordScore]:
    """The words of a text, in order, as the text comes; the words of each of its lines are given.

    ``independent``: each line is a text by itself. Raises InputError for unknown ``spaces``.
    """
    if spaces not in SPACES:
        raise InputError(f"white space counts for the word {' or '.join(SPACES)} it, not {spaces!r}")
    read: deque[WordsOfLine] = deque()

    def texts() -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line.text

    words, number = _Words(spaces == "after"), 0
    for here, token in scorer.scores(texts(), independent):
        while number < here:
            number += 1
            yield from words.line(number, read.popleft())
        yield from words.add(token)
    while read:
        number += 1
        yield from words.line(number, read.popleft())
    yield from words.finish()


class _Words:
    """Puts tokens together to words; a word is given out when the next one begins."""

    def __init__(self, after: bool) -> None:
        self._after = after
        self._word: WordScore | None = None  # the last one that has begun
        self._early: list[TokenScore] = []  # tokens before the first word
        self._number, self._line, self._end, self._next, self._place = 0, WordsOfLine("", []), 0, 0, 0

    def line(self, number: int, line: WordsOfLine) -> Iterator[WordScore]:
        """Go on to a line; words of the line before that have no token of their own begin and end here."""
        yield from self._begin(len(self._line.spans))
        self._number, self._line, self._next, self._place = number, line, 0, 0
        self._end = len(line.text.removesuffix(NEWLINE))

    def add(self, token: TokenScore) -> Iterator[WordScore]:
        """Count the next token of the line."""
        place, own = self._found(token.token)
        spans, last = self._line.spans, self._next
        if place >= self._end:
            last = len(spans)
        elif own:
            while last < len(spans) and spans[last][0] <= place:
                last += 1
        elif not self._after and not (last and spans[last - 1][1] > place):
            last = min(last + 1, len(spans))
        yield from self._begin(last)
        self._count(token, own)

    def finish(self) -> Iterator[WordScore]:
        """The last word."""
        yield from self._begin(len(self._line.spans))
        if self._word is None and self._early:
            self._word = WordScore(1, "", 0, 0, 0.0, 0, 0)
            self._count_early()
        if self._word is not None:
            yield self._word

    def _begin(self, last: int) -> Iterator[WordScore]:
        """Let the words of the line begin up to that one."""
        for start, end in self._line.spans[self._next : last]:
            if self._word is not None:
                yield self._word
            self._word = WordScore(self._number, self._line.text[start:end], start, end, 0.0, 0, 0)
            self._count_early()
        self._next = last

    def _count_early(self) -> None:
        early, self._early = self._early, []
        for token in early:
            self._count(token, own=False)

    def _count(self, token: TokenScore, own: bool) -> None:
        word = self._word
        if word is None:
            self._early.append(token)
            return
        self._word = word._replace(
            surprisal=word.surprisal + token.surprisal,
            tokens=word.tokens + 1,
            unknown=word.unknown + token.unknown,
            entropy=token.entropy if own and word.entropy is None else word.entropy,
            rank=token.rank if own and word.rank is None else word.rank,
        )

    def _found(self, token: str) -> tuple[int, bool]:
        """Where the token begins in the line, and whether it is no white space."""
        text, place = self._line.text, self._place
        if len(token) == 1 and token.isspace():  # only characters are
            self._place = place + 1
            return place, False
        while place < len(text) and text[place].isspace():
            place += 1
        if token == END and not text.startswith(END, place):
            return len(text), False
        # straight quotes are `` and '' to the tokenizer of the Penn Treebank
        self._place = place + (1 if token in ("``", "''") and text[place] == '"' else len(token))
        return place, True
