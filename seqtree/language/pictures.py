"""Scored texts as pictures: the rows of a reading study, and what ``LanguageModel.score`` returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from seqtree.drawing.charts import Chart
from seqtree.drawing.surprisals import ColouredText
from seqtree.language.scoring import TokenScore
from seqtree.text.config import END, NEWLINE


class RowPicture:
    """Draws the rows of tokens or words (``level``) as they come; ``unit`` is what a token of the model is."""

    def __init__(self, level: str, unit: str, name: str = "") -> None:
        self._words, self._apart = level == "word", unit == "word"
        self._text = ColouredText("words" if self._words or self._apart else "characters", name)
        self._line = self._end = 0

    def add(self, row: Sequence[Any]) -> None:
        """The next row: the columns of ``ReadingStudy.names``, in their order."""
        if self._words:
            line, item, start, end, surprisal, _, unknown = row[:7]
            gap = start - (self._end if line == self._line else 0)
        else:
            line, item, surprisal, unknown = row[:4]
            end, gap = 0, int(self._apart and line == self._line)
        self._line, self._end = line, end
        self._text.add(line, item, surprisal, bool(unknown), gap)

    def chart(self, format: str = ".svg") -> Chart:
        """An .svg or .png file. Raises InputError if that needs Pillow, which is not installed."""
        data = self._text.png() if format == ".png" else self._text.svg().encode() + b"\n"
        return Chart(data, self._text.caption)


class ScoredText(list[TokenScore]):
    """The scores of the tokens of a text; a notebook shows the text, the darker, the more surprising it is."""

    def __init__(self, scores: Iterable[TokenScore], unit: str) -> None:
        super().__init__(scores)
        self.unit = unit

    def picture(self, format: str = ".svg") -> Chart:
        """The text as an .svg or .png file. Raises InputError if that needs Pillow, which is not installed."""
        rows, line = RowPicture("token", self.unit), 1
        for one in self:
            rows.add((line, one.token, one.surprisal, one.unknown))
            line += one.token in (NEWLINE, END)
        return rows.chart(format)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.picture().data.decode()
