"""A toy grammar of English that generates any number of sentences with their trees, for tests and first experiments.

It is a probabilistic context-free grammar with Penn Treebank labels. It has phenomena that make parsing hard: ambiguous
attachment of prepositional phrases (to the noun or the verb), conjunctions, nested clauses, unary chains and
punctuation. If one label needs several sets of words (a verb with an object, a verb without), the symbol has a suffix
after a slash, ``VBD/object``, which the trees do not show.

>>> print(generate(1)[0])
(S
  (NP (DT the) (NN cat))
  (VP (VBD sat) (PP (IN on) (NP (DT the) (NN mat)))))
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from seqtree.errors import InputError

if TYPE_CHECKING:
    from nltk import Tree

__all__ = ["FIRST", "LEXICON", "MAX_HEIGHT", "RULES", "generate", "label", "sentences", "words"]

FIRST = "(S (NP (DT the) (NN cat)) (VP (VBD sat) (PP (IN on) (NP (DT the) (NN mat)))))"
"""The first tree of every generated list, for any seed."""

MAX_HEIGHT = 12
"""The maximum number of nodes, the word included, on a path from the root of a tree."""

RULES: dict[str, tuple[tuple[float, str], ...]] = {
    "S": (
        (0.78, "NP/subject VP"),
        (0.12, "PP , NP/subject VP"),
        (0.10, "S/clause CC/clause S/clause"),
    ),
    "S/clause": ((1.0, "NP/subject VP"),),
    "S/relative": ((1.0, "VP/simple"),),
    "NP/subject": ((0.20, "PRP"), (0.80, "NP")),
    "NP": (
        (0.36, "DT NN"),
        (0.16, "DT JJ NN"),
        (0.04, "DT JJ JJ NN"),
        (0.07, "DT/many NNS"),
        (0.05, "CD NNS"),
        (0.12, "NNP"),
        (0.12, "NP PP"),
        (0.04, "NP/base CC/and NP/base"),
        (0.04, "NP/base SBAR/relative"),
    ),
    "NP/base": ((0.55, "DT NN"), (0.25, "DT JJ NN"), (0.20, "DT/many NNS")),
    "VP": (
        (0.12, "VBD/alone"),
        (0.24, "VBD/alone PP"),
        (0.05, "VBD/alone ADVP"),
        (0.24, "VBD/object NP"),
        (0.15, "VBD/object NP PP"),
        (0.05, "VBD/two NP/base NP/base"),
        (0.07, "VBD/clause SBAR/that"),
        (0.04, "MD VP/bare"),
        (0.04, "VP/simple CC/and VP/simple"),
    ),
    "VP/simple": ((0.30, "VBD/alone"), (0.30, "VBD/alone PP"), (0.40, "VBD/object NP/base")),
    "VP/bare": ((0.5, "VB/alone PP"), (0.5, "VB/object NP")),
    "SBAR/that": ((1.0, "IN/that S/clause"),),
    "SBAR/relative": ((1.0, "WHNP S/relative"),),
    "WHNP": ((1.0, "WDT"),),
    "ADVP": ((0.8, "RB"), (0.2, "RB/degree RB")),
    "PP": ((1.0, "IN NP"),),
}
"""Symbol -> (probability, right-hand side) of each rule; the probabilities of one symbol sum to 1."""


def words(line: str) -> tuple[str, ...]:
    """The words of a line."""
    return tuple(line.split())


LEXICON: dict[str, tuple[str, ...]] = {
    "DT": ("the", "the", "the", "a", "a"),  # a repeated word is more likely
    "DT/many": ("the", "the", "some"),
    "NN": words(
        "cat dog girl boy keeper sailor teacher doctor baker bird horse fish boat ship light lamp window door garden "
        "wall field tower table chair kettle clock book letter telescope basket mat hill beach river bridge storm"
    ),
    "NNS": words("cats dogs children sailors birds boats letters lamps stones flowers apples nets gulls"),
    "NNP": words("Nell Hugh Grace Ruth Daniel Caleb Carrow Tarn"),
    "PRP": words("he she it they we"),
    "CD": words("two three seven nine forty"),
    "JJ": words("small large grey white green quiet broken bright cold heavy hungry round patient"),
    "VBD/alone": words("sat slept waited laughed sang stood stopped jumped shone"),
    "VBD/object": words("saw found watched carried heard mended painted followed remembered chased"),
    "VBD/two": words("gave showed sent brought"),
    "VBD/clause": words("said thought knew believed"),
    "VB/alone": words("sit sleep wait sing stand"),
    "VB/object": words("see find watch carry hear mend paint"),
    "MD": words("could would might must"),
    "IN": words("on in near with under behind by"),
    "IN/that": ("that",),
    "WDT": ("that",),
    "CC/and": ("and", "and", "or"),
    "CC/clause": ("and", "and", "but"),
    "RB": words("quietly slowly again early outside"),
    "RB/degree": words("very quite"),
    ",": (",",),
}
"""Part of speech -> its words, equally likely."""


def label(symbol: str) -> str:
    """The Penn Treebank label of a grammar symbol: the part before the slash.

    >>> label("VBD/object"), label("S")
    ('VBD', 'S')
    """
    return symbol.partition("/")[0]


def generate(count: int, seed: int = 0) -> list[Tree]:
    """``count`` trees: the first is always :data:`FIRST`, the others are sampled from the grammar.

    The same ``seed`` gives the same trees on every machine, and a longer list begins with the shorter one.
    Raises InputError if ``count`` is negative.
    """
    if count < 0:
        raise InputError(f"the number of sentences cannot be negative: {count}")
    from nltk import Tree

    generator = random.Random(seed)
    heights = _min_heights()
    trees = [Tree.fromstring(FIRST)] if count else []
    while len(trees) < count:
        trees.append(_grow("S", MAX_HEIGHT, generator, heights))
    return trees


def sentences(count: int, seed: int = 0) -> list[str]:
    """The sentences of :func:`generate`, words separated by spaces.

    >>> sentences(1)
    ['the cat sat on the mat']
    """
    return [" ".join(tree.leaves()) for tree in generate(count, seed)]


def _min_heights() -> dict[str, int]:
    """The height of the lowest tree that each symbol can generate; a part of speech with its word has height 2."""
    heights = dict.fromkeys(LEXICON, 2)
    changed = True
    while changed:
        changed = False
        for symbol, rules in RULES.items():
            known = [max(heights[s] for s in r.split()) for _, r in rules if all(s in heights for s in r.split())]
            if known and heights.get(symbol, MAX_HEIGHT + 1) > 1 + min(known):
                heights[symbol] = 1 + min(known)
                changed = True
    return heights


def _grow(symbol: str, max_height: int, generator: random.Random, heights: dict[str, int]) -> Tree:
    """A random tree of ``symbol``, at most ``max_height`` high; rules that would exceed it are not considered."""
    from nltk import Tree

    if symbol in LEXICON:
        known = LEXICON[symbol]
        return Tree(label(symbol), [known[int(generator.random() * len(known))]])
    fitting = [(p, rule.split()) for p, rule in RULES[symbol]]
    fitting = [(p, parts) for p, parts in fitting if all(heights[part] < max_height for part in parts)]
    parts = _draw(fitting, generator)
    children = [_grow(part, max_height - 1, generator, heights) for part in parts]
    if len(children) == 1 and children[0].label() == label(symbol):  # NP/subject -> NP is one node, not two
        return children[0]
    return Tree(label(symbol), children)


def _draw(weighted: list[tuple[float, list[str]]], generator: random.Random) -> list[str]:
    """One of the weighted items (by ``random()``, the only method with the same sequence in all Python versions)."""
    point = generator.random() * sum(weight for weight, _ in weighted)
    for weight, item in weighted:
        point -= weight
        if point < 0:
            return item
    return weighted[-1][1]
