"""Splits raw text into sentences and words, without downloads; each word in the text's and in the model's form."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count, pairwise

from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

from seqtree.text.brackets import escape_word
from seqtree.text.tokenizers import TreebankTokenizer

Word = tuple[str, str]  # its form in the text, and its form for the model

MAX_UNSPACED_WORD = 8  # characters of a word to look up in text without spaces

_WORD = re.compile(r"\S+", re.ASCII)

# Without the final full stop; single letters with full stops between them (U.S, e.g) need not be listed.
_ABBREVIATIONS = """
    mr mrs ms messrs mmes dr drs prof rev hon pres gov sen rep gen col lt maj capt cmdr sgt cpl pvt adm jr sr st mt ft
    inc corp co cos ltd bros plc pty dept univ assn asst mfg intl natl calif ave blvd rd
    jan feb mar apr jun jul aug sep sept oct nov dec
    etc vs cf viz al c ca approx est vol fig figs eq p pp eds ph.d b.sc m.sc ll.b
""".split()  # noqa: SIM905 (a list literal would be a page long)
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
# After an abbreviation, these words begin a new sentence if they are capitalised.
_STARTERS = """
    the this that these those there an he she it we you they his her its our their in on at by from with for as if when
    where while after before although because since however but and then what who why how some many most both
""".split()  # noqa: SIM905
# Marks that end a sentence with or without a space after them; with closing quotes, only if no text follows directly.
_CLOSING = "」』”’»›）〉》】\"')\\]"
_OTHER_ENDS = re.compile(
    rf"[。！？｡؟۔।॥][。！？｡؟۔।॥!?…]*+(?:[{_CLOSING}]++(?=\s|$|[「『“‘（〈《【])|(?![{_CLOSING}]))"
)
_QUOTED_END = re.compile(r"[.!?؟؛۔।॥]\s?['\"”“’‘»«›‹)\]]+$")
_SPACED_ELLIPSIS = re.compile(r"(?:\.\s+){2}\.$")
_NUMBER = re.compile(r"\bNos?\.$")
_NEVER_AN_END = re.compile(r"(?:^|[\s(\[“\"])(?:Mr|Mrs|Ms|Dr|Prof|e\.g|i\.e|vs|cf)\.$", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\n\s*\n")

_STRAIGHT = str.maketrans("“”„‟«»’", '""""""\'')
_APOSTROPHES_AND_HYPHENS = str.maketrans("’–‐‑", "'---")
_FOR_PUNKT = str.maketrans("“”„‟‘’", '""""\'\'')
_HEBREW_ACRONYM = re.compile(r'(?<=[א-ת])"(?=[א-ת])')
_SEPARATE = re.compile(r"[—―]+|…+|[‘‚‛؟؛۔।॥]|،(?!\d)")  # always separate tokens
_LAST_STOP = re.compile(r"(?<=[^\W_])\.(?=[^\w.][\W_]*$)")  # after a word, with only punctuation after it
_MARKS = {"”": "''", "»": "''", "„": "``", "‟": "``", "«": "``", "‘": "`", "‚": "`", "‛": "`"}
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


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, without surrounding whitespace; none for a text of whitespace.

    English is split by NLTK's Punkt (Kiss and Strunk 2006) without a trained model, but with common abbreviations,
    after which a sentence ends only before a word that often begins one. No sentence ends after ``Mr.``, after ``No.``
    before a digit, or after a closing quote or bracket before a lower-case letter (``“Why?” she said.``). Blank lines,
    and 。！？ and the like in other scripts, end sentences too. Marks alone (the last of ``?!`` and ``. . .``) are part
    of the sentence before them.

    >>> split_sentences("Mr. Smith came at 5 p.m. The U.S. team had won.")
    ['Mr. Smith came at 5 p.m.', 'The U.S. team had won.']
    """
    found: list[str] = []
    for paragraph in _BLANK_LINE.split(text):
        spans: list[tuple[int, int]] = []
        ends = [match.end() for match in _OTHER_ENDS.finditer(paragraph)]
        for start, end in pairwise([0, *ends, len(paragraph)]):
            part = paragraph[start:end]
            for first, last in _punkt().span_tokenize(part.translate(_FOR_PUNKT)):
                sentence = part[first:last].strip()
                if not sentence:
                    continue
                left = start + part.find(sentence, first)
                right = left + len(sentence)
                if spans and _continues(paragraph[slice(*spans[-1])][-20:], sentence):
                    left = spans.pop()[0]
                spans.append((left, right))
        found += [paragraph[slice(*span)] for span in spans]
    return found


def penn_tokens(sentence: str, known: Container[str] = frozenset()) -> list[Word]:
    """The tokens of a sentence by the Penn Treebank's rules, each as (form in the text, form for the model).

    The model's form is that of the text if the model knows it (``known``: its words). Otherwise it is written as in the
    Penn Treebank: double quotes of any kind as `` and '', typographic apostrophes and hyphens as ASCII, dashes as
    ``--``, ``…`` as ``...``, and brackets as ``-LRB-`` and so on; ``-LRB-`` itself is not changed.

    Chinese and Japanese have no spaces, so a token is the longest known word that starts at its position, or else one
    character or one run of Katakana. (For text that is already split into words, use ``read_sentences`` with
    ``tokenized``.) Korean, Thai and similar scripts are split only at spaces.

    >>> penn_tokens("“I can’t (yet)”")
    [('“', '``'), ('I', 'I'), ('ca', 'ca'), ('n’t', "n't"), ('(', '-LRB-'), ('yet', 'yet'), (')', '-RRB-'), ('”', "''")]
    """
    plain = _HEBREW_ACRONYM.sub("״", sentence.translate(_STRAIGHT))  # one character for one: positions do not change
    found: list[Word] = []
    place = 0
    for token in _treebank().tokenize(_separate_last_stop(_SEPARATE.sub(r" \g<0> ", plain))):
        while plain[place].isspace():
            place += 1
        end = place + (1 if token in ("``", "''") and plain[place] == '"' else len(token))
        for form in _pieces(sentence[place:end], known):
            found.append((form, _model_form(form, known, opening=token == "``")))
        place = end
    return found


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


def read_sentences(
    lines: Iterable[str], tokenized: bool, known: Container[str] = frozenset(), numbers: Iterator[int] | None = None
) -> Iterator[Sentence]:
    """The sentences of all lines, their words as from ``penn_tokens``; only one line is in memory at a time.

    tokenized: a line is one sentence of words separated by ASCII whitespace, as in bracketed trees, so that a word may
    contain a no-break space; otherwise a line may have several sentences. A blank line gives one sentence without
    words, so that every line has a result. ``numbers``: the line numbers, by default from 1.
    """
    for line, number in zip(lines, count(1) if numbers is None else numbers, strict=False):
        place = 0
        for words in _sentences(line, tokenized, known):
            offsets = []
            for form, _ in words:
                place = line.index(form, place)  # only whitespace is skipped
                offsets.append((place, place := place + len(form)))
            yield Sentence(words, number, offsets)


def _sentences(line: str, tokenized: bool, known: Container[str]) -> list[list[Word]]:
    if tokenized:
        return [words_as_given(_WORD.findall(line), known)]
    return [penn_tokens(sentence, known) for sentence in split_sentences(line)] or [[]]


def _continues(before: str, sentence: str) -> bool:
    """Whether a sentence found by Punkt continues the one before it, which ends in ``before``."""
    first = sentence[0]
    return bool(
        not any(map(str.isalnum, sentence))
        or (first.islower() and (_QUOTED_END.search(before) or _SPACED_ELLIPSIS.search(before)))
        or (first.isdigit() and _NUMBER.search(before))
        or _NEVER_AN_END.search(before)
    )


def _separate_last_stop(sentence: str) -> str:
    """The sentence with a space before the full stop after its last word, unless that is an abbreviation.

    The Penn Treebank's rules separate a full stop only at the very end, so not in ``It ended. . . .``
    """
    stop = _LAST_STOP.search(sentence)
    if stop is None or sentence[: stop.start()].rsplit(None, 1)[-1].lstrip("([{\"'`").lower() in _abbreviations():
        return sentence
    return f"{sentence[: stop.start()]} {sentence[stop.start() :]}"


def _model_form(form: str, known: Container[str], opening: bool) -> str:
    """The model's form; ``opening``: how to read a straight double quote, or ``“``, which closes in some languages."""
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


class _Abbreviations(set[str]):
    """The listed abbreviations, and all words that look like ``u.s``."""

    def __contains__(self, word: object) -> bool:
        return super().__contains__(word) or (isinstance(word, str) and _DOTTED.fullmatch(word) is not None)


@cache
def _abbreviations() -> _Abbreviations:
    return _Abbreviations(_ABBREVIATIONS)


@cache
def _punkt() -> PunktSentenceTokenizer:
    parameters = PunktParameters()
    parameters.abbrev_types = _abbreviations()
    parameters.sent_starters.update(_STARTERS)
    return PunktSentenceTokenizer(parameters)


@cache
def _treebank() -> TreebankTokenizer:
    return TreebankTokenizer()
