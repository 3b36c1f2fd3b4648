"""``seqtree parse``: from sentences to trees, as drawings, brackets, JSON or SVG."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

import seqtree
from seqtree.cli.options import device_option, encoding_option, precision_option, quick_imports, threads_option
from seqtree.errors import InputError

if TYPE_CHECKING:
    from seqtree.parsing.parse import Parse
    from seqtree.parsing.sentences import Word

TRACED = ("pretty", "svg")  # the formats that --trace has
CHUNK = 1 << 15  # words that are read before they are parsed together


def shipped_model() -> Path:
    """The model file of the parser that comes with seqtree. Raises InputError if there is none."""
    path = Path(seqtree.__file__).parent / "models" / "parser.safetensors"
    if not path.exists():
        raise InputError("no parser is shipped with this seqtree: name one with --model, a run folder or a model file "
                         "such as 'seqtree parser train' writes")  # fmt: skip
    return path


@click.command(
    epilog="\b\nExamples:\n  seqtree parse 'The cat sat on the mat.'\n"
    "  seqtree parse --file novel.txt --format bracket > novel.mrg\n"
    "  seqtree parse --model runs/mine --format json --scores --tokenized 'it works , mostly'\n"
    "  seqtree parse --trace --format svg 'The cat sat.' > steps.svg"
)
@click.argument("sentences", nargs=-1, metavar="[SENTENCE]...")
@click.option("--file", "-f", metavar="FILE", help="Parse the lines of a file (- for stdin) instead.")
@click.option("--model", "-m", help="A run folder or a model file.  [default: the parser that comes with seqtree]")
@click.option(
    "--format",
    type=click.Choice(["pretty", "bracket", "json", "svg"]),
    default="pretty",
    help="A drawing; or one line a sentence: a tree in brackets, a JSON object, an SVG picture.",
)
@click.option("--tokenized", is_flag=True, help="Every text is one sentence, its words between spaces.")
@click.option("--k", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many trees of each sentence that differ in brackets or labels, most probable first; an empty "
              "line after each sentence's. They come from a beam, whose first may be another than the greedy one.")
@click.option("--scores", is_flag=True, help="Add the tree's score and the smallest margin of its merges.")
@click.option("--trace", is_flag=True, help="Show the merges in their order instead of the tree (pretty, svg).")
@encoding_option
@precision_option
@device_option
@threads_option
def parse(sentences: tuple[str, ...], file: str | None, model: str | None, format: str, tokenized: bool, k: int,
          scores: bool, trace: bool, encoding: str, precision: str, device: str, threads: int | None
          ) -> None:  # fmt: skip
    """Parse each SENTENCE, a text of one or several sentences, or the lines of a file or of stdin.

    Results come in the order of the sentences, in blocks as they are read, whatever the length of the file; an empty
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
    lines = _arguments(sentences) if sentences else _lines(file or "-", encoding)
    _print(loaded, lines, tokenized, k, _shown(format, scores, trace), format == "pretty")


def load_parser(model: str | Path, device: str, threads: int | None, precision: str) -> Any:
    """The ``Parser`` in a model file or run folder, to compute there, with so many CPU threads."""
    with quick_imports():
        import torch

        from seqtree.parsing.model import Parser

    if threads:
        torch.set_num_threads(threads)
    return Parser.load(model, precision, device)


def _print(parser: Any, lines: Iterable[str], tokenized: bool, k: int, shown: Callable[[Parse | None], str],
           pretty: bool) -> None:  # fmt: skip
    """Parse the sentences of all lines, and print each result as ``shown``.

    A result is one parse, with an empty line between two of them where they are ``pretty``; or, with ``k`` above 1, up
    to k parses and an empty line.
    """
    from seqtree.parsing.sentences import read_sentences

    between = ""
    found = (sentence for line in read_sentences(lines, tokenized, parser.lexicon.words) for sentence in line)
    for chunk in _chunks(found):
        if k == 1:
            for parse in parser.parses(chunk):
                sys.stdout.write(f"{between}{shown(parse)}\n")  # click.echo would drop some control characters
                between = "\n" if pretty else ""
        else:
            for sentence in chunk:
                parses = parser.k_best(sentence, k)
                for number, parse in enumerate(parses, 1):
                    head = f"{number} of {len(parses)}\n" if pretty else ""
                    sys.stdout.write(f"{head}{shown(parse)}\n")
                sys.stdout.write("\n")
        sys.stdout.flush()


def _shown(format: str, scores: bool, trace: bool) -> Callable[[Parse | None], str]:
    """What makes a text of a parse."""
    from seqtree.parsing.formats import format_parse

    if trace:
        from seqtree.parsing import svg
        from seqtree.parsing import trace as traces

        if format == "svg":
            return lambda parse: svg.EMPTY if parse is None else traces.trace_svg(parse)
        return lambda parse: "" if parse is None else traces.trace(parse)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return lambda parse: format_parse(parse, format, width, scores)


def _chunks(sentences: Iterable[list[Word]]) -> Iterator[list[list[Word]]]:
    """Neighbouring sentences of some ``CHUNK`` words together; what precedes an input error comes before it."""
    chunk: list[list[Word]] = []
    words = 0
    try:
        for sentence in sentences:
            chunk.append(sentence)
            words += len(sentence) + 1
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


def _lines(file: str, encoding: str) -> Iterator[str]:
    """The lines of a file or, for ``-``, of standard input, as they come.

    Raises InputError for a file that cannot be read and for bytes that are not in the encoding.
    """
    name = "standard input" if file == "-" else file
    try:
        with _opened(file, encoding) as stream:
            for number, line in enumerate(stream, 1):
                _check(line, f"{name}:{number}", f"{encoding}; name the text's own encoding with --encoding")
                yield line.removeprefix("\ufeff") if number == 1 else line
    except LookupError:
        raise InputError(f"{encoding!r} is no text encoding known to Python (such as utf-8)") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeError as error:
        raise InputError(f"{name} is not {encoding} text: {error}") from None


def _opened(file: str, encoding: str) -> AbstractContextManager[TextIO]:
    """A stream of text that holds a byte which cannot be decoded as a lone surrogate."""
    if file != "-":
        return open(file, encoding=encoding, errors="surrogateescape")
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:  # not so for a stream that a test or a notebook put there
        reconfigure(encoding=encoding, errors="surrogateescape")
    return nullcontext(sys.stdin)


def _check(text: str, where: str, expected: str) -> None:
    """Raises InputError, which says where, for a text with a byte that could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) & 0xFF
        raise InputError(f"{where}: byte 0x{byte:02X} after {error.start} characters is not {expected}") from None
