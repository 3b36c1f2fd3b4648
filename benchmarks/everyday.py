"""How many everyday sentences a parser gets right, by kind of sentence.

    python benchmarks/everyday.py
    python benchmarks/everyday.py runs/mine --show
    python benchmarks/everyday.py --sentences everyday-unseen

Without MODEL, the parser that comes with seqtree is measured. It gets the lines of ``tests/data/everyday.txt`` as they
are typed, as ``seqtree parse`` would; the trees are those of ``tests/data/everyday.mrg``, where a comment before each
ten of them names their kind. Two other lists were not looked at while the training sentences of
``everyday_grammar.py`` were written: ``everyday-unseen``, sixty sentences of the same kinds, and
``everyday-constructions``, 120 of twenty-four kinds, from exclamations to prices.

A sentence is exact if it has the labelled brackets of its gold tree, as PARSEVAL counts them: neither tags nor
punctuation count, ADVP equals PRT, and a unary chain has each of its labels. ``labelled_f1`` and ``tag_accuracy`` are
PARSEVAL's over all sentences, in percent. ``other_words`` is the number of sentences that the model's tokeniser does
not split as the gold trees do; they are not exact, and have no part in the percentages. Prints one JSON object;
``--show`` first lists the sentences that are not exact, with their gold tree and the tree that was found.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from nltk.tree import Tree

from seqtree.parsing.model import Parser
from seqtree.text.sentences import read_sentences
from seqtree.treebank.bracketed import parse_trees, write_tree
from seqtree.treebank.parseval import Parseval

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
LISTS = ("everyday", "everyday-unseen", "everyday-constructions")


def gold_trees(name: str) -> Iterator[tuple[str, Tree]]:
    """The gold trees of a file in their order, each with its kind: the last comment before it."""
    kind = ""
    for line in (DATA / f"{name}.mrg").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            kind = line.removeprefix("#").strip()
        elif line:
            yield from ((kind, tree) for tree, _ in parse_trees([line], f"{name}.mrg"))


def found_trees(parser: Parser, lines: list[str]) -> list[Tree | None]:
    """The tree of each line, None for a line that the tokeniser takes for several sentences or none."""
    numbered: dict[int, list[Tree]] = {number: [] for number in range(1, len(lines) + 1)}
    sentences = list(read_sentences(lines, tokenized=False, known=parser.lexicon.words))
    for sentence, parse in zip(sentences, parser.parses(sentence.words for sentence in sentences), strict=True):
        if parse is not None:
            numbered[sentence.line].append(parse.tree)
    return [found[0] if len(found) == 1 else None for found in numbered.values()]


def is_exact(gold: Tree, found: Tree | None) -> bool:
    """Whether PARSEVAL finds the same labelled brackets in both."""
    parseval = Parseval()
    parseval.add(gold, found, 1)
    return parseval.result.exact_match == 100


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model", nargs="?", default="default", help="a run folder, a model file, or default or open")
    options.add_argument("--sentences", choices=LISTS, default=LISTS[0], help="which list of sentences")
    options.add_argument("--show", action="store_true", help="list the sentences that are not exact")
    arguments = options.parse_args()
    name = arguments.sentences
    lines = (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    found = found_trees(Parser.load(arguments.model), lines)
    parseval, exact, count = Parseval(), dict[str, int](), 0
    for number, (line, (kind, gold), tree) in enumerate(zip(lines, gold_trees(name), found, strict=True), 1):
        parseval.add(gold, tree, number)
        right = is_exact(gold, tree)
        exact[kind] = exact.get(kind, 0) + right
        count += 1
        if arguments.show and not right:
            print(f"{kind}: {line}\n  gold  {write_tree(gold)}\n  found {write_tree(tree) if tree else 'no one tree'}")
    figures = parseval.result
    record = {
        "benchmark": name,
        "model": arguments.model,
        "sentences": count,
        "exact": sum(exact.values()),
        "exact_by_kind": exact,
        "labelled_f1": round(figures.labelled.f1, 2),
        "tag_accuracy": round(figures.tag_accuracy, 2),
        "other_words": len(figures.skipped),
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
