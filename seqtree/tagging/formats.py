"""The output of ``seqtree tag predict`` for one sentence: columns, words with their tags, segmented text, or JSON."""

from __future__ import annotations

from typing import Any

from seqtree.escapes import json_line
from seqtree.tagging.tagging import Tagging
from seqtree.text.sentences import Sentence

FORMATS = ("columns", "inline", "words", "json")


def format_tagging(tagging: Tagging | None, format: str, sentence: Sentence, probabilities: bool = False) -> str:
    """The tagging of one sentence as text without a final newline; None is that of an empty sentence.

    columns: ``word<TAB>tag`` a line and an empty line at the end; an intent stands before as a comment, a probability
    in a third column. inline: ``word/tag`` with spaces between. words: the chunks of a segmenter with spaces between.
    json: an object; see ``as_json``. All but columns are one line, so that line i of the output belongs to sentence i.
    """
    if format == "json":
        return json_line(as_json(tagging, sentence))
    if tagging is None:
        return ""
    if format == "words":
        return " ".join(segments(tagging, sentence))
    if format == "inline":
        return " ".join(f"{word}/{tag}" for word, tag in zip(tagging.words, tagging.tags, strict=True))
    lines = [] if tagging.intent is None else [f"# intent: {tagging.intent}"]
    columns: list[tuple[str, ...]] = [tagging.words, tagging.tags]
    if probabilities and tagging.probabilities is not None:
        columns.append(tuple(f"{probability:.4f}" for probability in tagging.probabilities))
    return "\n".join([*lines, *map("\t".join, zip(*columns, strict=True)), ""])


def segments(tagging: Tagging, sentence: Sentence) -> list[str]:
    """The words of a text that a tagger of characters has segmented; white space in the text parts words, too."""
    starts = {chunk.start for chunk in tagging.chunks}
    words: list[str] = []
    for place, (form, (start, _)) in enumerate(zip(tagging.words, sentence.offsets, strict=True)):
        apart = place == 0 or start > sentence.offsets[place - 1][1]
        if apart or place in starts:
            words.append(form)
        else:
            words[-1] += form
    return words


def as_json(tagging: Tagging | None, sentence: Sentence) -> dict[str, Any]:
    """The tagging as a JSON object.

    line: the number of its line (or text), from 1. words, tags; offsets: [start, end) of each word in its line, in
    characters. chunks: {start, end, kind} of words[start:end]. probabilities, log_probability, intent and
    intent_probability: null where there are none.
    """
    one = tagging or Tagging((), ())
    return {
        "line": sentence.line,
        "words": list(one.words),
        "tags": list(one.tags),
        "offsets": [list(pair) for pair in sentence.offsets],
        "chunks": [chunk._asdict() for chunk in one.chunks],
        "probabilities": None if one.probabilities is None else [round(p, 6) for p in one.probabilities],
        "log_probability": None if one.log_probability is None else round(one.log_probability, 6),
        "intent": one.intent,
        "intent_probability": None if one.intent_probability is None else round(one.intent_probability, 6),
    }
