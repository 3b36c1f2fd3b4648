"""How a language model predicts the tokens of a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqtree.text.config import END, NEWLINE

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from seqtree.language.model import LanguageModel

Bits = npt.NDArray[np.float64]


def surprisals(model: LanguageModel, doc: Doc, sentences: Sequence[Sequence[Token]]) -> Iterator[tuple[Token, float]]:
    """The words of a document with their surprisals in bits; a document is a text by itself.

    sentences: the words of each, which are its tokens but white space. To a model of words, every word is one token,
    and after each sentence comes its end, which counts for none. To a model of characters, the text is as it stands; a
    word has its characters and the white space before it, or, up to the end of a line, that after it, as
    ``score_words`` counts them.
    """
    found = _of_characters if model.settings.unit == "char" else _of_words
    words = list(chain.from_iterable(sentences))
    return zip(words, found(model, doc, sentences).tolist() if words else (), strict=True)


def _of_words(model: LanguageModel, doc: Doc, sentences: Sequence[Sequence[Token]]) -> Bits:
    from seqtree.text.sentences import words_as_given

    tokens: list[str] = []
    ends = []
    for sentence in filter(None, sentences):
        tokens += [form for _, form in words_as_given((token.text for token in sentence), model.vocabulary)]
        ends.append(len(tokens))
        tokens.append(END)
    return np.delete(_bits(model, tokens), ends)


def _of_characters(model: LanguageModel, doc: Doc, sentences: Sequence[Sequence[Token]]) -> Bits:
    text = doc.text
    borders: list[int] = []
    end = 0
    for token in chain.from_iterable(sentences):
        borders.append(end + text[end : token.idx].rfind(NEWLINE) + 1 if borders else 0)
        end = token.idx + len(token)
    bits, read = np.zeros(len(text)), _read(text, model.settings.lines)
    bits[read] = _bits(model, [text[i] for i in read])
    return np.add.reduceat(bits, borders)


def _read(text: str, lines: bool) -> list[int]:
    """The places of the characters that a model reads; blank lines are none where each line is an item of its own."""
    return [
        place
        for place, character in enumerate(text)
        if not (lines and character == NEWLINE and text[place - 1 : place] in ("", NEWLINE))
    ]


def _bits(model: LanguageModel, tokens: list[str]) -> Bits:
    nats = model.nats(model.vocabulary.encode(tokens), model.label).double().numpy()
    found: Bits = nats / np.log(2)
    return found
