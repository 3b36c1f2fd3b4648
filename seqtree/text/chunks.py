"""Chunks as tags: a word's tag says whether it begins, continues or ends a chunk, and of which kind.

Prefixes: B begins a chunk, I (or M) continues it, E (or L) ends it, S (or U) is a chunk of one word; O is outside. In
IOB1 (Ramshaw and Marcus 1995) B only parts a chunk from another of its kind just before it; in IOB2 every chunk begins
with B. The kind follows after ``-``; in word segmentation (BMES) there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seqtree.errors import InputError

OUTSIDE = "O"
SCHEMES = {"iob1": "BIII", "iob2": "BIIB", "bioes": "BIES", "bilou": "BILU", "bmes": "BMES"}  # begin, in, end, single
_TAG = re.compile(r"(?P<prefix>[BIMELSU])(?:-(?P<kind>.+))?", re.DOTALL)
_CANONICAL = {"M": "I", "L": "E", "U": "S"}


class Chunk(NamedTuple):
    """Words ``start`` to below ``end`` and their kind ("" where chunks have none)."""

    start: int
    end: int
    kind: str


def parts(tag: str) -> tuple[str, str] | None:
    """A tag's prefix (O, B, I, E or S) and kind; None if it is no chunk tag.

    >>> parts("B-NP"), parts("M"), parts("O"), parts("NN")
    (('B', 'NP'), ('I', ''), ('O', ''), None)
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    return _CANONICAL.get(found["prefix"], found["prefix"]), found["kind"] or ""


def kind_of(tag: str) -> str:
    """The kind of a chunk tag, whatever its scheme; any other tag as it is.

    >>> kind_of("B-NP"), kind_of("S-NP"), kind_of("NN"), kind_of("O")
    ('NP', 'NP', 'NN', '')
    """
    found = parts(tag)
    return found[1] if found else tag


def scheme_of(sentences: Iterable[Sequence[str]]) -> str | None:
    """The scheme of sentences' tags, a key of ``SCHEMES``; None if they are no chunk tags."""
    prefixes: set[str] = set()
    kinds: set[str] = set()
    free = False  # whether a B stands where I would do, which IOB1 never has
    for tags in sentences:
        before = OUTSIDE, ""
        for tag in tags:
            known = parts(tag)
            if known is None:
                return None
            prefixes.add(tag[0])
            if tag != OUTSIDE:
                kinds.add(known[1])
                free = free or (known[0] == "B" and (before[0] == OUTSIDE or before[1] != known[1]))
            before = known
    if not kinds or ("" in kinds and len(kinds) > 1) or (kinds == {""} and not prefixes & {"E", "S", "L", "U", "I"}):
        return None
    if "M" in prefixes or (kinds == {""} and OUTSIDE not in prefixes):
        return "bmes"
    if prefixes & {"L", "U"}:
        return "bilou"
    if prefixes & {"E", "S"}:
        return "bioes"
    return "iob2" if free else "iob1"


def chunks(tags: Sequence[str]) -> list[Chunk]:
    """The chunks of a sentence's tags in any scheme, read as ``conlleval`` reads them (CoNLL-2000).

    A sequence that its scheme does not allow is read, too: a chunk begins wherever the kind changes.

    >>> chunks(["I-NP", "I-NP", "B-NP", "O", "E-VP"])
    [Chunk(start=0, end=2, kind='NP'), Chunk(start=2, end=3, kind='NP'), Chunk(start=4, end=5, kind='VP')]
    """
    found = []
    start, before = 0, (OUTSIDE, "")
    for place, tag in enumerate([*tags, OUTSIDE]):
        now = parts(tag) or (OUTSIDE, "")
        begins = now[0] != OUTSIDE and (now[0] in "BS" or before[0] in "OES" or now[1] != before[1])
        if before[0] != OUTSIDE and (begins or now[0] == OUTSIDE):
            found.append(Chunk(start, place, before[1]))
        if begins:
            start = place
        before = now
    return found


def tags_of(found: Iterable[Chunk], length: int, scheme: str) -> list[str]:
    """The tags of ``length`` words with these chunks, in order and apart. Raises InputError for an unknown scheme.

    >>> tags_of([Chunk(0, 1, "NP"), Chunk(1, 3, "NP")], 4, "iob1")
    ['I-NP', 'B-NP', 'I-NP', 'O']
    """
    if scheme not in SCHEMES:
        raise InputError(f"scheme {scheme!r}: expected one of {', '.join(SCHEMES)}")
    begin, inside, end, single = tuple(SCHEMES[scheme])
    tags = [OUTSIDE] * length
    before = Chunk(0, 0, OUTSIDE)
    for chunk in found:
        prefixes = [single] if chunk.end - chunk.start == 1 else [begin, *inside * (chunk.end - chunk.start - 2), end]
        if scheme == "iob1":
            prefixes[0] = "B" if (before.end, before.kind) == (chunk.start, chunk.kind) else "I"
        for place, prefix in enumerate(prefixes, chunk.start):
            tags[place] = f"{prefix}-{chunk.kind}" if chunk.kind else prefix
        before = chunk
    return tags


def rewritten(tags: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Chunk tags of any scheme in another, whatever was wrong with them mended as ``chunks`` reads them."""
    return tuple(tags_of(chunks(tags), len(tags), scheme))


def may_follow(before: str | None, tag: str | None) -> bool:
    """Whether ``tag`` may come after ``before`` in BIOES (or BMES); None is the sentence's start or end."""
    left, right = (parts(one) if one is not None else (OUTSIDE, "") for one in (before, tag))
    if left is None or right is None:
        return True
    if left[0] in "BI":
        return right[0] in "IE" and right[1] == left[1]
    return right[0] not in "IE"
