"""Patterns of conversation for ``everyday_grammar.py``: exclamations, inversions, short answers, wishes, names."""

from __future__ import annotations

import random
from collections.abc import Callable

from everyday_phrases import auxiliary, subject, thing
from everyday_rules import RULES, add_rules, chance, leaf, made, with_stop
from everyday_verbs import be, do, vp

add_rules("""
    great
        1 (JJ nice|good|great|beautiful|terrible|wonderful|lovely|stupid|funny|strange|big|silly)
    what_a
        3 (WDT what) (DT a) [.6 {great}] (NN WONDERS)
        1 (WDT what) {great} (NN weather|music|news|food)
    how_done
        1 (WRB how) (RB HOW|often|soon|far)
    exclaimed
        4 (NP {what_a})
        3 (SBAR (WHNP {what_a}) {gap})
        1 (SBAR (WHNP {what_a}) (S (NP (PRP it)) (VP (VBZ is))))
        1 (SBAR (WHNP {what_a}) (S (NP (DT that|this)) (VP (VBZ is))))
        2 (SBAR (WHADVP {how_done}) {statement:2})
        2 (SBAR (WHADJP (WRB how) {adjective}) {somebody_is})
        2 (WHADJP (WRB how) (JJ nice|sweet|kind|funny|silly|lovely|rude) [.7 (PP (IN of) {receiver})])
    hardly
        4 (ADVP (RB never|rarely|seldom|never))
        2 (ADVP (RB only) (RB then|now|yesterday|later))
        1 (PP (IN at) (NP (DT no) (NN time|point)))
    inverted
        4 (SINV (ADVP (RB here|there)) (VP (VBZ comes|goes|is|comes)) {one_thing})
        2 (SINV (ADVP (RB here|there)) (VP (VBP come|go|are)) {some_things})
        2 (S (ADVP (RB here|there)) (NP (PRP you|we|they)) (VP (VBP are|go)))
        2 (S (ADVP (RB here|there)) (NP (PRP he|she|it)) (VP (VBZ is|comes|goes)))
        4 (SINV {hardly} {question_order})
        3 (SINV (PP (IN on|in|under|behind|near|beside) {place}) (VP (VBD was|stood|sat|lay|hung)) {one_thing})
        3 (SINV (ADVP (RB so)) {support})
        3 (SINV (CC neither|nor) {auxiliary_who})
        3 (S (SBAR (SINV {had_done})) (, ,) {would_have})
        1 (S (SBAR (SINV {should_do})) (, ,) {order})
        2 (S (CONJP (RB not) (RB only)) (SINV {question_order}) (, ,) (CC but) {statement:1})
    fact
        2 (SBAR (WHNP (WP what)) {gap})
        1 (SBAR (IN that|whether) {statement:2})
        1 (SBAR (WHADVP (WRB why|where|how)) {statement:2})
        2 (S (VP (TO to) {do:2}))
        2 (S {doing:2})
    good_or_so
        1 (ADJP [.3 (RB very|so|not|too)] (JJ important|easy|hard|nice|good|bad|true|clear|obvious|dangerous|fun|wrong))
    so_long
        1 (NP (CD two|ten|three) (NNS hours|days|minutes))
        1 (NP (DT an) (NN hour))
        1 (NP (NN time))
    clausal
        4 (S {fact} (VP (VBZ is) {good_or_so}))
        1 (S {fact} (VP (MD can|will|may|would) (VP (VB be) {good_or_so})))
        1 (S {fact} (VP (VBZ is) {someone}))
        4 (S (NP (NP (PRP it))) (VP (VBZ is|'s|is) {good_or_so} (S {to_do:1})))
        2 (S (NP (NP (PRP it))) (VP (VBZ is|'s|is) {good_or_so} (SBAR [.6 (IN that)] {statement:1})))
        1 (S (NP (PRP it)) (VP (VBZ seems|appears) (SBAR (IN that) {statement:1})))
        1 (S (NP (NP (PRP it))) (VP (VBZ takes) [.4 {receiver}] {so_long} (S {to_do:1})))
        1 (S (NP (PRP it)) (VP (VBZ does) (RB n't|not) (VP (VB matter) {indirect})))
    the_more
        1 (X (DT the) (RBR more|less|better|faster|longer|sooner|harder))
        1 (X (DT the) (RBR more|less) (JJ FINE))
        1 (X (DT the) {longer})
        1 (X (DT the) (JJR more|less|fewer) {nouns})
    by_degrees
        3 (S (SBAR {the_more} {statement:2}) (, ,) (SBAR {the_more} {statement:2}))
        1 (X {the_more} (, ,) {the_more})
    answered
        2 (FRAG (NP (PRP me|you|us|him)) (ADVP (RB too)))
        1 (FRAG [.5 (PP (IN of) (NP (NN course)))] (RB not))
        1 (S (NP (PRP I)) (VP (VBP do) (RB n't) (VP (VB think) (ADVP (RB so)))))
        1 (S (NP (PRP I)) (VP (VBP think|hope|guess) (ADVP (RB so)) [.3 (ADVP (RB too))]))
        2 (ADJP (JJ nice|good|glad|great|happy|sorry) (S {to_do:1}))
        1 (NP (NN anything|something|nothing|nobody|someone) (RB else))
        1 (S (NP (NP (PRP it))) (VP (VBZ is|'s|is) (NP (DT no) (NN use|good) (S {doing:1}))))
    answered_with_a_question
        2 (SBARQ (WHNP (WP what)) (SBAR (IN if) {statement:1}))
        1 (FRAG (WHADVP (WRB why)) (RB not))
        1 (SBARQ (WHADVP (WRB why)) (RB not) {order})
        1 (FRAG (WHADVP (WRB how)) (PP (IN about) {short}))
        1 (FRAG (WHADVP (WRB how)) (PP (IN about) (S {doing:1})))
        1 (SBARQ (WHNP (WP what|who) (RB else)) (SQ {does:1}))
    greeted
        3 (NP (NNP NAMES))
        2 (NP (NN FRIENDS))
        1 (NP (PRP$ my) (NN friend|dear|boy|love))
    spoken_to
        3 (S {ordered_parts} (, ,) {greeted})
        2 (S {statement_parts} (, ,) {greeted})
    names_joined
        3 (S (S {named} {loves_named}) (, ,) (CC and|but) (S {named} {loves_named}))
        4 (S (S {named} {loves_named}) (CC and|but|and) (S {named} {loves_named}))
        2 (S {named} (VP {gave_and} (CC and) (VP {named} {single_short})))
    named
        1 (NP (NNP NAMES))
    loves_named
        3 (VP (VBZ ~TAKING) {named})
        1 (VP (VBD ~TAKING) {named})
        2 (VP (VBD ~TAKING) {single_short})
    gave_and
        1 (VP (VBD ~GIVING) {named} {single_short})
    tale
        1 (S (ADVP (RB once) (PP (IN upon) (NP (DT a) (NN time)))) (, ,) (NP (EX there)) {there_was})
        1 (S (ADVP (RB once) (PP (IN upon) (NP (DT a) (NN time)))) (NP (EX there)) {there_was})
    there_was
        1 (VP (VBD was) {one_thing})
        1 (VP (VBD lived) {one_thing} [.5 (PP (IN in) {place})])
    seen_best
        3 (NP (NP [.4 (DT the)] {superlative} {noun}) (SBAR (S (NP (PRP I|we|you)) {have_ever})))
    have_ever
        2 (VP (VBP have|'ve) (ADVP (RB ever)) (VP (VBN ~see|read|have|eat|hear|try|buy)))
        1 (VP (VBP know|have|like|need))
    proverb
        2 (S (SBAR (WHADVP (WRB where|whenever|when)) {statement:2}) [.5 (, ,)] {statement_parts})
        1 (S (SBAR (IN whether) (CC or) (RB not) {statement:2}) (, ,) {statement_parts})
        2 (S (VP (VP (VB stop|keep|quit|start) (S (VP (VBG ~BARE)))) (CC and) {order}))
        1 (S (VP (VP (VB stop|quit) (S (VP (VBG ~TAKING) {short}))) (CC and) {order}))
        2 (S (VP {order} (, ,) [.4 (CC and)] (ADVP (RB then)) {order}))
        1 (S (VP (VB beware) (PP (IN of) {short})))
        3 (S {bitten_by} {did})
        2 (SINV (MD may) {short} (VP (VB be|live|stay) (PP (IN with) {receiver})))
        1 (SINV (MD may) (NP (PRP you|he|she|they)) {order})
    bitten_by
        1 (NP (NP (DT the) {noun}) (SBAR (WHNP (WDT that)) (S (VP (VBD ~IRREGULAR) {short}))))
        1 (NP (NP (DT the) {noun}) (SBAR (WHNP (WP who)) (S (VP (VBD ~IRREGULAR) {short}))))
    did
        1 (VP (VBD ~BARE))
        1 (VP (VBD ran) (PRT (RP away|off)))
        1 (VP (VBD was) {adjectives})
    felt
        2 (ADJP (RB not) (JJ worth) {worth_what})
        2 (ADJP (JJ sorry|glad|sure|happy|afraid) (SBAR [.3 (IN that)] {statement:1}))
        1 (ADJP (JJ sorry) (PP (IN for|about) {short}))
    asked_after
        2 (S {statement:2} (, ,) {wh})
        1 (S {statement:2} (, ,) {asked})
""")


def in_question_order(shortened: bool = False) -> str:
    """An auxiliary, a subject and what follows: did he understand; only the first two if ``shortened``."""
    who, person = subject()
    word, what = auxiliary(person)
    return f"{word.partition(' (RB')[0]} {who} {'' if shortened else what}"


def supported() -> str:
    """An auxiliary that stands for a verb phrase, and its subject, as two parts: do I."""
    who, person = subject()
    past = chance(0.4)
    word = random.choice([do(person, past), do(person, past), be(person, past), leaf("MD", "can|will|would")])
    return f"(VP {word}) {who}"


def somebody_is() -> str:
    """A clause with be alone: you are."""
    who, person = subject()
    return f"(S {who} (VP {be(person, chance(0.3))}))"


def would_have() -> str:
    """A subject and what it would have done, as two parts."""
    return f"{subject()[0]} (VP {leaf('MD', 'would|could|might')} (VP (VB have) {vp('VBN', 2)}))"


RULES |= {
    "question_order": lambda *_: in_question_order(),
    "auxiliary_who": lambda *_: in_question_order(shortened=True),
    "support": lambda *_: supported(),
    "somebody_is": lambda *_: somebody_is(),
    "had_done": lambda *_: f"(VBD had) {subject()[0]} {vp('VBN', 2)}",
    "should_do": lambda *_: f"(MD should) {subject()[0]} {vp('VB', 2)}",
    "would_have": lambda *_: would_have(),
    "one_thing": lambda *_: thing(False, short=True),
    "some_things": lambda *_: thing(True, short=True),
}
PATTERNS: list[tuple[int, Callable[[], str]]] = [
    (5, lambda: with_stop(made("{exclaimed}"), "!")),
    (7, lambda: with_stop(made("{inverted}"))),
    (7, lambda: with_stop(made("{clausal}"))),
    (2, lambda: with_stop(made("{by_degrees}"))),
    (3, lambda: with_stop(made("{answered}"))),
    (3, lambda: with_stop(made("{answered_with_a_question}"), "?")),
    (3, lambda: with_stop(made("{spoken_to}"), random.choice("..!"))),
    (3, lambda: with_stop(made("{names_joined}"))),
    (1, lambda: with_stop(made("{tale}"))),
    (2, lambda: with_stop(made("{seen_best}"), random.choice("..!"))),
    (5, lambda: with_stop(made("{proverb}"))),
    (2, lambda: with_stop(made("{felt}"))),
    (2, lambda: with_stop(made("{asked_after}"), "?")),
]
