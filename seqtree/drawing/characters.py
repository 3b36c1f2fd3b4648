"""Characters on a terminal: width in columns, replacement of unprintable ones, writing direction, shortening."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import accumulate

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_OTHER_EMOJI = "0123456789#*‼⁉ℹ↔〰〽"  # of other categories, but emoji with a variation selector
_NONCHARACTERS = ("\ufffe", "\uffff")
_VIRAMA = 9  # the canonical combining class of the marks that join two consonants
_FOLLOWING = "\u0e33\u0eb3"  # Thai and Lao am: letters, but part of the consonant before them


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


def padded(text: str, width: int) -> str:
    """Words for a column of a table that many terminal columns wide: safe to print, with spaces after them."""
    shown = visible_words(text)
    return isolated(shown) + " " * (width - columns(shown))


def cut(text: str, width: int) -> str:
    """As much of the beginning of the text as fits into that many columns, no character cut off from its marks.

    What is kept whole is a letter with its combining marks, vowel signs or, after a virama, consonants, a syllable of
    Hangul letters, an emoji with all its parts, a flag.

    >>> cut("किताब", 1), cut("किताब", 2)
    ('', 'कि')
    """
    end = 0
    taken = list(accumulate(widths(text)))
    for place in range(1, len(text) + 1):
        if taken[place - 1] > width:
            break
        if place == len(text) or not _goes_on(text, place, taken[place] - taken[place - 1]):
            end = place
    return text[:end]


def shortened(text: str, width: int) -> str:
    """The text if it takes no more than that many columns, else the beginning that does with an ellipsis after it."""
    return text if columns(text) <= width else cut(text, width - 1) + "…"


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


def _goes_on(text: str, place: int, width: int) -> bool:
    """Whether the character at ``place``, which adds that many columns, belongs to the one before it."""
    before, character = text[place - 1], text[place]
    if _is_flag_letter(before) and _is_flag_letter(character):
        first = place
        while first and _is_flag_letter(text[first - 1]):
            first -= 1
        return (place - first) % 2 == 1
    return (
        width == 0
        or unicodedata.category(character)[0] == "M"
        or character in _SKIN_TONES + _FOLLOWING
        or (_joins(text[max(place - 2, 0) : place]) and character.isalpha())
    )


def _joins(text: str) -> bool:
    """Whether the text ends with a mark that joins the consonant before it to the next one."""
    return unicodedata.combining(text.rstrip(_JOINER)[-1:] or " ") == _VIRAMA


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


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
