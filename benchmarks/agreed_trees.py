"""Trees of plain text on which two parsers agree, to train on besides those of a treebank (after Li and others 2014).

A sentence is kept if both parsers give it the same constituents, if the treebank does not have it, and if it has 5 to
40 words; COUNT of these are chosen at random. The first parser's trees are written, a line each::

    for NAME in first second; do
        seqtree parse --model $NAME --file text.txt --tokenized --format bracket > $NAME.mrg
    done
    python benchmarks/agreed_trees.py first.mrg second.mrg treebank.mrg COUNT > agreed.mrg
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator

from nltk.tree import Tree

from seqtree.treebank.bracketed import write_tree

LENGTHS = range(5, 41)  # words
HIDDEN = {"<unk>", "N"}  # what stands for a rare word or a number in Mikolov's PTB text


def main() -> None:
    """Write the chosen trees; say how many there were to choose from."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("first", "second", "treebank"):
        options.add_argument(name)
    options.add_argument("count", type=int)
    given = options.parse_args()
    known = {tuple(tree.leaves()) for tree in trees(given.treebank)}
    agreed: dict[tuple[str, ...], Tree] = {}
    read = 0
    for one, other in zip(trees(given.first), trees(given.second), strict=True):
        words, read = tuple(one.leaves()), read + 1
        if len(words) in LENGTHS and words not in known and not HIDDEN & {*words} and brackets(one) == brackets(other):
            agreed[words] = one
    random.seed(0)
    chosen = random.sample([*agreed.values()], min(given.count, len(agreed)))
    for tree in chosen:
        print(write_tree(tree))
    words_in = sum(len(tree.leaves()) for tree in chosen)
    print(f"{read:,} sentences, {len(agreed):,} agreed on; {len(chosen):,} of {words_in:,} words", file=sys.stderr)


def trees(path: str) -> Iterator[Tree]:
    """The trees of a file, a line each; a line without one is that of an empty sentence."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield Tree.fromstring(line) if line.strip() else Tree("", [])


def brackets(tree: Tree) -> Tree:
    """The constituents of a tree: the same with every word's tag left out."""
    return Tree(tree.label(), [child[0] if child.height() == 2 else brackets(child) for child in tree])


if __name__ == "__main__":
    main()
