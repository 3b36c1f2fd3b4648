"""``PhraseVectors``: the vectors that a model gives words and phrases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.model import Model
from seqtree.parsing.model import Parser
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import Reader, Vector, WordReader, WordVectors, composer, opened, words_of_model
from seqtree.shipped import default_parser
from seqtree.text.reading import several

F = TypeVar("F", np.float32, np.float64)
LEVELS = ("auto", "words", "phrases")
MANY, MANY_NUMBERS = 100, 4  # words, and numbers of a vector, of which something in common can be taken away


def shipped_parser() -> Parser:
    """The parser that comes with seqtree."""
    return Parser.load(default_parser())


class PhraseVectors:
    """Vectors of words and phrases by a model of any kind that reads words, or by word vectors alone.

    ``level`` says how phrases are read. *words*: the mean of the vectors of their words, the model's input embedding
    without what all words have in common (``distinctive``); unknown words do not count. *phrases*: as the model
    composes them, a single word too. For a parser and a tree classifier that is the vector of the root of the phrase's
    tree; for a language model the mean of the states of its top layer; for a tagger, a classifier and a translator the
    same as for words. *auto*: words where all the texts are single words, else phrases.

    ``parser`` gives the parser whose trees a tree classifier labels: that which comes with seqtree by default.
    ``plain``: word vectors stay as they are in the model, with what all of them have in common.
    """

    def __init__(
        self,
        model: Model[Any] | WordVectors,
        level: str = "auto",
        parser: Callable[[], Parser] = shipped_parser,
        plain: bool = False,
    ) -> None:
        if level not in LEVELS:
            raise InputError(f"as {level!r}: expected one of {', '.join(LEVELS)}")
        if not isinstance(model, (Model, WordVectors)):
            raise InputError(f"expected a model or word vectors, not {model!r:.60}; PhraseVectors.load opens a file")
        self.model, self.level, self._parser, self._plain = model, level, parser, plain

    @classmethod
    def load(
        cls,
        path: str | Path,
        level: str = "auto",
        parser: Callable[[], Parser] = shipped_parser,
        plain: bool = False,
        device: str = "cpu",
        precision: str | None = None,
    ) -> PhraseVectors:
        """By the model of a run folder or a file, as ``seqtree.load`` opens it, or by a file of word vectors.

        The latter ends in .txt, .vec or .gz, and has word2vec's or GloVe's text form; all of it is in memory. Raises
        InputError for what is neither, and as ``seqtree.load`` and ``VectorFile`` do.
        """
        return cls(opened(path, device, precision), level, parser, plain)

    @cached_property
    def words(self) -> WordVectors:
        """The word vectors of the model, as they are in it. Raises InputError if it has none."""
        return words_of_model(self.model)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words that the model knows, without the special ones. Raises InputError if it has no word vectors."""
        return tuple(self.words.rows)

    @cached_property
    def by_phrases(self) -> Reader:
        """What reads phrases as the model composes them."""
        return composer(self.model, self._parser) or self.by_words

    @cached_property
    def by_words(self) -> Reader:
        """What reads phrases as bags of words."""
        words = self.words
        return WordReader(words if self._plain else words._replace(table=distinctive(words.table)))

    def reader(self, phrases: Iterable[Phrase]) -> Reader:
        """What reads these phrases, by ``level``."""
        if self.level == "auto" and all(len(phrase.text.split()) == 1 for phrase in phrases):
            try:
                return self.by_words
            except InputError:  # a model over characters
                return self.by_phrases
        return self.by_words if self.level == "words" else self.by_phrases

    def vectors(self, texts: Sequence[str | Phrase]) -> list[Vector | None]:
        """The vector of each text, a word, a phrase or a sentence; None for one that has no known word, or none."""
        phrases = [Phrase(text) if isinstance(text, str) else text for text in several(texts)]
        for wrong in (phrase for phrase in phrases if not isinstance(phrase, Phrase)):
            raise InputError(f"expected texts, as strings or Phrases, not {wrong!r:.60}")
        return list(self.reader(phrases).vectors(phrases))

    def unknown(self, texts: Iterable[str]) -> list[str]:
        """The words in these texts that the model does not know, not even in lower case, each once."""
        try:
            known, cut = self.words.rows, self.words.cut
        except InputError:
            return []
        words = (word for text in several(texts) for word in cut(text))
        return [word for word in dict.fromkeys(words) if word not in known and word.lower() not in known]


def distinctive(table: Vector) -> Vector:
    """Word vectors (V, E) without what all have in common: their mean, and their first principal component.

    Both say mostly how frequent a word is, and would make frequent words alike (Mu and Viswanath 2018). Few words, or
    vectors of few numbers, stay as they are: what they have in common may be all they have.
    """
    if len(table) < MANY or table.shape[1] < MANY_NUMBERS:
        return table
    rows = table - table.mean(axis=0)
    directions = np.linalg.eigh(rows.T @ rows)[1]  # (E, E), of the largest variance last
    first = directions[:, -1]
    # not rows @ first: for such a small table, BLAS's product now and then raises a warning of an invalid number
    rest: Vector = rows - (rows * first).sum(axis=1, keepdims=True) * first
    return rest


def of_length_1(rows: npt.NDArray[F]) -> npt.NDArray[F]:
    """Vectors (N, D) brought to length 1; zeros stay zeros."""
    found: npt.NDArray[F] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found


def required(texts: Sequence[str], vectors: Iterable[Vector | None]) -> list[Vector]:
    """The vectors, all of them. Raises InputError for a text that has none."""
    found = []
    for text, vector in zip(texts, vectors, strict=True):
        if vector is None:
            raise InputError(f"{text!r}: the model knows none of its words")
        found.append(vector)
    return found
