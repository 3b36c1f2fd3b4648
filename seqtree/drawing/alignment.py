"""Which tokens of a source a decoder attended to: a matrix for the terminal and as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqtree.drawing.characters import columns, isolated, visible
from seqtree.drawing.svg import MARGIN, SIZE, TAG_INK, picture, text, text_width

SHADES = " ░▒▓█"  # of weights from 0 to 1
CELL = 26  # pixels
Weights = npt.NDArray[np.float32]


def matrix(source: Sequence[str], target: Sequence[str], weights: Weights) -> str:
    """A line for each token of the target with the weight of each of the source as a shade, and a legend below.

    ``weights`` (target, source) are from 0 to 1. The source's tokens are numbered; the legend names them in order.
    """
    rows, names = [isolated(visible(token)) for token in target], [isolated(visible(token)) for token in source]
    width = max(map(columns, rows))
    cell = len(str(len(names)))
    numbers = " ".join(str(number).rjust(cell) for number in range(1, len(names) + 1))
    lines = [f"{'':{width}}  {numbers}"]
    for name, row in zip(rows, _shades(weights), strict=True):
        lines.append(
            f"{name}{' ' * (width - columns(name))}  {' '.join(SHADES[shade] * cell for shade in row)}".rstrip()
        )
    legend = "  ".join(f"{number} {name}" for number, name in enumerate(names, 1))
    return "\n".join([*lines, f"{'':{width}}  {legend}"])


def matrix_svg(source: Sequence[str], target: Sequence[str], weights: Weights, title: str) -> str:
    """The source across, the target down, and a square for each pair of tokens, the darker the larger its weight."""
    names, rows = [visible(token) for token in source], [visible(token) for token in target]
    left = MARGIN + max(map(text_width, rows)) + SIZE
    across = [max(CELL, text_width(name) + SIZE // 2) for name in names]
    starts = np.concatenate([[left], left + np.cumsum(across)]).tolist()
    top = MARGIN + CELL
    parts = [text(x + w // 2, top - SIZE // 2, name) for x, w, name in zip(starts, across, names, strict=False)]
    for number, (name, row) in enumerate(zip(rows, weights.tolist(), strict=True)):
        y = top + CELL * number
        parts.append(text((MARGIN + left) // 2, y + (CELL + SIZE) // 2 - 2, name))
        for x, w, weight in zip(starts, across, row, strict=False):
            parts.append(
                f'<rect x="{x}" y="{y}" width="{w}" height="{CELL}" fill="{TAG_INK}" fill-opacity="{weight:.3f}"/>'
            )
    return picture(starts[-1] + MARGIN, top + CELL * len(rows) + MARGIN, title, "".join(parts))


def _shades(weights: Weights) -> list[list[int]]:
    """Weights as numbers of ``SHADES``, rounded."""
    shades: list[list[int]] = np.rint(weights.clip(0, 1) * (len(SHADES) - 1)).astype(int).tolist()
    return shades
