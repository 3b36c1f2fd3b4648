"""Tokenizers with the interface of NLTK's, and blocks of text as one row of words with line ends.

In word models a line is a sentence: blank lines are skipped and the end of every other line is the token ``</s>``.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

from nltk.tokenize.api import TokenizerI
from nltk.tokenize.treebank import TreebankWordTokenizer

from seqtree.errors import InputError
from seqtree.text.config import END, NEWLINE

MAX_LINE = 1 << 20  # characters; a longer line is handed on in pieces, cut at whitespace
DISTINCT_WORDS = 2_500_000  # kept while counting, about 300 MB; above it the rarest are forgotten
MEMO_ENTRIES = 1 << 19  # pieces of text whose tokens are remembered, about 100 MB when full
MEMO_LENGTH = 100  # characters; a longer piece is not remembered

_BLANK_LINES = re.compile(r"\n\s*\n")
_WORD = re.compile(r"\S+")
# A word, perhaps a possessive, and perhaps brackets, quotes or one mark around it: the forms whose tokens are plain.
_PLAIN = re.compile(r"""(["(\[]?)([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)('[sS])?([,;:?!.]?)([")\]]?)""")
_CONTRACTED = frozenset({"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"})


class CharTokenizer(TokenizerI):
    """Every code point is a token, newlines included."""

    def tokenize(self, s: str) -> list[str]:
        """The characters of ``s``."""
        return list(s)

    def span_tokenize(self, s: str) -> Iterator[tuple[int, int]]:
        """(start, end) of each token in ``s``, in characters."""
        return ((i, i + 1) for i in range(len(s)))


class WhitespaceTokenizer(TokenizerI):
    """Words are what stands between whitespace of any kind (also for Chinese that was split into words by spaces)."""

    def tokenize(self, s: str) -> list[str]:
        """The words of ``s``."""
        return s.split()

    def span_tokenize(self, s: str) -> Iterator[tuple[int, int]]:
        """(start, end) of each token in ``s``, in characters."""
        return (match.span() for match in _WORD.finditer(s))


class TreebankTokenizer(TokenizerI):
    """Exactly the tokens of ``nltk.tokenize.TreebankWordTokenizer``, many times faster on running text.

    All rules of NLTK's tokenizer but three act between two spaces and depend on nothing outside: an opening quote that
    begins the text, the comma, colon or quote that ends it, and the full stop that ends it, with the brackets and
    quotes closed after it. So the text is cut at spaces, and the tokens of each piece are remembered by the piece and
    by whether it stands first, last or in between. A text that ends in whitespace other than spaces goes to NLTK whole.
    Source of the rules: Robert MacIntyre's ``tokenizer.sed`` of the Penn Treebank, as NLTK carries it.
    """

    def __init__(self) -> None:
        self._memo = _Memo()

    def tokenize(self, s: str) -> list[str]:
        """The tokens of ``s``, a sentence; straight double quotes become `` and ''."""
        body = s.rstrip(" ")
        if not body:
            return []
        if body[-1].isspace():
            return self._memo.nltk(s)
        # A space at the end of a key means "first", one at its start "last", two at its start "the only piece".
        pieces = body.split(" ")
        tail = " " if len(body) < len(s) else ""
        if len(pieces) == 1:
            return list(self._memo[f"  {body}{tail}"])
        pieces[0] += " "
        pieces[-1] = f" {pieces[-1]}{tail}"
        return list(chain.from_iterable(map(self._memo.__getitem__, pieces)))

    def span_tokenize(self, s: str) -> Iterator[tuple[int, int]]:
        """(start, end) of each token in ``s``, in characters.

        ``s[start:end]`` is the token, except for the quotes that the tokenizer rewrites: where the token is `` or '',
        it is the quote as it stands in the text (``"``, `` or ''). Between two spans there is nothing but whitespace.
        """
        place = 0
        for token in self.tokenize(s):
            while s[place].isspace():
                place += 1
            end = place + (1 if token in ("``", "''") and s[place] == '"' else len(token))
            yield place, end
            place = end


class _Memo(dict[str, tuple[str, ...]]):
    """Piece of text, marked with its place in the sentence by spaces, -> its tokens; never above MEMO_ENTRIES."""

    def __init__(self) -> None:
        super().__init__()
        self.nltk = TreebankWordTokenizer().tokenize

    def __missing__(self, key: str) -> tuple[str, ...]:
        tokens = tuple(map(sys.intern, _plain_tokens(key) or self._slow(key)))
        if len(key) <= MEMO_LENGTH:
            if len(self) >= MEMO_ENTRIES:
                self.clear()
            self[key] = tokens
        return tokens

    def _slow(self, key: str) -> list[str]:
        """NLTK's own tokens, the piece standing next to a neutral word on the sides where the sentence goes on."""
        if key.startswith("  "):
            return self.nltk(key[2:])
        if key.startswith(" ") and key != " ":
            return self.nltk("x" + key)[1:]
        if key.endswith(" "):
            return self.nltk(key + "x")[:-1]
        return self.nltk(f"x {key} x")[1:-1]


def _plain_tokens(key: str) -> list[str] | None:
    """The tokens of the commonest forms without any regular expression of NLTK's; None for all other forms."""
    piece = key.strip(" ")
    if piece.isascii() and piece.isalnum():
        return None if piece.lower() in _CONTRACTED else [piece]
    match = _PLAIN.fullmatch(piece)
    if match is None or not _CONTRACTED.isdisjoint(match[2].lower().split("-")):
        return None
    opening, word, possessive, mark, closing = match.groups(default="")
    last = key.startswith(" ")
    tokens = [word, possessive, mark] if mark != "." or last else [word + possessive + mark]
    tokens = ["``" if opening == '"' else opening, *tokens, "''" if closing == '"' else closing]
    return [token for token in tokens if token]


@cache
def _shared_treebank() -> TreebankTokenizer:
    """One for the process, so that the second reading of a text finds its pieces remembered."""
    return TreebankTokenizer()


class LineTokens:
    """Turns a text, block by block, into words with ``</s>`` at the end of every line that is not blank.

    tokenizer: "whitespace" or "treebank". Blocks may end anywhere that ``line_blocks`` ends them.
    """

    def __init__(self, tokenizer: str) -> None:
        self._treebank = _shared_treebank() if tokenizer == "treebank" else None
        self._open = False  # whether the current line has words already

    def feed(self, block: str) -> list[str]:
        """The tokens of the next block."""
        return self._whitespace_lines(block) if self._treebank is None else self._treebank_lines(block, self._treebank)

    def finish(self) -> list[str]:
        """The last line's ``</s>`` when the text did not end in a newline; the next block begins a new text."""
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


def count_words(blocks: Iterable[str], tokenizer: str) -> Counter[str]:
    """How often each token occurs in a text given in blocks, line ends included.

    Exact up to DISTINCT_WORDS different tokens. Whenever there are more, the rarest are forgotten, first those seen
    once, until at most half as many are left; the count of a rare word can then be too low.
    """
    counts: Counter[str] = Counter()
    lines = LineTokens(tokenizer)
    for block in blocks:
        counts.update(lines.feed(block))
        if len(counts) > DISTINCT_WORDS:
            least = 1
            while len(counts) > DISTINCT_WORDS // 2:
                least += 1
                counts = Counter({word: count for word, count in counts.items() if count >= least})
    counts.update(lines.finish())
    return counts


def line_blocks(blocks: Iterable[str]) -> Iterator[str]:
    """The same text in blocks that end at the end of a line, or, inside a line longer than MAX_LINE, after whitespace.

    Raises InputError for a word longer than MAX_LINE characters, which is a text without spaces.
    """
    rest = ""
    for block in blocks:
        rest += block
        cut = rest.rfind(NEWLINE) + 1
        if not cut and len(rest) > MAX_LINE:
            cut = len(rest) - len(rest.rsplit(None, 1)[-1]) if not rest[-1].isspace() else len(rest)
            if not cut:
                raise InputError(
                    f"no whitespace in {len(rest):,} characters of text, where words separated by whitespace were "
                    "expected: split the text into words, or model its characters (--unit char)"
                )
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest
