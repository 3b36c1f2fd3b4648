"""Rows for reading studies: of each token, word, line or document of a text, or beside the rows of a table."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby, islice
from statistics import fmean
from typing import Any

from seqtree.errors import InputError
from seqtree.language.items import Document
from seqtree.language.model import LanguageModel
from seqtree.language.reading import Span, WordScore, WordsOfLine, score_words, text_line
from seqtree.language.scoring import Scorer, Surprisals

# From lines, each a text with the spans of its words, further values of every word.
MoreOfWords = Callable[[Sequence[tuple[str, Sequence[Span]]]], Sequence[Sequence[tuple[float, ...]]]]

DETAILS = ("entropy", "rank")
COLUMNS = (*DETAILS, "length", "frequency")
NAMES = {
    "token": ("line", "token", "surprisal", "unknown"),
    "word": ("line", "word", "start", "end", "surprisal", "tokens", "unknown"),
    "line": ("line", "tokens", "surprisal", "unknown"),
    "document": ("document", "tokens", "surprisal", "unknown"),
}
PLACES = 4  # of the columns of a word that say where it stands; a row of a table knows
SPILLED = ("surprisal", "length", "frequency")  # what is repeated of the words before
TOGETHER = 1 << 12  # words of whole lines that are given to ``MoreOfWords`` at once


@dataclass(frozen=True)
class ReadingStudy:
    """How texts become rows, which are lists of values; ``names`` says of which columns.

    columns: any of ``COLUMNS``; ``frequency`` is what the function ``frequency`` says of a word. spaces, independent:
    as in ``score_words``. spillover: of how many words before it a word's row repeats the values of ``SPILLED``; None
    where there is none in the text that is read from its beginning. surprisals: those of the model's network by
    default. more: what else to say of words, a bounded number of lines at a time, and ``more_names`` the columns.
    """

    model: LanguageModel
    columns: Sequence[str] = ()
    spaces: str = "before"
    independent: bool = False
    spillover: int = 0
    frequency: Callable[[str], float] | None = None
    surprisals: Surprisals | None = None
    more: MoreOfWords | None = None
    more_names: Sequence[str] = ()
    scorer: Scorer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in self.columns:
            if name not in COLUMNS:
                raise InputError(f"no column {name!r}, expected some of {', '.join(COLUMNS)}")
        if "frequency" in self.columns and self.frequency is None:
            raise InputError("for the column 'frequency', frequencies are needed")
        details = bool({*DETAILS} & {*self.columns})
        scorer = self.model.scorer(details)
        object.__setattr__(self, "scorer", replace(scorer, surprisals=self.surprisals or scorer.surprisals))

    @property
    def apart(self) -> bool:
        """Whether each line is a text by itself."""
        return self.independent or self.model.settings.lines

    def names(self, level: str) -> list[str]:
        """The names of the columns of a row for a token, word, line or document."""
        names = [*NAMES[level]]
        if level in ("token", "word"):
            names += self.columns
        if level == "word":
            spilled = [name for name in SPILLED if name in names]
            names += [f"{name}_{back}" for back in range(1, self.spillover + 1) for name in spilled]
            names += self.more_names
        return names

    def tokens(self, lines: Iterable[str]) -> Iterator[list[Any]]:
        """A row for each token of lines, which have their ends."""
        for line, token in self.scorer.scores(lines, self.independent):
            row = [line, token.token, token.surprisal, token.unknown]
            yield row + [getattr(token, name) for name in self.columns]

    def sums(self, lines: Iterable[str], text: str | None = None) -> Iterator[list[Any]]:
        """A row for each line, or for the whole ``text``, which is its name, unless lines are texts by themselves."""
        whole = text is not None and not self.apart
        scored = self.scorer.scores(lines, self.independent)
        for line, group in groupby(scored, lambda pair: 0 if whole else pair[0]):
            tokens, surprisal, unknown = 0, 0.0, 0
            for _, score in group:
                tokens, surprisal, unknown = tokens + 1, surprisal + score.surprisal, unknown + score.unknown
            yield [text if whole else line, tokens, surprisal, unknown]

    def words(self, lines: Iterable[str]) -> Iterator[list[Any]]:
        """A row for each word of lines."""
        return self._rows(map(text_line, lines))

    def document(self, document: Document) -> list[Any]:
        """The sums of a document of items, without a name."""
        words = list(self._scored(document.lines))
        return [sum(getattr(word, name) for word in words) for name in NAMES["document"][1:]]

    def items(self, document: Document) -> Iterator[list[Any]]:
        """The rows of a document, with the values of a word's row after the old ones, but for its place."""
        for old, new in zip(document.rows, self._rows(document.lines, document.words), strict=True):
            yield [*old.fields, *new[PLACES:]]

    def _scored(self, lines: Iterable[WordsOfLine]) -> Iterator[WordScore]:
        return score_words(self.scorer, lines, self.independent, self.spaces)

    def _rows(
        self, lines: Iterable[WordsOfLine], regions: Sequence[tuple[str, int]] | None = None
    ) -> Iterator[list[Any]]:
        """A row for each word, or for each of the regions, which are so many words."""
        before: deque[list[Any]] = deque(maxlen=self.spillover)
        number = 0
        words = self._with_more(self._scored(lines))
        for word, more in words if regions is None else map(partial(_joined, words), regions):
            if self.apart and word.line != number:
                before.clear()
            number = word.line
            values = {**word._asdict(), "length": len(word.word)}
            if self.frequency:
                values["frequency"] = fmean(map(self.frequency, word.word.split() or [""]))
            names = [*NAMES["word"], *self.columns]
            own = [values[name] for name in SPILLED if name in names]
            missing: list[Any] = [None] * len(own)
            row = [values[name] for name in names]
            for back in range(1, self.spillover + 1):
                row += before[-back] if back <= len(before) else missing
            before.append(own)
            yield [*row, *more]

    def _with_more(self, words: Iterator[WordScore]) -> Iterator[tuple[WordScore, tuple[float, ...]]]:
        if self.more is None:
            yield from ((word, ()) for word in words)
            return
        lines: list[list[WordScore]] = []
        for _, group in groupby(words, lambda word: word.line):
            lines.append(list(group))
            if sum(map(len, lines)) >= TOGETHER:
                yield from self._more(lines)
                lines = []
        yield from self._more(lines)

    def _more(self, lines: list[list[WordScore]]) -> Iterator[tuple[WordScore, tuple[float, ...]]]:
        assert self.more is not None
        found = self.more([(_spaced(words), [(word.start, word.end) for word in words]) for words in lines])
        for words, values in zip(lines, found, strict=True):
            yield from zip(words, values, strict=True)


def _spaced(words: Iterable[WordScore]) -> str:
    """The line of these words, with spaces for its white space."""
    text: list[str] = []
    place = 0
    for word in words:
        text += [" " * (word.start - place), word.word]
        place = word.end
    return "".join(text)


def _joined(
    words: Iterator[tuple[WordScore, tuple[float, ...]]], region: tuple[str, int]
) -> tuple[WordScore, tuple[float, ...]]:
    """The next so many words as one: sums, but for what is said of the first (the depth is the last of ``more``)."""
    text, count = region
    word, more = next(words)
    for other, values in islice(words, count - 1):
        word = word._replace(
            surprisal=word.surprisal + other.surprisal,
            tokens=word.tokens + other.tokens,
            unknown=word.unknown + other.unknown,
        )
        more = (*(one + value for one, value in zip(more[:-1], values[:-1], strict=True)), *more[-1:])
    return word._replace(word=text), more
