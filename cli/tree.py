"""``seqtree tree``: train a classifier of the nodes of trees, measure it, use it, and prepare trees to be labelled."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from seqtree.cli.options import (
    FILE,
    TextCommand,
    compute_options,
    json_option,
    note,
    open_model,
    open_parser,
    print_json,
)
from seqtree.cli.streams import write_painted
from seqtree.cli.texts import (
    check_texts,
    file_option,
    in_chunks,
    text_blocks,
    texts_argument,
    tokenized_option,
    unless_piped,
)
from seqtree.cli.train import train_command

if TYPE_CHECKING:
    from seqtree.treebank.labelled import LabelledTree

PHRASE = re.compile(r"\s*\([^\s()]*\s+\(.*\)\s*", re.DOTALL)  # a tree of several words
WORD = re.compile(r"\s*\(([^\s()]+)\s+[^\s()]+\s*\)\s*")  # a tree of one word, with its label
UNDECIDED = 1000  # lines that may be trees of one word
MIXED = re.compile(r"\s*\(([^\s()]+)\s[^()]*\(([^\s()]+)\s.*\)\s*", re.DOTALL)  # one that has a word without a label
malformed_option = click.option(
    "--malformed",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do about a tree that is malformed or not binary: stop, or leave it out (skip).",
)
parser_option = click.option(
    "--parser",
    type=FILE,
    metavar="MODEL",
    help="The parser of sentences: a run folder, a model file, or a name (see seqtree models).  "
    "[default: what the variable SEQTREE_PARSER names, or else default]",
)


class Item(NamedTuple):
    """A tree to label, None for an empty sentence; the words to print; and the number of its line."""

    tree: LabelledTree | None
    words: tuple[str, ...]
    line: int


@click.group(
    epilog="\b\nExamples:\n  seqtree tree train train.txt --valid dev.txt --out runs/sentiment\n"
    "  seqtree tree eval runs/sentiment test.txt\n"
    "  seqtree tree predict runs/sentiment 'It is not bad.' --format pretty"
)
def tree() -> None:
    """Labels at the nodes of trees: the sentiment of every phrase, truth values, or any other.

    TREES are files of binary trees in brackets with a label at every node, as in the Stanford Sentiment Treebank:
    (3 (2 It) (4 (2 's) (4 great))); folders of them, - for stdin, or nltk:NAME.
    """


tree.add_command(
    train_command(
        "tree",
        "Train a classifier of nodes on labelled TREES: files, folders, or - for stdin.\n\nWrites a run folder; stop "
        "it with Ctrl-C at any time, continue with --resume. Without TREES it reads the embedded sample.",
        "\b\nExamples:\n  seqtree tree train train.txt --valid dev.txt --minutes 10 --out runs/sentiment\n"
        "  seqtree tree train train.txt --composition rntn --vector 30 --words 30\n"
        "  seqtree tree train --preset tiny --out runs/first        (the embedded sample)",
    )
)


@tree.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree tree eval runs/sentiment test.txt\n"
    "  seqtree tree eval runs/sentiment test.txt --json",
)
@click.argument("model", type=FILE)
@click.argument("trees", type=FILE, nargs=-1, required=True)
@malformed_option
@compute_options
@json_option
def eval_(
    model: str,
    trees: tuple[str, ...],
    malformed: str,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL (a run folder or a model file) on labelled TREES: shares of 1, at the root and over all nodes.

    fine: the class is right. binary, where the classes are 0 to 4: of the nodes that are not neutral (2) by their
    label, those that are rightly positive (3 and 4 together more probable than 0 and 1) or negative.
    """
    from seqtree.treebank.labelled import labelled_trees
    from seqtree.trees.evaluation import evaluate

    loaded = open_model("tree", model, threads, device, precision)
    measured = evaluate(loaded, labelled_trees(trees, encoding, malformed, note))
    if as_json:
        print_json(measured.to_json())
    else:
        _print_table(measured)


@tree.command(
    cls=TextCommand,
    epilog="\b\nExamples:\n  seqtree tree predict runs/sentiment 'It is not bad.' --format pretty\n"
    "  seqtree tree predict runs/sentiment '(? (? It) (? works))' --probabilities\n"
    "  seqtree tree predict runs/sentiment --file reviews.txt --format json > nodes.jsonl",
)
@click.argument("model", type=FILE)
@texts_argument
@file_option
@click.option(
    "--input",
    "kind",
    type=click.Choice(["auto", "trees", "sentences"]),
    default="auto",
    show_default=True,
    help="What the texts are: binary trees in brackets, whose labels do not matter, or sentences, which are parsed "
    "first; auto judges by the first.",
)
@parser_option
@tokenized_option
@click.option(
    "--format",
    type=click.Choice(["bracket", "pretty", "svg", "latex", "json"]),
    default="bracket",
    show_default=True,
    help="One line a tree: brackets, an SVG picture, LaTeX for the package forest, a JSON object with all "
    "probabilities; or a drawing (pretty).",
)
@click.option("--probabilities", is_flag=True, help="Write 3:0.81 for a label 3 of that probability (not json).")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    help="Whether a drawing has its labels in colour; auto, the default: on a terminal, unless NO_COLOR is set.",
)
@compute_options
def predict(
    model: str,
    texts: tuple[str, ...],
    file: str | None,
    kind: str,
    parser: str | None,
    tokenized: bool,
    format: str,
    probabilities: bool,
    color: str | None,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
) -> None:
    """Label every node of each TEXT, a binary tree or a sentence, or of the lines of a file or of stdin.

    A sentence is parsed by the parser that comes with seqtree, or another (--parser). Results come in the order of the
    texts, in blocks as they are read, whatever the length of the file; an empty sentence has an empty result.
    """
    from seqtree.trees.formats import format_labelling

    check_texts(texts, file, "TEXT")
    paint = _in_colour(color, format)
    loaded = open_model("tree", model, threads, device, precision)
    blocks = iter(text_blocks(texts, file, encoding))
    if kind == "auto":
        kind, blocks = _judged(blocks, {*loaded.classes.names, "?"})
    if kind == "trees":
        if parser or tokenized:
            raise click.UsageError("--parser and --tokenized go with sentences; these texts are trees (see --input)")
        items = _trees(blocks, "TEXT" if texts else file or "-")
    else:
        items = _sentences(blocks, open_parser(parser, threads, device, precision), tokenized)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    write = write_painted if format == "pretty" else sys.stdout.write
    for found in items:
        for line, labelling in _labelled(loaded, found):
            write(format_labelling(labelling, format, probabilities, width, paint, line) + "\n")
        sys.stdout.flush()


def _in_colour(color: str | None, format: str) -> bool:
    """Whether labels are in colour. Raises UsageError for ``--color`` where nothing is drawn on a terminal."""
    if color == "always" and format != "pretty":
        raise click.UsageError("--color always goes with --format pretty")
    return color == "always" or (color != "never" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


@tree.command(
    cls=TextCommand,
    epilog="\b\nExamples:\n  seqtree tree annotate --file sentences.txt > trees.txt    (then label every ?)\n"
    "  seqtree tree annotate --check trees.txt\n  seqtree tree annotate 'It works.'",
)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@file_option
@parser_option
@tokenized_option
@click.option("--check", is_flag=True, help="Count the labels of the trees in the files TEXT, and say what has none.")
@compute_options
def annotate(
    texts: tuple[str, ...],
    file: str | None,
    parser: str | None,
    tokenized: bool,
    check: bool,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
) -> None:
    """Parse sentences into binary trees with a place for a label, ?, at every node, one tree a line.

    Write a label for every ?, such as 0 to 4 for very negative to very positive; seqtree tree train refuses a ? that is
    left, and names its line. With --check, TEXT are files of such trees.
    """
    if check:
        if not texts or file is not None:
            raise click.UsageError("--check goes with the files to check (- for stdin), and without --file")
        _check(texts, encoding)
        return
    from seqtree.treebank.labelled import write_labelled

    texts = unless_piped(texts)
    check_texts(texts, file, "TEXT")
    opened = open_parser(parser, threads, device, precision)
    for items in _sentences(text_blocks(texts, file, encoding), opened, tokenized):
        for one in items:
            if one.tree is not None:
                sys.stdout.write(write_labelled(replace(one.tree, words=one.words)) + "\n")
        sys.stdout.flush()


def _judged(blocks: Iterator[Iterator[str]], labels: set[str]) -> tuple[str, Iterator[Iterator[str]]]:
    """What the texts are by the first that is not blank, and all of them again.

    Brackets around two words may be a tree of one word or a remark, ``(laughs aloud)``: what follows tells.
    """
    seen: list[str] = []
    for block in blocks:
        for line in block:
            seen.append(line)
            word = WORD.fullmatch(line)
            labelled = word or MIXED.fullmatch(line)
            if PHRASE.fullmatch(line) or (labelled and labels.issuperset(labelled.groups())):
                return "trees", chain([chain(seen, block)], blocks)
            if line.strip() and not (word and len(seen) < UNDECIDED):
                return "sentences", chain([chain(seen, block)], blocks)
        if any(map(str.strip, seen)):  # do not wait for more
            break
    return "sentences", chain([iter(seen)], blocks)


def _trees(blocks: Iterable[Iterator[str]], name: str) -> Iterator[list[Item]]:
    """The trees of each block of lines. A tree may go on in the next one."""
    from seqtree.treebank.bracketed import TreeReader
    from seqtree.treebank.labelled import label_nodes

    reader = TreeReader("standard input" if name == "-" else name)

    def read(lines: Iterable[str]) -> Iterator[Item]:
        for found, place in reader.feed(lines):
            one = label_nodes(found, place)
            yield Item(one, one.words, place.line)

    for lines in blocks:
        yield from in_chunks(read(lines), lambda item: len(item.words))
    reader.finish()


def _sentences(blocks: Iterable[Iterator[str]], parser: Any, tokenized: bool) -> Iterator[list[Item]]:
    """The parsed sentences of each block of lines, words in their forms for a model."""
    from seqtree.text.sentences import read_sentences
    from seqtree.treebank.labelled import unlabelled

    numbers = count(1)
    for lines in blocks:
        sentences = read_sentences(lines, tokenized, parser.lexicon.words, numbers)
        for chunk in in_chunks(sentences, lambda sentence: len(sentence.words)):
            items = []
            for sentence, parse in zip(chunk, parser.parses([one.words for one in chunk]), strict=True):
                found = None if parse is None else unlabelled(parse.binary, sentence.words)
                items.append(Item(found, tuple(word for word, _ in sentence.words), sentence.line))
            yield items


def _labelled(classifier: Any, items: list[Item]) -> Iterator[tuple[int, Any]]:
    """The line of each item and its labelling, None for an empty sentence."""
    from seqtree.trees.formats import with_words

    found = classifier.labellings([item.tree for item in items if item.tree is not None])
    for item in items:
        yield item.line, None if item.tree is None else with_words(next(found), item.words)


def _check(files: tuple[str, ...], encoding: str) -> None:
    """Print how often each label occurs. Raises InputError if a node has none."""
    from seqtree.errors import InputError
    from seqtree.treebank.labelled import check_labelled, label_nodes
    from seqtree.treebank.sources import trees

    nodes: Counter[str | None] = Counter()
    roots: Counter[str | None] = Counter()
    first, bare = None, 0
    for found, place in trees(files, encoding, warn=note):
        one = label_nodes(found, place)
        nodes.update(one.labels)
        roots[one.labels[-1]] += 1
        if None in one.labels:
            first, bare = first or one, bare + 1
    click.echo(f"{'label':<12} {'nodes':>8} {'roots':>8}")
    for label in sorted(filter(None, nodes)):
        click.echo(f"{label:<12} {nodes[label]:>8,} {roots[label]:>8,}")
    if first is not None:
        click.echo(f"{'?':<12} {nodes[None]:>8,} {roots[None]:>8,}")
        try:
            check_labelled(first)
        except InputError as error:
            raise InputError(f"{error}, as {nodes[None]:,} nodes in all, of {bare:,} trees") from None


def _print_table(measured: Any) -> None:
    click.echo(f"{'':<20} {'fine':>10} {'binary':>10}")
    for name, one in (("root", measured.root), ("all nodes", measured.all)):
        binary = "-" if one.binary is None else f"{one.binary:.4f}"
        click.echo(f"{name:<20} {one.fine:>10.4f} {binary:>10}")
    click.echo(f"{'loss':<20} {measured.loss:>10.4f}")
    click.echo(f"{'trees':<20} {measured.trees:>10,}")
    click.echo(f"{'nodes':<20} {measured.nodes:>10,}")
    click.echo(f"{'trees per second':<20} {measured.trees_per_second:>10,.0f}")
