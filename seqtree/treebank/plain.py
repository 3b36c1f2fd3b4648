"""The words of plain texts and of treebanks, sentence by sentence."""

from __future__ import annotations

import re
import warnings
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqtree.text.lexicon import Ids
from seqtree.text.nltk_corpora import PREFIX
from seqtree.text.reading import Specs, check_standard_input, names, numbered_lines, several, sources
from seqtree.text.sentences import read_sentences, sequence_of_words
from seqtree.treebank.bracketed import words_of
from seqtree.treebank.sources import SUFFIXES, normalised_trees

TREE_FILES = tuple(suffix for suffix in SUFFIXES if suffix != ".txt")
_TREE = re.compile(r"\s*(?:\(\s*[^\s()]*\s*\(|\([^\s()]+\s+[^\s()]+\s*\)\s*$)")


def is_treebank(spec: str) -> bool:
    """Whether a source is trees by its name."""
    return spec.startswith(PREFIX) or spec.lower().endswith(TREE_FILES)


def begins_a_tree(line: str) -> bool:
    """Whether a line is, or begins, a tree in brackets.

    >>> begins_a_tree("(S (NP (PRP it))"), begins_a_tree("(it) works"), begins_a_tree("(UH yes)")
    (True, False, True)
    """
    return _TREE.match(line) is not None


def read_words(
    specs: Specs,
    tokenized: bool = False,
    encoding: str = "utf-8",
    warn: Callable[[str], object] = warnings.warn,
) -> Iterator[list[str]]:
    """The words of every sentence of texts and treebanks, in the forms that a parser knows them by.

    Of a text (a file, a folder of ``.txt`` files, ``-``) each line is read as ``seqtree parse --file`` reads it:
    ``tokenized`` lines are sentences whose words stand between white space. Treebanks are named as for a parser, with
    an ending of theirs or as ``nltk:NAME``. Raises InputError.
    """
    named = names(specs)
    check_standard_input(named)
    for spec in named:
        if is_treebank(spec):
            yield from (words_of(tree) for tree in normalised_trees([spec], encoding, warn))
            continue
        with sources([spec]) as (files,):
            lines = (line for _, line in numbered_lines(files, encoding))
            for sentence in read_sentences(_no_trees(lines, spec, warn), tokenized):
                if sentence.words:
                    yield [form for _, form in sentence.words]


def _no_trees(lines: Iterable[str], name: str, warn: Callable[[str], object]) -> Iterator[str]:
    """The lines of a text; ``warn`` is told if the first one that is not blank begins a tree."""
    first = True
    for line in lines:
        if first and line.strip():
            first = False
            if begins_a_tree(line):
                warn(f"{name}: begins with a tree in brackets, but is read as text, by its name: trees end in .mrg")
        yield line


class NumberedText(NamedTuple):
    """A text in four bytes a word: its different words, ``names``; ``numbers`` (N,), the words of all sentences one
    after another, as places in ``names``; and where each sentence ``starts`` (S + 1,), with the end of the last."""

    names: list[str]
    numbers: npt.NDArray[np.int32]
    starts: Ids

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]]) -> NumberedText:
        """The text of these sentences, those without words left out."""
        known: dict[str, int] = {}
        numbers, starts = array("i"), array("q", [0])
        for words in several(sentences, "sentences"):
            if sequence_of_words(words):
                numbers.extend(known.setdefault(word, len(known)) for word in words)
                starts.append(len(numbers))
        return cls(list(known), np.array(numbers, dtype=np.int32), np.array(starts, dtype=np.int64))

    @property
    def lengths(self) -> Ids:
        """How many words each sentence has (S,)."""
        return np.diff(self.starts)

    def sentence(self, number: int) -> npt.NDArray[np.int32]:
        """A sentence, as places in ``names``."""
        return self.numbers[self.starts[number] : self.starts[number + 1]]

    def words(self, number: int) -> list[str]:
        """The words of a sentence."""
        return [self.names[i] for i in self.sentence(number).tolist()]

    def counts(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(
            dict(zip(self.names, np.bincount(self.numbers, minlength=len(self.names)).tolist(), strict=True))
        )
