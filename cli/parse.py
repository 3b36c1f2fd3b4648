"""``seqtree parse``: from sentences to trees, as drawings, brackets, JSON or SVG."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count
from typing import TYPE_CHECKING, cast

import click

from seqtree.cli.options import (
    FILE,
    PARSER_VARIABLE,
    TextCommand,
    compute_options,
    note,
    open_parser,
    parser_words,
    quick_imports,
    quick_parser,
    with_torch,
)
from seqtree.cli.texts import CHUNK, as_texts, check_texts, in_chunks, text_blocks, tokenized_option
from seqtree.processes import cores, in_processes

if TYPE_CHECKING:
    from seqtree.parsing.array_parser import ArrayParser
    from seqtree.parsing.model import Parser
    from seqtree.parsing.parse import Parse
    from seqtree.text.sentences import Sentence

    Shown = Callable[[Parse | None, Sentence], str]
    Results = Callable[[Sequence[Sentence]], list[str]]

TRACED = ("pretty", "svg")  # the formats that --trace has
SCORED = ("pretty", "bracket", "json")  # those that --scores has
LONG = 16_000  # bytes of a file from which on torch is imported at once


@click.command(
    cls=TextCommand,
    epilog="\b\nExamples:\n  seqtree parse 'The cat sat on the mat.'\n"
    "  seqtree parse --file paragraphs.txt --format bracket > trees.mrg\n"
    "  seqtree parse --file wrapped.txt --paragraphs --format json > trees.jsonl\n"
    "  seqtree parse --model runs/mine --format json --scores --tokenized 'it works , mostly'\n"
    "  seqtree parse --trace --format svg 'The cat sat.' > steps.svg\n"
    "  seqtree parse --file 'texts/*.txt' --engine ray --out trees/",
)
@click.argument("sentences", nargs=-1, metavar="[SENTENCE]...", callback=as_texts)
@click.option(
    "--file",
    "-f",
    type=FILE,
    metavar="FILE",
    help="Parse the lines of a file (- for stdin) instead, each by itself: a paragraph a line.",
)
@click.option(
    "--paragraphs",
    is_flag=True,
    help="The lines of the file or of stdin are wrapped: join them to paragraphs, which blank lines separate.",
)
@click.option(
    "--model",
    "-m",
    type=FILE,
    help="A run folder, a model file, or a parser that comes with seqtree by its name (see seqtree models).  "
    "[default: what the variable SEQTREE_PARSER names, or else default]",
)
@click.option(
    "--format",
    type=click.Choice(["pretty", "bracket", "json", "svg", "latex", "parquet"]),
    default="pretty",
    help="A drawing; or one line a sentence: a tree in brackets, a JSON object, an SVG picture, LaTeX for the "
    "package forest. With --engine ray: bracket, json or parquet, the default.",
)
@tokenized_option
@click.option(
    "--k",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many trees of each sentence that differ in brackets or labels, most probable first; an empty "
    "line after each sentence's. They come from a beam, whose first may be another than the greedy one.",
)
@click.option(
    "--scores",
    is_flag=True,
    help="Add the tree's score, the smallest margin of its merges and, with --k, its log probability.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Parse in so many processes of --threads each (by default the cores divided by them): for long files. Results "
    "come in order, each some sentences later.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Parse here, or on the machines of a Ray cluster: --file may be a pattern such as 'texts/*.txt', and results "
    "go to the folder --out.",
)
@click.option("--out", type=FILE, metavar="FOLDER", help="With --engine ray: a new folder for the results.")
@click.option("--trace", is_flag=True, help="Show the merges in their order instead of the tree (pretty, svg).")
@compute_options
def parse(
    sentences: tuple[str, ...],
    file: str | None,
    paragraphs: bool,
    model: str | None,
    format: str,
    tokenized: bool,
    k: int,
    scores: bool,
    processes: int,
    engine: str,
    out: str | None,
    trace: bool,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
) -> None:
    """Parse each SENTENCE, a text of one or several sentences, or the lines of a file or of stdin.

    A line is parsed by itself: no sentence goes on in the next, unless --paragraphs joins them. Results come in the
    order of the sentences, in blocks as they are read, whatever the length of the file; those of a line on stdin (or of
    a paragraph) do not wait for the next one. An empty text or line has an empty result, except with --paragraphs.
    """
    work = _Work(model, threads, device, precision, k, format, scores, trace, tokenized, paragraphs, encoding)
    if engine == "ray":
        _by_ray(work, sentences, file, out, processes)
        return
    if out is not None or format == "parquet":
        raise click.UsageError("--out and --format parquet go with --engine ray")
    _check_usage(sentences, file, work)
    _parse_here(work, sentences, file, processes)


def _parse_here(work: _Work, sentences: tuple[str, ...], file: str | None, processes: int) -> None:
    """Parse and print on this machine."""
    _prepare_libraries()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    threads = work.threads or (max(1, cores() // processes) if processes > 1 else None)
    work = replace(work, width=width, threads=threads)
    spaced = work.format == "pretty" and work.k == 1
    if processes == 1:
        parsers = _Parsers(work, file)
        _print(map(work.by(parsers.of), _chunks(work, parsers.words, sentences, file, CHUNK)), spaced)
    else:
        chunks = _chunks(work, lambda: parser_words(work.model), sentences, file, CHUNK // 2)
        opened = chain(chunks, [[]])  # by one process at least: what is wrong with a parser is told without a text, too
        _print(in_processes(work, opened, processes), spaced)


def _chunks(
    work: _Work, known: Callable[[], Container[str]], sentences: tuple[str, ...], file: str | None, size: int
) -> Iterator[list[Sentence]]:
    """Sentences of some ``size`` words to parse together; ``known``, the parser's words, is asked for at the first."""
    words, blocks = known(), text_blocks(sentences, file, work.encoding)
    for one in _read(blocks, work.paragraphs, work.tokenized, words):
        yield from in_chunks(one, _words, size)


def _by_ray(work: _Work, sentences: tuple[str, ...], file: str | None, out: str | None, processes: int) -> None:
    """Parse on a Ray cluster. Raises click.UsageError for options that do not go with it."""
    others = sentences or work.paragraphs or work.scores or work.trace or work.k > 1 or work.format in ("svg", "latex")
    if file in (None, "-") or out is None or others:
        raise click.UsageError(
            "--engine ray goes with --file and --out, and of the other options with --model, --tokenized, --encoding, "
            "--processes and --format bracket, json or parquet"
        )
    from seqtree.ray import parse_files

    named = work.model or os.environ.get(PARSER_VARIABLE) or None
    format, actors = "parquet" if work.format == "pretty" else work.format, processes if processes > 1 else None
    parse_files(str(file), out, named, work.tokenized, work.encoding, format, actors)
    note(f"the trees are in {out}")


@dataclass(frozen=True)
class _Work:
    """What is made of sentences: called in a process, it opens the parser there."""

    model: str | None
    threads: int | None
    device: str
    precision: str
    k: int
    format: str
    scores: bool
    trace: bool
    tokenized: bool
    paragraphs: bool
    encoding: str
    width: int | None = None

    def __call__(self) -> Results:
        loaded = self.parser()
        return self.by(lambda sentences: loaded)

    def parser(self) -> Parser:
        loaded: Parser = open_parser(self.model, self.threads, self.device, self.precision)
        return loaded

    def by(self, parser: Callable[[Sequence[Sentence]], Parser | ArrayParser]) -> Results:
        """Results of sentences by their parser: a parse of each, or with ``k`` above 1 up to k and an empty line."""
        shown = _shown(self.format, self.scores, self.trace, self.width)

        def results(sentences: Sequence[Sentence]) -> list[str]:
            chosen = parser(sentences)
            if self.k == 1:
                parses = chosen.parses([sentence.words for sentence in sentences])
                return [shown(parse, sentence) for parse, sentence in zip(parses, sentences, strict=True)]
            return [best(cast("Parser", chosen), sentence) for sentence in sentences]

        def best(chosen: Parser, sentence: Sentence) -> str:
            parses = chosen.k_best(sentence.words, self.k)
            count = len(parses)
            heads = [f"{number} of {count}\n" if self.format == "pretty" else "" for number in range(1, count + 1)]
            return "".join(f"{head}{shown(parse, sentence)}\n" for head, parse in zip(heads, parses, strict=True))

        return results


class _Parsers:
    """The parser of a command: one without torch for the first words, if there are few or they come one by one."""

    def __init__(self, work: _Work, file: str | None) -> None:
        long = file is not None and os.path.isfile(file) and os.path.getsize(file) > LONG
        self._work, self._read = work, 0
        self._quick = None if long or work.k > 1 else quick_parser(work.model, work.device, work.precision)

    def words(self) -> Container[str]:
        """The words that the parser knows."""
        return (self._quick or self._whole).lexicon.words

    def of(self, sentences: Sequence[Sentence]) -> Parser | ArrayParser:
        """The parser for these, which come next."""
        self._read += sum(len(sentence.words) + 1 for sentence in sentences)  # and to begin one
        return self._quick if self._quick is not None and self._read <= self._quick.most_words else self._whole

    @cached_property
    def _whole(self) -> Parser:
        work = self._work
        if self._quick is None:
            return work.parser()
        loaded: Parser = with_torch(self._quick, work.threads, work.device, work.precision)
        return loaded


def _prepare_libraries() -> None:
    """Let torch's oneDNN keep few of the kernels that it makes for each shape, of which a long file has thousands.

    And NumPy's OpenBLAS compute on one thread: others would only wait for the small products of one sentence.
    """
    for name, value in (
        ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64"),
        ("LRU_CACHE_CAPACITY", "64"),
        ("OPENBLAS_NUM_THREADS", "1"),
    ):  # read when torch and NumPy are loaded
        os.environ.setdefault(name, value)


def _check_usage(sentences: tuple[str, ...], file: str | None, work: _Work) -> None:
    """Raises click.UsageError for options that do not go together."""
    check_texts(sentences, file, "SENTENCE")
    if work.paragraphs and sentences:
        raise click.UsageError("--paragraphs joins the lines of --file or of stdin; it does not go with SENTENCE")
    if work.paragraphs and work.tokenized:
        raise click.UsageError("--paragraphs does not go with --tokenized, where a line is a sentence")
    if work.trace and work.format not in TRACED:
        raise click.UsageError(f"--trace goes with --format {' or '.join(TRACED)}, not {work.format}")
    if work.scores and work.trace:
        raise click.UsageError("--scores does not go with --trace, which has the score of every merge")
    if work.scores and work.format not in SCORED:
        raise click.UsageError(f"--scores goes with --format pretty, bracket or json, not {work.format}")


def _read(
    blocks: Iterable[Iterator[str]], paragraphs: bool, tokenized: bool, known: Container[str]
) -> Iterator[Iterator[Sentence]]:
    """The sentences that are complete with each block of lines, and those that are left at the end."""
    with quick_imports():
        from seqtree.text.sentences import ParagraphReader, read_sentences

    if paragraphs:
        reader = ParagraphReader(known)
        yield from map(reader.feed, blocks)
        yield reader.finish()
    else:
        numbers = count(1)
        for lines in blocks:
            yield read_sentences(lines, tokenized, known, numbers)


def _print(blocks: Iterable[list[str]], spaced: bool) -> None:
    """Print the results of each block of sentences before the next block is asked for.

    spaced: an empty line between two results.
    """
    between = ""
    for results in blocks:
        for result in results:
            sys.stdout.write(f"{between}{result}\n")  # click.echo would drop some control characters
            between = "\n" if spaced else ""
        sys.stdout.flush()


def _words(sentence: Sentence) -> int:
    return len(sentence.words)


def _shown(format: str, scores: bool, trace: bool, width: int | None) -> Shown:
    """What makes a text of a parse and its sentence."""
    with quick_imports():
        from seqtree.drawing.traces import trace as trace_text, trace_svg
        from seqtree.drawing.tree_svg import EMPTY
        from seqtree.parsing.formats import format_parse

    if trace:
        if format == "svg":
            return lambda parse, _: EMPTY if parse is None else trace_svg(parse.binary, parse.scores, parse.margins)
        return lambda parse, _: "" if parse is None else trace_text(parse.binary, parse.scores, parse.margins)
    return lambda parse, sentence: format_parse(parse, format, width, scores, sentence)
