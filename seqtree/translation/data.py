"""Pairs of texts: two columns of a file, or two files line by line; and which of them to validate on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from seqtree.errors import InputError
from seqtree.text.config import check_encoding
from seqtree.text.reading import numbered_lines, sources
from seqtree.training.batches import evenly
from seqtree.wording import counted

MAX_VALIDATION = 5000  # pairs
HEADER = ["source", "target"]
MANY = 2 / 3  # of the words of texts whose letters stand by themselves


class Pair(NamedTuple):
    """A source and its target; ``where`` is the file and line of the source, and of the target if that is another."""

    source: str
    target: str
    where: str = ""


def read_pairs(
    files: Sequence[str], targets: Sequence[str] = (), swap: bool = False, encoding: str = "utf-8"
) -> list[Pair]:
    """The pairs of files with the columns source and target; with ``targets``, of two rows of files line by line.

    ``swap``: the other way. Lines that are empty on both sides are left out, and so is a header of the two names
    source and target. Raises InputError, naming file and line, for a line without exactly one tab, an empty source or
    target, bytes that are not in the encoding, a header of target and source without ``swap``, and files of different
    lengths; and if there is no pair.
    """
    if targets and len(targets) != len(files):
        raise InputError(
            f"{counted(len(files), 'file')} of sources, but {len(targets)} of targets: expected as many of both"
        )
    check_encoding(encoding)
    read = _aligned(files, targets, encoding) if targets else _columns(files, encoding, swap)
    pairs = [Pair(pair.target, pair.source, pair.where) if swap else pair for pair in read]
    if not pairs:
        raise InputError(f"{', '.join(files)}: no pair of source and target")
    return pairs


def set_apart(pairs: Sequence[Pair], share: float) -> tuple[list[Pair], list[Pair]]:
    """Training pairs, and this share of them to validate on: all pairs of sources evenly from the whole.

    So no source is in both, and a file may be sorted.
    """
    distinct = list(dict.fromkeys(pair.source for pair in pairs))
    chosen = {distinct[number] for number in evenly(len(distinct), share, MAX_VALIDATION)}
    training = [pair for pair in pairs if pair.source not in chosen]
    return training, [pair for pair in pairs if pair.source in chosen]


def letters_apart(texts: Iterable[str]) -> bool:
    """Whether most words of texts are single characters, as in the letters of a word with spaces between them.

    >>> letters_apart(["k o r r e k t ADJ", "a b"]), letters_apart(["May 5, 1955", "7"])
    (True, False)
    """
    words = [text.split() for text in texts]
    apart = sum(len(word) == 1 for text in words if len(text) > 1 for word in text)
    return apart > MANY * sum(map(len, words))


def _columns(files: Sequence[str], encoding: str, swap: bool) -> Iterator[Pair]:
    with sources(files, suffixes=(".tsv", ".txt")) as (found,):
        for file in found:
            begun = False
            for number, line in numbered_lines([file], encoding):
                where = f"{file.name}:{number}"
                if not line.strip():
                    continue
                header, begun = not begun and line.lower().split("\t"), True
                if header == HEADER[::-1] and not swap:
                    raise InputError(f"{where}: the columns are target and source; give --swap to read them so")
                if header in (HEADER, HEADER[::-1]):
                    continue
                if (tabs := line.count("\t")) != 1:
                    said = f"{tabs} tabs" if tabs else "no tab"
                    raise InputError(f"{where}: {said}; expected a source, one tab, and its target")
                source, _, target = line.partition("\t")
                yield _checked(source, target, where, where)


def _aligned(files: Sequence[str], targets: Sequence[str], encoding: str) -> Iterator[Pair]:
    with sources(files, targets) as (found, beside):
        for file, other in zip(found, beside, strict=True):
            last = 0
            for source, target in zip_longest(numbered_lines([file], encoding), numbered_lines([other], encoding)):
                if source is None or target is None:
                    ended, longer = (file, other) if source is None else (other, file)
                    raise InputError(
                        f"{ended.name} ends after line {last}, but {longer.name} goes on: expected as many lines"
                    )
                last = source[0]
                if not source[1].strip() and not target[1].strip():
                    continue
                yield _checked(source[1], target[1], f"{file.name}:{last}", f"{other.name}:{last}")


def _checked(source: str, target: str, where: str, beside: str) -> Pair:
    for name, text, place in (("source", source, where), ("target", target, beside)):
        if not text.strip():
            raise InputError(f"{place}: the {name} is empty; expected a text")
    return Pair(source, target, where if where == beside else f"{where}, {beside}")
