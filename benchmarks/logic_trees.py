"""How deep a tree classifier of truth values goes: its accuracy on formulas deeper than those it was trained on.

A formula is ``true``, ``false`` or two formulas with ``and``, ``or`` or ``xor`` between them. In brackets, a formula's
label is its value, 0 or 1; that of an operator, and of an operator with the formula after it, is 2. ``--check``
evaluates the formulas of such a file anew and counts the labels that differ. For a model, formulas of each depth (of
operators within operators) are generated, and one JSON object is printed for each::

    python benchmarks/logic_trees.py --check formulas.txt
    python benchmarks/logic_trees.py --write 8 > formulas.txt
    seqtree tree train formulas.txt --out runs/logic
    python benchmarks/logic_trees.py runs/logic --depths 4 8 16 32
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from seqtree.treebank.labelled import LabelledTree, labelled_trees, write_labelled
from seqtree.trees import TreeClassifier, evaluate

OPERATORS = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "xor": lambda a, b: a != b}
VALUES = {"false": False, "true": True}
SIDE = 3  # depth, at most, of the formula beside the deepest one


class Formulas:
    """Random formulas as labelled trees."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def tree(self, depth: int) -> LabelledTree:
        """A formula of that depth."""
        words: list[str] = []
        phrases: list[tuple[int, int]] = []  # children, phrase k as -1 - k
        self._add(depth, words, phrases)
        count = len(words)
        children = tuple(
            (one if one >= 0 else count - 1 - one, other if other >= 0 else count - 1 - other) for one, other in phrases
        )
        bare = LabelledTree(tuple(words), children, (None,) * (2 * count - 1))
        return LabelledTree(bare.words, children, tuple(values(bare)))

    def _add(self, depth: int, words: list[str], phrases: list[tuple[int, int]]) -> int:
        """Append a formula to the words and phrases; its number."""
        if not depth:
            words.append(str(self.random.choice(list(VALUES))))
            return len(words) - 1
        depths = [depth - 1, int(self.random.integers(min(SIDE, depth - 1) + 1))]
        self.random.shuffle(depths)
        left = self._add(depths[0], words, phrases)
        words.append(str(self.random.choice(list(OPERATORS))))
        operator = len(words) - 1
        phrases.append((operator, self._add(depths[1], words, phrases)))
        phrases.append((left, -len(phrases)))
        return -len(phrases)


def values(tree: LabelledTree) -> list[str]:
    """The labels of a formula's nodes, computed from its words."""
    found: list[bool | None] = [VALUES.get(word) for word in tree.words]  # None: waits for its left side
    for left, right in tree.children:
        if left < len(tree.words) and tree.words[left] in OPERATORS:
            found.append(None)
            continue
        operator, operand = tree.children[right - len(tree.words)]
        found.append(OPERATORS[tree.words[operator]](found[left], found[operand]))
    return ["2" if value is None else str(int(value)) for value in found]


def check(path: str) -> dict[str, object]:
    """How many labels of a file are those of its formulas."""
    pairs = [pair for tree in labelled_trees([path]) for pair in zip(values(tree), tree.labels, strict=True)]
    return {"file": path, "labels": len(pairs), "wrong": sum(one != other for one, other in pairs)}


def main() -> None:
    """Check, write or measure, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", help="a run folder or a model file")
    parser.add_argument("--check", metavar="FILE", help="compare the labels of a file with its formulas' values")
    parser.add_argument("--write", type=int, metavar="DEPTH", help="print formulas of depths 1 to DEPTH")
    parser.add_argument("--depths", type=int, nargs="+", default=[2, 4, 6, 8, 12, 16, 24, 32])
    parser.add_argument("--trees", type=int, default=200, help="formulas of each depth")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    formulas = Formulas(arguments.seed)
    if arguments.check:
        print(json.dumps(check(arguments.check)))
    if arguments.write:
        for i in range(arguments.trees):
            print(write_labelled(formulas.tree(1 + i % arguments.write)))
    if arguments.model:
        model = TreeClassifier.load(arguments.model)
        for depth in arguments.depths:
            trees = [formulas.tree(depth) for _ in range(arguments.trees)]
            found = evaluate(model, trees)
            words = sum(map(len, trees)) / len(trees)
            print(json.dumps({"depth": depth, "words": words, "root": found.root.fine, "all": found.all.fine}))


if __name__ == "__main__":
    main()
