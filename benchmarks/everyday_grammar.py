"""Everyday English by a small grammar of our own: sentences with their trees, for a parser to learn from.

Treebanks of newspapers and articles hold few questions, commands, chat and headlines, and few of the verbs that people
use at home. The rules (in the notation of ``everyday_rules.py``) follow the Penn Treebank's guidelines, the words are
common ones; sentences need not make sense. None is taken from ``tests/data/everyday.txt``, which measures what parsers
learn from this, and all that are there are left out. Prints a tree a line::

    python benchmarks/everyday_grammar.py COUNT [SEED]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator

from everyday import LISTS, gold_trees
from everyday_headlines import headline
from everyday_patterns import PATTERNS
from everyday_phrases import clause, noun, subject, thing
from everyday_questions import asked, tagged_question, wh
from everyday_rules import RULES, add_rules, chance, leaf, listed, made, one_of, with_stop
from everyday_verbs import be, conjoined, finite, tense, vp
from everyday_words import TYPED
from nltk.tree import Tree

from seqtree.treebank.bracketed import write_tree

add_rules("""
    ordered
        8 {several_orders}
        1 (VP (VB turn) (ADVP (RB left|right)) (PP (IN at) {place}))
        3 (VP (VB do) (RB n't|not) {order})
        2 (VP (VB let) (S (NP (PRP 's)) {order}))
        1 (VP (VB be) {adjectives})
        1 (VP (VB have) (NP (DT a) (JJ nice|good|great) (NN day|time|trip|weekend)))
    first
        3 (SBAR (IN if|because|although|after|before|while|since) {statement:1})
        1 (SBAR (WHADVP (WRB when)) {statement:1})
        1 {when}
        1 (PP (IN in) {place})
        1 {linked}
        1 (PP (IN by) (NP (NP (DT the) (NN time)) (SBAR {statement:2})))
        1 (PP (IN with|without) (S {short} (VP (VBN ~TAKING))))
        1 (PP (IN after|before|by|without) (S {doing:2}))
        1 (S {doing:2})
        1 (S (ADJP (JJ tired|afraid|proud) (PP (IN of) (S {doing:2}))))
    call
        1 (INTJ (UH GREET))
        1 (NP (NNP NAMES))
        1 (S (VP (VB excuse) (NP (PRP me))))
    said
        3 {statement:1}
        2 (S {order_or_so})
        1 (INTJ (UH GREET))
        1 {asked}
        1 {wh}
        1 (S (VP (VBP thank) (NP (PRP you))))
    fragment
        4 {thing}
        1 (NP (DT no) {noun})
        1 {shorts_listed}
        2 (PP (IN in|on|at|near|under|behind|after|with|without) {short})
        1 (PP (ADVP (RB only|just|not|right)) (IN in) {place})
        2 (ADJP (RB very|so|too|really|not|quite) {adjective})
        1 (ADVP (RB very|so|not|too) (RB well|soon|often|slowly|late))
        2 (SBAR (IN because|if|until|although) {statement:1})
        1 (FRAG (RB not) {not_what})
        1 (FRAG (WHNP (WP what)) (PP (IN about) {about_what}) (. ?))
        1 (FRAG {portion} (, ,) (INTJ (UH please)))
        1 (INTJ (UH GREET))
        1 (NP (NP (NN shopping|wish|price|guest) (NN list)) (: :) {portions_listed})
    not_what
        1 {when}
        1 {receiver}
        1 {thing}
    about_what
        1 {thing}
        1 {receiver}
        1 (NP (NN today|dinner|lunch))
    portion
        1 {thing}
        1 (NP {short} (PP (IN for) (NP (CD two|one|four))))
    item
        1 (NP {goods})
        1 (NP (NP (CD two) (NNS bags|tins|cups|bottles)) (PP (IN of) (NP {goods})))
    quickly
        1 (RBR faster|better|harder|longer|earlier)
        1 (RBR more) (RB slowly|carefully|often)
    as_many
        2 (NP (NP (ADJP [.5 (RB twice)] (RB as) (JJ many|few)) {nouns}) {as_what})
        1 (NP (NP (ADJP [.5 (RB twice)] (RB as) (JJ much)) (NN MASS)) {as_what})
    amount
        1 {nouns}
        1 (NN MASS)
""")
CHAT = """
    4 (S {greet} {who} {does})
    1 (S {ordered_parts})
    1 (S (VP (VB see) (NP (PRP you)) {when}))
    2 {wh_greeted}
    1 {asked_greeted}
    1 (SBARQ (WHADVP (WRB where|how)) (SQ (VBP are) (NP (PRP you))))
    1 (S {statement:2} (IN so) {statement:2})
    1 (S {statement:2} (CC and|but) {statement:2})
    1 (NP (NP (NNS thanks)) (PP (IN for) {short}))
    2 (S {greet} {who} (VP {am} (VP (VBG gon) (S (VP (TO na) {order})))))
    1 (S (NP (PRP I)) (VP (VBP wan) (S (VP (TO na) {do:1}))))
    1 (SQ (VP (VBP wan) (S (VP (TO na) {do:1}))))
    1 (S (NP (PRP I)) (VP (VBD got) (S (VP (TO ta) {do:1}))))
    1 (S {greet} (VP (MD ca) (RB n't) {do:1}))
    1 (S {greet} {who} (VP {am} (PP (IN on) (NP (PRP$ my) (NN way)))))
"""
COMPARISONS = """
    3 (S {who} (VP (V ~BARE) (ADVP (ADVP {quick}) {than})))
    3 (S {who} (VP (V ~TAKING) {more}))
    1 (S {who} (VP (V ~TAKING) {as_many}))
    2 (S {who} (VP {am} {compared}))
    2 (S {who} (VP {am} {best}))
    1 (S {number} {they_do})
    2 (S {who} (VP (V ~like|love|know) {short} (ADVP (ADVP (RBR better|more)) {than})))
"""


def is_pronoun(subject: str) -> bool:
    """Whether a subject is a pronoun (or begins with one: my dog)."""
    return subject.startswith("(NP (PRP")


def ordered() -> str:
    """The parts of a command: what is asked of someone."""
    verb = made("{ordered}")
    if chance(0.15):
        return f"(INTJ (UH please)) {verb}"
    return made("(ADVP (RB never|always|just)) ") + verb if chance(0.08) else verb


def commanded() -> str:
    """A command."""
    parts = ordered()
    if chance(0.12):
        parts += " (, ,) (INTJ (UH please))"
    return with_stop(f"(S {parts})", random.choice("...!"))


def joined() -> str:
    """Two clauses in a row."""
    link = random.choice(["and", "but", "or", "but", "and", "so"])
    comma = "(, ,)" if chance(0.55) else ""
    first, second = (f"(S {ordered()})" if chance(0.12) else clause() for _ in range(2))
    return with_stop(f"(S {first} {comma} ({'IN' if link == 'so' else 'CC'} {link}) {second})")


def with_comma_only() -> str:
    """Two clauses with nothing but a comma between them."""
    return with_stop(f"(S {f'(S {ordered()})' if chance(0.5) else clause(2)} (, ,) {clause(2)})")


def begun() -> str:
    """A sentence that begins with a clause or a phrase."""
    who, person = subject()
    first = made("{first}")
    comma = "" if first.startswith(("(NP", "(PP", "(ADVP (RB")) and chance(0.6) else "(, ,)"
    return with_stop(f"(S {first} {comma} {who} {finite(person, 1, is_pronoun(who))})")


def called() -> str:
    """A sentence with an interjection or a name before it."""
    first = made("{call}")
    if chance(0.35):
        return with_stop(inside(asked() if chance(0.4) else wh(), f"{first} (, ,)"), "?")
    who, person = subject()
    rest = "1 {who} {does}\n1 {ordered_parts}"
    return with_stop(f"(S {first} (, ,) {one_of(rest, who=who, does=lambda: finite(person, 1, is_pronoun(who)))})")


def quoted() -> str:
    """Somebody says something."""
    mark = '"' if chance(0.6) else ""
    opening, closing = f"(`` {mark or '``'})", f"('' {mark or chr(39) * 2})"
    verb = leaf("VBD", "said|said|asked|shouted|replied|answered|whispered|added|cried")
    pronoun = made("(NP (PRP he|she|I|they))")
    who = one_of("1 {pronoun}\n1 {she}\n1 (NP (NNP NAMES))", pronoun=pronoun, she=lambda: thing(False, 1, short=True))
    what = made("{said}")
    asks = what.startswith(("(SQ", "(SBARQ"))
    if chance(0.35):
        return f"(S {who} (VP {verb} (, ,) {opening} {what}) (. {'?' if asks else '.'}) {closing})"
    if asks:
        end = with_stop(what, "?")
    else:
        end = with_stop(what, "!") if chance(0.2) and not what.startswith("(INTJ") else f"{what} (, ,)"
    if who != pronoun and chance(0.5):
        return f"(SINV {opening} {end} {closing} (VP {verb}) {who} (. .))"
    return f"(S {opening} {end} {closing} {who} (VP {verb}) (. .))"


def chatted() -> str:
    """A message as people type it to friends: no capitals, no stops."""
    who, person = subject()
    greet = made("[.4 (INTJ (UH hey|hi|ok|lol|yeah|omg|haha|well|wow|yo|hello|no|sure))]")
    return one_of(
        CHAT,
        greet=greet,
        who=who,
        does=lambda: finite(person, 1, True),
        wh_greeted=lambda: inside(wh(), greet),
        asked_greeted=lambda: inside(asked(), greet),
        am=be(person, False, True),
    )


def inside(tree: str, first: str) -> str:
    """A tree with one more part at its beginning."""
    label, _, others = tree.partition(" ")
    return f"{label} {first} {others}"


def compares() -> str:
    """A statement that compares."""
    who, person = subject()
    past = chance(0.4)
    return one_of(
        COMPARISONS,
        tag=tense(person, past),
        who=who,
        quick=made("{quickly}"),
        more=made("(NP (NP (JJR more|less|fewer|better) {amount}) {than})"),
        number=made("(NP (QP (JJR more|less) (IN than) (CD ten|twenty|fifty|two)) {nouns})"),
        am=be(person, past),
        they_do=lambda: finite("p", 1),
    )


RULES |= {
    "nouns": lambda *_: noun(True),
    "order": lambda *_: vp("VB", 1),
    "several_orders": lambda *_: conjoined("VB", vp("VB", 1)),
    "ordered_parts": lambda *_: ordered(),
    "order_or_so": lambda *_: ordered(),
    "portions_listed": lambda *_: listed(lambda: made("{item}")),
}
KINDS: list[tuple[int, Callable[[], str]]] = [
    (16, lambda: with_stop(clause())),
    (9, lambda: with_stop(asked(), "?")),
    (11, lambda: with_stop(wh(), "?")),
    (2, lambda: with_stop(tagged_question(), "?")),
    (11, commanded),
    (9, joined),
    (2, with_comma_only),
    (6, begun),
    (4, called),
    (9, quoted),
    (9, lambda: with_stop(made("{fragment}"))),
    (8, headline),
    (9, chatted),
    (6, lambda: with_stop(compares())),
    *PATTERNS,
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


def as_message(tree: Tree) -> Tree:
    """In small letters, at times with the short forms of messages."""
    shortened = TYPED if chance(0.2) else {}
    for place in tree.treepositions("leaves"):
        word = tree[place].lower()
        tree[place] = shortened.get(word, word)
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
        yield as_message(tree) if make is chatted else capitalised(tree)


def kept_out() -> frozenset[str]:
    """The words of the sentences that measure."""
    gold = (tree for name in LISTS for _, tree in gold_trees(name))
    return frozenset(" ".join(tree.leaves()).lower() for tree in gold)


def main() -> None:
    """Print the trees."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("count", type=int)
    options.add_argument("seed", type=int, nargs="?", default=0)
    given = options.parse_args()
    for one in sentences(given.count, given.seed, kept_out()):
        print(write_tree(one))


if __name__ == "__main__":
    main()
