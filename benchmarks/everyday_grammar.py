"""Everyday English by a small grammar of our own: sentences with their trees, for a parser to learn from.

Treebanks of newspapers and articles hold few questions, commands, chat and headlines, and few of the verbs that people
use at home. The rules follow the Penn Treebank's guidelines, the words are common ones; sentences need not make sense.
None is taken from ``tests/data/everyday.txt``, which measures what parsers learn from this, and all that are there are
left out. Prints a tree a line::

    python benchmarks/everyday_grammar.py COUNT [SEED]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from everyday_words import (
    ALONE,
    ASKING,
    BARE,
    DOING,
    FINE,
    GIVING,
    GREET,
    HEADLINE_VERBS,
    HOW,
    MASS,
    NAMES,
    NEWS,
    OFTEN,
    ONLY_AFTER,
    PEOPLE,
    PLACES,
    SAYING,
    TAKING,
    TALL,
    THINGS,
    TO_DO,
    TOWARDS,
    TOWNS,
    WHEN,
    WHERE,
    WITH_PARTICLE,
    form,
    longer,
    many_of,
    words,
)
from nltk.tree import Tree

from seqtree.treebank.bracketed import write_tree

Made = str
T = TypeVar("T")


def inflected(verb: str, tag: str) -> Made:
    """A verb in the form of a tag."""
    return node(tag, form(verb, tag))


pick: Callable[[list[str]], str] = random.choice


def chance(share: float) -> bool:
    """True with that probability."""
    return random.random() < share


def weighted(makers: Sequence[tuple[int, Callable[[], T]]]) -> T:
    """What one of the makers makes, by their weights."""
    return random.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]()


def some(*makers: Callable[[], Made] | tuple[int, Callable[[], Made]]) -> Made:
    """The same, where a maker without a weight has 1."""
    return weighted([maker if isinstance(maker, tuple) else (1, maker) for maker in makers])


def node(label: str, *parts: Made) -> Made:
    """A bracket."""
    return f"({label} {' '.join(filter(None, parts))})"


def noun(plural: bool = False, people: float = 0.3) -> Made:
    """A noun."""
    word = pick(PEOPLE if chance(people) else THINGS)
    many = {"man": "men", "woman": "women", "child": "children", "knife": "knives", "thief": "thieves", "fish": "fish"}
    many |= {"policeman": "policemen"}
    return node("NNS", many.get(word, many_of(word))) if plural else node("NN", word)


def adjective(after: bool = True) -> Made:
    """An adjective."""
    return node("JJ", pick([word for word in TALL + FINE if after or word not in ONLY_AFTER]))


def thing(plural: bool | None = None, people: float = 0.3, short: bool = False) -> Made:
    """A noun phrase with a noun; ``short`` has no phrase behind it."""
    plural = chance(0.3) if plural is None else plural
    determiner = some(
        (5, lambda: "(DT the)"),
        (
            3,
            lambda: (
                some(
                    lambda: "(DT some)",
                    lambda: "(DT these)",
                    lambda: "(CD two)",
                    lambda: "(DT those)",
                    lambda: "(JJ many)",
                )
                if plural
                else some(
                    (3, lambda: "(DT a)"),
                    lambda: "(DT this)",
                    lambda: "(DT that)",
                    lambda: "(DT every)",
                    lambda: "(DT another)",
                )
            ),
        ),
        (4, lambda: node("PRP$", pick(words("my your his her our their")))),
        (1 if plural else 0, lambda: ""),
    )
    head = [determiner, adjective(False) if chance(0.2) else "", noun(plural, people)]
    if determiner == "(DT a)" and head[1][4:5] + (head[2][4:5] if not head[1] else "") in tuple("aeio"):
        head[0] = "(DT an)"
    phrase = node("NP", *head)
    if short or chance(0.85):
        return phrase
    return node(
        "NP",
        phrase,
        some(
            lambda: node("PP", "(IN of)", thing(short=True)),
            lambda: node("PP", "(IN with)", thing(people=0, short=True)),
            (2, lambda: relative(plural, people > 0.5)),
        ),
    )


def someone() -> Made:
    """A short noun phrase that may be an object."""
    return some(
        (4, lambda: thing(people=0.1)),
        (2, lambda: node("NP", node("PRP", pick(words("me you him her it us them it"))))),
        (1, lambda: node("NP", node("NN", pick(MASS)))),
        (1, lambda: node("NP", node("NNP", pick(NAMES)))),
        (1, lambda: node("NP", node("NN", pick(words("something nothing everything anything"))))),
        (1, lambda: node("NP", node("DT", pick(["that", "this"])))),
        (1, lambda: listed(one_or_more)),
        (1, lambda: listed(lambda: thing(short=True))),
    )


def one_or_more() -> Made:
    """A noun alone."""
    return some(lambda: noun(True, 0), lambda: node("NN", pick(MASS)))


def listed(part: Callable[[], Made], label: str = "NP") -> Made:
    """Two to four of a kind with commas and a conjunction."""
    parts = [part() for _ in range(random.choice([2, 2, 3, 3, 4]))]
    comma = ["(, ,)"] if len(parts) > 2 and chance(0.3) else []
    between = [made for one in parts[:-1] for made in (one, "(, ,)")][:-1]
    return node(label, *between, *comma, node("CC", pick(["and", "and", "and", "or"])), parts[-1])


def subject() -> tuple[Made, str]:
    """A subject and its person: 1 (I), s (he, a dog), p (you, we, dogs)."""
    person = pick(list("1ssssppp"))
    if person == "1":
        return "(NP (PRP I))", person
    if person == "p":
        return some(
            (5, lambda: node("NP", node("PRP", pick(words("you we they you"))))),
            (3, lambda: thing(True, 0.6)),
            (1, lambda: node("NP", noun(True, 0.5))),
            (1, lambda: node("NP", node("NNP", pick(NAMES)), "(CC and)", node("NNP", pick(NAMES)))),
            (1, lambda: listed(lambda: thing(False, 0.7, short=True))),
        ), person
    return some(
        (5, lambda: node("NP", node("PRP", pick(words("he she it he she"))))),
        (5, lambda: thing(False, 0.5)),
        (2, lambda: node("NP", node("NNP", pick(NAMES)))),
        (1, lambda: node("NP", node("NN", pick(words("everyone everybody someone nobody nothing"))))),
        (1, lambda: node("NP", node("DT", pick(["that", "this"])))),
        (1, lambda: node("NP", node("NP", node("NNP", pick(NAMES)), "(POS 's)"), noun())),
    ), person


def be(person: str, past: bool, short: bool = False) -> Made:
    """A form of be."""
    if past:
        return "(VBD were)" if person == "p" else "(VBD was)"
    tag, full, less = {"1": ("VBP", "am", "'m"), "s": ("VBZ", "is", "'s"), "p": ("VBP", "are", "'re")}[person]
    return node(tag, less if short else full)


def have(person: str, past: bool, short: bool = False) -> Made:
    """A form of have."""
    if past:
        return "(VBD had)"
    return node("VBZ", "'s" if short else "has") if person == "s" else node("VBP", "'ve" if short else "have")


def tense(person: str, past: bool) -> str:
    """The tag of a finite verb."""
    return "VBD" if past else "VBZ" if person == "s" else "VBP"


def after(verb: str, tag: str) -> list[Made]:
    """A verb of that form with what may stand behind it: the verb phrase's parts."""
    return [inflected(verb, tag)]


def core(tag: str, deep: int = 0) -> list[Made]:
    """The parts of a verb phrase whose verb has that form, without times and places."""

    def particle(pair: str) -> list[Made]:
        verb, word = pair.split(":")
        what = someone() if chance(0.6) else thing(short=True)
        moved = [what, node("PRT", node("RP", word))]
        return [inflected(verb, tag), *(moved if what.startswith("(NP (PRP") or chance(0.4) else moved[::-1])]

    def towards(pair: str) -> list[Made]:
        verb, word = pair.split(":")
        return [inflected(verb, tag), node("PP", node("TO" if word == "to" else "IN", word), someone())]

    def alone(pair: str) -> list[Made]:
        verb, word = pair.split(":")
        return [inflected(verb, tag), node("PRT", node("RP", word))]

    def moving() -> list[Made]:
        verb = pick(words("go come drive walk run fly get travel"))
        if chance(0.4):
            return [inflected(verb, tag), node("ADVP", node("RB", pick(WHERE)))]
        where = some(
            lambda: node("NP", node("NN", pick(["school", "work", "bed", "town"]))),
            lambda: place(),
            lambda: node("NP", node("NNP", pick(TOWNS))),
        )
        return [inflected(verb, tag), node("PP", "(TO to)", where)]

    choices: list[tuple[int, Callable[[], list[Made]]]] = [
        (5, lambda: [inflected(pick(BARE), tag)]),
        (9, lambda: [inflected(pick(TAKING), tag), someone()]),
        (2, lambda: [inflected(pick(GIVING), tag), receiver(), thing(short=True)]),
        (1, lambda: [inflected(pick(GIVING), tag), thing(short=True), node("PP", "(TO to)", receiver())]),
        (3, lambda: towards(pick(TOWARDS))),
        (3, lambda: particle(pick(WITH_PARTICLE))),
        (3, lambda: alone(pick(ALONE))),
        (3, moving),
        (
            1,
            lambda: [
                inflected(pick(["stay", "live", "wait", "sit", "play", "eat"]), tag),
                node("ADVP", node("RB", pick(WHERE))),
            ],
        ),
        (1, lambda: [inflected(pick(["get", "look", "feel", "seem", "become", "stay"]), tag), adjectives()]),
        (1, lambda: [inflected(pick(TAKING), tag), someone(), "(NP (DT a) (NN lot))"]),
    ]
    if deep < 2:
        choices += [
            (2, lambda: [inflected(pick(TO_DO), tag), node("S", to_do(deep + 1))]),
            (1, lambda: [inflected(pick(DOING), tag), node("S", node("VP", *core("VBG", deep + 1)))]),
            (1, lambda: [inflected("want", tag), node("S", receiver(), to_do(deep + 1))]),
            (1, lambda: [inflected(pick(["ask", "tell"]), tag), receiver(), node("S", to_do(deep + 1))]),
            (
                1,
                lambda: [
                    inflected(pick(["make", "let", "help", "see", "hear"]), tag),
                    node("S", receiver(), node("VP", *core("VB", deep + 1))),
                ],
            ),
            (
                2,
                lambda: [
                    inflected(pick(SAYING), tag),
                    node("SBAR", "(IN that)" if chance(0.4) else "", statement(deep + 1)),
                ],
            ),
            (2, lambda: [inflected(pick(ASKING), tag), indirect(deep + 1)]),
            (1, lambda: [inflected("tell", tag), receiver(), indirect(deep + 1)]),
        ]
    return weighted(choices)


def receiver() -> Made:
    """Who is given something, told something or made to do it."""
    return some(
        (4, lambda: node("NP", node("PRP", pick(words("me you him her us them"))))),
        (2, lambda: thing(people=1, short=True)),
        lambda: node("NP", node("NNP", pick(NAMES))),
    )


def place() -> Made:
    """A place."""
    return node("NP", node("DT", pick(["the", "the", "the", "this", "a"])), node("NN", pick(PLACES)))


def to_do(deep: int) -> Made:
    """To do something, or only to."""
    return node("VP", "(TO to)", node("VP", *extended(core("VB", deep)))) if chance(0.95) else "(VP (TO to))"


def indirect(deep: int) -> Made:
    """A question within a sentence."""
    return some(
        (2, lambda: node("SBAR", node("WHADVP", node("WRB", pick(words("where when why how")))), statement(deep))),
        (1, lambda: node("SBAR", "(WHNP (WP what))", gap(deep))),
        (1, lambda: node("SBAR", node("WHNP", node("WP", pick(["who", "what"]))), node("S", verbal("s", deep)))),
        (1, lambda: node("SBAR", node("IN", pick(["if", "whether"])), statement(deep))),
    )


def adjectives() -> Made:
    """A phrase of adjectives after be."""
    return some(
        (6, lambda: node("ADJP", adjective())),
        (3, lambda: node("ADJP", node("RB", pick(words("very so too really not quite"))), adjective())),
        (1, lambda: node("ADJP", "(RB too)", adjective(), node("S", to_do(2)))),
        (1, lambda: node("ADJP", adjective(), node("S", to_do(2)))),
        (
            1,
            lambda: node(
                "ADJP",
                node("JJ", pick(["sorry", "sure", "glad", "afraid", "happy"])),
                node("SBAR", "(IN that)" if chance(0.3) else "", statement(1)),
            ),
        ),
        (2, lambda: listed(adjective, "ADJP")),
        (
            1,
            lambda: node(
                "ADJP", node("JJ", pick(["afraid", "proud", "tired", "full"])), node("PP", "(IN of)", someone())
            ),
        ),
        (4, compared),
    )


def than() -> Made:
    """What something is compared with."""
    return some(
        (3, lambda: node("PP", "(IN than)", some(receiver, lambda: thing(short=True)))),
        (1, lambda: node("SBAR", "(IN than)", node("S", *clause_of(words("did do does can was is"))))),
        (1, lambda: node("PP", "(IN than)", node("NP", node("NN", pick(["yesterday", "usual", "today"]))))),
    )


def clause_of(verbs: list[str]) -> list[Made]:
    """A pronoun with an auxiliary alone."""
    verb = pick(verbs)
    tags = {"did": "VBD", "was": "VBD", "do": "VBP", "does": "VBZ", "is": "VBZ", "can": "MD"}
    who = {
        "do": ["I", "you", "we", "they"],
        "was": ["I", "he", "she"],
        "does": ["he", "she"],
        "is": ["he", "she", "it"],
    }
    return [
        node("NP", node("PRP", pick(who.get(verb, ["I", "you", "he", "she", "we", "they"])))),
        node("VP", node(tags[verb], verb)),
    ]


def compared() -> Made:
    """An adjective in a comparison."""

    def as_as() -> Made:
        other = some(
            lambda: node("PP", "(IN as)", receiver()),
            lambda: node("PP", "(IN as)", thing(short=True)),
            lambda: node("SBAR", "(IN as)", node("S", *clause_of(["was", "is", "do"]))),
        )
        return node("ADJP", node("ADJP", "(RB as)", adjective()), other)

    return some(
        (
            3,
            lambda: node(
                "ADJP",
                node("ADJP", node("RB", "much") if chance(0.15) else "", node("JJR", longer(pick(TALL)))),
                than(),
            ),
        ),
        (
            2,
            lambda: node(
                "ADJP", node("ADJP", node("RBR", pick(["more", "more", "less"])), node("JJ", pick(FINE))), than()
            ),
        ),
        (2, as_as),
        (1, lambda: node("ADJP", node("JJR", longer(pick(TALL))))),
    )


def best() -> Made:
    """A noun phrase with a superlative."""
    where = some(
        lambda: node("PP", "(IN in)", place()),
        lambda: node("PP", "(IN of)", thing(True, short=True)),
        lambda: node("PP", "(IN of)", thing(False, short=True)),
        lambda: node("SBAR", gap(1)),
    )
    long = node("ADJP", "(RBS most)", node("JJ", pick(FINE)))
    short = node("JJS", some(lambda: pick(["best", "worst"]), lambda: longer(pick(TALL))[:-1] + "st"))
    return node("NP", node("NP", "(DT the)", some(lambda: long, (2, lambda: short)), noun()), where)


def extended(parts: list[Made], often: float = 0.35) -> list[Made]:
    """A verb phrase's parts with an adverb, a place, a time or a clause behind them at times."""
    closed = any(part.startswith(("(S ", "(SBAR")) for part in parts)
    if closed or not chance(often):
        return parts
    return [
        *parts,
        some(
            (4, lambda: pick(WHEN).replace("_", " ")),
            (2, lambda: node("ADVP", node("RB", pick(HOW)))),
            (2, lambda: node("PP", node("IN", pick(["in", "at", "near", "behind"])), place())),
            (1, lambda: node("PP", "(IN with)", receiver())),
            (
                1,
                lambda: node(
                    "PP",
                    "(IN for)",
                    node(
                        "NP",
                        node("CD", pick(["two", "three", "ten"])),
                        node("NNS", pick(["hours", "years", "minutes"])),
                    ),
                ),
            ),
            (
                2,
                lambda: node(
                    "SBAR",
                    node("IN", pick(["because", "before", "until", "after", "if", "although", "while"])),
                    statement(1),
                ),
            ),
            (1, lambda: node("SBAR", "(WHADVP (WRB when))", statement(1))),
        ),
    ]


def predicate() -> Made:
    """What is said of something with be."""
    return some(
        (5, adjectives),
        (2, lambda: thing(False, 0.5)),
        (1, best),
        (1, lambda: node("PP", node("IN", pick(["in", "at", "near"])), place())),
        (1, lambda: node("ADVP", node("RB", pick(["here", "there", "upstairs", "home"])))),
        (1, lambda: node("PP", "(IN at)", node("NP", node("NN", pick(["home", "work", "school"]))))),
    )


def rest(kind: str) -> list[Made]:
    """What follows an auxiliary: of be, of have, or of a modal verb."""
    if kind == "be":
        passive = [
            inflected(pick(TAKING), "VBN"),
            node("PP", "(IN by)", thing(people=1, short=True)) if chance(0.3) else "",
        ]
        ways: list[tuple[int, Callable[[], list[Made]]]] = [
            (6, lambda: [predicate()]),
            (5, lambda: [node("VP", *extended(core("VBG")))]),
            (3, lambda: [node("VP", *extended([part for part in passive if part]))]),
            (1, lambda: [node("VP", "(VBG going)", node("S", to_do(1)))]),
        ]
        return weighted(ways)
    if kind == "have":
        return [node("VP", "(VBN been)", *rest("be"))] if chance(0.25) else [node("VP", *extended(core("VBN")))]
    if chance(0.2):
        return [node("VP", "(VB be)", *rest("be"))]
    if chance(0.1):
        return [node("VP", "(VB have)", *rest("have"))]
    return [conjoined("VB", node("VP", *extended(core("VB"))))]


def conjoined(tag: str, first: Made) -> Made:
    """A verb phrase, or two or three of them in a row."""
    if chance(0.88):
        return first
    if chance(0.15):
        return listed(lambda: inflected(pick(BARE), tag), "VP")
    others = [node("VP", *extended(core(tag))) for _ in range(random.choice([1, 1, 2]))]
    before = ["(, ,)", others[0]] if len(others) == 2 else []
    comma = ["(, ,)"] if chance(0.1) else []
    return node("VP", first, *before, *comma, node("CC", pick(["and", "and", "and", "or", "but"])), others[-1])


def modal(past: bool) -> Made:
    """A modal verb."""
    return node("MD", pick(words("would could might should") if past else words("will can must should may")))


def verbal(person: str, deep: int = 0, pronoun: bool = False) -> Made:
    """A finite verb phrase without a subject, and what stands before it."""
    return " ".join(finite(person, deep, pronoun))


def finite(person: str, deep: int = 0, pronoun: bool = False) -> list[Made]:
    """The parts of a clause after its subject."""
    past, adverb = chance(0.5), node("ADVP", node("RB", pick(OFTEN))) if chance(0.12) else ""
    short = pronoun and chance(0.5)

    def denied(word: Made) -> list[Made]:
        return [word, "(RB n't)" if chance(0.8) else "(RB not)"]

    def plain() -> list[Made]:
        tag = tense(person, past)
        return [adverb, conjoined(tag, node("VP", *extended(core(tag, deep))))]

    def not_doing() -> list[Made]:
        word = "(VBD did)" if past else "(VBZ does)" if person == "s" else "(VBP do)"
        return [node("VP", *denied(word), node("VP", *extended(core("VB", deep))))]

    def with_modal() -> list[Made]:
        if chance(0.3):
            verb, no = pick(words("would:n't could:n't should:n't wo:n't ca:n't can:not will:not")).split(":")
            return [node("VP", node("MD", verb), node("RB", no), *rest("modal"))]
        word = node("MD", pick(["'ll", "'d"])) if short else modal(past)
        return [node("VP", word, adverb, *rest("modal"))]

    def with_have() -> list[Made]:
        word = have(person, past, short and not past)
        return [node("VP", *(denied(word) if chance(0.15) and "'" not in word else [word]), adverb, *rest("have"))]

    def with_be() -> list[Made]:
        word = be(person, past, short and not past)
        negated = (
            denied(word)
            if chance(0.15) and "am" not in word and "'" not in word
            else [word, "(RB not)" if chance(0.05) else ""]
        )
        return [node("VP", *negated, adverb, *rest("be"))]

    ways = [(8, plain), (2, not_doing), (3, with_modal), (2, with_have), (6, with_be)]
    return weighted(ways)


def statement(deep: int = 0) -> Made:
    """A clause with its subject, no stop."""
    if deep == 0 and chance(0.05):
        return node("S", "(NP (EX there))", node("VP", *some_there()))
    who, person = subject()
    return node("S", who, *finite(person, deep, who.startswith("(NP (PRP") or who == "(NP (DT that))"))


def some_there() -> list[Made]:
    """What there is."""
    plural = chance(0.4)
    what = thing(plural, short=True)
    where = node("PP", "(IN in)", place()) if chance(0.5) else ""
    return [be("p" if plural else "s", chance(0.5)), what, where]


def gap(deep: int) -> Made:
    """A clause whose object stands before it: what she says."""
    who, person = subject()
    past = chance(0.6)
    tag = tense(person, past)
    verb = pick(TAKING)
    return some(
        (
            3,
            lambda: node(
                "S", who, node("VP", inflected(verb, tag), pick(WHEN).replace("_", " ") if chance(0.25) else "")
            ),
        ),
        (1, lambda: node("S", who, node("VP", *toward_gap(tag)))),
        (1, lambda: node("S", who, node("VP", modal(past), node("VP", inflected(verb, "VB"))))),
        (1, lambda: node("S", who, node("VP", be(person, past), node("VP", *toward_gap("VBG"))))),
        (
            1,
            lambda: node(
                "S",
                who,
                node(
                    "VP",
                    inflected(pick(["want", "need", "have"]), "VB" if tag == "VBP" else tag)
                    .replace("haves", "has")
                    .replace("haved", "had")
                    .replace("(VB ", f"({tag} "),
                    node("S", node("VP", "(TO to)", node("VP", inflected(verb, "VB")))),
                ),
            ),
        ),
    )


def toward_gap(tag: str) -> list[Made]:
    """A verb with a preposition whose noun stands before."""
    verb, word = pick(TOWARDS).split(":")
    return [inflected(verb, tag), node("PP", node("TO" if word == "to" else "IN", word))]


def relative(plural: bool, person: bool) -> Made:
    """A relative clause."""
    number = "p" if plural else "s"
    pronoun = (
        some((3, lambda: "(WP who)"), lambda: "(WDT that)")
        if person
        else some((3, lambda: "(WDT that)"), lambda: "(WDT which)")
    )
    return some(
        (4, lambda: node("SBAR", node("WHNP", pronoun), node("S", verbal(number, 2)))),
        (2, lambda: node("SBAR", node("WHNP", pronoun), gap(2))),
        (4, lambda: node("SBAR", gap(2))),
        (1, lambda: node("SBAR", "(WHADVP (WRB where))", statement(2))),
        (1, lambda: node("SBAR", node("WHNP", "(WP$ whose)", noun(people=0.2)), node("S", verbal("s", 2)))),
    )


def question_stop() -> Made:
    """A question mark."""
    return "(. ?)"


def auxiliary(person: str) -> tuple[Made, list[Made]]:
    """An auxiliary before its subject, and what comes after the subject."""
    past = chance(0.5)
    doing = "(VBD did)" if past else "(VBZ does)" if person == "s" else "(VBP do)"
    negated = "(RB n't)" if chance(0.12) else ""
    word, kind = random.choices(
        [
            (doing, "modal"),
            (be(person, past), "be"),
            (have(person, False), "have"),
            (modal(True), "modal"),
            (node("MD", pick(["can", "will", "can"])), "modal"),
        ],
        [5, 4, 1, 1, 2],
    )[0]
    what = [node("VP", *extended(core("VB")))] if word == doing else rest(kind)
    return " ".join(
        filter(
            None,
            [
                word,
                negated if "am" not in word and "can" not in word and "may" not in word and "will" not in word else "",
            ],
        )
    ), what


def asked() -> Made:
    """A question with yes or no for an answer, no stop."""
    if chance(0.06):
        be_there, *what = some_there()
        return node("SQ", be_there, "(NP (EX there))", *what)
    who, person = subject()
    word, what = auxiliary(person)
    return node("SQ", word, who, *what)


def wh() -> Made:
    """A question with a question word, no stop."""
    who, person = subject()
    word, what = auxiliary(person)
    adverb = node("WHADVP", node("WRB", pick(words("where when why how where why"))))

    def object_asked() -> Made:
        past = chance(0.5)
        doing = "(VBD did)" if past else "(VBZ does)" if person == "s" else "(VBP do)"
        first = some(
            (3, lambda: "(WHNP (WP what))"),
            lambda: "(WHNP (WP who))",
            lambda: node("WHNP", "(WDT which)", noun()),
            lambda: node("WHNP", "(WDT what)", noun()),
            lambda: node("WHNP", node("WHADJP", "(WRB how)", "(JJ many)"), noun(True)),
        )
        if chance(0.3):
            return node(
                "SBARQ",
                first,
                node(
                    "SQ",
                    be(person, past),
                    who,
                    node(
                        "VP",
                        inflected(pick([*TAKING, "do"]), "VBG"),
                        pick(WHEN).replace("_", " ") if chance(0.3) else "",
                    ),
                ),
            )
        return node(
            "SBARQ",
            first,
            node(
                "SQ",
                doing,
                who,
                node(
                    "VP",
                    inflected(pick([*TAKING, "do", "say"]), "VB"),
                    pick(WHEN).replace("_", " ") if chance(0.2) else "",
                ),
            ),
        )

    return some(
        (4, lambda: node("SBARQ", adverb, node("SQ", word, who, *what))),
        (4, object_asked),
        (3, lambda: node("SBARQ", node("WHNP", node("WP", pick(["who", "what"]))), node("SQ", verbal("s", 1)))),
        (
            2,
            lambda: node(
                "SBARQ", node("WHADJP", "(WRB how)", node("JJ", pick(TALL))), node("SQ", be(person, False), who)
            ),
        ),
        (
            2,
            lambda: node(
                "SBARQ",
                node("WHNP", node("WP", pick(["what", "who"]))),
                node("SQ", be("s", chance(0.3), chance(0.3)), thing(False, 0.5)),
            ),
        ),
        (2, lambda: node("SBARQ", "(WHADVP (WRB where))", node("SQ", be(person, False), who))),
    )


def tagged_question() -> Made:
    """A statement with a question behind it."""
    pronoun, person = random.choice([("you", "p"), ("he", "s"), ("she", "s"), ("we", "p"), ("they", "p"), ("it", "s")])
    past = chance(0.4)
    tag = tense(person, past)
    doing = "(VBD did)" if past else "(VBZ does)" if person == "s" else "(VBP do)"
    who = node("NP", node("PRP", pronoun))
    if chance(0.5):
        return node(
            "SQ", node("S", who, node("VP", *extended(core(tag, 2)))), "(, ,)", node("SQ", doing, "(RB n't)", who)
        )
    return node(
        "SQ",
        node("S", who, node("VP", be(person, past), predicate())),
        "(, ,)",
        node("SQ", be(person, past), "(RB n't)", who),
    )


def ordered() -> list[Made]:
    """The parts of a command: what is asked of someone."""
    verb = some(
        (8, lambda: conjoined("VB", node("VP", *extended(core("VB", 1))))),
        (
            1,
            lambda: node(
                "VP", "(VB turn)", node("ADVP", node("RB", pick(["left", "right"]))), node("PP", "(IN at)", place())
            ),
        ),
        (3, lambda: node("VP", "(VB do)", node("RB", pick(["n't", "not"])), node("VP", *extended(core("VB", 1))))),
        (2, lambda: node("VP", "(VB let)", node("S", "(NP (PRP 's))", node("VP", *extended(core("VB", 1)))))),
        (1, lambda: node("VP", "(VB be)", adjectives())),
        (
            1,
            lambda: node(
                "VP",
                "(VB have)",
                node(
                    "NP",
                    "(DT a)",
                    node("JJ", pick(["nice", "good", "great"])),
                    node("NN", pick(["day", "time", "trip", "weekend"])),
                ),
            ),
        ),
    )
    before = (
        "(INTJ (UH please))"
        if chance(0.15)
        else node("ADVP", node("RB", pick(["never", "always", "just"])))
        if chance(0.08)
        else ""
    )
    return [part for part in (before, verb) if part]


def with_stop(tree: Made, stop: str = ".") -> Made:
    """A tree with a stop as the last part of its root."""
    return f"{tree[:-1]} (. {stop}))"


def commanded() -> Made:
    """A command."""
    parts = ordered()
    if chance(0.12):
        parts += ["(, ,)", "(INTJ (UH please))"]
    return with_stop(node("S", *parts), pick([".", ".", ".", "!"]))


def joined() -> Made:
    """Two clauses in a row."""
    link = pick(["and", "but", "or", "but", "and", "so"])
    comma = "(, ,)" if chance(0.55) else ""
    first = node("S", *ordered()) if chance(0.12) else statement()
    return with_stop(node("S", first, comma, node("IN" if link == "so" else "CC", link), statement()))


def with_comma_only() -> Made:
    """Two clauses with nothing but a comma between them."""
    return with_stop(node("S", node("S", *ordered()) if chance(0.5) else statement(2), "(, ,)", statement(2)))


def begun() -> Made:
    """A sentence that begins with a clause or a phrase."""
    who, person = subject()
    first = some(
        (
            3,
            lambda: node("SBAR", node("IN", pick(words("if because although after before while since"))), statement(1)),
        ),
        (1, lambda: node("SBAR", "(WHADVP (WRB when))", statement(1))),
        (1, lambda: pick(WHEN).replace("_", " ")),
        (1, lambda: node("PP", "(IN in)", place())),
    )
    comma = "(, ,)" if first.startswith("(SBAR") or chance(0.4) else ""
    return with_stop(node("S", first, comma, who, *finite(person, 1, who.startswith("(NP (PRP"))))


def named() -> Made:
    """A sentence with an interjection or a name before it."""
    who, person = subject()
    first = some(lambda: node("INTJ", node("UH", pick(GREET))), lambda: node("NP", node("NNP", pick(NAMES))))
    return some(
        lambda: with_stop(node("S", first, "(, ,)", who, *finite(person, 1, who.startswith("(NP (PRP")))),
        lambda: with_stop(node("S", first, "(, ,)", *ordered())),
    )


def quoted() -> Made:
    """Somebody says something."""
    mark = '"' if chance(0.6) else ""
    opening, closing = node("``", mark or "``"), node("''", mark or "''")
    said = node("VP", node("VBD", pick(words("said said asked shouted replied answered whispered added cried"))))
    pronoun = node("NP", node("PRP", pick(["he", "she", "I", "they"])))
    who = some(lambda: pronoun, lambda: thing(False, 1, short=True), lambda: node("NP", node("NNP", pick(NAMES))))
    what = some(
        (3, lambda: statement(1)),
        (2, lambda: node("S", *ordered())),
        lambda: node("INTJ", node("UH", pick(GREET))),
        lambda: asked(),
        lambda: wh(),
        lambda: node("S", "(VP (VBP thank) (NP (PRP you)))"),
    )
    asks = what.startswith(("(SQ", "(SBARQ"))
    if chance(0.35):
        return node("S", who, node("VP", said[4:-1], "(, ,)", opening, what), "(. ?)" if asks else "(. .)", closing)
    end = (
        with_stop(what, "?") if asks else with_stop(what, "!") if chance(0.2) and not what.startswith("(INTJ") else what
    )
    comma = "" if end != what else "(, ,)"
    if who != pronoun and chance(0.5):
        return node("SINV", opening, end, comma, closing, said, who, "(. .)")
    return node("S", opening, end, comma, closing, who, said, "(. .)")


def fragment() -> Made:
    """No sentence: a phrase alone."""
    return some(
        (4, lambda: with_stop(thing())),
        (1, lambda: with_stop(node("NP", "(DT no)", noun()))),
        (1, lambda: with_stop(listed(lambda: thing(short=True)))),
        (
            2,
            lambda: with_stop(
                node("PP", node("IN", pick(words("in on at near under behind after with without"))), thing(short=True))
            ),
        ),
        (
            1,
            lambda: with_stop(
                node("PP", node("ADVP", node("RB", pick(["only", "just", "not", "right"]))), "(IN in)", place())
            ),
        ),
        (2, lambda: with_stop(node("ADJP", node("RB", pick(words("very so too really not quite"))), adjective()))),
        (
            1,
            lambda: with_stop(
                node(
                    "ADVP",
                    node("RB", pick(["very", "so", "not", "too"])),
                    node("RB", pick(["well", "soon", "often", "slowly", "late"])),
                )
            ),
        ),
        (2, lambda: with_stop(node("SBAR", node("IN", pick(words("because if until although"))), statement(1)))),
        (1, lambda: with_stop(node("FRAG", "(RB not)", some(lambda: pick(WHEN).replace("_", " "), receiver, thing)))),
        (
            1,
            lambda: node(
                "FRAG",
                node("WHNP", "(WP what)"),
                node(
                    "PP",
                    "(IN about)",
                    some(thing, receiver, lambda: node("NP", node("NN", pick(["today", "dinner", "lunch"])))),
                ),
                "(. ?)",
            ),
        ),
        (
            1,
            lambda: with_stop(
                node(
                    "FRAG",
                    some(
                        thing,
                        lambda: node(
                            "NP",
                            thing(short=True),
                            node("PP", "(IN for)", node("NP", node("CD", pick(["two", "one", "four"])))),
                        ),
                    ),
                    "(, ,)",
                    "(INTJ (UH please))",
                )
            ),
        ),
        (1, lambda: with_stop(node("INTJ", node("UH", pick(GREET))))),
        (
            1,
            lambda: node(
                "NP",
                node("NP", node("NN", pick(["shopping", "wish", "price", "guest"])), "(NN list)"),
                "(: :)",
                listed(
                    lambda: some(
                        lambda: node("NP", one_or_more()),
                        lambda: node(
                            "NP",
                            node("NP", "(CD two)", node("NNS", pick(["bags", "tins", "cups", "bottles"]))),
                            node("PP", "(IN of)", node("NP", one_or_more())),
                        ),
                    )
                ),
                "(. .)",
            ),
        ),
    )


def headline() -> Made:
    """A headline: no articles, no stop."""

    def bare(plural: bool | None = None) -> Made:
        many = chance(0.4) if plural is None else plural
        number = node("CD", pick(["two", "three", "ten", "five"])) if many and chance(0.4) else ""
        return node(
            "NP",
            number,
            node("JJ", pick([word for word in TALL + FINE if word not in ONLY_AFTER])) if chance(0.5) else "",
            node("NN", pick(NEWS)) if chance(0.4) else "",
            node("NNS", many_of(pick(NEWS))) if many else node("NN", pick(NEWS)),
        )

    def phrase() -> Made:
        return node(
            "PP",
            node("IN", pick(words("in after for over at from"))),
            some(bare, lambda: node("NP", node("NNP", pick(TOWNS)))),
        )

    plural = chance(0.4)
    verb = pick(HEADLINE_VERBS)
    return some(
        (
            6,
            lambda: node(
                "S",
                bare(plural),
                node("VP", inflected(verb, "VBP" if plural else "VBZ"), bare(), phrase() if chance(0.3) else ""),
            ),
        ),
        (
            2,
            lambda: node(
                "S",
                bare(plural),
                node(
                    "VP",
                    inflected(pick(words("return fall rise die open close resign arrive")), "VBP" if plural else "VBZ"),
                    phrase(),
                ),
            ),
        ),
        (
            2,
            lambda: node(
                "S",
                some(bare, lambda: node("NP", node("CD", pick(["two", "three", "five"])))),
                node("VP", inflected(verb, "VBN"), phrase()),
            ),
        ),
        (2, lambda: node("S", bare(), node("VP", "(TO to)", node("VP", inflected(verb, "VB"), bare())))),
        (2, lambda: node("NP", bare(), phrase())),
        (
            1,
            lambda: node(
                "SBAR",
                node("WHADVP", node("WRB", pick(["why", "how", "when"]))),
                node("S", bare(True), node("VP", inflected(verb, "VBP"), bare())),
            ),
        ),
    )


def chatted() -> Made:
    """A message as people type it to friends: no capitals, no stops."""
    who, person = subject()
    greet = (
        node("INTJ", node("UH", pick(words("hey hi ok lol yeah omg haha well wow yo hello no sure"))))
        if chance(0.4)
        else ""
    )
    auxiliary(person)
    return some(
        (4, lambda: node("S", greet, who, *finite(person, 1, True))),
        (1, lambda: node("S", *ordered())),
        (1, lambda: node("S", node("VP", "(VB see)", "(NP (PRP you))", pick(WHEN).replace("_", " ")))),
        (2, lambda: inside(wh(), greet)),
        (1, lambda: inside(asked(), greet)),
        (1, lambda: node("S", statement(2), node("IN", "so"), statement(2))),
        (1, lambda: node("S", statement(2), node("CC", pick(["and", "but"])), statement(2))),
        (1, lambda: node("NP", node("NP", "(NNS thanks)"), node("PP", "(IN for)", thing(short=True)))),
        (
            2,
            lambda: node(
                "S",
                greet,
                who,
                node(
                    "VP",
                    be(person, False, True),
                    node("VP", "(VBG gon)", node("S", node("VP", "(TO na)", node("VP", *extended(core("VB", 1)))))),
                ),
            ),
        ),
        (
            1,
            lambda: node(
                "S",
                "(NP (PRP I))",
                node("VP", "(VBP wan)", node("S", node("VP", "(TO na)", node("VP", *core("VB", 1))))),
            ),
        ),
        (1, lambda: node("S", greet, node("VP", "(MD ca)", "(RB n't)", node("VP", *core("VB", 1))))),
        (
            1,
            lambda: node(
                "S",
                greet,
                who,
                node("VP", be(person, False, True), node("PP", "(IN on)", node("NP", "(PRP$ my)", "(NN way)"))),
            ),
        ),
    )


def inside(tree: Made, first: Made) -> Made:
    """A tree with one more part at its beginning."""
    label, _, others = tree.partition(" ")
    return " ".join(filter(None, [label, first, others]))


def compares() -> Made:
    """A statement that compares."""
    who, person = subject()
    past = chance(0.4)
    tag = tense(person, past)
    quickly = some(
        lambda: node("RBR", pick(["faster", "better", "harder", "longer", "earlier"])),
        lambda: "(RBR more) " + node("RB", pick(["slowly", "carefully", "often"])),
    )
    more = node(
        "NP",
        node(
            "NP",
            node("JJR", pick(["more", "less", "fewer", "better"])),
            some(lambda: noun(True), lambda: node("NN", pick(MASS))),
        ),
        than(),
    )
    number = node(
        "NP",
        node(
            "QP",
            node("JJR", pick(["more", "less"])),
            "(IN than)",
            node("CD", pick(words("ten twenty fifty two hundred")[:4])),
        ),
        noun(True),
    )
    return with_stop(
        some(
            (
                3,
                lambda: node(
                    "S", who, node("VP", inflected(pick(BARE), tag), node("ADVP", node("ADVP", quickly), than()))
                ),
            ),
            (3, lambda: node("S", who, node("VP", inflected(pick(TAKING), tag), more))),
            (2, lambda: node("S", who, node("VP", be(person, past), compared()))),
            (2, lambda: node("S", who, node("VP", be(person, past), best()))),
            (1, lambda: node("S", number, *finite("p", 1))),
            (
                2,
                lambda: node(
                    "S",
                    who,
                    node(
                        "VP",
                        inflected(pick(["like", "love", "know"]), tag),
                        thing(short=True),
                        node("ADVP", node("ADVP", node("RBR", pick(["better", "more"]))), than()),
                    ),
                ),
            ),
        )
    )


KINDS: list[tuple[int, Callable[[], Made]]] = [
    (16, lambda: with_stop(statement())),
    (9, lambda: with_stop(asked(), "?")),
    (11, lambda: with_stop(wh(), "?")),
    (2, lambda: with_stop(tagged_question(), "?")),
    (11, commanded),
    (9, joined),
    (2, with_comma_only),
    (6, begun),
    (3, named),
    (9, quoted),
    (9, fragment),
    (8, headline),
    (9, chatted),
    (6, compares),
]


def capitalised(tree: Tree) -> Tree:
    """With a capital where the sentence, or what is quoted in it, begins."""
    places = tree.treepositions("leaves")
    for number, place in enumerate(places):
        before = tree[places[number - 1]] if number else ""
        opens = number and tree[places[number - 1][:-1]].label() == "``"
        if (not number or opens) and tree[place][0].isalpha() and before != "''":
            tree[place] = tree[place][0].upper() + tree[place][1:]
    return tree


def sentences(count: int, seed: int = 0, without: frozenset[str] = frozenset()) -> Iterator[Tree]:
    """So many different trees; none over the words of ``without`` (joined by blanks, in small letters)."""
    random.seed(seed)
    seen = set(without)
    while count:
        make = random.choices([make for _, make in KINDS], [weight for weight, _ in KINDS])[0]
        tree = Tree.fromstring(make())
        key = " ".join(tree.leaves()).lower()
        if key in seen or len(tree.leaves()) > 20:
            continue
        seen.add(key)
        count -= 1
        if make is chatted:
            for place in tree.treepositions("leaves"):
                tree[place] = tree[place].lower()
            yield tree
        else:
            yield capitalised(tree)


def kept_out() -> frozenset[str]:
    """The words of the sentences that measure."""
    file = Path(__file__).resolve().parents[1] / "tests" / "data" / "everyday.mrg"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("(")]
    return frozenset(" ".join(Tree.fromstring(line).leaves()).lower() for line in lines)


if __name__ == "__main__":
    for made in sentences(int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0]), kept_out()):
        print(write_tree(made))
