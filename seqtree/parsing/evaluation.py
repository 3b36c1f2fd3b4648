"""Measuring a parser on gold trees."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nltk.tree import Tree

from seqtree.drawing.brackets import f1_chart
from seqtree.drawing.charts import Chart, in_notebook
from seqtree.errors import InputError
from seqtree.nn.parallel import AT_ONCE
from seqtree.parsing.model import Parser
from seqtree.training.sharing import Share
from seqtree.treebank.bracketed import words_of
from seqtree.treebank.parseval import Parseval, ParsevalFigures


@dataclass(frozen=True)
class ParserEvaluation:
    """PARSEVAL's figures and the speed, ``sentences_per_second``, of parsing alone."""

    scores: ParsevalFigures
    sentences_per_second: float

    def to_json(self) -> dict[str, Any]:
        return {**self.scores.figures(), "sentences_per_second": round(self.sentences_per_second, 1)}

    def picture(self, format: str = ".svg") -> Chart:
        """Labelled F1 by length and by label: an .svg, .png or .pdf file. Raises InputError without matplotlib."""
        return f1_chart(self.scores.by_length, self.scores.by_label, format)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        return in_notebook(self.picture)


def evaluate(parser: Parser, trees: Iterable[Tree]) -> ParserEvaluation:
    """Parse the words of gold trees (normalised) and compare.

    Raises InputError if there is no tree, or none that can be compared (``Parseval.skipped``).
    """
    parseval, seconds = counted(parser, enumerate(trees, 1))
    scores = parseval.result
    if not scores.sentences:
        raise InputError("no trees to measure the parser on")
    if len(scores.skipped) == scores.sentences:
        first = scores.skipped[0]
        reason = f"sentence {first.number}: {first.reason}"
        raise InputError(f"all sentences were skipped, so there is nothing to measure the parser on; {reason}")
    return ParserEvaluation(scores, scores.sentences / seconds)


def shared_scores(parser: Parser, trees: Sequence[Tree], share: Share) -> ParsevalFigures:
    """The scores on trees that several processes parse together."""
    parseval = Parseval()
    for part in share(lambda numbered: [counted(parser, numbered)[0]], [*enumerate(trees, 1)]):
        parseval.join(part)
    return parseval.result


def counted(parser: Parser, numbered: Iterable[tuple[int, Tree]]) -> tuple[Parseval, float]:
    """The counts of numbered gold trees, and how many seconds their parsing took."""
    parseval, seconds = Parseval(), 0.0
    source = iter(numbered)
    while chunk := list(islice(source, AT_ONCE)):
        began = time.perf_counter()
        parses = list(parser.parses(parser.words(words_of(tree)) for _, tree in chunk))
        seconds += time.perf_counter() - began
        for (number, tree), parse in zip(chunk, parses, strict=True):
            parseval.add(tree, parse.tree if parse else None, number)
    return parseval, seconds
