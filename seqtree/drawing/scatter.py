"""Points of a plane with their labels, as a picture: where everything lies, and how it is drawn as SVG or PNG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from seqtree.drawing.canvas import Canvas
from seqtree.drawing.characters import shortened, visible_words
from seqtree.drawing.colours import class_colours
from seqtree.drawing.svg import MARGIN, SIZE, picture, text, text_width
from seqtree.errors import InputError

WIDTH, LOWEST, HIGHEST = 960, 360, 960  # pixels of the picture: its width, and between which its height lies
RADIUS = 4  # pixels of a point
FONT = 12  # pixels of a label
LONGEST = 32  # columns of a label, as on a terminal
KINDS = 8  # colours
OTHERS = "other"
ROW = 22  # pixels of a row of the legend

Points = npt.NDArray[np.float64]
_Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Mark:
    """A point in pixels, its text and colour, and where its label is anchored on its baseline; None: no room."""

    x: int
    y: int
    text: str
    colour: str
    label: tuple[int, int, str] | None


@dataclass(frozen=True)
class Scatter:
    """A picture in pixels: points, and a legend of (x, y, kind, colour)."""

    width: int
    height: int
    title: str
    marks: tuple[Mark, ...]
    legend: tuple[tuple[int, int, str, str], ...]

    def svg(self) -> str:
        """The picture as one SVG element; a point's text shows when it is pointed at."""
        dots = "".join(
            f'<circle cx="{mark.x}" cy="{mark.y}" r="{RADIUS}" fill="{mark.colour}" fill-opacity="0.8">'
            f"<title>{escape(mark.text)}</title></circle>"
            for mark in self.marks
        )
        labels = "".join(
            text(mark.label[0], mark.label[1], shortened(mark.text, LONGEST), mark.colour, mark.label[2])
            for mark in self.marks
            if mark.label
        )
        legend = "".join(
            f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{colour}"/>'
            + text(x + 2 * RADIUS, y + FONT // 3, kind, colour, "start")
            for x, y, kind, colour in self.legend
        )
        body = f'<g font-size="{FONT}">{dots}<g class="labels">{labels}</g><g class="legend">{legend}</g></g>'
        return picture(self.width, self.height, self.title, body)

    _repr_svg_ = svg  # for notebooks

    def png(self) -> bytes:
        """The same as a PNG file, twice as sharp. Raises InputError if Pillow is not installed."""
        canvas = Canvas(self.width, self.height)
        for mark in self.marks:
            canvas.dot(mark.x, mark.y, RADIUS, mark.colour)
        for mark in self.marks:
            if mark.label:
                x, y, anchor = mark.label
                canvas.text(x, y, shortened(mark.text, LONGEST), mark.colour, FONT, anchor)
        for x, y, kind, colour in self.legend:
            canvas.dot(x, y, RADIUS, colour)
            canvas.text(x + 2 * RADIUS, y + FONT // 3, kind, colour, FONT, "start")
        return canvas.png()


def scatter(points: Points, texts: Sequence[str], kinds: Sequence[str], title: str) -> Scatter:
    """A picture of points (N, 2), both axes in one scale, with their texts, coloured by their kinds.

    No label covers another or a point; the first points have the first choice, and a label without a free place is left
    out. Kinds that are not numbers share a colour, as ``other``, from the eighth most frequent on. Raises InputError
    for points that are none, and for more or fewer texts or kinds than points.
    """
    points = _checked(points, texts, kinds)
    shown, colours = _kinds(kinds)
    legend = _legend(colours)
    top = MARGIN + ROW * (1 + max((row for _, row, _, _ in legend), default=0))
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    inner = WIDTH - 2 * MARGIN - 4 * RADIUS
    scale = min(inner / span[0], (HIGHEST - top - 2 * MARGIN) / span[1])
    height = int(max(LOWEST, top + 2 * MARGIN + scale * span[1] + 2 * FONT))
    middle = np.array([WIDTH / 2, (top + height) / 2])
    places = np.rint((points - (low + high) / 2) * [scale, -scale] + middle).astype(int).tolist()
    names = list(map(visible_words, texts))
    labels = _labels(places, names, (0, top, WIDTH, height))
    marks = tuple(
        Mark(x, y, name, colours[kind], label)
        for (x, y), name, kind, label in zip(places, names, shown, labels, strict=True)
    )
    rows = tuple((x, MARGIN + ROW * row, kind, colour) for x, row, kind, colour in legend)
    return Scatter(WIDTH, height, title, marks, rows)


def _checked(points: Points, texts: Sequence[str], kinds: Sequence[str]) -> Points:
    """The points as floats."""
    found = np.asarray(points, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != 2 or not len(found) or not np.isfinite(found).all():
        raise InputError(f"points of the shape {found.shape}: expected finite numbers (N, 2), at least one point")
    for what, values in (("texts", texts), ("kinds", kinds)):
        if len(values) != len(found):
            raise InputError(f"{len(values)} {what} for {len(found)} points; expected one for each")
    return found


def _kinds(kinds: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The kind that each point is shown as, and the colour of each, the most frequent first."""
    counts = Counter(kinds)
    if all(kind.isdecimal() for kind in counts):
        return list(kinds), class_colours(sorted(counts, key=int))
    ranked = sorted(counts, key=lambda kind: (-counts[kind], kind))
    if len(ranked) > KINDS:
        ranked = [*ranked[: KINDS - 1], OTHERS]
    kept = set(ranked)
    return [kind if kind in kept else OTHERS for kind in kinds], class_colours(ranked)


def _legend(colours: dict[str, str]) -> list[tuple[int, int, str, str]]:
    """Where each kind stands: (x, row, kind, colour); none for a single kind."""
    found: list[tuple[int, int, str, str]] = []
    x, row = MARGIN, 0
    for kind, colour in colours.items() if len(colours) > 1 else ():
        wide = 4 * RADIUS + _wide(kind) + MARGIN
        if x + wide > WIDTH and x > MARGIN:
            x, row = MARGIN, row + 1
        found.append((x + RADIUS, row, kind, colour))
        x += wide
    return found


def _labels(places: Sequence[Sequence[int]], texts: Sequence[str], inside: _Box) -> list[tuple[int, int, str] | None]:
    """Where each label stands: beside its point, above, below or aslant, wherever nothing is yet."""
    gap = RADIUS + 2
    taken = np.array([(x - gap, y - gap, x + gap, y + gap) for x, y in places], dtype=np.float64)
    found: list[tuple[int, int, str] | None] = []
    for number, ((x, y), name) in enumerate(zip(places, texts, strict=True)):
        wide = _wide(shortened(name, LONGEST))
        found.append(None)
        for across, down in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1)):
            at, line = x + across * gap, y + down * (gap + FONT * 2 // 3) + FONT // 3
            left = at - (1 - across) * wide / 2
            box = (left, line - FONT, left + wide, line + FONT // 3)
            if _free(box, taken, number, inside):
                taken = np.vstack([taken, box])
                found[-1] = at, line, ("end", "middle", "start")[across + 1]
                break
    return found


def _free(box: _Box, taken: Points, own: int, inside: _Box) -> bool:
    """Whether a box lies inside, and on nothing that is taken but its own point."""
    left, top, right, bottom = box
    if left < inside[0] or top < inside[1] or right > inside[2] or bottom > inside[3]:
        return False
    touched = (taken[:, 0] < right) & (taken[:, 2] > left) & (taken[:, 1] < bottom) & (taken[:, 3] > top)
    touched[own] = False
    return not touched.any()


def _wide(name: str) -> int:
    """The width of a label in pixels."""
    return text_width(name) * FONT // SIZE
