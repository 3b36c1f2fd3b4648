"""The headlines of ``everyday_grammar.py``: no articles, no stops."""

from __future__ import annotations

import random

from everyday_rules import RULES, add_rules, chance, leaf, made, one_of
from everyday_words import HEADLINE_VERBS, NEWS, form, plural_of

add_rules("""
    news_where
        1 {news}
        1 (NP (NNP TOWNS))
    event
        1 (S {news} (VP (VBZ sinks|collapses|crashes|burns|falls|explodes|capsizes)))
        1 (S {news} (VP (VBZ hits|floods|closes|leaves|attacks) {news}))
    victims
        1 {news}
        1 (NP (CD two|three|five))
""")
HEADLINES = """
    6 (S {actors} (VP {does} {news} [.3 {place}]))
    2 (S {actors} (VP (V ~return|fall|rise|die|open|close|resign|arrive) {place}))
    4 (S {victims} (VP {done} {place}))
    2 (S {many} (VP (VBP ~search|call|vote|pay|fight|look|wait) (PP (IN for) {news})))
    1 (S {victims} (ADJP (JJ dead|missing|safe|ill|injured) {place}))
    1 (S {victims} (ADJP (JJ dead|missing|safe|injured) (SBAR (IN after|as) {event})))
    1 (S {victims} (VP {done} (SBAR (IN after|as) {event})))
    2 (S {news} (VP (TO to) (VP {base} {news})))
    2 (NP {news} {place})
    1 (SBAR (WHADVP (WRB why|how|when)) (S {many} (VP {do} {news})))
"""


def news(many: bool | None = None) -> str:
    """A noun phrase of a headline."""
    many = chance(0.4) if many is None else many
    number = leaf("CD", "two|three|ten|five") if many and chance(0.4) else ""
    before = made("[.5 (JJ ATTRIBUTES)] [.4 (NN NEWS)]")
    word = random.choice(NEWS)
    return f"(NP {number} {before} {f'(NNS {plural_of(word)})' if many else f'(NN {word})'})"


def headline() -> str:
    """A headline: no articles, no stop."""
    many = chance(0.4)
    verb, tag = random.choice(HEADLINE_VERBS), "VBP" if many else "VBZ"
    return one_of(
        HEADLINES,
        tag=tag,
        actors=lambda: news(many),
        many=lambda: news(True),
        place=lambda: made("(PP (IN in|after|for|over|at|from) {news_where})"),
        does=f"({tag} {form(verb, tag)})",
        done=f"(VBN {form(verb, 'VBN')})",
        base=f"(VB {verb})",
        do=f"(VBP {verb})",
    )


RULES["news"] = lambda *_: news()
