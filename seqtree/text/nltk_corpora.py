"""NLTK's corpora by name, on the command line: ``nltk:NAME[/FILES][RANGE]``.

FILES is one of the corpus's files, or first-last, both included, as in ``nltk:treebank/wsj_0001-wsj_0160`` (suffixes
such as ``.mrg`` may be omitted). RANGE selects items (trees, sentences, documents) as Python slices do, as in
``nltk:sinica_treebank[0:8000]``: ``[a:b]``, ``[a:]``, ``[:b]`` or ``[i]``; a negative number counts from the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from seqtree.errors import InputError

PREFIX = "nltk:"
_SPEC = re.compile(r"nltk:(?P<name>\w+)(?:/(?P<files>[^\[\]]+))?(?:\[(?P<range>[^\[\]]*)\])?")
_RANGE = re.compile(r"\s*(?:(?P<one>-?\d+)|(?P<start>-?\d+)?\s*:\s*(?P<stop>-?\d+)?)\s*")

T = TypeVar("T")


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus of NLTK: as it was named (``spec``), its reader, the chosen files in order, and the range in words."""

    spec: str
    name: str
    reader: Any
    files: Sequence[str]
    range: str | None

    def selected(
        self, read: Callable[[], Iterator[T]], what: str, count: Callable[[], Iterator[T]] | None = None
    ) -> Iterator[T]:
        """The items of ``read()`` that the range selects; all without one. Raises InputError if there is none.

        Where they have to be counted, because the range counts from the end, they are read by ``count``.
        """
        if self.range is None:
            yield from read()
            return
        count = count or read
        parts = _RANGE.fullmatch(self.range)
        if parts is None:
            raise InputError(f"{self.spec}: [{self.range}] is not a range of {what}, such as [0:8000], [-500:] or [7]")
        start, stop = (int(part) if part else None for part in (parts["start"], parts["stop"]))
        if parts["one"]:
            start = int(parts["one"])
            stop = start + 1 or None  # [-1] is [-1:]
        if (start or 0) < 0 or (stop or 0) < 0:
            start, stop, _ = slice(start, stop).indices(sum(1 for _ in count()))
        empty = True
        for item in islice(read(), start, stop):
            empty = False
            yield item
        if empty:
            total = sum(1 for _ in count())
            raise InputError(f"{self.spec}: [{self.range}] selects no {what}; there are {total}")

    def cannot_read(self, file: str, error: Exception) -> InputError:
        """What to raise when NLTK's reader fails on a file."""
        return InputError(f"{PREFIX}{self.name}/{file}: NLTK cannot read it: {_one_line(error)}")


def open_corpus(spec: str, examples: str) -> NamedCorpus:
    """The corpus that ``spec`` names; ``examples`` are named to whoever asks for one that does not exist.

    Raises InputError for a name or files that NLTK does not have, and for a corpus that is not installed.
    """
    parts = _SPEC.fullmatch(spec)
    if parts is None:
        raise InputError(
            f"{spec}: expected nltk:NAME, nltk:NAME/FILE, nltk:NAME/FIRST-LAST, each also with [START:STOP]"
        )
    reader, files = _opened(spec, parts["name"], examples)
    if parts["files"]:
        files = _chosen(spec, files, parts["files"])
    return NamedCorpus(spec, parts["name"], reader, files, parts["range"])


def _opened(spec: str, name: str, examples: str) -> tuple[Any, Sequence[str]]:
    """NLTK's reader of a corpus, and its files in order."""
    import nltk.corpus  # here: it is slow to load, and only these arguments need it
    from nltk.corpus.reader.api import CorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    corpus = getattr(nltk.corpus, name, None)
    if not isinstance(corpus, (CorpusReader, LazyCorpusLoader)):
        raise InputError(f"{spec}: NLTK has no corpus named {name!r}; it has, for example, {examples}")
    try:
        files = sorted(corpus.fileids())
    except LookupError:
        raise InputError(
            f"{spec}: the corpus {name!r} is not installed; install it with nltk.download({name!r})"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{spec}: NLTK cannot open it: {_one_line(error)}") from None
    if not files:
        raise InputError(f"{spec}: the corpus {name!r} has no files")
    return corpus, files


def _chosen(spec: str, files: Sequence[str], wanted: str) -> Sequence[str]:
    """One file of a corpus, or the files first-last; a ``-`` may also be part of a file name."""
    places = {file.rpartition(".")[0] or file: place for place, file in enumerate(files)}
    places |= {file: place for place, file in enumerate(files)}
    if wanted in places:
        return [files[places[wanted]]]
    for dash in re.finditer("-", wanted):
        first, last = places.get(wanted[: dash.start()]), places.get(wanted[dash.end() :])
        if first is not None and last is not None:
            if first > last:
                raise InputError(f"{spec}: the first file comes after the last; swap them")
            return files[first : last + 1]
    count = f"{len(files)} files, {files[0]} to {files[-1]}" if len(files) > 1 else f"one file, {files[0]}"
    raise InputError(f"{spec}: no file or range of files {wanted!r}; the corpus has {count}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
