"""One side of the pairs in tokens: characters, words between white space, or byte-pair pieces of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.extras import needed
from seqtree.text.config import SPECIALS
from seqtree.text.lexicon import MAX_WORD_LENGTH
from seqtree.text.vocabulary import Vocabulary

Ids = npt.NDArray[np.int64]
UNITS = ("char", "word", "bpe")
WORD = "▁"  # begins a word in byte-pair pieces; in a text it is read as _
MAX_REMEMBERED = 100_000  # words whose pieces are kept


class Units:
    """What the tokens of one side are: a vocabulary, and how a text is cut into tokens and put together.

    White space is one space, at the ends none. ``merges`` are those of byte-pair encoding (Sennrich, Haddow and Birch
    2016), first learned first. Raises InputError for an unknown unit, or if the pieces do not fit together.
    """

    def __init__(self, unit: str, vocabulary: Vocabulary, merges: Sequence[tuple[str, str]] = ()) -> None:
        if unit not in UNITS:
            raise InputError(f"unit {unit!r}: expected one of {', '.join(UNITS)}")
        self.unit, self.vocabulary, self.merges = unit, vocabulary, tuple(merges)
        self._model: Any = None  # the library's, made when it is first used
        self._remembered: dict[str, list[str]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None, "_remembered": {}}  # a copy makes its own

    @classmethod
    def learned(cls, texts: Iterable[str], unit: str, pieces: int, min_count: int) -> Units:
        """The units of training texts; ``pieces`` is the size of a byte-pair vocabulary. Raises InputError."""
        if unit == "bpe":
            return cls._pieces(texts, pieces, min_count)
        return cls(unit, Vocabulary("word", SPECIALS["word"])).extended(texts, min_count)

    def extended(self, texts: Iterable[str], min_count: int) -> Units:
        """These units, and after them the new characters or words of texts; byte-pair pieces stay as they are."""
        if self.unit == "bpe":
            return self
        counts = Counter(token for text in texts for token in self.tokens(text))
        return Units(self.unit, self.vocabulary.extended(counts, min_count))

    @classmethod
    def _pieces(cls, texts: Iterable[str], pieces: int, min_count: int) -> Units:
        library = _library()
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import WhitespaceSplit
        from tokenizers.trainers import BpeTrainer

        learner = library.Tokenizer(BPE(unk_token=SPECIALS["word"][0]))
        learner.pre_tokenizer = WhitespaceSplit()
        trainer = BpeTrainer(
            vocab_size=pieces, min_frequency=min_count, special_tokens=list(SPECIALS["word"]), show_progress=False
        )
        words = (" ".join(WORD + word for word in _words(text)) for text in texts)
        learner.train_from_iterator(words, trainer)
        ranked = sorted(learner.get_vocab().items(), key=lambda item: item[1])
        merges = _merges(learner)
        return cls("bpe", Vocabulary("word", [piece for piece, _ in ranked]), merges)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, those that are not in the vocabulary as they stand there."""
        if self.unit == "char":
            return list(" ".join(text.split()))
        if self.unit == "word":
            return text.split()
        return [piece for word in _words(text) for piece in self._cut(word)]

    def encode(self, tokens: Sequence[str]) -> Ids:
        """The indices (n,) of tokens. One that is spelled as ``<s>`` or ``</s>`` is unknown, like any that is new."""
        ids = self.vocabulary.encode(list(tokens))
        ids[(ids == self.vocabulary.start) | (ids == self.vocabulary.end)] = self.vocabulary.unknown
        return ids

    def unknown(self, tokens: Sequence[str]) -> int:
        """How many of these tokens are not in the vocabulary."""
        return int((self.encode(tokens) == self.vocabulary.unknown).sum())

    def text(self, tokens: Iterable[str]) -> str:
        """Tokens put together, with one space between words."""
        if self.unit == "word":
            return " ".join(tokens)
        joined = "".join(tokens)
        return " ".join((joined.replace(WORD, " ") if self.unit == "bpe" else joined).split())

    def normal(self, text: str) -> str:
        """A text as ``text`` would give it, its tokens put together."""
        return self.text(self.tokens(text))

    def to_json(self) -> dict[str, Any]:
        """The JSON form, which ``from_json`` reads back."""
        return {
            "unit": self.unit,
            "vocabulary": self.vocabulary.to_json(),
            "merges": [list(merge) for merge in self.merges],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Units:
        """From the JSON form; raises InputError, KeyError or TypeError for anything else."""
        merges = [tuple(merge) for merge in data["merges"]]
        if not all(len(merge) == 2 and all(isinstance(part, str) for part in merge) for merge in merges):
            raise InputError("merges: expected pairs of pieces")
        return cls(data["unit"], Vocabulary.from_json(data["vocabulary"]), merges)

    def _cut(self, word: str) -> list[str]:
        """The pieces of a word, the first with the mark of a word's beginning."""
        pieces = self._remembered.get(word)
        if pieces is None:
            marked = (WORD + word).encode()
            self._model = self._model or self._made()
            pieces = [marked[slice(*piece.offsets)].decode() for piece in self._model.tokenize(marked.decode())]
            if len(self._remembered) < MAX_REMEMBERED and len(word) <= MAX_WORD_LENGTH:
                self._remembered[word] = pieces
        return pieces

    def _made(self) -> Any:
        """The library's model of these pieces."""
        _library()
        from tokenizers.models import BPE

        numbers = {piece: number for number, piece in enumerate(self.vocabulary.tokens)}
        try:
            return BPE(vocab=numbers, merges=list(self.merges), unk_token=SPECIALS["word"][0])
        except Exception as error:  # the library raises no narrower one
            raise InputError(f"the byte-pair pieces do not fit together ({error})") from None


def _words(text: str) -> list[str]:
    return text.replace(WORD, "_").split()


def _merges(learner: Any) -> list[tuple[str, str]]:
    """What a tokenizer has learned to merge, in order: the library gives it in its JSON form only."""
    import json

    return [(first, second) for first, second in json.loads(learner.to_str())["model"]["merges"]]


def _library() -> Any:
    """The tokenizers library. Raises InputError where it is not installed."""
    return needed("tokenizers", "translate", "byte-pair pieces need the tokenizers library")
