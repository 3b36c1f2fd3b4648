"""The verbs of ``everyday_grammar.py``: what belongs to them, auxiliaries, and what follows the subject of a clause.

A clause's person is 1 (I), s (he, a dog) or p (you, we, dogs).
"""

from __future__ import annotations

import random

from everyday_rules import RULES, alternatives, chance, leaf, listed, made, one_of
from everyday_words import ALONE, PARTICLE_TOWARDS, TOWARDS, WITH_PARTICLE, form

DENIED = ["would:n't", "could:n't", "should:n't", "wo:n't", "ca:n't", "can:not", "will:not"]
PLAIN = """
    5 (V ~BARE)
    9 (V ~TAKING) {someone}
    2 (V ~GIVING) {receiver} {short}
    1 (V ~GIVING) {short} (PP (TO to) {receiver})
    3 {towards}
    3 {particle}
    3 {alone}
    3 {moving}
    1 (V ~stay|live|wait|sit|play|eat) (ADVP (RB WHERE))
    1 (V ~get|look|feel|seem|become|stay) {adjectives}
    1 (V ~TAKING) {someone} (NP (DT a) (NN lot))
    1 (V ~like|love|need) {someone}
    1 (V ~explain|describe|introduce|return) {short} (PP (TO to) {receiver})
    1 {particle_towards}
    1 (V ~get|come|go|run|jump|walk) (PP (IN out) (PP (IN of) {place}))
    2 (V ~buy|make|write|choose|find|order|read|get) {thing_about} (PP (IN for) {receiver})
    1 (V ~run) (PP (IN out) (PP (IN of) (NP (NN MASS|time|petrol|luck))))
    1 (V ~taste|smell|sound) {adjectives}
    1 (V ~MOVING) (PP (IN up|down|into|through|around|across|along|past|over|off|towards) {short})
    1 (V ~TAKING) {object} (PP (IN up|down|into|through|around|across|over|from|without|for) {short})
"""
CLAUSES = """
    2 (V ~TO_DO) (S {to_do})
    1 (V ~DOING) (S {doing})
    1 (V ~want) (S {receiver} {to_do})
    2 (V ~ask|tell|persuade|remind|warn|advise|beg|promise|teach|order) {receiver} (S {to_do})
    2 (V ~make|let|help|see|hear) (S {receiver} {do})
    1 (V ~see|hear|watch|feel) (S {receiver} {do})
    1 (V ~see|hear|watch|keep) (S {receiver} {doing})
    1 (V ~have|get) (S {short} (VP (VBN ~TAKING) [.2 (PP (IN by) {person})]))
    2 (V ~make|keep|find|consider|leave|paint) (S {short} (ADJP [.2 (RB very|too|so)] {adjective}))
    1 (V ~make|keep|find) (S {receiver} (ADJP {adjective}))
    1 (V ~call|name|consider|elect|make) (S {receiver} {somebody_named})
    1 (V ~try|decide|promise|learn|prefer) (S (RB not) {to_do})
    2 (V ~SAYING) (SBAR [.4 (IN that)] {statement})
    2 (V ~ASKING) {indirect}
    1 (V ~tell) {receiver} {indirect}
    2 (V ~tell|promise|warn|show|remind) {receiver} (SBAR [.3 (IN that)] {statement})
    1 (V ~give) (PRT (RP up)) (S {doing})
    1 (V ~keep|go) (PRT (RP on)) (S {doing})
"""
OFTEN_OR_SO = """
    14 (ADVP (RB OFTEN))
    1 (ADVP (RB hardly) (RB ever))
    1 (ADVP (RB almost) (RB always|never))
"""
AFTER_BE = """
    6 {predicate}
    5 {being}
    3 (VP {passive} [.35 {behind}])
    1 (VP (VBG going) (S {to_do:1}))
    1 (VP (IN about) (S {to_do:1}))
    2 {out} [.4 {when}]
    1 {predicate} {when}
"""


def be(person: str, past: bool, short: bool = False) -> str:
    """A form of be."""
    if past:
        return "(VBD were)" if person == "p" else "(VBD was)"
    tag, full, less = {"1": ("VBP", "am", "'m"), "s": ("VBZ", "is", "'s"), "p": ("VBP", "are", "'re")}[person]
    return f"({tag} {less if short else full})"


def have(person: str, past: bool, short: bool = False) -> str:
    """A form of have."""
    if past:
        return "(VBD had)"
    tag, full, less = ("VBZ", "has", "'s") if person == "s" else ("VBP", "have", "'ve")
    return f"({tag} {less if short else full})"


def do(person: str, past: bool) -> str:
    """A form of do."""
    return "(VBD did)" if past else "(VBZ does)" if person == "s" else "(VBP do)"


def modal(past: bool) -> str:
    """A modal verb."""
    return leaf("MD", "would|could|might|should" if past else "will|can|must|should|may")


def tense(person: str, past: bool) -> str:
    """The tag of a finite verb."""
    return "VBD" if past else "VBZ" if person == "s" else "VBP"


def bare(tag: str, deep: int = 0) -> str:
    """A verb phrase whose verb has that form, without times and places."""
    return f"(VP {_verb(tag, deep)[0]})"


def vp(tag: str, deep: int = 0) -> str:
    """The same, at times with an adverb, a place, a time or a clause behind it."""
    parts, closed = _verb(tag, deep)
    return f"(VP {parts} {made('{behind}') if not closed and chance(0.35) else ''})"


def _verb(tag: str, deep: int) -> tuple[str, bool]:
    """A verb with what belongs to it, and whether that ends in a clause."""
    plain, clauses = alternatives(PLAIN), alternatives(CLAUSES) if deep < 2 else ([], [])
    template = random.choices(plain[0] + clauses[0], plain[1] + clauses[1])[0]
    return made(template, deep + 1, tag), template in clauses[0]


def _particle(tag: str) -> str:
    verb, word = random.choice(WITH_PARTICLE).split(":")
    what = made("{someone}") if chance(0.6) else made("{short}")
    last = what.startswith("(NP (PRP") or chance(0.4)
    particle = f"(PRT (RP {word}))"
    return f"({tag} {form(verb, tag)}) " + (f"{what} {particle}" if last else f"{particle} {what}")


def _particle_towards(tag: str) -> str:
    verb, word, other = random.choice(PARTICLE_TOWARDS).split(":")
    return made(f"({tag} {form(verb, tag)}) (PRT (RP {word})) (PP (IN {other}) {{someone}})")


def _alone(tag: str) -> str:
    verb, word = random.choice(ALONE).split(":")
    return f"({tag} {form(verb, tag)}) (PRT (RP {word}))"


def towards(tag: str, object: str = "{someone}") -> str:
    """A verb and its preposition, with an object or with none: wait for."""
    verb, word = random.choice(TOWARDS).split(":")
    return made(f"({tag} {form(verb, tag)}) (PP ({'TO' if word == 'to' else 'IN'} {word}) {object})")


def _moving(tag: str) -> str:
    verb = leaf(tag, "~MOVING")
    return f"{verb} " + made("(ADVP (RB WHERE))" if chance(0.4) else "(PP (TO to) {goal})")


def rest(kind: str) -> str:
    """What follows an auxiliary: of be, of have, or of a modal verb."""
    if kind == "be":
        passive = made("(VBN ~TAKING) [.3 (PP (IN by) {person})]")
        return one_of(AFTER_BE, passive=passive, being=lambda: vp("VBG"))
    if kind == "have":
        return f"(VP (VBN been) {rest('be')})" if chance(0.25) else vp("VBN")
    if chance(0.2):
        return f"(VP (VB be) {rest('be')})"
    if chance(0.1):
        return f"(VP (VB have) {rest('have')})"
    return conjoined("VB", vp("VB"))


def conjoined(tag: str, first: str) -> str:
    """A verb phrase, or two or three of them in a row."""
    if chance(0.88):
        return first
    if chance(0.15):
        return listed(lambda: leaf(tag, "~BARE"), "VP")
    others = [vp(tag) for _ in range(random.choice([1, 1, 2]))]
    comma = "(, ,)" if chance(0.1) else ""
    return f"(VP {' (, ,) '.join([first, *others[:-1]])} {comma} {leaf('CC', 'and|and|and|or|but')} {others[-1]})"


def finite(person: str, deep: int = 0, pronoun: bool = False) -> str:
    """The parts of a clause after its subject, which may be a ``pronoun`` that verbs are shortened behind."""
    past = chance(0.5)
    adverb = one_of(OFTEN_OR_SO) if chance(0.12) else ""
    short = pronoun and chance(0.5)
    kind = random.choices(["plain", "do", "modal", "have", "be"], [8, 2, 3, 2, 6])[0]
    if kind == "plain":
        tag = tense(person, past)
        return f"{adverb} {conjoined(tag, vp(tag, deep))}"
    if kind == "do":
        return f"(VP {_denied(do(person, past))} {vp('VB', deep)})"
    if kind == "modal" and chance(0.3):
        verb, no = random.choice(DENIED).split(":")
        return f"(VP (MD {verb}) (RB {no}) {rest('modal')})"
    if kind == "modal":
        word = leaf("MD", "'ll|'d") if short else modal(past)
        return f"(VP {word} {adverb} {rest('modal')})"
    word = (have if kind == "have" else be)(person, past, short and not past)
    if chance(0.15) and "'" not in word and "am" not in word:
        word = _denied(word)
    elif kind == "be" and chance(0.05):
        word += " (RB not)"
    return f"(VP {word} {adverb} {rest(kind)})"


def _denied(word: str) -> str:
    return f"{word} " + leaf("RB", "n't" if chance(0.8) else "not")


RULES |= {
    "particle": lambda _, tag: _particle(tag),
    "particle_towards": lambda _, tag: _particle_towards(tag),
    "alone": lambda _, tag: _alone(tag),
    "towards": lambda _, tag: towards(tag),
    "moving": lambda _, tag: _moving(tag),
    "doing": lambda deep, _: bare("VBG", deep),
    "do": lambda deep, _: bare("VB", deep),
    "to_do": lambda deep, _: f"(VP (TO to) {vp('VB', deep)})" if chance(0.95) else "(VP (TO to))",
    "does": lambda deep, _: finite("s", deep),
    "they_do": lambda deep, _: finite("p", deep),
}
