"""The TREES arguments of the command line: bracketed files, folders, standard input, and NLTK's treebanks by name."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.text.config import check_encoding
from seqtree.text.reading import BLOCK, sources
from seqtree.treebank.bracketed import Place, parse_trees, read_trees, words_of
from seqtree.treebank.builder import MalformedTree
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.skipping import Skip

SUFFIXES = (".bracket", ".brackets", ".mrg", ".prd", ".psd", ".ptb", ".tbf", ".tree", ".trees", ".txt")  # in folders
MALFORMED = ("stop", "skip")  # what to do about a malformed tree
LEMMAS = ".tbf"  # files with a lemma after each word, such as AnCora's
_NLTK = "nltk:"
_SPEC = re.compile(r"nltk:(?P<name>\w+)(?:/(?P<files>[^\[\]]+))?(?:\[(?P<range>[^\[\]]*)\])?")
_RANGE = re.compile(r"\s*(?:(?P<one>-?\d+)|(?P<start>-?\d+)?\s*:\s*(?P<stop>-?\d+)?)\s*")

Placed = Iterator[tuple[Tree, Place]]


def trees(
    specs: Sequence[str],
    encoding: str = "utf-8",
    malformed: str = "stop",
    warn: Callable[[str], object] = warnings.warn,
) -> Placed:
    """The trees of all arguments in order, each with its place; only one tree is in memory at a time.

    An argument is a bracketed file; a folder, for its files with one of ``SUFFIXES`` at any depth, sorted by name;
    ``-`` for standard input; or ``nltk:NAME[/FILES][RANGE]``, a treebank known to NLTK. FILES is one of its files, or
    first-last, both included, as in ``nltk:treebank/wsj_0001-wsj_0160`` (suffixes such as ``.mrg`` may be omitted).
    RANGE selects trees as Python slices do, as in ``nltk:sinica_treebank[0:8000]``: ``[a:b]``, ``[a:]``, ``[:b]`` or
    ``[i]``; a negative number counts from the end (and the trees are read twice).
    encoding: of files; NLTK knows that of its corpora. malformed: ``stop`` raises InputError at a malformed tree, in
    files and NLTK's corpora alike; ``skip`` leaves it out. ``warn`` gets a line about those left out, and about
    ``.prd`` files of a folder that has ``.mrg`` files of the same names, which hold the same trees and are not read.
    Raises InputError for arguments that cannot be found or read.
    """
    faults = _Faults()
    try:
        yield from _trees(specs, encoding, malformed, warn, faults)
    except MalformedTree as error:
        raise InputError(f"{error} (--malformed skip leaves such trees out)") from None
    if faults.count:
        warn(f"{faults.first}; that tree is left out{_more(faults.count, 'malformed ones')}")


def _trees(
    specs: Sequence[str], encoding: str, malformed: str, warn: Callable[[str], object], faults: _Faults
) -> Placed:
    check_encoding(encoding)
    if malformed not in MALFORMED:
        raise InputError(f"malformed {malformed!r}: expected one of {', '.join(MALFORMED)}")
    specs = [specs] if isinstance(specs, str) else specs
    paths = [path for spec in specs for path in ([spec] if spec.startswith(_NLTK) else _files(spec, warn))]
    skip = faults.add if malformed == "skip" else None
    with sources([path for path in paths if not path.startswith(_NLTK)]) as groups:
        files = iter(groups[0])
        for path in paths:
            if path.startswith(_NLTK):
                yield from _corpus(path, skip)
            else:
                file = next(files)
                yield from read_trees(file, encoding, lemmas=file.name.lower().endswith(LEMMAS), skip=skip)


class _Faults:
    """How many malformed trees were met, and what was wrong with the first."""

    def __init__(self) -> None:
        self.count, self.first = 0, ""

    def add(self, what: str) -> None:
        self.count += 1
        self.first = self.first or what


def _more(count: int, what: str = "") -> str:
    return f", as are {count - 1:,} more {what}".rstrip() if count > 1 else ""


def normalised_trees(
    specs: Sequence[str],
    encoding: str = "utf-8",
    warn: Callable[[str], object] = warnings.warn,
    max_words: float = math.inf,
    malformed: str = "stop",
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
        warn(f"{places[0]}: a tree {why}, left out{_more(len(places))}")
    return kept


def _files(path: str, warn: Callable[[str], object]) -> list[str]:
    """A folder's files that may contain trees, none of them twice; any other path as it is."""
    folder = Path(path)
    try:
        if path == "-" or not folder.is_dir():
            if path != "-" and not folder.exists():
                raise InputError(f"{path}: no such file or folder, where trees were expected")
            return [path]
        found = [file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not found:
        raise InputError(f"{path} is a folder without files that end in one of {' '.join(SUFFIXES)}")
    found.sort(key=lambda file: file.relative_to(folder).parts)
    merged = {_same_trees(file, folder) for file in found if file.suffix.lower() == ".mrg"}
    twice = [file for file in found if file.suffix.lower() == ".prd" and _same_trees(file, folder) in merged]
    if twice:
        warn(f"{twice[0]}: not read, its trees are those of the .mrg file of the same name{_more(len(twice), 'files')}")
    return [str(file) for file in found if file not in set(twice)]


def _same_trees(file: Path, folder: Path) -> tuple[str, ...]:
    """What a ``.mrg`` and a ``.prd`` file of the same trees have in common: ``mrg/00/a.mrg`` and ``prd/00/a.prd``."""
    parts = file.relative_to(folder).with_suffix("").parts
    return tuple(part for part in parts[:-1] if part.lower() not in ("mrg", "prd")) + parts[-1:]


def _corpus(spec: str, skip: Skip | None) -> Placed:
    parts = _SPEC.fullmatch(spec)
    if parts is None:
        raise InputError(
            f"{spec}: expected nltk:NAME, nltk:NAME/FILE, nltk:NAME/FIRST-LAST, each also with [START:STOP]"
        )
    corpus, files = _opened(spec, parts["name"])
    if parts["files"]:
        files = _chosen(spec, files, parts["files"])
    if parts["range"] is None:
        return _read(spec, parts["name"], corpus, files, skip)
    return _sliced(spec, parts["range"], lambda skip: _read(spec, parts["name"], corpus, files, skip), skip)


def _opened(spec: str, name: str) -> tuple[Any, Sequence[str]]:
    """NLTK's reader of a corpus, and its files in order."""
    import nltk.corpus  # here: it is slow to load, and only these arguments need it
    from nltk.corpus.reader.api import CorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    corpus = getattr(nltk.corpus, name, None)
    if not isinstance(corpus, (CorpusReader, LazyCorpusLoader)):
        raise InputError(
            f"{spec}: NLTK has no corpus named {name!r}; it has, for example, treebank and sinica_treebank"
        )
    try:
        files = sorted(corpus.fileids())
    except LookupError:
        raise InputError(
            f"{spec}: the corpus {name!r} is not installed; install it with nltk.download({name!r})"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{spec}: NLTK cannot open it: {_one_line(error)}") from None
    if not files:
        raise InputError(f"{spec}: the corpus {name!r} has no files")
    if not hasattr(corpus, "parsed_sents"):
        raise InputError(f"{spec}: NLTK's corpus {name!r} has no trees")
    return corpus, files


def _chosen(spec: str, files: Sequence[str], wanted: str) -> Sequence[str]:
    """One file of a corpus, or the files first-last; a ``-`` may also be part of a file name."""
    places = {file.rpartition(".")[0] or file: place for place, file in enumerate(files)}
    places |= {file: place for place, file in enumerate(files)}
    if wanted in places:
        return [files[places[wanted]]]
    for dash in re.finditer("-", wanted):
        first, last = places.get(wanted[: dash.start()]), places.get(wanted[dash.end() :])
        if first is not None and last is not None:
            if first > last:
                raise InputError(f"{spec}: the first file comes after the last; swap them")
            return files[first : last + 1]
    count = f"{len(files)} files, {files[0]} to {files[-1]}" if len(files) > 1 else f"one file, {files[0]}"
    raise InputError(f"{spec}: no file or range of files {wanted!r}; the corpus has {count}")


def _read(spec: str, name: str, corpus: Any, files: Iterable[str], skip: Skip | None) -> Placed:
    from nltk.corpus.reader import BracketParseCorpusReader, CategorizedBracketParseCorpusReader

    plain = type(corpus) in (BracketParseCorpusReader, CategorizedBracketParseCorpusReader)
    for file in files:
        place = f"nltk:{name}/{file}"
        try:
            if plain:
                # not parsed_sents(), which flattens or drops trees with unbalanced brackets, and very deep trees
                with closing(_blocks(corpus, file)) as blocks:
                    yield from parse_trees(blocks, place, lemmas=file.endswith(LEMMAS), skip=skip)
            else:
                yield from _parsed_by_nltk(spec, corpus.parsed_sents(file), place)
        except InputError:
            raise
        except (LookupError, OSError, ValueError) as error:
            raise InputError(f"{place}: NLTK cannot read it: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _blocks(corpus: Any, file: str) -> Generator[str, None, None]:
    with corpus.open(file) as stream:
        while block := stream.read(BLOCK):
            yield block


def _parsed_by_nltk(spec: str, parsed: Any, place: str) -> Placed:
    """Trees from NLTK's own reader, for formats without brackets; a tree's number is used as its line."""
    with closing(parsed) if hasattr(parsed, "close") else nullcontext():
        for number, tree in enumerate(parsed, 1):
            if not isinstance(tree, Tree):
                raise InputError(f"{spec}: this corpus has no bracketed trees, but {type(tree).__name__} objects")
            yield tree, Place(place, number)


def _sliced(spec: str, text: str, read: Callable[[Skip | None], Placed], skip: Skip | None) -> Placed:
    """The trees of ``read(skip)`` selected by a range; they are only counted with another skip, so as not to count
    malformed ones twice."""
    parts = _RANGE.fullmatch(text)
    if parts is None:
        raise InputError(f"{spec}: [{text}] is not a range of trees, such as [0:8000], [-500:] or [7]")
    count = _Faults().add if skip else None
    start, stop = (int(part) if part else None for part in (parts["start"], parts["stop"]))
    if parts["one"]:
        start = int(parts["one"])
        stop = start + 1 or None  # [-1] is [-1:]
    if (start or 0) < 0 or (stop or 0) < 0:
        start, stop, _ = slice(start, stop).indices(sum(1 for _ in read(count)))
    empty = True
    for placed in islice(read(skip), start, stop):
        empty = False
        yield placed
    if empty:
        raise InputError(f"{spec}: [{text}] selects no trees; there are {sum(1 for _ in read(count))}")
