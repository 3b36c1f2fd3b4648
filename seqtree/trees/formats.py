"""The output of ``seqtree tree predict`` for one tree: brackets, a drawing, SVG, LaTeX or JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seqtree.drawing.colours import class_colours
from seqtree.drawing.latex import draw_latex
from seqtree.drawing.tree_svg import EMPTY, draw_svg
from seqtree.drawing.trees import draw
from seqtree.errors import InputError
from seqtree.escapes import json_line
from seqtree.treebank.labelled import write_labelled
from seqtree.trees.model import Labelling

FORMATS = ("bracket", "pretty", "svg", "latex", "json")


def format_labelling(
    labelling: Labelling | None,
    format: str = "bracket",
    probabilities: bool = False,
    width: int | None = None,
    colour: bool = False,
    line: int | None = None,
) -> str:
    """The labelled tree as text without a final newline; None is that of an empty sentence.

    bracket, svg, latex and json are one line. pretty: a drawing, at most ``width`` columns wide if possible, its labels
    in the ``colour`` of their class if so asked; in SVG they always are. probabilities: ``3:0.81`` in the place of the
    label 3 where that is its probability. JSON (see ``as_json``) always has them, and ``line``, where the tree was
    read.
    Raises InputError for an unknown format.
    """
    if format not in FORMATS:
        raise InputError(f"the format of a labelled tree is one of {', '.join(FORMATS)}, not {format!r}")
    if format == "json":
        return json_line({"line": line, **as_json(labelling)})
    if labelling is None:
        return EMPTY if format == "svg" else ""
    labels = labelling.labels
    if probabilities:
        best = labelling.probabilities.max(axis=1).tolist()
        labels = tuple(f"{label}:{chance:.2f}" for label, chance in zip(labels, best, strict=True))
    if format == "bracket":
        return write_labelled(labelling.tree, labels)
    if format == "latex":
        return draw_latex(labelling.tree.tree(labels))
    tree, colours = labelling.tree.tree(labels), class_colours(labelling.classes)

    def chosen(label: str) -> str | None:
        return colours.get(label.rpartition(":")[0] if probabilities else label)

    return draw_svg(tree, chosen) if format == "svg" else draw(tree, width, chosen if colour else None)


def as_json(labelling: Labelling | None) -> dict[str, Any]:
    """The labelled tree as a JSON object.

    words; label and probability: those of the root. nodes: {start, end, label, probability, probabilities} of
    words[start:end], the words first, then the phrases, children before parents; probabilities of all classes by name.
    tree: in brackets. An empty sentence has empty lists, and null for the rest.
    """
    if labelling is None:
        return {"words": [], "label": None, "probability": None, "nodes": [], "tree": None}
    nodes = []
    for (start, end), label, chances in zip(
        labelling.tree.spans, labelling.labels, labelling.probabilities.tolist(), strict=True
    ):
        rounded = [round(chance, 6) for chance in chances]
        named = dict(zip(labelling.classes, rounded, strict=True))
        nodes.append({"start": start, "end": end, "label": label, "probability": max(rounded), "probabilities": named})
    return {
        "words": list(labelling.tree.words),
        "label": nodes[-1]["label"],
        "probability": nodes[-1]["probability"],
        "nodes": nodes,
        "tree": write_labelled(labelling.tree, labelling.labels),
    }


def with_words(labelling: Labelling, words: tuple[str, ...]) -> Labelling:
    """The labelling with these words in the place of their forms for the model."""
    return replace(labelling, tree=replace(labelling.tree, words=words))
