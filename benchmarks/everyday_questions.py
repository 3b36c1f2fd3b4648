"""The questions of ``everyday_grammar.py``: with yes or no for an answer, with question words, behind statements."""

from __future__ import annotations

import random

from everyday_phrases import auxiliary, subject, there, thing
from everyday_rules import RULES, add_rules, chance, made, one_of
from everyday_verbs import be, do, tense, towards, vp

add_rules("""
    wh_object
        3 (WHNP (WP what))
        1 (WHNP (WP who))
        1 (WHNP (WDT which) {noun})
        1 (WHNP (WDT what) {noun})
        2 (WHNP (WHADJP (WRB how) (JJ many)) {nouns})
        1 (WHNP (WHADJP (WRB how) (JJ much)) (NN MASS))
        1 (WHNP (WP$ whose) {noun})
        1 (WHNP (WHNP (WDT what) (NN kind|sort)) (PP (IN of) (NP {nouns})))
    better
        2 (ADJP {longer})
        1 (ADJP (JJR better|cheaper|bigger))
        1 (ADJP (RBR more) (JJ FINE))
    one_or_other
        2 (NP {short} (CC or) {short})
        1 (NP (NNP TOWNS) (CC or) (NNP TOWNS))
        1 (NP (NNP NAMES) (CC or) (NNP NAMES))
        1 (NP (NN MASS) (CC or) (NN MASS))
""")
QUESTIONS = """
    4 (SBARQ {adverb} (SQ {word} {who} {what}))
    4 {object_asked}
    3 (SBARQ (WHNP (WP who|what)) (SQ {does:1}))
    2 (SBARQ (WHADJP (WRB how) (JJ TALL)) (SQ {am} {who}))
    2 (SBARQ (WHNP (WP what|who)) (SQ {who_is} {somebody}))
    2 (SBARQ (WHADVP (WRB where)) (SQ {am} {who}))
    1 (SBARQ (WHADVP (WRB where)) (SQ {am} {who} (PP (IN from))))
    2 (SBARQ (WHADVP (WRB how) (RB long|often|far|fast|well|soon)) (SQ {word} {who} {what}))
    1 (SBARQ (WHNP (WRB how) (JJ much)) (SQ (VBZ does) {one} (VP (VB cost))))
    1 (SBARQ (WHNP (WP$ whose) {noun}) (SQ (VBZ is) (NP (DT this|that))))
    2 (SBARQ (WHNP (WP who|what)) (SQ {am} {who} (VP {waiting_for})))
    1 (SBARQ (WHNP (WP who|what)) (SQ (VBP do) (NP (PRP you)) (VP (VB think|say) (SBAR (S {does:2})))))
    1 (SBARQ (WHNP (WP who|what)) (SQ (VBP do) (NP (PRP you)) (VP (VB think) (SBAR {gap}))))
    1 (SBARQ (WHNP (WP what)) (SQ (VP (VBZ 's|is) (ADJP (JJ wrong) [.7 (PP (IN with) {receiver})]))))
    1 (SBARQ (WHADVP (WRB where)) (SQ (VBZ 's) {somebody}))
    2 (SBARQ (WHNP (WHADJP (WRB how) (JJ many)) {nouns}) (SQ {they_do:1}))
    2 (SBARQ (WHNP (WDT which|what) {noun}) (SQ {does:1}))
    1 (SBARQ (WHNP (WP what)) (SQ (VBZ 's|is) {somebody} (PP (IN like)) [.3 {when}]))
    2 (SBARQ (WHNP (WDT which) {noun}) (SQ (VBZ is) {better}) (, ,) {one_or_other})
    1 (SBARQ (WHNP (WDT which|what)) (SQ {word_do} {who} (VP (VB prefer|want|like|choose|need))) (, ,) {one_or_other})
"""


def asked() -> str:
    """A question with yes or no for an answer, no stop."""
    if chance(0.06):
        return "(SQ {} (NP (EX there)) {})".format(*there())
    if chance(0.08):
        return made("(SQ (MD could|can|would|will) (NP (PRP you)) (INTJ (UH please)) {order})")
    who, person = subject()
    word, what = auxiliary(person)
    return f"(SQ {word} {who} {what})"


def wh() -> str:
    """A question with a question word, no stop."""
    who, person = subject()
    word, what = auxiliary(person)
    return one_of(
        QUESTIONS,
        adverb=made("(WHADVP (WRB where|when|why|how|where|why))"),
        word=word,
        word_do=do(person, chance(0.2)),
        who=who,
        what=what,
        object_asked=lambda: object_asked(who, person),
        am=be(person, False),
        who_is=lambda: be("s", chance(0.3), chance(0.3)),
        waiting_for=lambda: towards("VBG", ""),
        one=lambda: thing(False, short=True),
    )


def object_asked(who: str, person: str) -> str:
    """A question for an object."""
    past = chance(0.5)
    first = made("{wh_object}")
    if chance(0.3):
        doing = made("(VP (VBG ~TAKING|do) [.3 {when}])")
        return f"(SBARQ {first} (SQ {be(person, past)} {who} {doing}))"
    does = made("(VP (VB ~TAKING|do|say) [.2 {when}])")
    return f"(SBARQ {first} (SQ {do(person, past)} {who} {does}))"


def tagged_question() -> str:
    """A statement with a question behind it."""
    pronoun, person = random.choice([("you", "p"), ("he", "s"), ("she", "s"), ("we", "p"), ("they", "p"), ("it", "s")])
    past = chance(0.4)
    who, am = f"(NP (PRP {pronoun}))", be(person, past)
    if chance(0.5):
        return f"(SQ (S {who} {vp(tense(person, past), 2)}) (, ,) (SQ {do(person, past)} (RB n't) {who}))"
    return f"(SQ (S {who} (VP {am} {made('{predicate}')})) (, ,) (SQ {am} (RB n't) {who}))"


RULES |= {"asked": lambda *_: asked(), "wh": lambda *_: wh()}
