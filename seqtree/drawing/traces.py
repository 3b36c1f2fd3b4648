"""How the greedy parser came to its tree, merge by merge: for the terminal and as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seqtree.drawing.characters import isolated, visible
from seqtree.drawing.svg import LINE_INK, MARGIN, SIZE, group, picture, text, text_width
from seqtree.drawing.tree_svg import GAP
from seqtree.drawing.trees import spread
from seqtree.treebank.binary import BinaryTree, Labels, Span

SHOWN = 100  # words of a part, and parts of a sentence, that the trace writes out
STEP = 46  # pixels from one merge to the next
SMALL = 11  # pixels: the size of scores and step numbers
_BAR = 6  # pixels from the base line of a merge's label down to the line that joins its parts


@dataclass(frozen=True)
class _Spot:
    """Where a part of the sentence stands in the picture: the middle and the base line of its label, if it has one."""

    x: int
    y: int
    label: str

    @property
    def top(self) -> int:
        """Where the line from above ends: over the label, or at the dot or word."""
        return self.y - SIZE if self.label else self.y + _BAR


def trace(binary: BinaryTree, scores: Sequence[float], margins: Sequence[float]) -> str:
    """The merges in the order in which they were made, two lines each, below a line of headings.

    The first line has the number of the merge, its score, its margin (∞ where no other merge was possible), the two
    parts that were merged and, after an arrow, the labels of the new span, if any (``S+VP``: the outer one first). The
    second is the sentence after it, every part of several words in brackets. In long sentences ``…`` stands for the
    inner words of a part of more than SHOWN words, and for the parts more than SHOWN / 2 away from the merge.
    """
    words = [isolated(visible(word)) for word in binary.words]
    if not binary.merges:
        return " ".join([*words, "(one word: nothing to merge)"])
    rows = [("step", "score", "margin")]
    for step, (score, margin) in enumerate(zip(scores, margins, strict=True), 1):
        rows.append((str(step), f"{score:.2f}", _margin(margin)))
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    heads = ["  ".join(cell.rjust(size) for cell, size in zip(row, sizes, strict=True)) for row in rows]
    lines = [f"{heads[0]}  merge"]
    ends = {start: start + 1 for start in range(len(words))}  # where the part that starts there ends
    starts = {end: start for start, end in ends.items()}
    for head, (start, split, end) in zip(heads[1:], binary.merges, strict=True):
        label = joined(binary.labels.get((start, end), ()))
        arrow = f" → {isolated(label)}" if label else ""
        lines.append(f"{head}  [{_part(words, start, split)}] + [{_part(words, split, end)}]{arrow}")
        ends[start], starts[end] = end, start
        lines.append(" " * (len(head) + 2) + _state(words, starts, ends, (start, end)))
    return "\n".join(lines)


def joined(labels: Labels) -> str:
    """The labels of one span as one, outermost first: ``S+VP``; nothing for the empty label."""
    return "+".join(map(visible, labels))


def trace_svg(binary: BinaryTree, scores: Sequence[float], margins: Sequence[float]) -> str:
    """The merges as one SVG element: the words in a row at the bottom, every merge a node at the height of its step.

    The steps are numbered on the left. A merge stands above the middle between its two parts, its labels above the
    line that joins them, or a dot on that line for the empty label, and its score below. The labels of single words
    stand right above these. Pointing at a label or dot shows the step, the score and the margin.
    """
    words = list(map(visible, binary.words))
    shown = [f"{score:.2f}" for score in scores]
    spots, width, base = _spots(binary, math.ceil(max(map(text_width, shown), default=0) * SMALL / SIZE))
    edges, labels, small = [], [], []
    for step, ((start, split, end), score, margin) in enumerate(zip(binary.merges, shown, margins, strict=True), 1):
        spot, first, second = spots[start, end], spots[start, split], spots[split, end]
        bar = spot.y + _BAR
        edges.append(f'<path d="M{first.x} {first.top}V{bar}H{second.x}V{second.top}"/>')
        mark = text(spot.x, spot.y, spot.label) if spot.label else f'<circle cx="{spot.x}" cy="{bar}" r="3"/>'
        about = f"step {step}, score {score}, margin {_margin(margin)}"
        labels.append(f"<g><title>{escape(about)}</title>{mark}</g>")
        small += [text(spot.x, bar + SMALL + 3, score), text(MARGIN + SMALL, bar, str(step))]
    singles = [spots[place, place + 1] for place in range(len(words))]
    labels += [text(spot.x, spot.y, spot.label) for spot in singles if spot.label]
    parts = [
        f'<g class="edges" fill="none" stroke="{LINE_INK}">{"".join(edges)}</g>',
        group("labels", labels),
        f'<g class="small" fill="{LINE_INK}" font-size="{SMALL}">{"".join(small)}</g>',
        group("words", [text(spot.x, base, word) for spot, word in zip(singles, words, strict=True)]),
    ]
    return picture(width, base + MARGIN, " ".join(words), "".join(parts))


def _spots(binary: BinaryTree, narrowest: int) -> tuple[dict[Span, _Spot], int, int]:
    """The places of all parts, the width of the picture and the base line of the words, in pixels.

    narrowest: the room that every word gets at least, so that a score fits between the lines to two words.
    """
    spans = [(start, end) for start, _, end in reversed(binary.merges)]  # parents first, as spread() wants them
    spans += [(start, start + 1) for start in range(len(binary.words))]
    place = {span: number for number, span in enumerate(spans)}
    children: list[list[int]] = [[] for _ in spans]
    for start, split, end in binary.merges:
        children[place[start, end]] = [place[start, split], place[split, end]]
    labels = [joined(binary.labels.get(span, ())) for span in spans]
    widths = [text_width(label) for label in labels]
    steps = len(binary.merges)
    for number, word in enumerate(binary.words, steps):
        widths[number] = max(widths[number], text_width(visible(word)), narrowest)
    centres, width = spread(children, widths, GAP)
    left = 2 * MARGIN + text_width(str(steps))
    rows = [MARGIN + SIZE + STEP * min(number, steps) for number in range(len(spans))]
    spots = {span: _Spot(left + x, y, label) for span, x, y, label in zip(spans, centres, rows, labels, strict=True)}
    return spots, left + width + MARGIN, MARGIN + SIZE + STEP * steps + SIZE + _BAR


def _margin(margin: float) -> str:
    return "∞" if margin == math.inf else f"{margin:.2f}"


def _part(words: Sequence[str], start: int, end: int) -> str:
    if end - start > SHOWN:
        return " ".join([*words[start : start + SHOWN // 2], "…", *words[end - SHOWN // 2 : end]])
    return " ".join(words[start:end])


def _state(words: Sequence[str], starts: Mapping[int, int], ends: Mapping[int, int], span: Span) -> str:
    """The sentence in its parts, those nearest to the part ``span``."""
    spans = [span]
    while spans[0][0] > 0 and len(spans) <= SHOWN // 2:
        spans.insert(0, (starts[spans[0][0]], spans[0][0]))
    before = len(spans)
    while spans[-1][1] < len(words) and len(spans) < before + SHOWN // 2:
        spans.append((spans[-1][1], ends[spans[-1][1]]))
    parts = [f"[{_part(words, start, end)}]" if end > start + 1 else words[start] for start, end in spans]
    return " ".join(["…"] * (spans[0][0] > 0) + parts + ["…"] * (spans[-1][1] < len(words)))
