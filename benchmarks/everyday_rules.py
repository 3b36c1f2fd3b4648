"""A small notation for grammars with random choices, which make trees in brackets.

A rule has a name, and alternatives below it, each with its weight. In these stand

- ``(NN cat|dog)``: one of the words; a name in capitals stands for a list of ``everyday_words.py``;
- ``(VBD ~walk|TAKING)``: one of the verbs, in the form of its tag; the tag V is that of the verb phrase at hand;
- ``{place}``: what a rule makes, or what is given by that name; ``{statement:1}``: as if inside one clause;
- ``[.3 ...]``: this, three times in ten.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable

import everyday_words

LISTS = {name: value for name, value in vars(everyday_words).items() if name.isupper() and isinstance(value, list)}
RULES: dict[str, Callable[[int, str], str]] = {}  # from how many clauses are around, and the verb phrase's tag
Given = str | Callable[[], str]
_PIECE = re.compile(r"\[(\.\d+) ([^\]]*)\]|\{(\w+):?(\d?)\}|\((\S+) ([^\s(){}\[\]]+)\)")


def chance(share: float) -> bool:
    """True with that probability."""
    return random.random() < share


def made(template: str, deep: int = 0, tag: str = "", **given: Given) -> str:
    """What an alternative makes, from left to right."""

    def piece(match: re.Match[str]) -> str:
        share, optional, name, depth, label, choices = match.groups()
        if share:
            return made(optional, deep, tag, **given) if chance(float(share)) else ""
        if name in given:
            value = given[name]
            return value if isinstance(value, str) else value()
        if name:
            return RULES[name](int(depth) if depth else deep, tag)
        return leaf(tag if label == "V" else label, choices)

    return _PIECE.sub(piece, template)


def leaf(tag: str, choices: str) -> str:
    """One of the words under its tag."""
    verbs = choices.startswith("~")
    options = [word for name in choices.removeprefix("~").split("|") for word in LISTS.get(name, [name])]
    word = random.choice(options) if len(options) > 1 else options[0]
    return f"({tag} {everyday_words.form(word, tag) if verbs else word})"


def one_of(rule: str, deep: int = 0, tag: str = "", **given: Given) -> str:
    """What one of the alternatives makes."""
    templates, weights = alternatives(rule)
    chosen = random.choices(templates, weights)[0] if len(templates) > 1 else templates[0]
    return made(chosen, deep, tag, **given)


def listed(part: Callable[[], str], label: str = "NP") -> str:
    """Two to four of a kind with commas and a conjunction."""
    parts = [part() for _ in range(random.choice([2, 2, 3, 3, 4]))]
    comma = "(, ,)" if len(parts) > 2 and chance(0.3) else ""
    return f"({label} {' (, ,) '.join(parts[:-1])} {comma} {leaf('CC', 'and|and|and|or')} {parts[-1]})"


def with_stop(tree: str, stop: str = ".") -> str:
    """A tree with a stop as the last part of its root, if it has none."""
    return tree if tree.endswith("(. ?))") else f"{tree[:-1]} (. {stop}))"


def add_rules(text: str) -> None:
    """Rules by their names, each with its alternatives below it."""
    for name, rule in re.findall(r"^ *([a-z_]+)\n((?: *\d.*\n)+)", text, re.MULTILINE):
        RULES[name] = functools.partial(one_of, rule)


@functools.cache
def alternatives(rule: str) -> tuple[list[str], list[int]]:
    """The templates, and their weights."""
    lines = [line.strip().partition(" ") for line in rule.strip().splitlines()]
    return [template for _, _, template in lines], [int(weight) for weight, _, _ in lines]
