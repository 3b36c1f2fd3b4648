"""What is one token whatever marks it contains (addresses, smileys, emoji, ``AT&T``), and which quotes open."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

from seqtree.text.contractions import is_one_word
from seqtree.text.tokenizers import CONTRACTED, Span

MAX_KNOWN = 60  # characters of a word to look up among the model's
_CLOSING = ".,;:?!'\"’”»)]}…"

_STOPS = "，。！？、；：「」『』（）《》【】"
_GROUP = r"""\([^\s<>"“”()]*\)"""  # brackets in an address come in pairs
_PATH = (
    rf"""(?:{_GROUP}|[^\s<>"“”(){_STOPS}])*"""
    rf"""(?:{_GROUP}|[^\s<>"“”()\[\]{{}}{_STOPS}.,;:!?'’…])"""  # a mark at its end is the sentence's
)
_URL = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:https?|ftps?|file)://|www\.(?=\w)){_PATH}"
    rf"|(?<![\w.@/-])(?:[A-Z0-9-]+\.)+[A-Z]{{2,}}/{_PATH}",
    re.IGNORECASE,
)
_EMAIL = r"(?<![A-Za-z0-9._%+-])(?:mailto:)?[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"
_AT = re.compile(rf"{_EMAIL}|(?<![\w.@])@[^\W\d]\w*(?:@\w[\w-]*(?:\.[\w-]+)+)?")
_TAG = re.compile(r"(?<![\w&])#\d*[^\W\d]\w*")
_NAME = re.compile(r"(?<![\w&])[A-Z]{1,5}&[A-Z]{1,5}s?(?![\w&])")
_DOLLARS = re.compile(r"(?<!\w)[A-Z]{1,3}\$(?![^\W\d])")
_SHARE = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*%(?:-\w+)+")  # 62%-owned
_AND = re.compile(r"(?<![\w'’])(?:['’]n['’]?|n['’])(?!\w)")  # rock 'n' roll
_FACE = "|".join(
    (
        r"[:;][-o^']?(?:\)++|\(++|[\]\[DPp|*/\\])",
        r"=-?(?:\)++|\(++|[DP])",
        r":[Oo3]",
        r":'-?[()]",
        r"\(-?[:;]",
        r"</?3",
        r"\^[_.]?\^",
        r"-_+-",
        r">[_.]<",
        r"[oO]_[oO]|[T;]_[T;]",
        r"[xX]D",
        r"\\o/",
        r"¯\\_\(ツ\)_/¯",
    )
)
_SYMBOL = "[^\x00-\u25ff]"
# Between white space, marks that end a part of a sentence, or emoji: there is none in ``(as in the note:)``.
SMILEY = re.compile(rf"(?:(?<![^\s.,!?…])|(?<={_SYMBOL}))(?:{_FACE})(?=[.,!?…\"'”’)]*+(?:\s|$)|{_SYMBOL})")
_SMILEY_AFTER_A_WORD = re.compile(r"(?<=[^\W\d])[:;]-?\)++(?=[.,!?…]*+(?:\s|$))")  # in sentences without brackets
_PICTURE = (
    "(?:[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    "|[0-9#*]\ufe0f?\u20e3"  # a keycap
    "|(?:[\U0001f000-\U0001f1e5\U0001f200-\U0001faff\u2600-\u275a\u2761-\u2767\u2795-\u27bf\u231a\u231b\u23e9-\u23f3"
    "\u23f8-\u23fa\u2b1b\u2b1c\u2b50\u2b55]"
    "|[©®™ℹ\u203c\u2049\u2194-\u21aa\u2328\u23cf\u24c2\u25aa-\u25fe\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299]"
    "(?=\ufe0f))"  # symbols of text, unless they are shown as emoji
    "[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?\ufe0f?[\U000e0020-\U000e007f]*)"  # modifiers
)
_EMOJI = re.compile(f"{_PICTURE}(?:\u200d{_PICTURE})*")

# Each pattern is looked for only in sentences that contain the string before it.
_PATTERNS = (
    ("/", _URL),
    ("www.", _URL),
    ("@", _AT),
    ("#", _TAG),
    ("&", _NAME),
    ("$", _DOLLARS),
    ("%-", _SHARE),
    ("'n", _AND),
    ("’n", _AND),
    ("n'", _AND),
    ("n’", _AND),
    *((mark, SMILEY) for mark in (":", ";", "=", "<3", "^", "_", "xD", "XD", "\\o/")),
)

# A word with marks in it, and what stands before it.
_MIXED = re.compile(r"(?<!\S)([^\w\s]*+)([^\W_][\w.-]*+[^\w\s.-]\S*+)")
_INNER = re.compile(r"[^\w.-]")
_MARK = re.compile(r"[^\w\s.,\-/+=\"“”)]")
_POSSESSIVE = re.compile(r"['’][sS]?$")

_BEFORE_A_QUOTE = r"(?<![^\s(\[{<\"“„«‘`—–―-])"
# Short forms that begin with an apostrophe; two digits are a year or a decade.
_ELISION = (
    r"(?:tis|twas|twere|twill|twould|tain|em|im|er|ere|n|til|till|cause|coz|cos|cuz|bout|round|nuff|nother|neath|tween"
    r"|gainst|fraid|cept|scuse|kay|sup|ello|ood|ave|s|m|d|t|ll|re|ve|\d\ds?)\b(?!-)"
)
_SINGLE = re.compile(rf"{_BEFORE_A_QUOTE}'(?=[^\W_])(?!(?i:{_ELISION}))|(?<!`)`(?=[^\W_])")
_DOUBLE = re.compile(r"\"|(?<!')''(?!')")


def whole_tokens(sentence: str, known: Container[str] = frozenset(), parts: Iterable[Span] = ()) -> list[Span]:
    """The [start, end) of what is one token in ``sentence``, in order and apart from each other.

    URLs, e-mail addresses, ``#tag``, ``@name``, names such as ``AT&T``, dollars such as ``US$``, ``62%-owned``,
    ``'n'``, smileys, emoji (a flag, a joined sequence, and one with its modifiers are one), words that contain marks
    and that the model knows (``known``: its words), and single quotes that open (not in ``'tis`` or ``'90s``). And the
    ``parts`` of contractions.
    """
    spans = [*parts]
    spans += [match.span() for part, pattern in _PATTERNS if part in sentence for match in pattern.finditer(sentence)]
    if "'" in sentence or "`" in sentence:
        spans += [match.span() for match in _SINGLE.finditer(sentence)]
    if ")" in sentence and "(" not in sentence:
        spans += [match.span() for match in _SMILEY_AFTER_A_WORD.finditer(sentence)]
    if not sentence.isascii():
        spans += [match.span() for match in _EMOJI.finditer(sentence)]
    spans += _known(sentence, known)
    return list(_apart(spans))


def opening_quotes(sentence: str, wholes: Iterable[Span]) -> set[int]:
    """Where each straight quote or backquote stands that opens a quotation; the single ones are among ``wholes``.

    A double one opens after white space, a bracket, a dash or another quote, unless white space follows it as well and
    a quotation is open.
    """
    found = {start for start, end in wholes if sentence[start:end] in ("'", "`")}
    if '"' not in sentence and "''" not in sentence:
        return found
    opened = False
    for match in _DOUBLE.finditer(sentence):
        start, end = match.span()
        before, after = sentence[start - 1 : start], sentence[end : end + 1]
        free = not before or before.isspace() or before in "([{<`" or (before in "—–―-'" and after.isalnum())
        opened = free and not (opened and (not after or after.isspace()))
        if opened:
            found.add(start)
    return found


def _known(sentence: str, known: Container[str]) -> Iterator[Span]:
    for match in _MIXED.finditer(sentence) if _MARK.search(sentence) else ():
        word = match[2][:MAX_KNOWN].rstrip(_CLOSING)
        for form in (word, _POSSESSIVE.sub("", word)):
            if _INNER.search(form) and is_one_word(form, known):
                yield match.start(2), match.start(2) + len(form)
                break
    lowered = sentence.lower()
    for word in CONTRACTED:
        if word in lowered:
            found = re.finditer(rf"\b{word}\b", sentence, re.IGNORECASE)
            yield from (match.span() for match in found if is_one_word(match[0], known))


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans in order, without those that begin within another; of two that begin together, the longer."""
    last = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= last:
            yield start, end
            last = end
