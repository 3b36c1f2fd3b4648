"""``seqtree parse``: from sentences to trees, as drawings, brackets, JSON or SVG."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import seqtree
from seqtree.cli.options import device_option, encoding_option, open_model, precision_option, threads_option
from seqtree.errors import InputError

if TYPE_CHECKING:
    from seqtree.parsing.parse import Parse
    from seqtree.text.sentences import Sentence

    Shown = Callable[[Parse | None, Sentence], str]

TRACED = ("pretty", "svg")  # the formats that --trace has
CHUNK = 1 << 15  # words that are read before they are parsed together


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
    from seqtree.text.lines import checked_arguments, line_blocks

    loaded = open_model("parser", shipped_model() if model is None else model, threads, device, precision)
    blocks: Iterable[Iterator[str]]
    blocks = [checked_arguments(sentences)] if sentences else line_blocks(file or "-", encoding)
    _print(loaded, blocks, tokenized, k, _shown(format, scores, trace), format == "pretty")


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
        from seqtree.drawing.traces import trace as trace_text, trace_svg
        from seqtree.drawing.tree_svg import EMPTY

        if format == "svg":
            return lambda parse, _: EMPTY if parse is None else trace_svg(parse.binary, parse.scores, parse.margins)
        return lambda parse, _: "" if parse is None else trace_text(parse.binary, parse.scores, parse.margins)
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
