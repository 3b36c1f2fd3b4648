"""A text whose words or tokens are the darker, the more surprising they are: as SVG or PNG, with a scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby
from typing import NamedTuple

from seqtree.drawing.canvas import Canvas
from seqtree.drawing.characters import columns, direction_of, visible_words, widths
from seqtree.drawing.colours import ink_on, ramp
from seqtree.drawing.svg import INK, LINE_INK, MARGIN, escaped, picture, text

COLUMNS, ROWS = 96, 60  # of text that are drawn
COLUMN, ROW, FONT, SMALL = 9, 26, 15, 12  # pixels: a narrow character, a row, the letters, those of numbers
COLOURS = ("#ffffff", "#f0a48f", "#c0392b", "#5a0f08")  # ever darker, so that it is seen without colours
GRADES = 8  # of the scale
TOPS = (1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64)  # bits, the most of the scale
MOSTLY = 0.98  # of the items are below the top
LINE_END = "↵"
BOX = ROW - 4
_EVEN = ' font-family="monospace"'


@dataclass(frozen=True)
class Piece:
    """A part of an item as it is drawn: its row and column, from 0, its width in columns, and what it belongs to."""

    row: int
    column: int
    wide: int
    text: str
    item: str
    surprisal: float
    unknown: bool

    @property
    def about(self) -> str:
        """What is said of it where it is pointed at."""
        return f"{_shown(self.item)}: {self.surprisal:.2f} bits" + ", not in the vocabulary" * self.unknown


class Box(NamedTuple):
    """A coloured ground in pixels, and what is said where it is pointed at."""

    x: int
    y: int
    width: int
    height: int
    fill: str
    about: str = ""


class Letters(NamedTuple):
    """A text in pixels with its baseline at ``y``; what of it is at ``x`` says ``anchor``; ``even``: of one width."""

    x: int
    y: int
    content: str
    fill: str
    size: int
    anchor: str = "middle"
    even: bool = False


@dataclass
class ColouredText:
    """Scored items of a text, such as words, row by row; what is beyond ``ROWS`` rows is counted only.

    kind: what the items are, in the plural; name: of the text, if it has one.
    """

    kind: str = "tokens"
    name: str = ""
    total: int = 0
    drawn: int = 0
    _pieces: list[Piece] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)  # by row, of the line that begins there
    _row: int = -1
    _column: int = 0
    _line: int = 0
    _full: bool = False

    def add(self, line: int, item: str, surprisal: float, unknown: bool, gap: int = 0) -> None:
        """The next item: the number of its line, its surprisal in bits, and the white space before it in columns."""
        self.total += 1
        parts = _parts(item)
        row, column = self._row, self._column + gap
        begins = line != self._line
        if begins or column + max(1, columns(parts[0])) > COLUMNS:
            row, column = row + 1, gap if begins and gap < COLUMNS // 2 else 0
        self._full = self._full or row + len(parts) > ROWS
        if self._full:
            return
        if row > self._row and not begins and not gap:
            column = self._move_word(item)
        self.drawn += 1
        self._line = line
        if begins:
            self._numbers[row] = line
        for number, part in enumerate(parts):
            row, column = row + (number > 0), 0 if number else column
            wide = max(1, columns(part))
            self._pieces.append(Piece(row, column, wide, part, item, surprisal, unknown))
            column += wide
        self._row, self._column = row, column

    def _move_word(self, item: str) -> int:
        """Move the pieces of the word that would be broken before the item to the next row; the column after them."""
        begin = len(self._pieces)
        while begin and self._pieces[begin - 1].row == self._row and self._pieces[begin - 1].text.strip():
            begin -= 1
        first = self._pieces[begin].column if begin < len(self._pieces) else COLUMNS
        if not item.strip(" ") or first < COLUMNS // 2:
            return 0
        moved = [replace(one, row=one.row + 1, column=one.column - first) for one in self._pieces[begin:]]
        self._pieces[begin:] = moved
        return sum(one.wide for one in moved)

    @property
    def caption(self) -> str:
        """How much is drawn of what, and how surprising all of that is."""
        singular = self.kind.removesuffix("s")
        much = f"{self.drawn:,} {self.kind if self.drawn != 1 else singular}"
        if self.drawn < self.total:
            much = f"the first {self.drawn:,} of {self.total:,} {self.kind}"
        return f"{self.name}: {much}" if self.name else much

    def svg(self) -> str:
        """The picture as one SVG element; an item's surprisal shows when it is pointed at."""
        boxes, letters = self._shapes()
        grounds = "".join(
            f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" fill="{box.fill}"'
            + (f"><title>{escaped(box.about)}</title></rect>" if box.about else "/>")
            for box in boxes
        )
        groups = "".join(
            f'<g font-size="{size}"{_EVEN if even else ""}>'
            + "".join(text(one.x, one.y, one.content, one.fill, one.anchor) for one in some)
            + "</g>"
            for (size, even), some in groupby(letters, lambda one: (one.size, one.even))
        )
        return picture(*self._size(), self.caption, grounds + groups)

    def png(self) -> bytes:
        """The same as a PNG file. Raises InputError if Pillow is not installed."""
        canvas = Canvas(*self._size())
        boxes, letters = self._shapes()
        for box in boxes:
            canvas.rectangle(box.x, box.y, box.width, box.height, box.fill)
        for one in letters:
            canvas.text(one.x, one.y, one.content, one.fill, one.size, one.anchor, one.even)
        return canvas.png()

    def _shapes(self) -> tuple[list[Box], list[Letters]]:
        """All that is drawn: boxes, and what is written on them."""
        top, right = self._top(), self._right_to_left()
        head = self.caption + "; underlined: not in the vocabulary" * any(piece.unknown for piece in self._pieces)
        boxes, letters = [], [Letters(MARGIN, MARGIN + SMALL, head, INK, FONT, "start")]
        for x, y, width, fill, label in self._scale(top):
            boxes.append(Box(x, y, width, BOX, fill))
            letters.append(Letters(x + width // 2, y + FONT + 1, label, ink_on(fill), SMALL))
        for row, line in self._numbers.items():
            at = self._left() - COLUMN, self._y(row) + FONT + 1
            letters.append(Letters(*at, f"{line}", LINE_INK, SMALL, "end"))
        for piece, column in zip(self._pieces, _as_read(self._pieces, right), strict=True):
            x, y, width = self._left() + COLUMN * column, self._y(piece.row), COLUMN * piece.wide
            fill = _colour(piece.surprisal, top)
            boxes.append(Box(x, y, width, BOX, fill, piece.about))
            if piece.unknown:
                boxes.append(Box(x, y + BOX - 4, width, 2, ink_on(fill)))
            if piece.text.strip():
                letters.append(Letters(x + width // 2, y + FONT + 1, piece.text, ink_on(fill), FONT, even=True))
        return boxes, letters

    def _top(self) -> int:
        """The bits from which the scale goes no further."""
        found = sorted(piece.surprisal for piece in self._pieces if math.isfinite(piece.surprisal))
        most = found[math.ceil(MOSTLY * (len(found) - 1))] if found else 0.0
        return next((top for top in TOPS if top >= most), TOPS[-1])

    def _scale(self, top: int) -> list[tuple[int, int, int, str, str]]:
        """The boxes of the scale: place, width, colour and label."""
        wide = 6 * COLUMN
        bits = [top * number / GRADES for number in range(GRADES + 1)]
        labels = [f"{value:g}" for value in bits]
        labels[0], labels[-1] = "0 bits", f"≥ {top}"
        return [
            (MARGIN + wide * number, MARGIN + ROW, wide, _colour(value, top), label)
            for number, (value, label) in enumerate(zip(bits, labels, strict=True))
        ]

    def _size(self) -> tuple[int, int]:
        return self._left() + COLUMN * COLUMNS + MARGIN, self._y(self._last_row() + 1) + MARGIN

    def _left(self) -> int:
        return MARGIN + COLUMN * (2 + max((len(str(line)) for line in self._numbers.values()), default=0))

    def _y(self, row: int) -> int:
        return MARGIN + ROW * (row + 3)

    def _last_row(self) -> int:
        return self._pieces[-1].row if self._pieces else 0

    def _right_to_left(self) -> set[int]:
        """The rows of the lines whose first letter is read from right to left."""
        found: set[int] = set()
        first = ""
        for piece in self._pieces:
            if piece.row in self._numbers and piece.column == 0:
                first = ""
            first = first or direction_of(piece.text)
            if first == "rtl":
                found.add(piece.row)
        return found


def _shown(item: str) -> str:
    """An item without control characters; its spaces stay, a line end is an arrow."""
    return visible_words(item.replace("\n", LINE_END))


def _parts(item: str) -> list[str]:
    """An item as it is shown, in parts of at most a whole row."""
    shown = _shown(item)
    parts, wide = [""], 0
    for character, width in zip(shown, widths(shown), strict=True):
        if wide + width > COLUMNS:
            parts, wide = [*parts, ""], 0
        parts[-1] += character
        wide += width
    return parts


def _as_read(pieces: list[Piece], right: set[int]) -> list[int]:
    """The column of each piece as its row is read, from the right in those rows.

    Pieces of the other direction that follow one another keep their own order, as by Unicode's bidirectional algorithm.
    """
    found: list[int] = []
    for row, some in groupby(pieces, lambda piece: piece.row):
        base = "rtl" if row in right else "ltr"
        for own, run in _runs(list(some), base):
            begin, end = run[0].column, run[-1].column + run[-1].wide
            left = COLUMNS - end if base == "rtl" else begin
            found += [left + (end - one.column - one.wide if own == "rtl" else one.column - begin) for one in run]
    return found


def _runs(row: list[Piece], base: str) -> Iterator[tuple[str, list[Piece]]]:
    """The pieces of a row that are read in one direction; one without letters goes with what is on both its sides."""
    own = [direction_of(piece.text) for piece in row]
    before = list(accumulate(own, lambda one, other: other or one, initial=base))[1:]
    after = list(accumulate(reversed(own), lambda one, other: other or one, initial=base))[:0:-1]
    ways = [one if one == other else base for one, other in zip(before, after, strict=True)]
    for way, some in groupby(zip(ways, row, strict=True), lambda pair: pair[0]):
        yield way, [piece for _, piece in some]


def _colour(surprisal: float, top: int) -> str:
    return ramp(COLOURS, surprisal / top if math.isfinite(surprisal) else 1.0)
