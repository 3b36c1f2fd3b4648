"""Characters on a terminal: width in columns, replacement of unprintable ones, writing direction."""

from __future__ import annotations

import unicodedata

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NONCHARACTERS = ("\ufffe", "\uffff")


def visible(text: object) -> str:
    """A word or label safe to print: whitespace becomes ``␣``, control characters and surrogates U+FFFD.

    Bidirectional control characters (embeddings, overrides, isolates) are removed; see ``isolated``.
    """
    return "".join(map(_visible, str(text)))


def isolated(text: str) -> str:
    """The text between U+2068 and U+2069 if it has right-to-left characters, so that its surroundings do not move."""
    if not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text):
        return f"\u2068{text}\u2069"
    return text


def columns(text: str) -> int:
    """The width of the text in terminal columns: 2 for wide characters, 0 for combining and invisible ones."""
    return len(text) if text.isascii() else sum(map(character_columns, text))


def character_columns(character: str) -> int:
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
