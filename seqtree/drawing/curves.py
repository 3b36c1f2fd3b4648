"""Curves of figures over the steps of runs, by matplotlib (the extra ``plot``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from seqtree.drawing.characters import visible_words
from seqtree.drawing.charts import chart, label
from seqtree.drawing.colours import class_colours
from seqtree.errors import InputError

OVER = ("step", "epoch", "seconds")
Records = Sequence[Mapping[str, float]]
_DASHES = ("-", "--", "-.", ":")  # so that lines are told apart without colours


def figures_of(runs: Mapping[str, Records]) -> list[str]:
    """The names of what any of the runs has measured, in their order."""
    names = dict.fromkeys(name for records in runs.values() for record in records for name in record)
    return [name for name in names if name not in OVER]


def curves(
    runs: Mapping[str, Records], figures: Sequence[str], over: str, format: str, logarithmic: bool = False
) -> bytes:
    """A picture (SVG, PNG or PDF) with a panel for each figure, and in it a line for each run.

    ``over``: what is on the horizontal axis, one of ``OVER``; ``format`` is one of ``charts.FORMATS``. Raises
    InputError if matplotlib is not installed, or no run has one of the figures.
    """
    colours = class_colours([f"run {name}" for name in runs])  # as classes, not as numbers

    def draw(drawn: Any) -> None:
        panels = drawn.subplots(len(figures), 1, sharex=True, squeeze=False)[:, 0]
        for panel, figure in zip(panels, figures, strict=True):
            for (name, records), colour, dash in zip(runs.items(), colours.values(), cycle(_DASHES)):
                points = [(one[over], one[figure]) for one in records if over in one and figure in one]
                if points:
                    panel.plot(*zip(*points, strict=True), dash, color=colour, label=name, marker=".", markersize=4)
            if not panel.lines:
                known = ", ".join(figures_of(runs)) or "nothing"
                raise InputError(f"--figure {figure}: no run has measured it; expected one of {known}")
            panel.set_ylabel(label(figure.replace("_", " ")))
            panel.grid(visible=True, alpha=0.3)
            if logarithmic:
                panel.set_yscale("log")
            panel.legend(panel.lines, [visible_words(line.get_label()) for line in panel.lines])
        panels[-1].set_xlabel(over)
        if over == "step":  # of a run of few steps, too, there are none between two
            panels[-1].xaxis.get_major_locator().set_params(integer=True)

    return chart((7.5, 3.2 * len(figures)), draw, format)
