"""What is odd about a text that a model is to learn from; said before training, while it can be changed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np

from seqtree.text.config import SPECIALS
from seqtree.text.corpus import PreparedCorpus

SEEN = 20_000  # tokens of the training text that show whether its lines are sorted, or items of a list
MIN_LINES = 50
MIN_ITEMS, MAX_WORDS, MAX_CHARACTERS = 200, 4, 40  # of a list, and of nearly every item of it
_LICENCE = re.compile(r"(END|<unk>) OF (THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)


def concerns(corpus: PreparedCorpus, held_out: bool, valid_from: str, lines: bool = False) -> Iterator[str]:
    """One sentence for each.

    held_out: whether the validation text is a part of the training text. lines: whether each line is an item.
    """
    for name in corpus.skipped:
        if not name.endswith("(hidden)"):
            yield f"{name}: left out"
    if corpus.vocabulary.unit == "word":
        yield from _literal_specials(corpus)
    beginning = _beginning(corpus)
    if not lines and _list(beginning):
        yield "the text looks like a list: --documents lines learns and samples each line as an item of its own"
    if not held_out or corpus.valid is None or valid_from != "ends":
        return
    if _sorted(beginning):
        yield (
            "the lines are in alphabetical order, so the validation text at the end is unlike the training text: "
            "--valid-from lines takes single lines from everywhere"
        )
    vocabulary = corpus.vocabulary
    if _LICENCE.search(vocabulary.join(vocabulary.decode(corpus.valid.ids[:1_000_000]))):
        yield (
            "the validation text at the end holds the licence of a Project Gutenberg book, unlike the training text: "
            "remove it, or use --valid-from spread"
        )


def _literal_specials(corpus: PreparedCorpus) -> Iterator[str]:
    vocabulary, ids = corpus.vocabulary, corpus.train.ids
    ends = np.asarray(ids) == vocabulary.end
    found = {
        "<s>": int(np.count_nonzero(np.asarray(ids) == vocabulary.start)),
        "</s>": int(np.count_nonzero(ends[1:] & ends[:-1])),  # blank lines have none, so the text wrote one of two
        "<pad>": int(np.count_nonzero(np.asarray(ids) == vocabulary.index("<pad>"))) if "<pad>" in vocabulary else 0,
    }
    for name, count in found.items():
        if count:
            meaning = f"the model's own {name}" if name in SPECIALS["word"] else "an ordinary word"
            yield f"the text holds {name} {count:,} times, read as {meaning}; sentences need no marks: remove them"


def _beginning(corpus: PreparedCorpus) -> list[str]:
    """The whole lines at the beginning of the training text."""
    vocabulary = corpus.vocabulary
    return vocabulary.join(vocabulary.decode(corpus.train.ids[:SEEN])).split("\n")[:-1]


def _sorted(lines: list[str]) -> bool:
    """Whether lines are in order."""
    lines = [line for line in lines if line]
    return len(lines) >= MIN_LINES and lines[0] != lines[-1] and lines == sorted(lines)


def _list(lines: list[str]) -> bool:
    """Whether lines are items of a list, such as names: many different short ones that end in a letter or figure."""
    items = [line for line in lines if line and line.strip() == line and "\t" not in line]
    items = [line for line in items if len(line.split(" ")) <= MAX_WORDS and len(line) <= MAX_CHARACTERS]
    items = [line for line in items if unicodedata.category(line[-1])[0] in "LNM"]
    return len(items) >= MIN_ITEMS and len(items) >= 0.95 * len(lines) and len(set(items)) >= 0.5 * len(items)
