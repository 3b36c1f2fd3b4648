"""Reading text safely, and turning a corpus of any size into token indices in bounded memory.

Text is UTF-8 unless said otherwise. A byte-order mark at the start of a file is dropped, and a line ends with "\\n",
"\\r\\n" or "\\r", each of which becomes "\\n"; between two files of a corpus there is always a "\\n". A corpus is read
three times: to check, hash and measure it; to count the tokens of the training text; and to encode it. When its
encoding is in the cache already, only the first reading remains; and not even that one for large files that have not
changed since. Words are counted and encoded on all cores.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path

import numpy as np

from seqtree.errors import InputError, SeqtreeError
from seqtree.text.blocks import count_words, encoded, encoding_processes
from seqtree.text.cache import name_of
from seqtree.text.config import NEWLINE, TextSettings
from seqtree.text.documents import line_bounds, token_reader
from seqtree.text.reading import Source, normalised, read_text, say, sources, whole_lines
from seqtree.text.survey import first_reading
from seqtree.text.tokenfile import Fill, Sink, StreamCounts, TokenStream, in_cache, in_memory
from seqtree.text.vocabulary import Vocabulary, code_points

PIECES = 10  # of a text whose validation text is spread
IN_MEMORY = 1 << 20  # bytes; a smaller corpus does not touch the cache folder
LONG_LINE = 10_000  # characters of a line that is no sentence
NAMED = 3  # files that the cache is told the names of
FORMAT = 1  # part of every fingerprint: raise it when the same text would give other tokens


@dataclass(frozen=True, eq=False)
class PreparedCorpus:
    """Training and validation text under one vocabulary, which comes from the training text alone.

    fingerprint: SHA-256 in hex of the contents, the settings and the split; equal for equal text wherever it lies.
    classes: the names of those that the streams' ``labels`` number, for texts with classes.
    """

    train: TokenStream
    valid: TokenStream | None
    vocabulary: Vocabulary
    fingerprint: str
    files: int = 1
    skipped: tuple[str, ...] = ()  # files of a folder that were left out, and why
    classes: tuple[str, ...] = ()


def prepare(
    paths: Sequence[str | Path],
    settings: TextSettings,
    valid_paths: Sequence[str | Path] | None = None,
    valid_share: float = 0.1,
    vocabulary: Vocabulary | None = None,
    grown: Vocabulary | None = None,
    warn: Callable[[str], object] = say,
    valid_from: str = "ends",
) -> PreparedCorpus:
    """Read, split and encode a corpus of any size; from 1 MiB of text up, into a memory-mapped cache file.

    paths, valid_paths: files, folders (all their ``*.txt`` files, by name), or "-" for standard input. Without
    ``valid_paths`` the last ``valid_share`` of the text validates: of n characters the first int(n * (1 - share)) are
    training text, for words and single lines up to the end of the line there (or to a space in it, where words are in
    one long line); with a share of 0, and where no line is left, ``valid`` is None.
    valid_from: where the validation text is taken from: "ends" (the end), "spread" (the ends of ten equal pieces of the
    text) or "lines" (every so many lines one).
    vocabulary: encode with this one instead of building one. grown: extend this one by the tokens of the training text.
    warn: told when the cache cannot be used.
    Raises InputError for invalid paths, bytes, shares or vocabularies, and when a part has no token at all.
    """
    _check_share(valid_share)
    _check_unit(vocabulary or grown, settings)
    skipped: list[str] = []
    with sources(paths, valid_paths or [], skipped=skipped) as (train, valid):
        reading = CorpusReading(train, valid, settings, 0 if valid else valid_share, valid_from)

        def make() -> tuple[Vocabulary, Fill]:
            chosen = vocabulary or reading.vocabulary(grown)
            return chosen, lambda sink: reading.encode(chosen, sink)

        if reading.size < IN_MEMORY:
            chosen, fill = make()
            streams = in_memory(chosen, fill)
        else:
            names = [source.name for source in [*train, *valid][:NAMED]]
            chosen, streams = in_cache(reading.name(vocabulary, grown), make, warn, names)
        held_out, files = next(filter(len, streams[1:]), None), len(train) + len(valid)
        return PreparedCorpus(streams[0], held_out, chosen, reading.fingerprint, files, tuple(skipped))


def encode_paths(paths: Sequence[str | Path], vocabulary: Vocabulary, settings: TextSettings) -> TokenStream:
    """One stream of all the files, to evaluate; like ``prepare`` with this vocabulary and nothing set apart."""
    return prepare(paths, settings, valid_share=0, vocabulary=vocabulary).train


def encode_text(text: str, vocabulary: Vocabulary, settings: TextSettings) -> TokenStream:
    """One stream of a string. Raises InputError when it holds no token or a lone surrogate."""
    _check_unit(vocabulary, settings)
    parts = [(0, block) for block in _blocks([normalised(text)], settings)]
    stream = in_memory(vocabulary, lambda sink: _encode(parts, 1, vocabulary, settings, sink))[0]
    if not len(stream):
        raise InputError(f"the text holds no {'character' if settings.unit == 'char' else 'word'}: it is empty")
    return stream


def beginning(stream: TokenStream, count: int, vocabulary: Vocabulary) -> TokenStream:
    """The first ``count`` tokens of a stream; the length of their text is taken in proportion."""
    share, ids = count / len(stream), stream.ids[:count]
    unknown = int((ids == vocabulary.unknown).sum())
    labels = None if stream.labels is None else stream.labels[: len(line_bounds(ids, vocabulary.end)) - 1]
    return TokenStream(ids, round(stream.characters * share), round(stream.bytes * share), unknown, labels)


def text_tokens(text: str, settings: TextSettings) -> list[str]:
    """The tokens of a string as a model reads them; unlike ``encode_text``, a last line without "\\n" is left open."""
    return list(token_reader(settings).feed(normalised(text)))


def vocabulary_of(
    blocks: Iterable[str], settings: TextSettings, grown: Vocabulary | None = None, processes: int = 1
) -> Vocabulary:
    """The vocabulary of a text in blocks (of words, as ``line_blocks`` gives them); or ``grown``, extended by it."""
    counts: Mapping[str, int]
    if settings.unit == "char":
        counts = _count_characters(blocks)
    else:
        counts = count_words(blocks, settings.tokenizer, processes)
    if grown is not None:
        return grown.extended(counts, settings.min_count, settings.max_vocabulary)
    return Vocabulary.build(counts, settings.unit, settings.min_count, settings.max_vocabulary)


def training_characters(total: int, valid_share: float) -> int:
    """int(total * (1 - valid_share)), the share taken as the decimal number it is written as, so that none is lost."""
    return int(total * (1 - Fraction(str(valid_share))))


def _check_share(share: float) -> None:
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise InputError(f"the validation share must be at least 0 and below 1, not {share!r}")


def _check_unit(vocabulary: Vocabulary | None, settings: TextSettings) -> None:
    if vocabulary is not None and vocabulary.unit != settings.unit:
        raise InputError(f"a vocabulary of unit {vocabulary.unit!r} cannot encode text by {settings.unit!r}")


class CorpusReading:
    """The readings of a corpus; making one is the first, which finds every fault of the files.

    Parts: 0 is training text, 1 validation text.
    """

    def __init__(
        self, train: list[Source], valid: list[Source], settings: TextSettings, share: float, valid_from: str = "ends"
    ) -> None:
        if not train:
            raise InputError("no text was named, where at least one file, folder or - was expected")
        self.train, self.valid, self.settings = train, valid, settings
        self.share, self.valid_from = Fraction(str(share)), valid_from if share else "ends"
        self.size = sum(source.path.stat().st_size for source in [*train, *valid])
        self.processes = encoding_processes(settings, self.size)
        self.total, self.hashes = first_reading(train, valid, settings.encoding, self.size >= IN_MEMORY)
        characters = self.total
        self.point = training_characters(characters, share) if share else None
        if self.point == 0:
            least = math.ceil(1 / (1 - Fraction(str(share))))
            raise InputError(
                f"{train[0].name}: {characters} character(s) of text are too few: with a validation share of {share} "
                f"at least {least} are needed"
            )
        self.streams = 2 if valid or share else 1
        split = {"share": str(share), "train": self.hashes[: len(train)], "valid": self.hashes[len(train) :]}
        facts = {"format": FORMAT, "settings": settings.to_json(), **split}
        self.fingerprint = name_of(facts if self.valid_from == "ends" else {**facts, "from": self.valid_from})

    def name(self, vocabulary: Vocabulary | None, grown: Vocabulary | None) -> str:
        """Of the encoded text in the cache."""
        facts = {"fingerprint": self.fingerprint, "vocabulary": vocabulary and vocabulary.to_json()}
        return name_of(facts if grown is None else {**facts, "grown": grown.to_json()})

    def parts(self, only: Sequence[int] = (0, 1)) -> Iterator[tuple[int, str]]:
        """(part, block) over the whole text, or at least these parts of it, in order.

        Raises SeqtreeError at the end if a file is not what it was before.
        """
        if self.valid_from != "ends":
            for wanted in only:
                yield from ((part, block) for part, block in self._scattered() if part == wanted)
            return
        hashes: list[str] = []
        blocks = _blocks(read_text(self.train, self.settings.encoding, hashes), self.settings)
        yield from _split(blocks, self.point, self.settings)
        for block in _blocks(read_text(self.valid, self.settings.encoding, hashes), self.settings):
            yield 1, block
        if hashes != self.hashes:
            raise SeqtreeError(f"{self.train[0].name} or a file read with it has changed while being read: try again")

    def _scattered(self) -> Iterator[tuple[int, str]]:
        """(part, lines) over the text of which single lines, or the last lines of ten pieces, are validation text."""
        hashes: list[str] = []
        length = Fraction(self.total, PIECES)
        seen = number = 0
        for lines in whole_lines(read_text(self.train, self.settings.encoding, hashes)):
            for part, run in groupby(self._with_parts(lines, seen, number, length), key=itemgetter(0)):
                text = "".join(line for _, line in run)
                seen += len(text)
                yield part, text
            number += len(lines)
        if hashes != self.hashes:
            raise SeqtreeError(f"{self.train[0].name} or a file read with it has changed while being read: try again")

    def _with_parts(self, lines: list[str], seen: int, number: int, length: Fraction) -> Iterator[tuple[int, str]]:
        for index, line in enumerate(lines, number):
            if self.valid_from == "lines":
                held_out = int((index + 1) * self.share) > int(index * self.share)
            else:
                held_out = seen % length >= length * (1 - self.share)
            seen += len(line)
            yield int(held_out), line

    def vocabulary(self, grown: Vocabulary | None = None) -> Vocabulary:
        """The vocabulary of the training text; or ``grown``, extended by it."""
        blocks = (block for part, block in self.parts((0,)) if part == 0)
        return vocabulary_of(blocks, self.settings, grown, self.processes)

    def encode(self, vocabulary: Vocabulary, sink: Sink) -> list[StreamCounts]:
        """Write the ids of all parts. Raises InputError when a part has no token."""
        counts = _encode(self.parts(), self.streams, vocabulary, self.settings, sink, self.processes)
        name, noun = self.train[0].name, "character" if self.settings.unit == "char" else "word"
        if not counts[0].ids:
            raise InputError(f"{name}: the text to learn or measure holds no {noun}, where at least one is needed")
        if self.valid and not counts[-1].ids:
            raise InputError(f"{self.valid[0].name}: the text to validate on holds no {noun}, where one is needed")
        return counts


def _blocks(blocks: Iterable[str], settings: TextSettings) -> Iterable[str]:
    if settings.unit == "char":
        return blocks
    from seqtree.text.tokenizers import line_blocks  # here, so that character models do without NLTK

    return line_blocks(blocks)


def _split(blocks: Iterable[str], point: int | None, settings: TextSettings) -> Iterator[tuple[int, str]]:
    """Blocks up to ``point`` as part 0, the others as part 1.

    The point is in characters; words and lines are split at the first line end at or after it, or words within a line
    that is too long for a sentence, where nothing follows it.
    """
    seen, part, words = 0, 0, settings.unit == "word"
    for block, following in pairwise(chain(blocks, [""])):
        cut = 0
        if part == 0 and point is not None and seen + len(block) >= point:
            cut = max(point - seen, 0)
            if words or settings.lines:
                place = max(cut - 1, 0)
                cut = block.find(NEWLINE, place) + 1  # 0 when the line goes on beyond this block
                if words and not settings.lines and (not cut or (cut == len(block) and not following)):
                    cut = _within_line(block, place)
        seen += len(block)
        if not cut:
            yield part, block
        else:
            part = 1
            yield 0, block[:cut]
            if cut < len(block):
                yield 1, block[cut:]


def _within_line(block: str, point: int) -> int:
    """Where to split words at a point in the last line of a block: at its end, or at a space if it is no sentence."""
    if len(block) - block.rfind(NEWLINE, 0, point) > LONG_LINE and (space := re.search(r"\s", block[point:])):
        return point + space.end()
    return len(block)


def _count_characters(blocks: Iterable[str]) -> dict[str, int]:
    totals = np.zeros(128, dtype=np.int64)
    for block in blocks:
        found = np.bincount(code_points(block))
        if len(found) > len(totals):
            totals = np.pad(totals, (0, len(found) - len(totals)))
        totals[: len(found)] += found
    return {chr(code): int(totals[code]) for code in np.flatnonzero(totals)}


def _encode(
    parts: Iterable[tuple[int, str]],
    streams: int,
    vocabulary: Vocabulary,
    settings: TextSettings,
    sink: Sink,
    processes: int = 1,
) -> list[StreamCounts]:
    """Encode (part, block) pairs, parts in order, into ``sink``; the sizes of the ``streams`` parts."""
    counts = [StreamCounts() for _ in range(streams)]
    for block in encoded(parts, vocabulary, settings, processes):
        sink.write(block.ids)
        count = counts[block.part]
        count.ids += len(block.ids)
        count.unknown += block.unknown
        count.characters += block.characters
        count.bytes += block.bytes
    return counts
