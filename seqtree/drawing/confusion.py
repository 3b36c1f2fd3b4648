"""Which class was taken for which, as a chart by matplotlib; and the first filters of an image classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtree.confusion import Pairs, most_confused
from seqtree.drawing.charts import Chart, chart, label, matplotlib
from seqtree.drawing.colours import ink_on, ramp

MOST = 20  # classes
OTHERS = "(other classes)"
MAX_FILTERS = 64
RIGHT, WRONG = ("#ffffff", "#0b6e99"), ("#ffffff", "#b35c00")  # from none to all of a row: blues and oranges
_CELL, _FILTERS = 0.55, 4.5  # inches
Counts = npt.NDArray[np.int64]
Filters = npt.NDArray[np.float32]


def confusion_chart(
    pairs: Pairs, names: Sequence[str], unit: str, format: str = ".svg", filters: Filters | None = None
) -> Chart:
    """True classes down, in the order of ``names``, and what they were taken for across, in counts and shares of rows.

    unit: what was classified, in the plural (texts). Of more than ``MOST`` classes the most confused ones are shown;
    shares are of all items of a class. filters (N, h, w): weights, shown below. Raises InputError if matplotlib is not
    installed.
    """
    shown = most_confused(pairs, names, MOST)
    cut = len(shown) < len(names)
    counts = np.array([[pairs.get((true, said), 0) for said in shown] for true in shown], dtype=np.int64)
    totals = dict.fromkeys(names, 0)
    for (true, _), count in pairs.items():
        totals[true] += count
    sums = np.array([totals[name] for name in shown], dtype=np.int64)
    if cut:
        counts = np.column_stack([counts, sums - counts.sum(axis=1)])
    everything, right = sum(totals.values()), sum(n for (true, said), n in pairs.items() if true == said)
    title = f"{everything:,} {unit}, {right / max(1, everything):.2%} right"
    if cut:
        title += f"\nthe {len(shown)} most confused of {len(names)} classes"
    rows = [f"{label(name)}  ({total:,})" for name, total in zip(shown, sums.tolist(), strict=True)]
    columns = [*map(label, shown), *([OTHERS] if cut else [])]
    width, height = _CELL * len(columns) + 4.5, max(3.5, _CELL * len(rows) + 2.2)

    def draw(figure: Any) -> None:
        if filters is None:
            panel = figure.subplots()
        else:
            panel, below = figure.subplots(2, 1, height_ratios=[height, _FILTERS])
            below.imshow(tiled(filters[:MAX_FILTERS]), interpolation="nearest")
            below.set_axis_off()
            below.set_title("first weights: red above zero, blue below", fontsize="medium")
        _matrix(figure, panel, counts, sums, rows, columns)
        panel.set(title=title, ylabel=f"true class (its number of {unit})", xlabel="taken for")

    size = (max(6.0, width), height + (0 if filters is None else _FILTERS))
    return Chart(chart(size, draw, format), "confusion of " + title.replace("\n", ", "))


def _matrix(figure: Any, panel: Any, counts: Counts, sums: Counts, rows: list[str], columns: list[str]) -> None:
    """The cells, coloured by their shares of the rows' ``sums``: in blue what is right, in orange what is not."""
    colors = matplotlib().colors
    norm = colors.PowerNorm(0.5, 0, 1)  # so that small shares are seen
    shares = counts / np.maximum(sums, 1)[:, None]
    right = np.eye(*counts.shape, dtype=np.bool_)
    for of, ramp_ends, name in ((right, RIGHT, "right"), (~right, WRONG, "wrong")):
        cells = np.ma.masked_where(~of, shares)
        palette = colors.LinearSegmentedColormap.from_list(name, ramp_ends)
        mesh = panel.pcolormesh(cells, cmap=palette, norm=norm, edgecolors="#d0d0d0", linewidth=0.5)
        bar = figure.colorbar(mesh, ax=panel, shrink=0.6, aspect=30, format="{x:.0%}", ticks=[0, 0.1, 0.25, 0.5, 1])
        bar.set_label(f"{name}, share of the row")
        for i, j in np.argwhere(of & (counts > 0)).tolist():
            ink = ink_on(ramp(ramp_ends, math.sqrt(shares[i, j])))
            content = f"{counts[i, j]:,}\n{shares[i, j]:.0%}" if shares[i, j] >= 0.005 else f"{counts[i, j]:,}\n<1%"
            panel.text(j + 0.5, i + 0.5, content, color=ink, ha="center", va="center", fontsize=7)
    panel.set_yticks(np.arange(len(rows)) + 0.5, rows)
    panel.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=45, ha="right", rotation_mode="anchor")
    panel.invert_yaxis()
    panel.set_aspect("equal")


def tiled(filters: Filters) -> npt.NDArray[np.uint8]:
    """Filters (N, h, w) side by side, in about a square: (H, W, 3), zero white, the largest of each in full colour."""
    count, height, width = filters.shape
    columns = max(1, round(math.sqrt(count * (height + 1) / (width + 1))))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), 200, np.uint8)
    for number, weights in enumerate(filters / np.abs(filters).max(axis=(1, 2), keepdims=True).clip(1e-12)):
        y, x = 1 + number // columns * (height + 1), 1 + number % columns * (width + 1)
        fade = np.rint(255 * (1 - np.abs(weights)))
        colours = np.stack([np.where(weights > 0, 255, fade), fade, np.where(weights < 0, 255, fade)], axis=2)
        canvas[y : y + height, x : x + width] = colours
    return canvas
