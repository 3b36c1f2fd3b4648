"""What ``seqtree parse`` prints for one sentence: a drawing, brackets, JSON or SVG."""

from __future__ import annotations

import json
import math
from typing import Any

from seqtree.drawing.tree_svg import EMPTY, draw_svg
from seqtree.drawing.trees import draw
from seqtree.errors import InputError
from seqtree.parsing.parse import Parse
from seqtree.text.sentences import Sentence
from seqtree.treebank.bracketed import write_tree

FORMATS = ("pretty", "bracket", "json", "svg")


def format_parse(
    parse: Parse | None, format: str, width: int | None = None, scores: bool = False, sentence: Sentence | None = None
) -> str:
    """One sentence's parse as text without a line end at its end; None is the parse of an empty sentence.

    pretty: a drawing of several lines, at most ``width`` columns wide if that is possible; an empty sentence gives an
    empty line. bracket, json and svg: exactly one line a sentence, an empty one included, so that line i of the output
    belongs to sentence i; for an empty sentence they are an empty line, a JSON object with the same keys as any other,
    and an SVG element of size 0.
    scores: pretty ends with a line of its own, ``score 3.2500, smallest margin 0.5000``; bracket becomes three columns
    with tabs between them: the tree, its score, the smallest margin (``inf`` where no step had a choice). A parse from
    a beam has its log probability after these. JSON has the scores always, SVG never.
    sentence: as it was read; JSON then has the number of its ``line`` (or text), from 1, and the ``offsets`` there of
    each word, [start, end) in characters.
    Raises InputError for another format.
    """
    if format not in FORMATS:
        raise InputError(f"the format of a parse is one of {', '.join(FORMATS)}, not {format!r}")
    if format == "json":
        line, offsets = (None, None) if sentence is None else (sentence.line, sentence.offsets)
        return json.dumps({"line": line, "offsets": offsets, **as_json(parse)}, ensure_ascii=False, allow_nan=False)
    if format == "svg":
        return EMPTY if parse is None else draw_svg(parse.tree)
    if format == "bracket":
        columns = [as_bracket(parse)]
        if scores:
            columns += ["", ""] if parse is None else _figures(parse).values()
        return "\t".join(columns)
    if parse is None:
        return ""
    note = ", ".join(f"{name} {figure}" for name, figure in _figures(parse).items()) if scores else ""
    return draw(parse.tree, width) + (f"\n{note}" if note else "")


def smallest_margin(parse: Parse) -> float:
    """By how much the closest decision of the parse was won; infinite if no step had a choice."""
    return min(parse.margins, default=math.inf)


def as_bracket(parse: Parse | None) -> str:
    """The tree on one line in brackets; nothing for an empty sentence."""
    return "" if parse is None else write_tree(parse.tree)


def as_json(parse: Parse | None) -> dict[str, Any]:
    """The parse as a JSON object.

    words, tags: of each word; a word without a tag has null. constituents: {label, start, end} of words[start:end],
    from left to right and outermost first, one for each label where a span has several. merges: {start, split, end,
    score, margin, label} in the order in which they were made; label is null for the empty label, and the outermost
    first with "+" between them where there are several. score: the sum of the merges' scores. log_probability: of the
    tree, from a beam only, otherwise null. tree: in brackets. Numbers have 6 decimals; infinite margins are null. An
    empty sentence has empty lists, and null for the rest.
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
        "merges": [
            {
                "start": start,
                "split": split,
                "end": end,
                "score": _number(score),
                "margin": _number(margin),
                "label": "+".join(binary.labels.get((start, end), ())) or None,
            }
            for (start, split, end), score, margin in zip(binary.merges, parse.scores, parse.margins, strict=True)
        ],
        "score": _number(parse.score),
        "log_probability": None if parse.log_probability is None else _number(parse.log_probability),
        "tree": as_bracket(parse),
    }


def _figures(parse: Parse) -> dict[str, str]:
    figures = {"score": parse.score, "smallest margin": smallest_margin(parse)}
    if parse.log_probability is not None:
        figures["log probability"] = parse.log_probability
    return {name: f"{value:z.4f}" for name, value in figures.items()}


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
