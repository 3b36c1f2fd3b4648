"""The phrases and clauses of ``everyday_grammar.py``: subjects, objects, adjectives, clauses."""

from __future__ import annotations

import random

from everyday_rules import RULES, add_rules, chance, leaf, listed, made, one_of
from everyday_verbs import be, do, finite, have, modal, rest, tense, towards, vp
from everyday_words import COMPOUNDS, PEOPLE, TAKING, TALL, THINGS, WHEN, form, longer, plural_of

UNDENIED = ("am", "can", "may", "might", "shall", "will")  # they have no n't of their own here
SOME = """
    5 (DT the)
    3 {several}
    4 (PRP$ my|your|his|her|our|their)
    1
"""
ONE = """
    5 (DT the)
    3 {single}
    4 (PRP$ my|your|his|her|our|their)
    0
"""
BEHIND_NOUN = """
    1 (PP (IN of) {short})
    1 (PP (IN with) {short_object})
    3 {relative}
    1 (PP (IN in|on|at|near|behind) {place})
    1 (VP (VBG ~sit|stand|live|work|wait|come|go|talk) (PP (IN in|at|near|with|behind) {short_object}))
    1 (VP (VBG ~TAKING) {short_object})
    1 (VP (VBN ~TAKING) [.6 (PP (IN by|in|for) {short_object})])
    1 (ADVP (RB over) (RB there|here))
    1 (PP (IN about|from|by|for) {short_object})
"""
RELATIVE = """
    4 (SBAR (WHNP {pronoun}) (S {doing}))
    2 (SBAR (WHNP {pronoun}) {gap})
    4 (SBAR {gap})
    1 (SBAR (WHADVP (WRB where)) {statement:2})
    1 (SBAR (WHNP (WP$ whose) {owned}) (S {does:2}))
"""
SUBJECTS = {
    "1": "1 (NP (PRP I))",
    "s": """
        5 (NP (PRP he|she|it|he|she))
        5 {somebody}
        2 (NP (NNP NAMES))
        1 (NP (NN everyone|everybody|someone|nobody|nothing))
        1 (NP (DT no|every) (NN one))
        1 (NP (NP (CD one)) (PP (IN of) {owned_shorts}))
        1 (NP (DT that|this))
        1 (NP (NP (NNP NAMES) (POS 's)) {noun})
        1 {whoever}
    """,
    "p": """
        5 (NP (PRP you|we|they|you))
        3 {people}
        1 (NP {crowd})
        1 (NP (NNP NAMES) (CC and) (NNP NAMES))
        1 {group}
        1 (NP (JJS most) {crowd})
        1 (NP (DT all|some|both|these|those) {crowd})
        1 (NP (JJ many|few|several) {crowd})
        1 (NP (NP (DT all|some|both|neither|any)) (PP (IN of) {owned_shorts}))
        1 (NP (NP {much}) (PP (IN of) {owned_shorts}))
        1 (NP (NP (DT a) (NN lot|couple|group)) (PP (IN of) (NP {crowd})))
        1 {two_pronouns}
        1 (NP (DT the) (JJ rich|poor|old|young|sick|dead))
        1 (NP {person_called} (CC and) (NP (PRP I)))
        1 (NP (NP (DT those)) (SBAR (WHNP (WP who)) (S {they_do:2})))
    """,
}
GAPS = """
    3 (S {who} (VP {verb} [.25 {when}]))
    1 (S {who} (VP {waits_for}))
    1 (S {who} (VP {modal} (VP {base})))
    1 (S {who} (VP {be} (VP {waiting_for})))
    1 (S {who} (VP (V ~want|need|have) (S (VP (TO to) (VP {base})))))
"""
add_rules("""
    someone
        4 {object}
        2 (NP (PRP me|you|him|her|it|us|them|it))
        1 (NP (NN MASS))
        1 (NP (NNP NAMES))
        1 (NP (NN something|nothing|everything|anything))
        1 (NP (DT that|this))
        1 {goods_listed}
        1 {shorts_listed}
        1 (NP (NP (DT a|another) (NN cup|glass|bottle|piece|bit|lot|kilo)) (PP (IN of) (NP (NN MASS))))
        1 (NP (NP {much}) (PP (IN of) {owned_shorts}))
        1 (NP (NP (NN something|nothing|anything)) (SBAR (S (VP (TO to) (VP (VB ~TAKING))))))
        1 {both}
    both
        2 (NP (CONJP (RB not) (RB only)) {short} (CONJP (CC but) (RB also)) {short})
        1 (NP (CC both) {short} (CC and) {short})
        1 (NP (CC either) {short} (CC or) {short})
        1 (NP (CC neither) {short} (CC nor) {short})
    thing_about
        1 (NP {single_short} (PP (IN about|of|with|from) {short_object}))
    two_pronouns
        2 (NP (PRP you|he|she) (CC and|or) (PRP I))
        1 (NP (CC both) (PRP you|he|she) (CC and) (PRP I|he|they))
        1 (NP (CC neither|either) (PRP you|he|she) (CC nor|or) (PRP I|he|they))
    whoever
        2 (NP (NP (DT all)) (SBAR (WHNP (WDT that)) (S {does:2})))
        1 (NP (NP (NN everything|something|anything|nothing)) (SBAR (WHNP (WDT that)) (S {does:2})))
        2 (NP (NP (NN anyone|everyone|someone|nobody)) (SBAR (WHNP (WP who)) (S {does:2})))
        2 (SBAR (WHNP (WP what|whoever|what)) (S {does:2}))
    much
        1 (JJS most)
        1 (NN half|none)
        1 (JJ many)
        1 (RB much)
    owned_shorts
        2 {shorts}
        1 (NP (PRP us|them|you))
    somebody_named
        1 (NP (NNP NAMES))
        2 {person_called}
    out
        1 (ADVP (RB back|out|away|over|up|off|in|around|back))
    receiver
        4 (NP (PRP me|you|him|her|us|them))
        2 {person}
        1 (NP (NNP NAMES))
    goods
        1 {objects}
        1 (NN MASS)
    goal
        1 (NP (NN school|work|bed|town))
        1 {place}
        1 (NP (NNP TOWNS))
    place
        1 (NP (DT the|the|the|this|a) (NN PLACES))
    several
        1 (DT some)
        1 (DT these)
        1 (CD two)
        1 (DT those)
        1 (JJ many)
    single
        3 (DT a)
        1 (DT this)
        1 (DT that)
        1 (DT every)
        1 (DT another)
    indirect
        2 (SBAR (WHADVP (WRB where|when|why|how)) {statement})
        1 (SBAR (WHNP (WP what)) {gap})
        1 (SBAR (WHNP (WP who|what)) (S {does}))
        1 (SBAR (IN if|whether) {statement})
    adjective
        1 (JJ TALL|FINE)
    adjectives
        6 (ADJP {adjective})
        3 (ADJP (RB very|so|too|really|not|quite) {adjective})
        1 (ADJP (RB too) {adjective} (S {to_do:2}))
        1 (ADJP {adjective} (S {to_do:2}))
        1 (ADJP (JJ sorry|sure|glad|afraid|happy) (SBAR [.3 (IN that)] {statement:1}))
        2 {adjectives_listed}
        1 (ADJP (JJ afraid|proud|tired|full) (PP (IN of) {someone}))
        1 (ADJP (JJ good|bad|angry|surprised) (PP (IN at) {someone}))
        1 (ADJP (JJ good|bad) (PP (IN at) (S {doing:2})))
        1 (ADJP (JJ interested) (PP (IN in) {someone}))
        1 (ADJP (JJ different) (PP (IN from) {someone}))
        1 (ADJP (JJ ready|late|famous|bad) (PP (IN for) {someone}))
        1 (ADJP (JJ angry|happy|wrong) (PP (IN with) {someone}))
        1 (ADJP (JJ kind|nice|rude|similar) (PP (TO to) {receiver}))
        1 (ADJP (VBN used) (PP (TO to) {someone}))
        1 (ADJP (VBN used) (PP (TO to) (S {doing:2})))
        1 (ADJP (JJ eager|easy|ready|willing|hard|impossible|likely|able) (S {to_do:2}))
        1 (ADJP (JJ eager|easy|hard|happy|impossible) (S (VP (TO to) (VP (VB please) [.4 {receiver}]))))
        1 (ADJP {adjective} (RB enough) [.6 (S {to_do:2})])
        1 (ADJP (ADJP (RB so) {adjective}) (SBAR [.8 (IN that)] {statement:1}))
        4 {compared}
    compared
        3 (ADJP (ADJP [.15 (RB much)] {longer}) {than})
        2 (ADJP (ADJP (RBR more|more|less) (JJ FINE)) {than})
        2 {as_as}
        1 (ADJP {longer})
    than
        3 (PP (IN than) {than_whom})
        1 (SBAR (IN than) (S {somebody_did}))
        1 (PP (IN than) (NP (NN yesterday|usual|today)))
    than_whom
        1 {receiver}
        1 {short}
    as_what
        1 (PP (IN as) {receiver})
        1 (PP (IN as) {short})
        1 (SBAR (IN as) (S {somebody_was}))
    superlative
        1 (JJS best|worst)
        1 {longest}
    among
        1 (PP (IN in) {place})
        1 (PP (IN of) {shorts})
        1 (PP (IN of) {single_short})
        1 (SBAR {gap})
    behind
        4 {when}
        2 (ADVP (RB HOW))
        2 (PP (IN in|at|near|behind) {place})
        1 (PP (IN with) {receiver})
        1 (PP (IN for) (NP (CD two|three|ten) (NNS hours|years|minutes)))
        2 (SBAR (IN because|before|until|after|if|although|while) {statement:1})
        1 (SBAR (WHADVP (WRB when)) {statement:1})
        1 {linked}
        1 (PP (IN without|by|before|after) (S {doing:2}))
    linked
        1 (ADVP (ADVP (RB as) (RB soon|long)) (SBAR (IN as) {statement:1}))
        1 (SBAR (RB even) (IN if|though) {statement:1})
        1 (SBAR (IN in) (NN case) {statement:1})
        1 (SBAR (IN so) [.5 (IN that)] {statement:1})
        1 (SBAR (IN unless|since|as|though) {statement:1})
    predicate
        5 {adjectives}
        2 {somebody}
        1 {best}
        1 (PP (IN in|at|near) {place})
        1 (ADVP (RB here|there|upstairs|home))
        1 (PP (IN at) (NP (NN home|work|school)))
        1 (ADVP (RB over) (RB there|here))
        1 (ADJP (JJ worth) {worth_what})
    worth_what
        2 (NP (DT the) (NN money|time|trouble|wait|price|effort))
        1 (NP (PRP it))
        1 (S {doing:2})
""")


def noun(plural: bool = False, people: float = 0.3) -> str:
    """A noun, with that probability one for a person."""
    return _noun(random.choice(PEOPLE if chance(people) else THINGS), plural)


def compound(plural: bool) -> str:
    """Two nouns that are one thing."""
    first, second = random.choice(COMPOUNDS).split(":")
    return f"(NN {first}) {_noun(second, plural)}"


def _noun(word: str, plural: bool) -> str:
    return f"(NNS {plural_of(word)})" if plural else f"(NN {word})"


def thing(plural: bool | None = None, people: float = 0.3, short: bool = False) -> str:
    """A noun phrase with a noun; ``short`` has no phrase behind it."""
    plural = chance(0.3) if plural is None else plural
    determiner = one_of(SOME if plural else ONE)
    adjective = leaf("JJ", "ATTRIBUTES") if chance(0.2) else ""
    head = compound(plural) if people < 0.5 and chance(0.1) else noun(plural, people)
    if determiner == "(DT a)" and (adjective or head)[4:5] in tuple("aeio"):
        determiner = "(DT an)"
    phrase = f"(NP {determiner} {adjective} {head})"
    if short or chance(0.85):
        return phrase
    behind = one_of(BEHIND_NOUN, relative=lambda: relative("p" if plural else "s", people > 0.5))
    return f"(NP {phrase} {behind})"


def relative(number: str, person: bool) -> str:
    """A relative clause behind a noun of that number, which may be a person."""
    pronoun = one_of("3 (WP who)\n1 (WDT that)" if person else "3 (WDT that)\n1 (WDT which)")
    return one_of(RELATIVE, pronoun=pronoun, doing=lambda: finite(number, 2), owned=lambda: noun(people=0.2))


def subject() -> tuple[str, str]:
    """A subject and its person."""
    person = random.choice("1ssssppp")
    return one_of(SUBJECTS[person]), person


def clause(deep: int = 0) -> str:
    """A clause with its subject, no stop."""
    if deep == 0 and chance(0.05):
        return "(S (NP (EX there)) (VP {} {}))".format(*there())
    who, person = subject()
    return f"(S {who} {finite(person, deep, who.startswith('(NP (PRP') or who == '(NP (DT that))')})"


def there() -> tuple[str, str]:
    """A form of be, and what there is."""
    plural = chance(0.4)
    what = thing(plural, short=True)
    where = made("(PP (IN in) {place})") if chance(0.5) else ""
    return be("p" if plural else "s", chance(0.5)), f"{what} {where}"


def gap() -> str:
    """A clause whose object stands before it: what she says."""
    who, person = subject()
    past = chance(0.6)
    tag, verb = tense(person, past), random.choice(TAKING)
    return one_of(
        GAPS,
        tag=tag,
        who=who,
        verb=f"({tag} {form(verb, tag)})",
        base=f"(VB {verb})",
        modal=lambda: modal(past),
        be=be(person, past),
        waits_for=lambda: towards(tag, ""),
        waiting_for=lambda: towards("VBG", ""),
    )


def auxiliary(person: str) -> tuple[str, str]:
    """An auxiliary before its subject, and what comes after the subject."""
    past = chance(0.5)
    negated = " (RB n't)" if chance(0.12) else ""
    doing, is_, has = do(person, past), be(person, past), have(person, False)
    modals = (modal(True), "modal"), (leaf("MD", "can|will|can|may|shall|might"), "modal")
    word, kind = random.choices([(doing, "do"), (is_, "be"), (has, "have"), *modals], [5, 4, 1, 1, 2])[0]
    what = vp("VB") if kind == "do" else rest(kind)
    return word + ("" if any(part in word for part in UNDENIED) else negated), what


def best() -> str:
    """A noun phrase with a superlative."""
    where = made("{among}")
    long = made("(ADJP (RBS most) (JJ FINE))")
    short = made("{superlative}")
    which = one_of("1 {long}\n2 {short}", long=long, short=short)
    return f"(NP (NP (DT the) {which} {noun()}) {where})"


def as_as() -> str:
    """As tall as somebody."""
    other = made("{as_what}")
    return made("(ADJP (ADJP (RB as) {adjective}) {other})", other=other)


def somebody(verbs: str) -> str:
    """A pronoun with one of these auxiliaries alone."""
    verb = random.choice(verbs.split())
    tags = {"did": "VBD", "was": "VBD", "do": "VBP", "does": "VBZ", "is": "VBZ", "can": "MD"}
    who = {"do": "I|you|we|they", "was": "I|he|she", "does": "he|she", "is": "he|she|it"}
    return f"(NP {leaf('PRP', who.get(verb, 'I|you|he|she|we|they'))}) (VP ({tags[verb]} {verb}))"


RULES |= {
    "noun": lambda *_: noun(),
    "objects": lambda *_: noun(True, 0),
    "crowd": lambda *_: noun(True, 0.5),
    "thing": lambda *_: thing(),
    "object": lambda *_: thing(people=0.1),
    "short": lambda *_: thing(short=True),
    "short_object": lambda *_: thing(people=0, short=True),
    "person": lambda *_: thing(people=1, short=True),
    "person_called": lambda *_: thing(False, people=1, short=True),
    "somebody": lambda *_: thing(False, 0.5),
    "people": lambda *_: thing(True, 0.6),
    "shorts": lambda *_: thing(True, short=True),
    "single_short": lambda *_: thing(False, short=True),
    "goods_listed": lambda *_: listed(lambda: made("{goods}")),
    "shorts_listed": lambda *_: listed(lambda: thing(short=True)),
    "group": lambda *_: listed(lambda: thing(False, 0.7, short=True)),
    "adjectives_listed": lambda *_: listed(lambda: made("{adjective}"), "ADJP"),
    "longer": lambda *_: f"(JJR {longer(random.choice(TALL))})",
    "longest": lambda *_: f"(JJS {longer(random.choice(TALL))[:-1]}st)",
    "when": lambda *_: random.choice(WHEN).replace("_", " "),
    "best": lambda *_: best(),
    "as_as": lambda *_: as_as(),
    "somebody_did": lambda *_: somebody("did do does can was is"),
    "somebody_was": lambda *_: somebody("was is do"),
    "statement": lambda deep, _: clause(deep),
    "statement_parts": lambda deep, _: clause(deep)[3:-1],
    "gap": lambda *_: gap(),
}
