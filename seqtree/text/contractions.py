"""English contractions: which of them are one word to a model, and those whose apostrophe is left out (``dont``)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from seqtree.text.tokenizers import CONTRACTED, Span

_CLITIC = re.compile(r"(?:['’](?:s|re|m|ve|ll|d)|n['’]t)$", re.IGNORECASE)
_STEMS = {
    "n't": "do does did is are was were would could should have has had ca wo ai",
    "'m": "i",
    "'re": "you they",
    "'ve": "i you we they would could should might must",
    "'s": "that what he she there here where how who",
    "'ll": "you they it that there",
    "'d": "you they",
}  # not those that are other words without an apostrophe: its, lets, were, well, hell, shell, ill, id, wed
_SPELT = {
    "dunno": (("du", "do"), ("n", "n't"), ("no", "know")),
    "c'mon": (("c'm", "come"), ("on", "on")),
    "y'all": (("y'", "you"), ("all", "all")),
    **{
        stem + clitic.replace("'", ""): ((stem, stem), (clitic.replace("'", ""), clitic))
        for clitic, stems in _STEMS.items()
        for stem in stems.split()
    },
}  # each with its parts, and what a model that has read edited text calls them
_LETTERS = r"[^\s.,;:!?()\[\]{}\"“”‘'’—*~]++"
_WORD = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*+")
_NAME_BEFORE, _NAME_AFTER = re.compile(r"\w\.$"), re.compile(r"\.\w")  # of an address


def is_one_word(word: str, known: Container[str]) -> bool:
    """Whether a model that knows the words ``known`` takes ``word`` for one, whatever marks are in it.

    Not so a contraction of two words that it knows: where some text has ``it's`` for ``its``, that is known, too.
    """
    if word not in known:
        return False
    if word.lower() in CONTRACTED:
        return word.lower() == "cannot" or word[:3] not in known or word[3:] not in known
    clitic = _CLITIC.search(word)
    return clitic is None or word[: clitic.start()] not in known or clitic[0] not in known


def without_apostrophe(sentence: str, known: Container[str]) -> dict[Span, str]:
    """The parts of contractions that lack their apostrophe, each with its form for the model, if it knows these forms.

    And those of ``dunno``, ``c'mon`` and ``y'all``. What the model knows as one word is left alone.

    >>> without_apostrophe("Dont ask.", {"Do", "n't"})
    {(0, 2): 'Do', (2, 4): "n't"}
    """
    parts: dict[Span, str] = {}
    if _SPELT.keys().isdisjoint(_WORD.findall(sentence.lower().replace("’", "'"))):
        return parts
    for match in _WORD.finditer(sentence):
        forms = list(_forms(match[0]))
        if forms and match[0] not in known and all(form in known for _, form in forms) and not _in_a_name(match):
            parts |= _spans(match.start(), forms)
    return parts


def _forms(word: str) -> Iterator[tuple[str, str]]:
    """The parts of a word and their forms, with capitals where the word has them; nothing if it is no contraction."""
    found = _SPELT.get(word.lower().replace("’", "'"), ())
    for number, (part, form) in enumerate(found):
        capital = not number and word[0].isupper()
        yield part, form.upper() if word.isupper() else form.capitalize() if capital else form


def _in_a_name(word: re.Match[str]) -> bool:
    """Whether a word is a part of an address such as ``www.dont.com``."""
    before = word.string[max(0, word.start() - 2) : word.start()]
    return bool(_NAME_BEFORE.match(before) or _NAME_AFTER.match(word.string, word.end()))


def _spans(start: int, forms: list[tuple[str, str]]) -> Iterator[tuple[Span, str]]:
    for part, form in forms:
        yield (start, start + len(part)), form
        start += len(part)
