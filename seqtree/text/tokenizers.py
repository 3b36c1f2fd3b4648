"""Tokenization of words: the Penn Treebank tokenizer, and blocks of text as one sequence of words and line ends.

In word models a line is a sentence: blank lines are skipped, and every other line ends with the token ``</s>``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain

from nltk.tokenize.treebank import TreebankWordTokenizer

from seqtree.errors import InputError
from seqtree.text.config import END, NEWLINE

Span = tuple[int, int]  # of characters: [start, end)

MAX_LINE = 1 << 20  # characters; a longer line is processed in pieces, split at whitespace
MAX_CACHED = 1 << 19  # pieces of text in a tokenizer's cache, about 100 MB when full
MAX_CACHED_LENGTH = 100  # characters; longer pieces are not cached

_BLANK_LINES = re.compile(r"\n\s*\n")
# A word, an optional possessive, and optional brackets, quotes or one mark around it: forms that need no other rules.
_PLAIN = re.compile(r"""(["(\[]?)([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)('[sS])?([,;:?!.]?)([")\]]?)""")
CONTRACTED = frozenset({"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"})


class TreebankTokenizer:
    """Exactly the tokens of ``nltk.tokenize.TreebankWordTokenizer``, many times faster on running text.

    All but three rules of NLTK's tokenizer depend only on the text between two spaces. The exceptions are an opening
    quote at the start of the text; a comma, colon or quote at its end; and a full stop at its end, with closing
    brackets and quotes after it. So the text is split at spaces, and the tokens of each piece are cached by the piece
    and its position: first, last or in between. A text that ends in whitespace other than spaces is left to NLTK.
    Source of the rules: Robert MacIntyre's ``tokenizer.sed`` of the Penn Treebank, as included in NLTK.
    """

    def __init__(self) -> None:
        self._cache = _Cache()

    def tokenize(self, s: str) -> list[str]:
        """The tokens of ``s``, a sentence; straight double quotes become `` and ''."""
        body = s.rstrip(" ")
        if not body:
            return []
        if body[-1].isspace():
            return self._cache.nltk(s)
        # A space at the end of a key means "first", one at its start "last", two at its start "the only piece".
        pieces = body.split(" ")
        tail = " " if len(body) < len(s) else ""
        if len(pieces) == 1:
            return list(self._cache[f"  {body}{tail}"])
        pieces[0] += " "
        pieces[-1] = f" {pieces[-1]}{tail}"
        return list(chain.from_iterable(map(self._cache.__getitem__, pieces)))


class _Cache(dict[str, tuple[str, ...]]):
    """Piece of text, with spaces that mark its position in the sentence -> its tokens; at most MAX_CACHED entries."""

    def __init__(self) -> None:
        super().__init__()
        self.nltk: Callable[[str], list[str]] = TreebankWordTokenizer().tokenize

    def __missing__(self, key: str) -> tuple[str, ...]:
        tokens = tuple(map(sys.intern, _plain_tokens(key) or self._slow(key)))
        if len(key) <= MAX_CACHED_LENGTH:
            if len(self) >= MAX_CACHED:
                self.clear()
            self[key] = tokens
        return tokens

    def _slow(self, key: str) -> list[str]:
        """NLTK's own tokens, with a neutral word next to the piece on each side where the sentence continues."""
        if key.startswith("  "):
            return self.nltk(key[2:])
        if key.startswith(" ") and key != " ":
            return self.nltk("x" + key)[1:]
        if key.endswith(" "):
            return self.nltk(key + "x")[:-1]
        return self.nltk(f"x {key} x")[1:-1]


def _plain_tokens(key: str) -> list[str] | None:
    """The tokens of the most common forms, without NLTK's regular expressions; None for all other forms."""
    piece = key.strip(" ")
    if piece.isascii() and piece.isalnum():
        return None if piece.lower() in CONTRACTED else [piece]
    match = _PLAIN.fullmatch(piece)
    if match is None or not CONTRACTED.isdisjoint(match[2].lower().split("-")):
        return None
    opening, word, possessive, mark, closing = match.groups(default="")
    last = key.startswith(" ")
    tokens = [word, possessive, mark] if mark != "." or last else [word + possessive + mark]
    tokens = ["``" if opening == '"' else opening, *tokens, "''" if closing == '"' else closing]
    return [token for token in tokens if token]


@cache
def _shared_treebank() -> TreebankTokenizer:
    """One per process, so that the second reading of a text finds its pieces in the cache."""
    return TreebankTokenizer()


class LineTokens:
    """Converts a text, block by block, to words with ``</s>`` at the end of every line that is not blank.

    tokenizer: "whitespace" or "treebank". opened: whether the current line already has words. Blocks must end as those
    of ``line_blocks`` do.
    """

    def __init__(self, tokenizer: str, opened: bool = False) -> None:
        self._treebank = _shared_treebank() if tokenizer == "treebank" else None
        self._open = opened

    def feed(self, block: str) -> list[str]:
        """The tokens of the next block."""
        return self._whitespace_lines(block) if self._treebank is None else self._treebank_lines(block, self._treebank)

    def finish(self) -> list[str]:
        """The last line's ``</s>`` if the text did not end in a newline; the next block begins a new text."""
        tokens = [END] if self._open else []
        self._open = False
        return tokens

    def _whitespace_lines(self, block: str) -> list[str]:
        text = _BLANK_LINES.sub(NEWLINE, block)
        if not self._open:
            text = text.lstrip()
        last = text.rpartition(NEWLINE)
        if last[1]:
            self._open = False
        self._open = self._open or bool(last[2].strip())
        return text.replace(NEWLINE, f" {END} ").split()

    def _treebank_lines(self, block: str, tokenizer: TreebankTokenizer) -> list[str]:
        found: list[str] = []
        *lines, rest = block.split(NEWLINE)
        for line in lines:
            tokens = tokenizer.tokenize(line)
            found += tokens
            if tokens or self._open:
                found.append(END)
                self._open = False
        tokens = tokenizer.tokenize(rest)
        found += tokens
        self._open = self._open or bool(tokens)
        return found


def line_blocks(blocks: Iterable[str]) -> Iterator[str]:
    """The same text in blocks that end at a line end or, within a line longer than MAX_LINE, after whitespace.

    Raises InputError for a word longer than MAX_LINE characters, that is, a text without spaces.
    """
    rest = ""
    for block in blocks:
        rest += block
        cut = rest.rfind(NEWLINE) + 1
        if not cut and len(rest) > MAX_LINE:
            cut = len(rest) - len(rest.rsplit(None, 1)[-1]) if not rest[-1].isspace() else len(rest)
            if not cut:
                raise InputError(
                    f"no whitespace in {len(rest):,} characters of text; expected words separated by whitespace: "
                    "split the text into words, or model its characters (--unit char)"
                )
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest
