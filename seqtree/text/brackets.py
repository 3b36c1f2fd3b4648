"""Brackets among words, escaped as in the Penn Treebank."""

from __future__ import annotations

import re

_ESCAPES = {"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-"}
_PLAIN = {escape: bracket for bracket, escape in _ESCAPES.items()} | {"\\/": "/", "\\*": "*", "-BSL-": "\\"}
_BRACKET = re.compile(r"[()\[\]{}]")
_ESCAPED = re.compile(r"-[LR][RSC]B-|-BSL-|\\[/*]")


def escape_word(word: str) -> str:
    """The word with its brackets escaped as in the Penn Treebank: ``(`` is ``-LRB-``, ``a[1]`` is ``a-LSB-1-RSB-``.

    This is a word's form for a model; trees are written by ``seqtree.treebank.bracketed.token``.
    """
    return _BRACKET.sub(lambda match: _ESCAPES[match[0]], word)


def unescape_word(word: str) -> str:
    """The word as in plain text: ``-LRB-`` is ``(``, the Penn Treebank's ``\\/`` is ``/``, a final ``-BSL-`` is ``\\``.

    ``unescape_word(escape_word(word)) == word`` for every word that contains no escape itself.
    """
    return _ESCAPED.sub(lambda match: _PLAIN[match[0]], word)
