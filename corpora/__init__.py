"""The embedded samples: small texts and trees, written for seqtree, to try every command on without a download.

>>> names()
('lighthouse', 'garden_zh', 'garden_zh_words', 'toy')
>>> load("garden_zh").split()[0]
'外婆的院子里有一座小花园。'
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from seqtree.errors import InputError

__all__ = ["DEFAULT", "Corpus", "describe", "load", "names", "path"]

_LICENCE = "MIT, written for seqtree"


@dataclass(frozen=True)
class Corpus:
    """What is known of one embedded sample: its ``name`` here, its ``file`` name, and what is in it."""

    name: str
    file: str
    kind: Literal["text", "trees"]
    language: str  # as in BCP 47: "en", "zh-Hans"
    description: str
    licence: str = _LICENCE


_CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus("lighthouse", "lighthouse.txt", "text", "en", "linked stories of a lighthouse, a paragraph a line"),
        Corpus("garden_zh", "garden_zh.txt", "text", "zh-Hans", "a short memoir of a garden, a sentence a line"),
        Corpus(
            "garden_zh_words", "garden_zh_words.txt", "text", "zh-Hans", "the same memoir, its words parted by spaces"
        ),
        Corpus("toy", "toy.mrg", "trees", "en", "200 bracketed trees of the toy grammar, a tree a line"),
    )
}

DEFAULT = "lighthouse"  # what ``seqtree lm train`` reads when it is given no corpus


def names() -> tuple[str, ...]:
    """The names of the samples."""
    return tuple(_CORPORA)


def describe(name: str) -> Corpus:
    """The description of the sample called ``name``; InputError, listing the names, if there is none."""
    try:
        return _CORPORA[name]
    except KeyError:
        raise InputError(f"no embedded sample is called {name!r}; there are: {', '.join(_CORPORA)}") from None


def path(name: str) -> Path:
    """Where the file of the sample called ``name`` lies on this machine."""
    return Path(str(resources.files("seqtree.corpora") / "data" / describe(name).file))


def load(name: str) -> str:
    """The whole sample called ``name`` as one string, lines ended by ``\\n``."""
    return path(name).read_text(encoding="utf-8")
