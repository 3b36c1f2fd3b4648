"""The TREES arguments of the command line: bracketed files, folders, standard input, and NLTK's treebanks by name."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.text.config import check_encoding
from seqtree.text.nltk_corpora import PREFIX, NamedCorpus, open_corpus
from seqtree.text.reading import BLOCK, Source, Specs, names, sources
from seqtree.treebank.bracketed import Place, parse_trees, read_trees, words_of
from seqtree.treebank.builder import MalformedTree
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.skipping import Skip
from seqtree.wording import also

SUFFIXES = (".bracket", ".brackets", ".mrg", ".prd", ".psd", ".ptb", ".tbf", ".tree", ".trees", ".txt")  # in folders
MALFORMED = ("stop", "skip")  # what to do about a malformed tree
HINT = " (--malformed skip leaves it out and reads on)"
LEMMAS = ".tbf"  # files with a lemma after each word, such as AnCora's

Placed = Iterator[tuple[Tree, Place]]


def trees(
    specs: Specs,
    encoding: str = "utf-8",
    malformed: str | None = None,
    warn: Callable[[str], object] = warnings.warn,
) -> Placed:
    """The trees of all arguments in order, each with its place; only one tree is in memory at a time.

    An argument is a bracketed file; a folder, for its files with one of ``SUFFIXES`` at any depth, sorted by name;
    ``-`` for standard input; or trees of a treebank that NLTK knows (see ``text.nltk_corpora``).
    encoding: of files; NLTK knows that of its corpora. malformed: at a malformed tree, in a file or in NLTK's corpora,
    None and ``stop`` raise InputError, ``stop`` with a hint at the option; ``skip`` leaves it out. ``warn`` gets a line
    about those left out, and about ``.prd`` files of a folder that has ``.mrg`` files of the same names, which hold the
    same trees and are not read.
    Raises InputError for arguments that cannot be found or read.
    """
    faults = _Faults()
    try:
        yield from _trees(specs, encoding, malformed, warn, faults)
    except MalformedTree as error:
        raise InputError(f"{error}{HINT if malformed else ''}") from None
    if faults.count:
        warn(f"{faults.first}; left out{also(faults.count - 1)}")


def _trees(
    specs: Specs, encoding: str, malformed: str | None, warn: Callable[[str], object], faults: _Faults
) -> Placed:
    check_encoding(encoding)
    if malformed not in (None, *MALFORMED):
        raise InputError(f"malformed {malformed!r}: expected one of {', '.join(MALFORMED)}")
    named, hidden = names(specs), list[str]()
    skip = faults.add if malformed == "skip" else None
    paths = [[path] for path in named if not path.startswith(PREFIX)]
    with sources(*paths, skipped=hidden, suffixes=SUFFIXES, what="trees") as groups:
        if hidden:
            warn(f"{hidden[0]}: not read{also(len(hidden) - 1, 'nor')}")
        found = iter(groups)
        for path in named:
            if path.startswith(PREFIX):
                yield from _corpus(path, skip)
                continue
            for file in _once(next(found), Path(path), warn):
                yield from read_trees(file, encoding, lemmas=file.name.lower().endswith(LEMMAS), skip=skip)


class _Faults:
    """How many malformed trees were met, and what was wrong with the first."""

    def __init__(self) -> None:
        self.count, self.first = 0, ""

    def add(self, what: str) -> None:
        self.count += 1
        self.first = self.first or what


def normalised_trees(
    specs: Specs,
    encoding: str = "utf-8",
    warn: Callable[[str], object] = warnings.warn,
    max_words: float = math.inf,
    malformed: str | None = None,
) -> list[Tree]:
    """The trees that TREES name, normalised (see ``normalise``). Raises InputError.

    Left out are those without a word (of traces only), those of more than ``max_words``, and, if ``malformed`` is
    ``skip``, malformed ones; ``warn`` gets a line about each kind, if there are any.
    """
    kept = []
    left_out: dict[str, list[Place]] = {}
    for tree, place in trees(specs, encoding, malformed, warn):
        normal = normalise(tree)
        if normal is None:
            left_out.setdefault("without a word", []).append(place)
        elif len(words_of(normal)) > max_words:
            left_out.setdefault(f"of more than {max_words:,} words", []).append(place)
        else:
            kept.append(normal)
    for why, places in left_out.items():
        warn(f"{places[0]}: a tree {why}, left out{also(len(places) - 1)}")
    return kept


def _once(files: list[Source], folder: Path, warn: Callable[[str], object]) -> list[Source]:
    """The files that a path stands for: of a folder, none whose trees are those of another."""
    if all(file.named for file in files):
        return files
    merged = {_same_trees(file.path, folder) for file in files if file.path.suffix.lower() == ".mrg"}
    twice = [file for file in files if file.path.suffix.lower() == ".prd" and _same_trees(file.path, folder) in merged]
    if twice:
        same = "its trees are those of the .mrg file of the same name"
        warn(f"{twice[0].name}: not read, {same}{also(len(twice) - 1, 'nor')}")
    return [file for file in files if file not in twice]


def _same_trees(file: Path, folder: Path) -> tuple[str, ...]:
    """What a ``.mrg`` and a ``.prd`` file of the same trees have in common: ``mrg/00/a.mrg`` and ``prd/00/a.prd``."""
    parts = file.relative_to(folder).with_suffix("").parts
    return tuple(part for part in parts[:-1] if part.lower() not in ("mrg", "prd")) + parts[-1:]


def _corpus(spec: str, skip: Skip | None) -> Placed:
    corpus = open_corpus(spec, "treebank and sinica_treebank")
    if not hasattr(corpus.reader, "parsed_sents"):
        raise InputError(f"{spec}: NLTK's corpus {corpus.name!r} has no trees")
    uncounted = _Faults().add if skip else None  # malformed trees are not to be counted twice
    return corpus.selected(lambda: _read(corpus, skip), "trees", lambda: _read(corpus, uncounted))


def _read(corpus: NamedCorpus, skip: Skip | None) -> Placed:
    from nltk.corpus.reader import BracketParseCorpusReader, CategorizedBracketParseCorpusReader

    plain = type(corpus.reader) in (BracketParseCorpusReader, CategorizedBracketParseCorpusReader)
    for file in corpus.files:
        place = f"{PREFIX}{corpus.name}/{file}"
        try:
            if plain:
                # not parsed_sents(), which flattens or drops trees with unbalanced brackets, and very deep trees
                with closing(_blocks(corpus.reader, file)) as blocks:
                    yield from parse_trees(blocks, place, lemmas=file.endswith(LEMMAS), skip=skip)
            else:
                yield from _parsed_by_nltk(corpus.spec, corpus.reader.parsed_sents(file), place)
        except InputError:
            raise
        except (LookupError, OSError, ValueError) as error:
            raise corpus.cannot_read(file, error) from None


def _blocks(reader: Any, file: str) -> Generator[str, None, None]:
    with reader.open(file) as stream:
        while block := stream.read(BLOCK):
            yield block


def _parsed_by_nltk(spec: str, parsed: Any, place: str) -> Placed:
    """Trees from NLTK's own reader, for formats without brackets; a tree's number is used as its line."""
    with closing(parsed) if hasattr(parsed, "close") else nullcontext():
        for number, tree in enumerate(parsed, 1):
            if not isinstance(tree, Tree):
                raise InputError(f"{spec}: this corpus has no bracketed trees, but {type(tree).__name__} objects")
            yield tree, Place(place, number)
