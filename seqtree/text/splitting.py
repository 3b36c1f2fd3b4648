"""Splits raw text into sentences: NLTK's Punkt without a trained model, and rules for what it cannot know."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

from seqtree.text.tokenizers import Span
from seqtree.text.wholes import SMILEY

TAIL = 24  # characters of a sentence that the rules about its end see

# Without the final full stop; single letters with full stops between them (U.S, e.g) need not be listed.
_ABBREVIATIONS = """
    mr mrs ms messrs mmes dr drs prof rev hon pres gov sen rep gen col lt maj capt cmdr sgt cpl pvt adm jr sr st mt ft
    inc corp co cos ltd bros plc pty dept univ assn asst mfg intl natl calif ave blvd rd
    jan feb mar apr jun jul aug sep sept oct nov dec
    etc vs cf viz al c ca approx est vol fig figs eq p pp eds ph.d b.sc m.sc ll.b tsp tbsp
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
# After an abbreviation, before a quotation that begins with a word that often begins a sentence.
_QUOTED_START = re.compile(
    r"\.(?:(?<= Co\.)|(?<= (?:Ltd|Inc|etc|a\.m|p\.m|[A-Z]\.[A-Z])\.)|(?<= (?:Corp|Bros)\.))(?=\s+[\"“](?:"
    rf"{'|'.join(word.capitalize() for word in [*_STARTERS, 'i'])})\b)|\.(?<=(?:a\.m|p\.m|etc)\.)(?=\s+I\b)"
)
_BLANK_LINE = re.compile(r"\n\s*\n")
_FOR_PUNKT = str.maketrans("“”„‟‘’", '""""\'\'')

# What belongs to the sentence before it: more of its marks and ``[17]`` without a space before them, and a smiley.
_CLOSE_BEHIND = re.compile(r"[!?]+|(?:\[\d+\])+(?=\s|$)")
_CLOSES = re.compile(r"[,;:)\]}]|['\"”’»“]+\s*[,;:)\]]")
_QUOTED_END = re.compile(r"[.!?؟؛۔।॥]\s?['\"”“’‘»«›‹)\]]+$")
_SPACED_ELLIPSIS = re.compile(r"(?:\.\s+){2}\.$")
_NEVER_AN_END = re.compile(r"(?:^|[\s(\[“\"])(?:Mr|Mrs|Ms|Dr|Prof|e\.g|i\.e|vs|cf)\.$", re.IGNORECASE)
_LIST_NUMBER = re.compile(
    r"[(\[]?(?:\d{1,3}(?:\.\d{1,3}){0,4}|[A-Za-z]|[ivxIVX]{1,5})[.)\]]{1,2}"
    r"|(?:Fig|Figure|Tab|Table|Step|Example|Exercise)\.?\s+\d[\d.]*[a-z]?\."
)
# Before a figure these do not end a sentence; some are words as well, unless they are capitalised.
_BEFORE_FIGURE = re.compile(
    r"(?:^|[\s(\[/\"“–-])(?:(?i:nos?|figs?|secs?|sect|chs?|chap|paras?|pp?|vols?|eqs?|eqn|nn?|ll?|fol|tel|approx|ca|circa|c"
    r"|avg|temp|est|ver|vers|v|cl|pts?|bk|div|b|d|m|r|fl|lat|alt|dia|diam|qty|wt|ht|rm|ste|ed|ser)"
    r"|(?:Art|Arts|App|Ex|Tab|Max|Min|Op|Add|Ext|Apt|Reg|Res|Nr|Ref|Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec))\.$"
)
_FIGURE = re.compile(r"[-−–+±#~≈<>$£€¥]*\d|[A-Z]?\d|(?:[VXLC]|[IVXLC]{2,})\b(?!')")
_WEEKDAY = re.compile(r"(?:^|[\s(\[])(?:Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)\.$")
_MONTH = re.compile(r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sep|Oct|Nov|Dec)[a-z]*\b")
# Before a small letter these do not end a sentence; none of them is a word as well, and units follow a figure.
_SHORT_FORMS = """
    abbr acad acct accts addl addr adj admin adv agric amt anon appl appt apt arr arrv assoc attn avg bibl biol
    bldg calc cert chap chem chron cont contd contr coop coord corr dba defn dept depts deriv descr dia diag diam
    dict dist div ea eccl ecol econ edn educ elec elem elev encl engr equiv esp eval excl ext freq fwd geog geol
    geom gov't govt hist hosp hwy ibid illus immed incl indiv infl inst instr invt irreg jct lieut manuf max mech
    mfr mgmt mgr min misc mkt mktg mlle mme msg mtg mtn mtns neg obs occas orch orig pers phr phys pkg pkgs pkwy
    plur poss pref prelim prev prob proc pron pseud qty quot rcd rec'd recd refs regd repr reqd resp rpt sal sched
    sect sgd sociol soln spp sq std stmt subj suff suppl syn tel temp temps theol trans treas usu vb vers viz
    vocab vols wk wks yr yrs zool
""".split()  # noqa: SIM905
_BEFORE_SMALL = re.compile(
    rf"(?:^|[\s(\[/\"“])(?:{'|'.join(_SHORT_FORMS)})\.$"
    r"|\d\s?(?:in|ft|yds?|mi|lbs?|oz|gal|qt|pt|secs?|mins?|hrs?|yrs?|mos?|cm|mm|km|kg|sq|cu)\.$",
    re.IGNORECASE,
)
# In small letters these do not begin a sentence after one that begins with a capital, not even in careless writing.
_NEVER_FIRST = re.compile(r"(?:of|to|than|was|were|has|had|which|whose|whom|by|per|nor|said|says|became)\b")
_BRACKET_THEN_SMALL = re.compile(r"\([^()]*\)(?:[,;:]|\s+[a-z])")
_QUOTED_QUESTION = re.compile(r"[?!]\s?['\"”“’»«]+$")
_NAME = (
    r"(?:(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Col|Capt|Sgt|Lt|Rev|St|Jr|Sr)\."
    r"|[A-Z][\w'’-]*|of|de|du|van|von|der|al|bin)"
)
_SAYING = re.compile(
    rf"(?!(?i:{'|'.join(_STARTERS)}|my|your|no|yes|so|not|one|or)\b)(?:I|{_NAME}(?:\s+{_NAME}){{0,5}})\s+(?:\w+ly\s+)?"
    r"(?:sa(?:id|ys?)|ask(?:ed|s)?|repl(?:ied|ies)|answer(?:ed|s)|cr(?:ied|ies)|shout(?:ed|s)|exclaim(?:ed|s)"
    r"|whisper(?:ed|s)|wonder(?:ed|s)|inquire[ds]?|enquire[ds]?|demand(?:ed|s)|call(?:ed|s) out|add(?:ed|s)"
    r"|yell(?:ed|s)|scream(?:ed|s)|mutter(?:ed|s)|murmur(?:ed|s)|remark(?:ed|s)|retort(?:ed|s)|respond(?:ed|s)|observe[ds]"
    r"|continue[ds]|snap(?:ped|s)|joke[ds]|quip(?:ped|s)|groan(?:ed|s)|sigh(?:ed|s)|laugh(?:ed|s)|wr(?:ote|ites)"
    r"|insist(?:ed|s)|declare[ds]|protest(?:ed|s)|sneer(?:ed|s)|roar(?:ed|s)|thought|thinks|told|tells)\b"
)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, without surrounding whitespace; none for a text of whitespace.

    English is split by NLTK's Punkt (Kiss and Strunk 2006) without a trained model, but with common abbreviations,
    after which a sentence ends only before a word that often begins one. Blank lines, and 。！？ and the like in other
    scripts, end sentences too. No sentence ends

    - before a comma, semicolon, colon or closing bracket, or a closing quote before one of these
      (``"Don't worry!", he said.``, ``(D., Mass.), by``);
    - after ``Mr.``; after an abbreviation before a figure (``no. 5``, ``Sec. 4``); after a weekday before a month;
    - before a small letter after a closing quote or bracket (``“Why?” she said.``) or an abbreviation
      (``5 in. long``), or before ``was``, ``of`` and the like if it began with a capital (``The xyz. was high.``);
    - after a quoted question or exclamation before a name and a verb of saying (``"Why?" Smith asked.``);
    - between the number of a list and its item (``1. First, ...``).

    Marks alone (the last of ``?!`` and ``. . .``), ``[17]`` without a space before it and a smiley are part of the
    sentence before them.

    >>> split_sentences("Mr. Smith came at 5 p.m. The U.S. team had won.")
    ['Mr. Smith came at 5 p.m.', 'The U.S. team had won.']
    """
    return [sentence for paragraph in _BLANK_LINE.split(text) for sentence in _split_paragraph(paragraph)]


def _split_paragraph(paragraph: str) -> list[str]:
    spans: list[Span] = []
    ends = sorted(match.end() for pattern in (_OTHER_ENDS, _QUOTED_START) for match in pattern.finditer(paragraph))
    for start, end in pairwise([0, *ends, len(paragraph)]):
        part = paragraph[start:end]
        for first, last in _punkt().span_tokenize(part.translate(_FOR_PUNKT)):
            sentence = part[first:last].strip()
            if not sentence:
                continue
            left = start + part.find(sentence, first)
            right = left + len(sentence)
            if spans:
                left = _give_back(paragraph, spans, left, right)
            if spans and left < right and _continues(paragraph, spans[-1], (left, right)):
                left = spans.pop()[0]
            if left < right:
                spans.append((left, right))
    return [paragraph[slice(*span)] for span in spans]


def _give_back(paragraph: str, spans: list[Span], left: int, right: int) -> int:
    """Gives the last sentence what belongs to it of the one that begins at ``left``; where that one then begins."""
    first, last = spans[-1]
    pattern = _CLOSE_BEHIND if last == left else SMILEY
    while (
        left < right and not paragraph[left].isalnum() and (match := pattern.match(paragraph, left, right)) is not None
    ):
        spans[-1] = (first, match.end())
        left = match.end()
        while left < right and paragraph[left].isspace():
            left += 1
    return left


def _continues(paragraph: str, last: Span, span: Span) -> bool:
    """Whether what Punkt takes for a sentence continues the last one; the [start, end) of both are given."""
    start, end = last
    sentence = paragraph[slice(*span)]
    before = paragraph[max(start, end - TAIL) : end]
    first = sentence[0]
    return bool(
        not any(map(str.isalnum, sentence))
        or _CLOSES.match(sentence)
        or _NEVER_AN_END.search(before)
        or (end - start <= TAIL and _LIST_NUMBER.fullmatch(before))
        or (_FIGURE.match(sentence) and _BEFORE_FIGURE.search(before))
        or (_MONTH.match(sentence) and _WEEKDAY.search(before))
        or (_QUOTED_QUESTION.search(before) and _SAYING.match(paragraph, span[0]))
        or (first.islower() and (_QUOTED_END.search(before) or _SPACED_ELLIPSIS.search(before)))
        or ((first.islower() or first == "(") and _continues_in_small_letters(paragraph, start, before, sentence))
    )


def _continues_in_small_letters(paragraph: str, start: int, before: str, sentence: str) -> bool:
    """The same for one whose first word is in small letters, or a bracket before such a word or a comma."""
    if sentence[0] == "(":
        return before[-1:] in ("?", "!") and _BRACKET_THEN_SMALL.match(sentence) is not None
    if _BEFORE_SMALL.search(before) or _WEEKDAY.search(before):
        return True
    if not _NEVER_FIRST.match(sentence):
        return False
    return next(filter(str.isalpha, paragraph[start : start + TAIL]), "").isupper()


class _Abbreviations(set[str]):
    """The listed abbreviations, and all words that look like ``u.s``."""

    def __contains__(self, word: object) -> bool:
        return super().__contains__(word) or (isinstance(word, str) and _DOTTED.fullmatch(word) is not None)


@cache
def abbreviations() -> _Abbreviations:
    """The abbreviations in small letters without their final full stop."""
    return _Abbreviations(_ABBREVIATIONS)


@cache
def _punkt() -> PunktSentenceTokenizer:
    parameters = PunktParameters()
    parameters.abbrev_types = abbreviations()
    parameters.sent_starters.update(_STARTERS)
    return PunktSentenceTokenizer(parameters)
