"""Characters on a terminal: width in columns, replacement of unprintable ones, writing direction."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_OTHER_EMOJI = "0123456789#*‼⁉ℹ↔〰〽"  # of other categories, but emoji with a variation selector
_NONCHARACTERS = ("\ufffe", "\uffff")


def visible(text: object) -> str:
    """A word or label safe to print: whitespace becomes ``␣``, control characters and surrogates U+FFFD.

    Bidirectional control characters (embeddings, overrides, isolates) are removed; see ``isolated``.
    """
    return "".join(map(_visible, str(text)))


def visible_words(text: str) -> str:
    """The same of several words, whose spaces stay."""
    return " ".join(map(visible, text.split(" ")))


def isolated(text: str) -> str:
    """The text between U+2068 and U+2069 if it has right-to-left characters, so that its surroundings do not move."""
    if not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text):
        return f"\u2068{text}\u2069"
    return text


def direction_of(text: str) -> str:
    """``ltr`` or ``rtl``, as the first letter is read; nothing without one.

    >>> direction_of("(abc"), direction_of("12")
    ('ltr', '')
    """
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in _DIRECTIONS), "")
    return _DIRECTIONS.get(first, "")


def columns(text: str) -> int:
    """The width of the text in terminal columns."""
    return len(text) if text.isascii() else sum(widths(text))


def widths(text: str) -> Iterator[int]:
    """The columns of each character: 2 for wide ones, 0 for combining and invisible ones, and for parts of an emoji.

    An emoji is as wide as its first part: a skin tone, or a symbol after a zero-width joiner, adds nothing. A skin tone
    or a variation selector makes a narrow symbol an emoji of 2 columns; two regional indicators are a flag of 2.
    """
    before, base, wide = "", "", 0  # the character before; the last one that takes any columns, and how many
    for character in text:
        width = _columns_alone(character)
        if (character == _EMOJI_STYLE and before == base and _may_be_emoji(base)) or (
            character in _SKIN_TONES and unicodedata.category(base or " ") == "So"
        ):
            yield 2 - wide
            wide = 2
        elif width and before == _JOINER and _may_be_emoji(base) and _may_be_emoji(character):
            yield 0
        else:
            yield width
            base, wide = (character, width) if width else (base, wide)
        before = character


def _may_be_emoji(character: str) -> bool:
    return character != "" and (character in _OTHER_EMOJI or unicodedata.category(character) == "So")


def _columns_alone(character: str) -> int:
    """0, 1 or 2 columns, by the character's category and East Asian width."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf") and character != "\u00ad":
        return 0
    if "\u1160" <= character <= "\u11ff":  # Hangul vowels and final consonants, shown within the initial's columns
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _visible(character: str) -> str:
    if character.isspace():
        return "␣"
    if character in _BIDI_CONTROLS:
        return ""
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") or character in _NONCHARACTERS else character
