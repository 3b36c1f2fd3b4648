"""``seqtree translate``: train an encoder-decoder, measure it, translate with it, score with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqtree.cli.options import (
    FILE,
    TextCommand,
    compute_options,
    json_lines_option,
    json_option,
    note,
    open_model,
    picture_option,
    print_json,
    was_given,
    with_options,
)
from seqtree.cli.texts import check_texts, file_option, in_chunks, text_blocks, texts_argument, with_note_of_tabs
from seqtree.cli.train import train_command
from seqtree.errors import InputError
from seqtree.escapes import json_line
from seqtree.extras import install_line
from seqtree.text.config import END

if TYPE_CHECKING:
    from seqtree.translation.model import Translation, Translator

SCORE_HEADER = "pair\ttoken\tlog_probability\n"

beam_option = click.option("--beam", type=click.IntRange(min=1), default=5, help="Hypotheses followed; 1 is greedy.")
penalty_option = click.option(
    "--length-penalty",
    type=float,
    default=1.0,
    help="Exponent of the length by which log probabilities are divided; 0 prefers short targets.",
)
pairs_options = with_options(
    [
        click.option(
            "--target",
            type=FILE,
            multiple=True,
            metavar="FILE",
            help="Targets, line by line beside those of FILES; may be given several times.  [default: the second "
            "column of FILES]",
        ),
        click.option("--swap", is_flag=True, help="Translate from the second column, or --target, to the first."),
    ]
)


@click.group(
    epilog="\b\nExamples:\n  seqtree translate train pairs.tsv --out runs/mine\n"
    "  seqtree translate eval runs/mine test.tsv\n  seqtree translate predict runs/mine 'April 20, 2018'"
)
def translate() -> None:
    """Sequence to sequence: train, evaluate, translate, score.

    FILES hold a pair a line, source and target with a tab between; or sources only, with their targets line by line in
    those of --target. Without FILES, seqtree reads dates and their ISO form, which it has generated itself.
    """


translate.add_command(
    train_command(
        "translate",
        "Train a translator on FILES: a source, a tab and its target a line, or sources only and --target.\n\nWrites a "
        "run folder; stop it with Ctrl-C at any time, continue with --resume. Without FILES it reads the "
        "embedded dates and their ISO form.",
        "\b\nExamples:\n  seqtree translate train pairs.tsv --out runs/mine --minutes 10\n"
        "  seqtree translate train train.de --target train.en --valid dev.de --valid-target dev.en --preset text\n"
        "  seqtree translate train --preset tiny --out runs/first        (the embedded sample)",
    )
)


@translate.command(
    "eval",
    epilog="\b\nExamples:\n  seqtree translate eval runs/mine test.tsv\n"
    "  seqtree translate eval runs/mine test.de --target test.en --beam 12 --json",
)
@click.argument("model", type=FILE)
@click.argument("files", type=FILE, nargs=-1, required=True)
@pairs_options
@beam_option
@penalty_option
@click.option(
    "--bleu-tokenizer",
    type=click.Choice(["13a", "intl", "zh", "char", "none"]),
    default="13a",
    help="How sacrebleu cuts texts into words: zh for Chinese, none for texts that are cut already.",
)
@compute_options
@json_option
def eval_(
    model: str,
    files: tuple[str, ...],
    target: tuple[str, ...],
    swap: bool,
    beam: int,
    length_penalty: float,
    bleu_tokenizer: str,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL (a run folder or a model file) on the pairs of FILES.

    A source that occurs with several targets is one item, and any of them counts. BLEU and chrF are sacrebleu's, from 0
    to 100; exact match and token error rate are shares of 1.
    """
    from seqtree.translation.data import read_pairs
    from seqtree.translation.evaluation import evaluate

    loaded = open_model("translate", model, threads, device, precision)
    measured = evaluate(loaded, read_pairs(files, target, swap, encoding), beam, length_penalty, bleu_tokenizer)
    if measured.bleu is None:
        note(f"BLEU and chrF need sacrebleu: {install_line('translate')}")
    for one in measured.reservations:
        note(one)
    record = measured.to_json()
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        places = ",.0f" if name.endswith("per_second") else "," if isinstance(value, int) else ".4f"
        shown = "" if value is None else f"{value:{places}}"
        click.echo(f"{name.replace('_', ' '):<20} {shown:>10}")


@translate.command(
    cls=TextCommand,
    epilog="\b\nExamples:\n  seqtree translate predict runs/mine 'April 20, 2018' --alignments\n"
    "  seqtree translate predict runs/mine --file sources.txt > targets.txt\n"
    "  seqtree translate predict runs/mine --best 3 --json < sources.txt > targets.jsonl",
)
@click.argument("model", type=FILE)
@texts_argument
@file_option
@beam_option
@penalty_option
@click.option(
    "--best",
    "-k",
    type=click.IntRange(min=1),
    default=1,
    help="How many targets of each line, best first; the beam is as wide at least.",
)
@click.option("--scores", is_flag=True, help="Put each target's score before it: TSV with score, target.")
@click.option("--alignments", is_flag=True, help="Draw what each token of the target attended to.")
@picture_option("--plot", "Draw the alignment of the first TEXT")
@compute_options
@json_lines_option
def predict(
    model: str,
    texts: tuple[str, ...],
    file: str | None,
    beam: int,
    length_penalty: float,
    best: int,
    scores: bool,
    alignments: bool,
    plot: Path | None,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Translate each TEXT, or the lines of a file or of stdin: a line out for each line in, in their order.

    With --best above 1 it is TSV: number of the line, score, target. With --json each line is an object with the source
    and its translations. An empty line has an empty target. Lines on stdin do not wait for the next ones.
    """
    check_texts(texts, file, "TEXT")
    if best > beam and was_given("beam"):
        raise click.UsageError(f"--best {best} of a --beam of {beam}: expected at most as many as the beam has")
    loaded: Translator = open_model("translate", model, threads, device, precision)
    if (alignments or plot) and not loaded.network.config.attends:
        raise InputError(f"{model}: a model without attention, which aligns nothing")
    aligned = alignments or plot is not None
    asked = {"beam": max(beam, best), "best": best, "length_penalty": length_penalty, "alignments": aligned}
    _print(loaded, text_blocks(texts, file, encoding), _Shown(best > 1, scores, alignments, as_json), plot, asked)


@translate.command(
    epilog="\b\nExample:\n  seqtree translate score runs/mine pairs.tsv > log-probabilities.tsv",
)
@click.argument("model", type=FILE)
@click.argument("files", type=FILE, nargs=-1, required=True)
@pairs_options
@compute_options
@json_lines_option
def score(
    model: str,
    files: tuple[str, ...],
    target: tuple[str, ...],
    swap: bool,
    encoding: str,
    precision: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """The natural log probability of every token of the targets that FILES give: TSV with pair, token, log_probability.

    The last token of each is its end, </s>; tokens are escaped as in JSON. With --json each line is an object with a
    pair's tokens, their log probabilities, their sum, and the alignment, if the model attends.
    """
    from seqtree.translation.data import read_pairs

    loaded: Translator = open_model("translate", model, threads, device, precision)
    pairs = read_pairs(files, target, swap, encoding)
    write = sys.stdout.write  # not click.echo, which would flush every line
    if not as_json:
        write(SCORE_HEADER)
    unknown = 0
    scored = loaded.score(((pair.source, pair.target) for pair in pairs), length_penalty=0.0)
    for number, (pair, one) in enumerate(zip(pairs, scored, strict=True), 1):
        unknown += loaded.target.unknown(one.tokens)
        if as_json:
            write(json_line({"pair": number, "source": pair.source, **one.to_json()}) + "\n")
            continue
        for token, value in zip((*one.tokens, END), one.log_probabilities or (), strict=True):
            write(f"{number}\t{json_line(token)[1:-1]}\t{value:.4f}\n")
    if unknown:
        note(f"{unknown:,} target tokens are unknown to the model, and have the probability of <unk>")


@dataclass(frozen=True)
class _Shown:
    """How a line's translations are written."""

    many: bool
    scores: bool
    alignments: bool
    as_json: bool

    def __call__(self, number: int, source: str, translations: Iterable[Translation]) -> str:
        if self.as_json:
            found = [one.to_json() for one in translations]
            return json_line({"line": number, "source": source, "translations": found}) + "\n"
        return "".join(f"{self._line(number, one)}\n{self._alignment(one)}" for one in translations)

    def _line(self, number: int, one: Translation) -> str:
        if self.many:
            return f"{number}\t{one.score:.4f}\t{one.text}"
        return f"{one.score:.4f}\t{one.text}" if self.scores else one.text

    def _alignment(self, one: Translation) -> str:
        if not self.alignments or one.alignment is None:
            return ""
        from seqtree.drawing import matrix

        return f"{matrix(one.source, (*one.tokens, END), one.alignment)}\n\n"


def _print(
    model: Translator, blocks: Iterable[Iterator[str]], shown: _Shown, plot: Path | None, asked: dict[str, Any]
) -> None:
    """Translate the lines of each block, and print them before the next block is asked for."""
    numbers = count(1)
    watched = with_note_of_tabs(blocks, "translated as one source; for pairs, see translate eval")
    for chunk in chain.from_iterable(in_chunks(block, len) for block in watched):
        sources = [line.removesuffix("\n") for line in chunk]
        found = model.translations(sources, log_probabilities=shown.as_json, **asked)
        for source, translations in zip(sources, found, strict=True):
            number = next(numbers)
            sys.stdout.write(shown(number, source, translations))
            if plot is not None and number == 1:
                _draw(plot, translations[0])
        sys.stdout.flush()


def _draw(path: Path, one: Translation) -> None:
    from seqtree.files import write_atomically

    if (picture := one.picture()) is None:
        note(f"--plot {path}: the first text is empty, and there is nothing to draw")
        return
    write_atomically(path, picture.encode())
