"""The output of ``seqtree tag predict`` for one sentence: columns, words with their tags, segmented text, or JSON."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from seqtree.escapes import json_line
from seqtree.tagging.tagging import Tagging
from seqtree.text.chunks import Chunk
from seqtree.text.sentences import Sentence

FORMATS = ("columns", "inline", "words", "json")


def format_tagging(
    tagging: Tagging | None, format: str, sentence: Sentence, probabilities: bool = False, segments: bool = False
) -> str:
    """The tagging of one sentence as text without a final newline; None is that of an empty sentence.

    columns: ``word<TAB>tag`` a line and an empty line at the end; an intent stands before as a comment, a probability
    in a third column. inline: ``word/tag`` with spaces between. words: the chunks of a segmenter with spaces between.
    json: an object; see ``as_json``. All but columns are one line, so that line i of the output belongs to sentence i.
    ``segments``: it is a segmenter's.
    """
    if format == "json":
        return json_line(as_json(tagging, sentence, segments))
    if tagging is None:
        return ""
    if format == "words":
        return " ".join("".join(tagging.words[one.start : one.end]) for one in _segments(tagging, sentence))
    if format == "inline":
        return " ".join(f"{word}/{tag}" for word, tag in zip(tagging.words, tagging.tags, strict=True))
    lines = [] if tagging.intent is None else [f"# intent: {tagging.intent}"]
    columns: list[tuple[str, ...]] = [tagging.words, tagging.tags]
    if probabilities and tagging.probabilities is not None:
        columns.append(tuple(f"{probability:.4f}" for probability in tagging.probabilities))
    return "\n".join([*lines, *map("\t".join, zip(*columns, strict=True)), ""])


def _segments(tagging: Tagging, sentence: Sentence) -> list[Chunk]:
    """The words of a text that a tagger of characters has segmented; white space in the text parts words, too."""
    starts = {chunk.start for chunk in tagging.chunks}
    places = [
        place
        for place, (start, _) in enumerate(sentence.offsets)
        if place in starts or place == 0 or start > sentence.offsets[place - 1][1]
    ]
    return [Chunk(start, end, "") for start, end in pairwise([*places, len(tagging.words)])]


def as_json(tagging: Tagging | None, sentence: Sentence, segments: bool = False) -> dict[str, Any]:
    """The tagging as a JSON object.

    line: the number of its line (or text), from 1. words, tags; offsets: [start, end) of each word in its line, in
    characters. chunks: {start, end, kind} of words[start:end]; those of a segmenter, of which it is one if
    ``segments``, never have white space in them, whatever the tags. probabilities, log_probability, intent and
    intent_probability: null where there are none.
    """
    one = tagging or Tagging((), ())
    chunks = _segments(one, sentence) if segments and tagging else one.chunks
    return {
        "line": sentence.line,
        "words": list(one.words),
        "tags": list(one.tags),
        "offsets": [list(pair) for pair in sentence.offsets],
        "chunks": [chunk._asdict() for chunk in chunks],
        "probabilities": None if one.probabilities is None else [round(p, 6) for p in one.probabilities],
        "log_probability": None if one.log_probability is None else round(one.log_probability, 6),
        "intent": one.intent,
        "intent_probability": None if one.intent_probability is None else round(one.intent_probability, 6),
    }
