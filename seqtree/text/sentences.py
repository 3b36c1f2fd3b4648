"""Raw text as sentences of words, without downloads; each word in the text's and in the model's form."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, count
from typing import TypeVar

from seqtree.errors import InputError
from seqtree.text.brackets import escape_word
from seqtree.text.contractions import without_apostrophe
from seqtree.text.reading import several
from seqtree.text.splitting import abbreviations, split_sentences
from seqtree.text.tokenizers import Span, TreebankTokenizer
from seqtree.text.wholes import opening_quotes, whole_tokens

__all__ = [
    "ParagraphReader",
    "Sentence",
    "Word",
    "forms_for_model",
    "given_words",
    "penn_tokens",
    "read_sentences",
    "split_sentences",
    "words_as_given",
]

T = TypeVar("T")
Word = tuple[str, str]  # its form in the text, and its form for the model

MAX_UNSPACED_WORD = 8  # characters of a word to look up in text without spaces
MAX_PARAGRAPH = 1 << 16  # characters; of a longer paragraph only the last sentence is kept in memory

_WORD = re.compile(r"\S+", re.ASCII)

_STRAIGHT = str.maketrans("“”„‟«»’", '""""""\'')
_APOSTROPHES_AND_HYPHENS = str.maketrans("’–‐‑", "'---")
_APOSTROPHE = re.compile(r"[`´ʹʼ′](?<=[^\W\d_].)(?=[^\W\d_])")  # other marks that stand for one, between letters
_HEBREW_ACRONYM = re.compile(r'(?<=[א-ת])"(?=[א-ת])')
_SEPARATE = re.compile(r"[—―]+|…+|[‘‚‛؟؛۔।॥¢-¥\u20a0-\u20cf￠￡￥￦]|،(?!\d)")  # always separate tokens
# After a word, with only punctuation and references such as [17] after it.
_LAST_STOP = re.compile(r"\.(?<=[^\W_]\.)(?=(?:\[\d+\])+\s*$|(?!\.)[\W_]+$)")
_MARKS = {"”": "''", "»": "''", "„": "``", "‟": "``", "«": "``", "‘": "`", "‚": "`", "‛": "`"}
_OPENERS = {"''": "``", "'": "`", "`": "`"}  # the model's forms of quotes that open, where they may also close
_MARKS |= {"…": "...", "—": "--", "―": "--", "–": "--"}

_KATAKANA = "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_OTHER_CJK = (
    "\u3001-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Hiragana, Han and their marks
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"  # full-width marks
)
_CJK = re.compile(f"[{_OTHER_CJK}{_KATAKANA}]")
_PIECE = re.compile(f"[{_KATAKANA}]+|[{_OTHER_CJK}]|[^{_OTHER_CJK}{_KATAKANA}]+")


@dataclass(frozen=True)
class Sentence:
    """A sentence of a text: its words, its line number, and the position of each word in the line.

    ``offsets`` are in characters: ``line[start:end]`` is a word's form in the text. (A byte-order mark is not part of
    the line.)
    """

    words: list[Word]
    line: int
    offsets: list[tuple[int, int]]


def penn_tokens(sentence: str, known: Container[str] = frozenset()) -> list[Word]:
    """The tokens of a sentence by the Penn Treebank's rules, each as (form in the text, form for the model).

    Whatever its marks, one token each are URLs, e-mail addresses, ``#tag``, ``@name``, ``AT&T``, ``US$``, smileys,
    emoji, and words with marks in them that the model knows (``known``: its words). Currency signs and the quotes
    that open or close are separate tokens.

    The model's form is that of the text if the model knows it. Otherwise it is written as in the Penn Treebank: double
    quotes of any kind as `` and '', an opening single quote as `, typographic apostrophes and hyphens as ASCII, dashes
    as ``--``, ``…`` as ``...``, and brackets as ``-LRB-`` and so on; ``-LRB-`` itself is not changed.
    An opening ``''`` or ``'`` is `` or ` for a model that knows these, even if it knows the form of the text as well.
    So is the ``nt`` of ``dont`` n't, if the model does not know ``dont``.

    Chinese and Japanese have no spaces, so a token is the longest known word that starts at its position, or else one
    character or one run of Katakana. (For text that is already split into words, use ``read_sentences`` with
    ``tokenized``.) Korean, Thai and similar scripts are split only at spaces.

    >>> penn_tokens("“I can’t (yet)”")
    [('“', '``'), ('I', 'I'), ('ca', 'ca'), ('n’t', "n't"), ('(', '-LRB-'), ('yet', 'yet'), (')', '-RRB-'), ('”', "''")]
    """
    read = plain = _APOSTROPHE.sub("'", sentence)  # one character for one: positions do not change
    if not read.isascii():
        plain = _HEBREW_ACRONYM.sub("״", read.translate(_STRAIGHT))
    parts = without_apostrophe(read, known)
    wholes = whole_tokens(read, known, parts)
    openings = opening_quotes(plain, wholes)
    unspaced = _CJK.search(sentence) is not None
    kept = set(wholes)
    found: list[Word] = []
    for start, end in _spans(plain, wholes):
        form = sentence[start:end]
        if unspaced and (start, end) not in kept:
            found += [(piece, _model_form(piece, known, start in openings)) for piece in _pieces(form, known)]
        else:
            said = form if form in known else read[start:end]
            said = said if said.isalnum() else _model_form(said, known, start in openings)
            found.append((form, parts.get((start, end), said)))
    return found


def _spans(plain: str, wholes: list[Span]) -> list[Span]:
    """The [start, end) of each token; those in ``wholes``, which are in order, are not looked into."""
    masked = _masked(plain, wholes) if wholes else plain
    if not plain.isascii():
        masked = _SEPARATE.sub(r" \g<0> ", masked)
    borders = sorted({border for whole in wholes for border in whole}, reverse=True)
    found: list[Span] = []
    place = 0
    for token in _treebank().tokenize(_separate_last_stop(masked)):
        while plain[place].isspace():
            place += 1
        end = place + (1 if token in ("``", "''") and plain[place] == '"' else len(token))
        while borders and borders[-1] < end:
            if (border := borders.pop()) > place:
                found.append((place, border))
                place = border
        found.append((place, end))
        place = end
    return found


def _masked(plain: str, wholes: list[Span]) -> str:
    """The sentence with an x for each character of these tokens, or _ in a smiley, and a space beside other letters."""
    parts = []
    place = 0
    for start, end in wholes:
        parts.append(plain[place:start])
        if plain[max(start - 1, 0) : start].isalnum():
            parts.append(" ")
        parts.append(("x" if plain[start].isalnum() or plain[start] in "#@'`" else "_") * (end - start))
        if plain[end : end + 1].isalnum():
            parts.append(" ")
        place = end
    return "".join([*parts, plain[place:]])


def words_as_given(words: Iterable[str], known: Container[str] = frozenset()) -> list[Word]:
    """The words of a sentence that is already split, each as (form in the text, form for the model).

    The model's form is as in ``penn_tokens``; straight double quotes alternate between opening and closing.
    """
    found = []
    opened = False
    for form in words:
        if form == '"':
            opened = not opened
        found.append((form, _model_form(form, known, opening=opened or form == "“")))
    return found


def sequence_of_words(sentence: Iterable[T]) -> Iterable[T]:
    """A sentence. Raises InputError for what has no words, and for one string: it would be taken for its characters."""
    if isinstance(sentence, str):
        raise InputError("a sentence is a sequence of words, not one string; split it first")
    if not isinstance(sentence, Iterable):
        raise InputError(f"a sentence is a sequence of words, not {type(sentence).__name__}")
    return sentence


def given_words(sentence: Iterable[str], known: Container[str] = frozenset()) -> list[Word]:
    """``words_as_given`` for what a caller in Python gives. Raises InputError for a string, and words that are none."""
    given = list(sequence_of_words(sentence))
    for wrong in (word for word in given if not isinstance(word, str)):
        raise InputError(f"words are strings, not {wrong!r}")
    if given and not any(given):
        raise InputError("a sentence has only empty words; expected a character in one of them")
    return words_as_given(given, known)


def forms_for_model(sentence: Sequence[Word]) -> list[str]:
    """The forms of a sentence's words for the model. Raises InputError for words that are strings without one."""
    for word in sentence:
        if isinstance(word, str):
            raise InputError(
                f"{word!r}: expected a word with its form for the model, as in Parser.words; parse_sents and tag_sents "
                "take strings"
            )
    return [form for _, form in sentence]


def read_sentences(
    lines: Iterable[str], tokenized: bool, known: Container[str] = frozenset(), numbers: Iterator[int] | None = None
) -> Iterator[Sentence]:
    """The sentences of all lines, their words as from ``penn_tokens``; only one line is in memory at a time.

    tokenized: a line is one sentence of words separated by ASCII whitespace, as in bracketed trees, so that a word may
    contain a no-break space; otherwise a line may have several sentences. A blank line gives one sentence without
    words, so that every line has a result. ``numbers``: the line numbers, by default from 1. Raises InputError for one
    string in the place of several.
    """
    for line, number in zip(several(lines, "lines"), count(1) if numbers is None else numbers, strict=False):
        place = 0
        for words in _sentences(line, tokenized, known):
            offsets = _offsets(line, words, place)
            place = offsets[-1][1] if offsets else place
            yield Sentence(words, number, offsets)


def character_sentences(lines: Iterable[str], numbers: Iterator[int] | None = None) -> Iterator[Sentence]:
    """Each line as one sentence whose words are its characters, white space left out; for word segmentation."""
    for line, number in zip(several(lines, "lines"), count(1) if numbers is None else numbers, strict=False):
        places = [place for place, character in enumerate(line) if not character.isspace()]
        yield Sentence([(line[i], line[i]) for i in places], number, [(i, i + 1) for i in places])


class ParagraphReader:
    """Reads the sentences of a text whose lines are wrapped; blank lines, and nothing else, separate its paragraphs.

    A sentence's ``line`` is that of its first word, and its ``offsets`` count from the beginning of this line through
    the lines after it, each line end as one character: if ``rest`` is the text from that line on, ``rest[start:end]``
    is a word. Blank lines have no result. A word hyphenated at the end of a line stays two words.

    The lines come in blocks; a paragraph that is not complete waits for the next block. Only one paragraph is in memory
    or, of a longer one, some MAX_PARAGRAPH characters: a sentence of more than half of them ends at the end of a line.
    """

    def __init__(self, known: Container[str] = frozenset()) -> None:
        self._known = known
        self._number = 0  # of the last line
        self._lines: list[str] = []  # of the paragraph that is not complete
        self._size = 0  # its characters
        self._column = 0  # where in its line the first of them stands

    def feed(self, lines: Iterable[str]) -> Iterator[Sentence]:
        """The sentences of the paragraphs that end in these lines. What precedes an InputError in them comes first."""
        try:
            for line in lines:
                blank = not line.strip()
                if blank:
                    yield from self.finish()
                self._number += 1
                if not blank:
                    self._lines.append(line.removesuffix("\n"))
                    self._size += len(line)
                if self._size > MAX_PARAGRAPH:
                    yield from self._take(" ".join(self._lines), whole=False)
        except InputError:
            yield from self.finish()
            raise

    def finish(self) -> Iterator[Sentence]:
        """The sentences that are left."""
        return self._take(" ".join(self._lines), whole=True)

    def _take(self, text: str, whole: bool) -> Iterator[Sentence]:
        """The sentences of ``text``, the lines so far; the last one stays if not ``whole``, unless it is long."""
        sentences = split_sentences(text)
        left = not whole and len(sentences) > 1 and len(sentences[-1]) <= MAX_PARAGRAPH // 2
        first = self._number - len(self._lines) + 1
        starts = [-self._column, *accumulate(len(line) + 1 for line in self._lines)]  # of each line in the text
        place = 0
        for sentence in sentences[: len(sentences) - left]:
            words = penn_tokens(sentence, self._known)
            offsets = _offsets(text, words, place)
            row = bisect(starts, offsets[0][0]) - 1
            yield Sentence(words, first + row, [(a - starts[row], b - starts[row]) for a, b in offsets])
            place = offsets[-1][1]
        self._keep(text, text.index(sentences[-1], place) if left else len(text), starts)

    def _keep(self, text: str, place: int, starts: list[int]) -> None:
        """Forgets what stands before ``place`` in ``text``, whose lines begin at ``starts``."""
        row = bisect(starts, place) - 1
        self._lines = [text[place : starts[row + 1] - 1], *self._lines[row + 1 :]] if place < len(text) else []
        self._column = place - starts[row] if self._lines else 0
        self._size = len(text) - place


def _offsets(text: str, words: list[Word], place: int) -> list[Span]:
    """Where each word stands in a text, the first not before ``place``, with only whitespace between them."""
    found = []
    for form, _ in words:
        place = text.index(form, place)
        found.append((place, place := place + len(form)))
    return found


def _sentences(line: str, tokenized: bool, known: Container[str]) -> list[list[Word]]:
    if tokenized:
        return [words_as_given(_WORD.findall(line), known)]
    return [penn_tokens(sentence, known) for sentence in split_sentences(line)] or [[]]


def _separate_last_stop(sentence: str) -> str:
    """The sentence with a space before the full stop after its last word, unless that is an abbreviation.

    The Penn Treebank's rules separate a full stop only at the very end, so not in ``It ended. . . .``
    """
    stop = _LAST_STOP.search(sentence)
    if stop is None or sentence[: stop.start()].rsplit(None, 1)[-1].lstrip("([{\"'`").lower() in abbreviations():
        return sentence
    return f"{sentence[: stop.start()]} {sentence[stop.start() :]}"


def _model_form(form: str, known: Container[str], opening: bool) -> str:
    """The model's form; ``opening``: whether it is a quote that opens, for one that may also close (``“`` may)."""
    if opening and form in _OPENERS and (_OPENERS[form] in known or form not in known):
        return _OPENERS[form]
    if form in known:
        return form
    if form in ('"', "“"):
        return "``" if opening else "''"
    if form[:1] in _MARKS and not form.strip(form[0]):
        return _MARKS[form[0]]
    return escape_word(form.translate(_APOSTROPHES_AND_HYPHENS))


def _pieces(form: str, known: Container[str]) -> Iterator[str]:
    place = 0
    while place < len(form):
        match = _PIECE.match(form, place)
        assert match is not None  # any character begins a piece
        end = match.end()
        if _CJK.match(form, place):
            longest = min(place + MAX_UNSPACED_WORD, len(form))
            end = next((stop for stop in range(longest, place + 1, -1) if form[place:stop] in known), end)
        yield form[place:end]
        place = end


@cache
def _treebank() -> TreebankTokenizer:
    return TreebankTokenizer()
