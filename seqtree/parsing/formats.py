"""The output of ``seqtree parse`` for one sentence: a drawing, brackets, JSON, SVG or LaTeX."""

from __future__ import annotations

import math
from typing import Any

from seqtree.drawing.latex import draw_latex
from seqtree.drawing.tree_svg import EMPTY, draw_svg
from seqtree.drawing.trees import draw
from seqtree.errors import InputError
from seqtree.escapes import json_line
from seqtree.parsing.parse import Parse
from seqtree.text.sentences import Sentence
from seqtree.treebank.bracketed import write_tree

FORMATS = ("pretty", "bracket", "json", "svg", "latex")


def format_parse(
    parse: Parse | None, format: str, width: int | None = None, scores: bool = False, sentence: Sentence | None = None
) -> str:
    """The parse of one sentence as text without a final newline; None is the parse of an empty sentence.

    pretty: a drawing of several lines, at most ``width`` columns wide if possible; an empty line for an empty sentence.
    bracket, json, svg and latex: exactly one line per sentence, so that line i of the output belongs to sentence i; for
    an empty sentence an empty line, a JSON object with the usual keys, or an SVG element of size 0.
    scores: pretty gets a last line ``score 3.2500, smallest margin 0.5000``; bracket becomes three tab-separated
    columns: tree, score, smallest margin (``inf`` if no step had a choice). A parse from a beam has its log probability
    after these. JSON always has the scores, SVG and LaTeX never.
    sentence: as it was read; JSON then has its ``line`` (or text) number, from 1, and the ``offsets`` of each word in
    it, [start, end) in characters.
    Raises InputError for an unknown format.
    """
    if format not in FORMATS:
        raise InputError(f"the format of a parse is one of {', '.join(FORMATS)}, not {format!r}")
    if format == "json":
        line, offsets = (None, None) if sentence is None else (sentence.line, sentence.offsets)
        return json_line({"line": line, "offsets": offsets, **as_json(parse)})
    if format == "svg":
        return EMPTY if parse is None else draw_svg(parse.tree)
    if format == "bracket":
        columns = [as_bracket(parse)]
        if scores:
            columns += ["", ""] if parse is None else _figures(parse).values()
        return "\t".join(columns)
    if parse is None:
        return ""
    if format == "latex":
        return draw_latex(parse.tree)
    note = ", ".join(f"{name} {figure}" for name, figure in _figures(parse).items()) if scores else ""
    return draw(parse.tree, width) + (f"\n{note}" if note else "")


def smallest_margin(parse: Parse) -> float:
    """The margin of the closest decision of the parse; infinite if no step had a choice."""
    return min(parse.margins, default=math.inf)


def as_bracket(parse: Parse | None) -> str:
    """The tree in brackets on one line; "" for an empty sentence."""
    return "" if parse is None else write_tree(parse.tree)


def as_json(parse: Parse | None) -> dict[str, Any]:
    """The parse as a JSON object.

    words, tags: one of each per word; null for a word without a tag. constituents: {label, start, end} of
    words[start:end], from left to right and outermost first, one for each label of a span. merges: {start, split, end,
    score, margin, label} in the order in which they were made; label is null for the empty label, and several labels
    are joined by "+", outermost first. score: the sum of the merge scores. log_probability: of the tree, null without a
    beam. tree: in brackets. Numbers have 6 decimals; infinite margins are null. An empty sentence has empty lists, and
    null for the rest.
    """
    if parse is None:
        return {
            "words": [],
            "tags": [],
            "constituents": [],
            "merges": [],
            "score": None,
            "log_probability": None,
            "tree": None,
        }
    binary = parse.binary
    spans = sorted(binary.labels.items(), key=lambda item: (item[0][0], -item[0][1]))
    return {
        "words": list(binary.words),
        "tags": list(binary.tags),
        "constituents": [
            {"label": label, "start": start, "end": end} for (start, end), labels in spans for label in labels
        ],
        "merges": _merges(parse),
        "score": _number(parse.score),
        "log_probability": None if parse.log_probability is None else _number(parse.log_probability),
        "tree": as_bracket(parse),
    }


def _merges(parse: Parse) -> list[dict[str, Any]]:
    return [
        {
            "start": start,
            "split": split,
            "end": end,
            "score": _number(score),
            "margin": _number(margin),
            "label": "+".join(parse.binary.labels.get((start, end), ())) or None,
        }
        for (start, split, end), score, margin in zip(parse.binary.merges, parse.scores, parse.margins, strict=True)
    ]


def _figures(parse: Parse) -> dict[str, str]:
    figures = {"score": parse.score, "smallest margin": smallest_margin(parse)}
    if parse.log_probability is not None:
        figures["log probability"] = parse.log_probability
    return {name: f"{value:z.4f}" for name, value in figures.items()}


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
