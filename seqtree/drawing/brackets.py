"""Labelled F1 of a parser by the length of sentences and by label, as a chart by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqtree.drawing.charts import Chart, chart, label
from seqtree.treebank.parseval import Brackets
from seqtree.wording import counted

STEP = 10  # words
MOST = 20  # labels
COLOUR, PALE = "#0b6e99", "#d0d0d0"


def f1_chart(lengths: Mapping[int, Brackets], labels: Mapping[str, Brackets], format: str = ".svg") -> Chart:
    """Two panels: F1 in percent by length, in steps of ``STEP`` words; and by label, the most frequent ones first.

    Beside each point is how many sentences, and how many gold constituents, it stands for. Raises InputError if
    matplotlib is not installed.
    """
    steps = _steps(lengths)
    frequent = sorted(labels.items(), key=lambda item: (-item[1].gold, item[0]))
    shown = frequent[:MOST]
    sentences = sum(one.sentences for one in lengths.values())

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=[max(3, len(steps)), 6])
        _by_length(left, steps)
        _by_label(right, shown)
        kept = f", the {MOST} most frequent of {len(labels)}" if len(labels) > MOST else ""
        right.set_title(f"by label{kept}\n(gold constituents)", fontsize="medium")
        figure.suptitle(f"Labelled F1, {counted(sentences, 'sentence')}")

    size = (max(9.0, 0.75 * len(steps) + 6), max(3.8, 0.3 * len(shown) + 1.6))
    some = f"{len(shown)} of " if len(labels) > MOST else ""
    about = f"labelled F1 of {counted(sentences, 'sentence')} by length and of {some}{counted(len(labels), 'label')}"
    return Chart(chart(size, draw, format), about)


def _steps(lengths: Mapping[int, Brackets]) -> dict[int, Brackets]:
    """The counts of all sentences of each step of lengths, by its number."""
    steps: dict[int, Brackets] = {}
    for length, one in sorted(lengths.items()):
        step = (length - 1) // STEP
        steps[step] = one.plus(steps[step]) if step in steps else one
    return steps


def _by_length(panel: Any, steps: Mapping[int, Brackets]) -> None:
    places, scores = list(range(len(steps))), [one.scores.f1 for one in steps.values()]
    panel.plot(places, scores, "-o", color=COLOUR)
    for place, score in zip(places, scores, strict=True):
        above = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center", "fontsize": 8}
        ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
        panel.annotate(f"{score:.1f}", (place, score), bbox=ground, **above)
    ends = [f"{STEP * step + 1}–{STEP * (step + 1)}\n({one.sentences:,})" for step, one in steps.items()]
    panel.set_xticks(places, ends, fontsize=8)
    low = max(0, 10 * int(min(scores, default=0) / 10 - 1))
    panel.set(xlabel="words of the sentence", ylabel="labelled F1 in percent")
    panel.set(ylim=(low, 100 + (100 - low) / 12), xlim=(-0.6, len(steps) - 0.4))
    panel.set_title("by length\n(sentences)", fontsize="medium")
    panel.grid(visible=True, axis="y", alpha=0.3)


def _by_label(panel: Any, shown: list[tuple[str, Brackets]]) -> None:
    places, scores = list(range(len(shown))), [one.scores.f1 for _, one in shown]
    panel.hlines(places, 0, scores, color=PALE, linewidth=2)
    panel.plot(scores, places, "o", color=COLOUR)
    for place, score in zip(places, scores, strict=True):
        panel.annotate(f"{score:.1f}", (score, place), (6, 0), textcoords="offset points", va="center", fontsize=8)
    panel.set_yticks(places, [f"{label(name)}  ({one.gold:,})" for name, one in shown], fontsize=8)
    panel.set(xlabel="labelled F1 in percent", xlim=(-3, 112))
    panel.invert_yaxis()
    panel.grid(visible=True, axis="x", alpha=0.3)
