"""``seqtree parse``: from sentences to trees, as drawings, brackets, JSON or SVG."""

from __future__ import annotations

import codecs
import io
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import seqtree
from seqtree.cli.options import device_option, encoding_option, precision_option, quick_imports, threads_option
from seqtree.errors import InputError

if TYPE_CHECKING:
    from seqtree.parsing.parse import Parse
    from seqtree.text.sentences import Sentence

    Shown = Callable[[Parse | None, Sentence], str]

TRACED = ("pretty", "svg")  # the formats that --trace has
CHUNK = 1 << 15  # words that are read before they are parsed together
READ = 1 << 18  # bytes of standard input that are read at once, if so many are there


def shipped_model() -> Path:
    """The model file of the parser that comes with seqtree. Raises InputError if there is none."""
    path = Path(seqtree.__file__).parent / "models" / "parser.safetensors"
    if not path.exists():
        raise InputError(
            "no parser is shipped with this seqtree: name one with --model, a run folder or a model file "
            "such as 'seqtree parser train' writes"
        )
    return path


@click.command(
    epilog="\b\nExamples:\n  seqtree parse 'The cat sat on the mat.'\n"
    "  seqtree parse --file paragraphs.txt --format bracket > trees.mrg\n"
    "  seqtree parse --model runs/mine --format json --scores --tokenized 'it works , mostly'\n"
    "  seqtree parse --trace --format svg 'The cat sat.' > steps.svg"
)
@click.argument("sentences", nargs=-1, metavar="[SENTENCE]...")
@click.option(
    "--file",
    "-f",
    metavar="FILE",
    help="Parse the lines of a file (- for stdin) instead, each by itself: a paragraph a line.",
)
@click.option("--model", "-m", help="A run folder or a model file.  [default: the parser that comes with seqtree]")
@click.option(
    "--format",
    type=click.Choice(["pretty", "bracket", "json", "svg"]),
    default="pretty",
    help="A drawing; or one line a sentence: a tree in brackets, a JSON object, an SVG picture.",
)
@click.option("--tokenized", is_flag=True, help="Every text is one sentence, its words between ASCII white space.")
@click.option(
    "--k",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many trees of each sentence that differ in brackets or labels, most probable first; an empty "
    "line after each sentence's. They come from a beam, whose first may be another than the greedy one.",
)
@click.option("--scores", is_flag=True, help="Add the tree's score and the smallest margin of its merges.")
@click.option("--trace", is_flag=True, help="Show the merges in their order instead of the tree (pretty, svg).")
@encoding_option
@precision_option
@device_option
@threads_option
def parse(
    sentences: tuple[str, ...],
    file: str | None,
    model: str | None,
    format: str,
    tokenized: bool,
    k: int,
    scores: bool,
    trace: bool,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
) -> None:
    """Parse each SENTENCE, a text of one or several sentences, or the lines of a file or of stdin.

    A line is parsed by itself: no sentence goes on in the next. Results come in the order of the sentences, in blocks
    as they are read, whatever the length of the file; those of a line on stdin do not wait for the next line. An empty
    text or line has an empty result.
    """
    if sentences and file is not None:
        raise click.UsageError("give SENTENCE or --file, not both")
    if trace and format not in TRACED:
        raise click.UsageError(f"--trace goes with --format {' or '.join(TRACED)}, not {format}")
    if scores and format == "svg":
        raise click.UsageError("--scores goes with --format pretty, bracket or json, not svg")
    if not sentences and file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("nothing to parse: give a SENTENCE or --file, or pipe a text in")
    loaded = load_parser(shipped_model() if model is None else model, device, threads, precision)
    blocks = [_arguments(sentences)] if sentences else _blocks(file or "-", encoding)
    _print(loaded, blocks, tokenized, k, _shown(format, scores, trace), format == "pretty")


def load_parser(model: str | Path, device: str, threads: int | None, precision: str) -> Any:
    """The ``Parser`` in a model file or run folder, to compute there, with so many CPU threads."""
    with quick_imports():
        import torch

        from seqtree.parsing.model import Parser

    if threads:
        torch.set_num_threads(threads)
    return Parser.load(model, precision, device)


def _print(parser: Any, blocks: Iterable[Iterable[str]], tokenized: bool, k: int, shown: Shown, pretty: bool) -> None:
    """Parse the sentences of all lines, and print each result as ``shown``.

    A result is one parse, with an empty line between two of them where they are ``pretty``; or, with ``k`` above 1, up
    to k parses and an empty line. The results of a block of lines are printed before the next block is asked for.
    """
    from seqtree.text.sentences import read_sentences

    between, known, numbers = "", parser.lexicon.words, count(1)
    read = (read_sentences(lines, tokenized, known, numbers) for lines in blocks)
    for chunk in chain.from_iterable(map(_chunks, read)):
        if k == 1:
            for parse, sentence in zip(parser.parses([sentence.words for sentence in chunk]), chunk, strict=True):
                # click.echo would drop some control characters
                sys.stdout.write(f"{between}{shown(parse, sentence)}\n")
                between = "\n" if pretty else ""
        else:
            for sentence in chunk:
                parses = parser.k_best(sentence.words, k)
                for number, parse in enumerate(parses, 1):
                    head = f"{number} of {len(parses)}\n" if pretty else ""
                    sys.stdout.write(f"{head}{shown(parse, sentence)}\n")
                sys.stdout.write("\n")
        sys.stdout.flush()


def _shown(format: str, scores: bool, trace: bool) -> Shown:
    """What makes a text of a parse and its sentence."""
    from seqtree.parsing.formats import format_parse

    if trace:
        from seqtree.drawing import trace as traces
        from seqtree.drawing import tree_svg as svg

        if format == "svg":
            return lambda parse, _: svg.EMPTY if parse is None else traces.trace_svg(parse)
        return lambda parse, _: "" if parse is None else traces.trace(parse)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return lambda parse, sentence: format_parse(parse, format, width, scores, sentence)


def _chunks(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    """Neighbouring sentences of some ``CHUNK`` words together. What precedes an input error comes before it."""
    chunk: list[Sentence] = []
    words = 0
    try:
        for sentence in sentences:
            chunk.append(sentence)
            words += len(sentence.words) + 1
            if words >= CHUNK:
                yield chunk
                chunk, words = [], 0
    except InputError:
        yield chunk
        raise
    yield chunk


def _arguments(sentences: Iterable[str]) -> Iterator[str]:
    for number, sentence in enumerate(sentences, 1):
        _check(sentence, f"SENTENCE {number}", "Unicode text")
        yield sentence


def _blocks(file: str, encoding: str) -> Iterator[Iterator[str]]:
    """The lines of a file in one block, or of standard input (``-``) in blocks, each of those that are there by then.

    So whoever writes a line and waits for its tree gets it. Raises InputError for a file that cannot be read and for
    bytes that are not in the encoding.
    """
    from seqtree.text.reading import check_encoding

    check_encoding(encoding)
    if file != "-":
        yield _file(file, encoding)
        return
    if sys.stdin is None:
        raise InputError("there is no standard input to read (-)")
    name = "standard input"
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:  # what a test or a notebook put there
        yield _checked(sys.stdin, name, encoding)
        return
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("surrogateescape"), translate=True)
    number, rest = 1, ""
    with _naming(name, encoding):
        while data := stream.read1(READ):  # waits only while there is nothing at all
            *lines, rest = (rest + decoder.decode(data)).split("\n")
            yield _checked(lines, name, encoding, number)
            number += len(lines)
        rest += decoder.decode(b"", final=True)
        if rest:
            yield _checked([rest.removesuffix("\n")], name, encoding, number)


def _file(file: str, encoding: str) -> Iterator[str]:
    with _naming(file, encoding), open(file, encoding=encoding, errors="surrogateescape") as stream:
        yield from _checked(stream, file, encoding)


@contextmanager
def _naming(name: str, encoding: str) -> Iterator[None]:
    """Makes an InputError, which says where, of what goes wrong in reading."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeError as error:
        raise InputError(f"{name} is not {encoding} text: {error}") from None


def _checked(lines: Iterable[str], name: str, encoding: str, first: int = 1) -> Iterator[str]:
    """Lines of which ``first`` is the number of the first, without a byte-order mark at the very beginning.

    They hold a byte that cannot be decoded as a lone surrogate. Raises InputError at the first such line.
    """
    for number, line in enumerate(lines, first):
        _check(line, f"{name}:{number}", f"{encoding}; name the text's own encoding with --encoding")
        yield line.removeprefix("\ufeff") if number == 1 else line


def _check(text: str, where: str, expected: str) -> None:
    """Raises InputError, which says where, for a text with a byte that could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) & 0xFF
        raise InputError(f"{where}: byte 0x{byte:02X} after {error.start} characters is not {expected}") from None
