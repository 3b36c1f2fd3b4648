"""Maps characters or words to indices and back; a vocabulary is immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.text.config import END, NEWLINE, SPECIALS, check_limits
from seqtree.text.reading import surrogate_error

_NOUNS = {"char": "characters", "word": "words"}


def code_points(text: str) -> npt.NDArray[Any]:
    """The code points of ``text``: shape (len(text),), uint8 for ASCII text and little-endian uint32 for any other.

    Raises InputError if the text contains a lone surrogate, which is not a character and has no UTF-8 form.
    """
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    try:
        return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    except UnicodeEncodeError as error:
        raise surrogate_error(text, error.start) from None


class Vocabulary:
    """The tokens of a model, with indices from 0 to len - 1; hashable and compared by content.

    Words: 0 ``<unk>``, 1 ``<s>``, 2 ``</s>``, then the words; a text may contain these three literally.
    Characters (code points): 0 ``<unk>``, 1 newline, which is both start and end of a sentence, then the others.

    unit: "char" or "word". tokens: all tokens in index order, the special ones first.
    Raises InputError if the unit is neither, a special token is not in its place, or a token is repeated, empty, not a
    string, contains a lone surrogate, or (characters) is not exactly one code point.
    """

    __slots__ = ("_hash", "_index", "_table", "_tokens", "_unit")
    _unit: str
    _tokens: tuple[str, ...]
    _index: dict[str, int]
    _table: npt.NDArray[Any] | None
    _hash: int | None

    def __init__(self, unit: str, tokens: Sequence[str]) -> None:
        _check_unit(unit)
        if isinstance(tokens, str):
            raise InputError("a vocabulary takes a sequence of tokens, not one string")
        frozen = tuple(tokens)
        index = _checked_index(unit, frozen)
        for name, value in (("_unit", unit), ("_tokens", frozen), ("_index", index), ("_table", None), ("_hash", None)):
            object.__setattr__(self, name, value)

    @classmethod
    def build(cls, counts: Mapping[str, int], unit: str, min_count: int = 1, max_size: int | None = None) -> Vocabulary:
        """The vocabulary of a text with these token counts, most frequent first (ties by code points).

        min_count: less frequent tokens are left out. max_size: the maximum number of tokens, special ones included.
        Tokens left out map to ``<unk>``. Raises InputError if either is out of range (at least one ordinary token must
        fit).
        """
        _check_unit(unit)
        specials = SPECIALS[unit]
        check_limits(unit, min_count, max_size)
        room = None if max_size is None else max_size - len(specials)
        return cls(unit, [*specials, *_ranked(counts, set(specials), min_count)[:room]])

    def extended(self, counts: Mapping[str, int], min_count: int = 1, max_size: int | None = None) -> Vocabulary:
        """A larger vocabulary: every token keeps its index, and the new ones of ``counts`` follow, most frequent first.

        Raises InputError if ``min_count`` is below 1 or ``max_size`` is smaller than this vocabulary.
        """
        check_limits(self._unit, min_count, max_size)
        if max_size is not None and max_size < len(self):
            raise InputError(
                f"a vocabulary of at most {max_size:,} tokens has no room for the {len(self):,} that are known already"
            )
        room = None if max_size is None else max_size - len(self)
        return Vocabulary(self._unit, [*self._tokens, *_ranked(counts, self._index, min_count)[:room]])

    @property
    def unit(self) -> str:
        """ "char" or "word"."""
        return self._unit

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens in index order."""
        return self._tokens

    @property
    def unknown(self) -> int:
        """The index of ``<unk>``."""
        return 0

    @property
    def start(self) -> int:
        """The index of ``<s>``; for characters, of the newline."""
        return 1

    @property
    def end(self) -> int:
        """The index of ``</s>``; for characters, of the newline."""
        return 1 if self._unit == "char" else 2

    def index(self, token: str) -> int:
        """The index of ``token``, or that of ``<unk>`` if it is not in the vocabulary."""
        return self._index.get(token, 0)

    def encode(self, tokens: Iterable[str], dtype: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
        """The indices of ``tokens``: shape (number of tokens,), as ``dtype``; unknown tokens give ``unknown``.

        With a character vocabulary, a string is encoded directly (fast). Raises InputError for a string given to a word
        vocabulary, where it would be read letter by letter, and for a lone surrogate in a string.
        """
        if isinstance(tokens, str):
            if self._unit == "word":
                raise InputError("a word vocabulary encodes a sequence of words, not a string: tokenise the text first")
            return np.take(self._code_table(np.dtype(dtype)), code_points(tokens), mode="clip")
        items = tokens if isinstance(tokens, (list, tuple)) else list(tokens)
        return np.fromiter(map(self._index.get, items, repeat(0)), dtype=dtype, count=len(items))

    def decode(self, ids: npt.ArrayLike) -> list[str]:
        """The tokens of indices of shape (n,). Raises InputError for an index outside 0..len-1 or another shape."""
        array = self._checked_ids(ids)
        if array.ndim != 1:
            raise InputError(f"decode takes indices of shape (n,), not of shape {array.shape}")
        return [self._tokens[i] for i in array.tolist()]

    def join(self, tokens: Iterable[str]) -> str:
        """Tokens as text: characters concatenated; words with single spaces, ``</s>`` as a newline without spaces."""
        if self._unit == "char":
            return "".join(tokens)
        parts: list[str] = []
        for token in tokens:
            if token == END:
                parts.append(NEWLINE)
            else:
                parts.extend((" ", token) if parts and parts[-1] != NEWLINE else (token,))
        return "".join(parts)

    def unknown_tokens(self, tokens: Iterable[str]) -> list[str]:
        """The distinct tokens that are not in the vocabulary, in order of first occurrence."""
        return [token for token in dict.fromkeys(tokens) if token not in self._index]

    def to_json(self) -> dict[str, Any]:
        """The vocabulary as a JSON object, ``{"unit": ..., "tokens": [...]}``, for ``from_json``."""
        return {"unit": self._unit, "tokens": list(self._tokens)}

    @classmethod
    def from_json(cls, data: Any) -> Vocabulary:
        """The vocabulary of such a JSON object. Raises InputError if it is invalid."""
        if not isinstance(data, dict) or set(data) != {"unit", "tokens"}:
            raise InputError('a vocabulary in JSON is an object with the keys "unit" and "tokens" and no others')
        if not isinstance(data["tokens"], list):
            raise InputError(f'a vocabulary\'s "tokens" must be a list, not {type(data["tokens"]).__name__}')
        return cls(data["unit"], data["tokens"])

    def _checked_ids(self, ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        array = np.asarray(ids)
        if array.size == 0:
            return array.astype(np.int64)
        if array.dtype.kind not in "iu":
            raise InputError(f"token indices must be integers, not {array.dtype}")
        wrong = array[(array < 0) | (array >= len(self))]
        if wrong.size:
            raise InputError(f"index {wrong[0]} is outside the vocabulary, whose indices are 0 to {len(self) - 1}")
        return array.astype(np.int64)

    def _code_table(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Code point -> index, kept for the last ``dtype``; the last entry, ``unknown``, is for all higher points."""
        if self._table is None or self._table.dtype != dtype:
            codes = np.array([ord(token) for token in self._tokens[1:]])
            table = np.zeros(int(codes.max()) + 2, dtype=dtype)
            table[codes] = np.arange(1, len(self))
            object.__setattr__(self, "_table", table)
        return cast("npt.NDArray[Any]", self._table)

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self._tokens)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self._unit == other._unit and self._tokens == other._tokens

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash((self._unit, self._tokens)))
        return hash(self._hash)

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self)} {_NOUNS[self._unit]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Vocabulary, (self._unit, self._tokens)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a vocabulary cannot be changed once built; extended() makes a larger one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a vocabulary cannot be changed once built")


def _check_unit(unit: object) -> None:
    if unit not in tuple(SPECIALS):
        raise InputError(f"the unit of a vocabulary is 'char' or 'word', not {unit!r}")


def _ranked(counts: Mapping[str, int], known: Iterable[str], min_count: int) -> list[str]:
    skip = known if isinstance(known, (set, dict)) else set(known)
    kept = [(-count, token) for token, count in counts.items() if count >= min_count and token not in skip]
    kept.sort()
    return [token for _, token in kept]


def _checked_index(unit: str, tokens: tuple[Any, ...]) -> dict[str, int]:
    specials = SPECIALS[unit]
    for place, token in enumerate(tokens):
        if not isinstance(token, str):
            raise InputError(f"token {place} of the vocabulary must be a string, not {type(token).__name__}")
    if tokens[: len(specials)] != specials:
        raise InputError(f"a vocabulary of {_NOUNS[unit]} must begin with {', '.join(map(ascii, specials))}")
    index = {token: place for place, token in enumerate(tokens)}
    if len(index) != len(tokens):
        place = next(place for place, token in enumerate(tokens) if index[token] != place)
        raise InputError(f"the vocabulary has {tokens[place]!a} twice, at indices {place} and {index[tokens[place]]}")
    for place in range(len(specials), len(tokens)):
        _check_token(unit, tokens[place], place)
    return index


def _check_token(unit: str, token: str, place: int) -> None:
    if not token or (unit == "char" and len(token) != 1):
        wanted = "one character" if unit == "char" else "at least one character"
        raise InputError(f"token {place} of the vocabulary is {token!a}; expected {wanted}")
    if not token.isascii() and any("\ud800" <= c <= "\udfff" for c in token):
        raise InputError(f"token {place} of the vocabulary, {token!a}, contains a lone surrogate, not a character")
