"""The embedded samples: texts, trees, tagged and labelled sentences, pairs, to try every command.

No download is needed. All are small, and written for seqtree.

>>> names()
('lighthouse', 'garden_zh', 'garden_zh_words', 'toy', 'toy_chunks', 'requests', 'opinions', 'dates')
>>> load("garden_zh").split()[0]
'外婆的院子里有一座小花园。'
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from seqtree.errors import InputError

__all__ = ["Corpus", "describe", "load", "names", "path"]

_LICENCE = "MIT, written for seqtree"


@dataclass(frozen=True)
class Corpus:
    """The description of one embedded sample."""

    name: str
    file: str
    kind: Literal["text", "trees", "columns", "labelled", "pairs"]
    language: str  # as in BCP 47: "en", "zh-Hans"
    description: str
    licence: str = _LICENCE


_CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus("lighthouse", "lighthouse.txt", "text", "en", "linked stories of a lighthouse, one paragraph per line"),
        Corpus("garden_zh", "garden_zh.txt", "text", "zh-Hans", "a short memoir of a garden, one sentence per line"),
        Corpus(
            "garden_zh_words", "garden_zh_words.txt", "text", "zh-Hans", "the same memoir, words separated by spaces"
        ),
        Corpus("toy", "toy.mrg", "trees", "en", "200 bracketed trees of the toy grammar, one per line"),
        Corpus("toy_chunks", "toy.conll", "columns", "en", "the same sentences, a word a line with its tag and chunk"),
        Corpus("requests", "requests.tsv", "labelled", "en", "198 requests to a house of machines, of five kinds"),
        Corpus("opinions", "opinions.txt", "trees", "en", "54 binary trees with a grade of sentiment at every node"),
        Corpus("dates", "dates.tsv", "pairs", "en", "3,000 dates as people write them, a tab, and their ISO form"),
    )
}


def names() -> tuple[str, ...]:
    """The names of the samples."""
    return tuple(_CORPORA)


def describe(name: str) -> Corpus:
    """The description of the sample called ``name``; InputError, listing the names, if there is none."""
    try:
        return _CORPORA[name]
    except KeyError:
        raise InputError(f"there is no embedded sample {name!r}; choose from {', '.join(_CORPORA)}") from None


def path(name: str) -> Path:
    """The path of the file of the sample called ``name``."""
    return Path(str(resources.files("seqtree.corpora") / "data" / describe(name).file))


def load(name: str) -> str:
    """The sample called ``name`` as one string, with ``\\n`` line endings."""
    return path(name).read_text(encoding="utf-8")
