"""Trees and tagged sentences for the parsers that come with seqtree, made alike; writes files and the commands.

Both parsers start from a network that has learned from the plain text of ``raw_texts.py`` how words behave in
sentences. ``default`` then learns from the Penn Treebank sample (twice), GUM, MASC, a third of CRAFT and sentences of
``everyday_grammar.py``, and the tags of UD English EWT; ``open`` from what any use is allowed of: open GUM, MASC, a
third of CRAFT, the grammar's sentences, and EWT. Then they go on with trees of CRAFT that they have not seen in the
place of those they have (``default`` two thirds, ``open`` one), and with trees that they and earlier parsers agree on
(``agreed_trees.py``). The mean of the weights before and after that, a quarter and three (``averaged_parsers.py``), is
the wide parser. It is made narrower (``narrowed_parser.py``) and goes on with the same trees and others that the wide
parser and the earlier one agree on, and takes the mean of the weights before and after that, .15 and .85; ``default``
once more, with .2 and .8. At last they go on as wide as they are, twice, with what the grammar has learned meanwhile:
the weights at the end are the parser, but those of ``open`` the first time, which are a mean of .2 and .8. Made alike:

- GUM brackets a lone relative or interrogative pronoun (WP, WDT) as NP; here it is WHNP, as in the Penn Treebank.
- The word "to" is TO before nouns as well (IN in GUM, CRAFT and EWT), and what CRAFT calls a title, a heading or a
  caption is the phrase or the fragment (FRAG) that it is.
- A quarter of the sentences of up to 20 words come a second time without their last stop and first capital, as people
  type them.

``SEQTREE_DATA`` names the data::

    python benchmarks/raw_texts.py OUT
    python benchmarks/shipped_parsers.py OUT
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from everyday_grammar import kept_out, sentences
from nltk.tree import Tree

from seqtree.text.columns import read_tagged
from seqtree.treebank.bracketed import write_tree
from seqtree.treebank.dialects import is_preterminal, words_of
from seqtree.treebank.sources import normalised_trees

SHORT, AGAIN = 20, 0.25  # words of a sentence that may come a second time, and how many of them do
EVERYDAY = 10500  # sentences of the grammar
ROOTS = ("TITLE", "HEADING", "CAPTION", "CIT", "X", "ROOT")
SHAPE = "--words 64 --hidden 220 --vector 190 --scorer 220"
THIRD = "third", "192 160 192", 80, 0.85  # hidden, vector and scorer; minutes; share of the mean
FOURTH = "fourth", "160 160 192", 100, 0.8
LAST = "last", "", 85  # as wide as before
LATEST = "latest", "", 95, 1.0
LATER = {"default": (THIRD, FOURTH, (*LAST, 1.0), LATEST), "open": (THIRD, (*LAST, 0.8), LATEST)}
ALWAYS = "--preset small --weight-drop 0.3 --half --threads 1"
BEFORE = "57870b5"  # the commit whose parsers are the second ones
AGREED = 20000  # trees of plain text
Pairs = list[tuple[str, str]]


def main() -> None:
    """Write the files of both parsers to the folder that is named, and print how to train them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("out", type=Path)
    out, data = options.parse_args().out, os.environ["SEQTREE_DATA"]
    out.mkdir(parents=True, exist_ok=True)
    masc, craft = (trees(f"{data}/{name}/train.mrg") for name in ("masc", "craft"))
    gum, open_gum = (with_whnp(trees(f"{data}/gum/{name}.mrg")) for name in ("train", "open-train"))
    wsj, everyday = trees("nltk:treebank/wsj_0001-wsj_0160"), [*sentences(EVERYDAY, without=kept_out())]
    always = {"default": [*wsj, *wsj, *gum, *masc, *everyday], "open": [*open_gum, *masc, *everyday]}
    later = {"default": [*craft[1::3], *craft[2::3]], "open": craft[1::3]}
    for name, found in always.items():
        write_trees(out / f"{name}.mrg", [*found, *craft[::3]])
        write_trees(out / f"{name}-later.mrg", [*found, *later[name]])
    dev = {"gum": 4, "masc": 2, "craft": 10}
    valid = [tree for name, step in dev.items() for tree in trees(f"{data}/{name}/dev.mrg")[::step]]
    (out / "open-valid.mrg").write_text(lines(valid), encoding="utf-8")
    valid += trees("nltk:treebank/wsj_0161-wsj_0179")
    (out / "default-valid.mrg").write_text(lines(valid), encoding="utf-8")
    write_tagged(out / "ewt.conll", ewt_sentences(f"{data}/tag/ud-ewt/train.conll"))
    for name, seen, among_trees in (("default", 8, 4), ("open", 3, 3)):
        print("\n".join(commands(name, seen, among_trees)))


def commands(name: str, seen: int, among_trees: int) -> Iterator[str]:
    """How a parser is trained; a word is known if plain text has it ``seen`` times, or trees ``among_trees`` times."""
    train = f"--valid {name}-valid.mrg --tagged ewt.conll --evaluations 10"
    yield f"seqtree phrases learn --tokenized {name}.txt --width 64 --out {name}-vectors.txt"
    yield (
        f"seqtree words train {name}.txt --tokenized --vectors {name}-vectors.txt --vector-words 0 --words 64 "
        f"--hidden 220 --min-count {seen} --minutes 32 --threads 1 --out {name}-words"
    )
    yield (
        f"seqtree parser train {name}.mrg {train} --init-from {name}-words --min-count {among_trees} --minutes 87 "
        f"{SHAPE} {ALWAYS} --out {name}-first"
    )
    yield f"git show {BEFORE}:seqtree/models/{name}.safetensors > {name}-before.safetensors"
    yield parsing(name, f"{name}-before.safetensors", f"{name}-before.mrg")
    train += f" --min-count {seen} {ALWAYS}"
    second = f"{train} --minutes 80 --init-from {name}-first --out {name}-second"
    yield from with_agreed(name, f"{name}-first", second)
    mean, narrow = f"{name}.safetensors", f"{name}-narrow.safetensors"
    yield f"python benchmarks/averaged_parsers.py {name}-first {name}-second 0.75 {mean}"
    for number, widths, minutes, share in LATER[name]:
        start = narrow if widths else mean
        if widths:
            yield f"python benchmarks/narrowed_parser.py {mean} {name}.txt {widths} {narrow}"
        yield from with_agreed(name, mean, f"{train} --minutes {minutes} --init-from {start} --out {name}-{number}")
        latest = "" if widths else " --latest"
        yield f"python benchmarks/averaged_parsers.py {start} {name}-{number} {share} {mean}{latest}"


def with_agreed(name: str, model: str, options: str) -> Iterator[str]:
    """Training with trees of plain text that a model and the earlier parser agree on."""
    parsed, agreed = f"{name}-parsed.mrg", f"{name}-agreed.mrg"
    yield parsing(name, model, parsed)
    yield f"python benchmarks/agreed_trees.py {parsed} {name}-before.mrg {name}.mrg {AGREED} > {agreed}"
    yield f"seqtree parser train {name}-later.mrg {agreed} {options}"


def parsing(name: str, model: str, made: str) -> str:
    """How plain text is parsed."""
    return f"seqtree parse --model {model} --file {name}.txt --tokenized --format bracket > {made}"


def trees(source: str) -> list[Tree]:
    """Normalised trees, alike."""
    return [alike(tree) for tree in normalised_trees([source], "utf-8", print, 2000, "stop")]


def alike(tree: Tree) -> Tree:
    """A tree with the Penn Treebank's tag of "to" and a label of its own at the root."""
    for node in tree.subtrees(is_preterminal):
        if node.label() == "IN" and node[0].lower() == "to":
            node.set_label("TO")
    if tree.label() not in ROOTS:
        return tree
    if len(tree) == 1 and not is_preterminal(tree[0]):
        return tree[0]
    tree.set_label("FRAG")
    return tree


def with_whnp(found: list[Tree]) -> list[Tree]:
    """The same trees, lone pronouns of questions and relative clauses as WHNP."""
    for tree in found:
        for node in tree.subtrees():
            if node.label() == "NP" and len(node) == 1 and is_preterminal(node[0]) and node[0].label() in ("WP", "WDT"):
                node.set_label("WHNP")
    return found


def write_trees(path: Path, found: Sequence[Tree]) -> None:
    """The trees, and after them some once more as people type them."""
    random.seed(0)
    short = [tree for tree in found if len(words_of(tree)) <= SHORT and random.random() < AGAIN]
    path.write_text(lines([*found, *filter(None, map(as_typed, short))]), encoding="utf-8")


def as_typed(tree: Tree) -> Tree | None:
    """A sentence without its last stop and its first capital; None for one without a stop."""
    last = tree[-1]
    if len(tree) < 2 or not is_preterminal(last) or last.label() != "." or last[0] != ".":
        return None
    typed = tree.copy(deep=True)
    typed.pop()
    first = typed
    while not is_preterminal(first):
        first = first[0]
    if first[0] != "I" and not first.label().startswith("NNP"):
        first[0] = first[0].lower()
    return typed


def lines(found: Iterable[Tree]) -> str:
    """A tree a line."""
    return "".join(write_tree(tree) + "\n" for tree in found)


def write_tagged(path: Path, sentences: Iterable[Pairs]) -> None:
    """Columns: word and tag."""
    text = ("".join(f"{word.replace(' ', '')}\t{tag}\n" for word, tag in one) + "\n" for one in sentences)
    path.write_text("".join(text), encoding="utf-8")


def ewt_sentences(path: str) -> Iterator[Pairs]:
    """Those of EWT, brackets as in the Penn Treebank."""
    brackets = {"(": "-LRB-", ")": "-RRB-"}
    for one in read_tagged([path], 1, 3):
        pairs = zip(one.words, one.tags, strict=True)
        yield [(brackets.get(word, word), "TO" if word.lower() == "to" and tag == "IN" else tag) for word, tag in pairs]


if __name__ == "__main__":
    main()
