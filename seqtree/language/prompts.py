"""Prompts: from a text to token indices, naming what the model has never seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from seqtree.errors import InputError
from seqtree.text.items import BREAK
from seqtree.text.vocabulary import Vocabulary
from seqtree.wording import some

POLICIES = ("fail", "skip", "map")


def known_tokens(vocabulary: Vocabulary, tokens: Sequence[str], policy: str) -> list[int]:
    """Indices of the tokens of a prompt; unseen tokens fail with InputError, are skipped, or map to ``<unk>``."""
    if policy not in POLICIES:
        raise InputError(f"unknown {policy!r}: expected one of {', '.join(POLICIES)}")
    unseen = vocabulary.unknown_tokens(tokens)
    if unseen and policy == "fail":
        noun = "characters" if vocabulary.unit == "char" else "words"
        names = [describe(token) for token in unseen]
        raise InputError(
            f"the prompt has {noun} the model has never seen: {some(names)}; change it, or use --unknown skip "
            "or --unknown map"
        )
    ids = [int(i) for i in vocabulary.encode(tokens)]
    return [i for i in ids if i != vocabulary.unknown] if policy == "skip" else ids


def own_line(before: Sequence[int], after: Sequence[int], end: int) -> tuple[list[int], list[int]]:
    """Of the tokens before and after a place, those of its own line, with the line's end.

    >>> own_line([7, 2, 8, 9], [5, 2, 6], end=2)
    ([8, 9], [5, 2])
    """
    left, right = list(before), [*after, end]
    ends = [place for place, token in enumerate(left, 1) if token == end]
    return left[ends[-1] if ends else 0 :], right[: right.index(end) + 1]


def describe(token: str) -> str:
    """A token as shown to people: odd characters by name.

    >>> describe("é"), describe("\\u200b"), describe("mat")
    ("'é'", 'U+200B ZERO WIDTH SPACE', "'mat'")
    """
    if token == BREAK:
        return r"'\n'"
    if len(token) == 1 and not token.isprintable():
        return f"U+{ord(token):04X} {unicodedata.name(token, 'control character')}"
    return repr(token)
