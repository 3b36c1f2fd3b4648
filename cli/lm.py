"""``seqtree lm``: language models, from a text file to text, figures and surprisals."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from seqtree.cli.condition import classify
from seqtree.cli.options import (
    FILE,
    TextCommand,
    columns_options,
    condition_option,
    device_option,
    encoding_option,
    given_class,
    json_option,
    note,
    open_model,
    print_json,
    print_tokens,
    settings_options,
    threads_option,
    was_given,
)
from seqtree.cli.score import score
from seqtree.cli.texts import as_unicode, text_given
from seqtree.cli.train import train_command
from seqtree.escapes import escaped
from seqtree.language.config import SamplingSettings

if TYPE_CHECKING:
    from seqtree.language.evaluation import LanguageEvaluation
    from seqtree.language.model import LanguageModel
    from seqtree.text.tokenfile import TokenStream

SIDE_BY_SIDE = 8  # so many samples or more are computed together, and shown when they are done

unknown_option = click.option(
    "--unknown",
    type=click.Choice(["fail", "skip", "map"]),
    default="fail",
    help="Prompt tokens the model has never seen: name them and stop, leave them out, or read them as <unk>.",
)
prompt_file_option = click.option("--prompt-file", type=FILE, help="Read the prompt from a file (- for stdin).")
_TEXTS = click.argument("texts", type=FILE, nargs=-1, required=True)


def _unescape(text: str) -> str:
    """Text with \\n, \\t and \\\\ as a line end, a tab and a backslash; any other backslash stands for itself.

    >>> _unescape(r"a\\nb \\\\nabla")
    'a\\nb \\\\nabla'
    """
    return re.sub(r"\\([nt\\])", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _as_escaped(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """The callback of an argument for one text, in which escapes stand for what they mean unless it was piped in."""
    given = text_given(text)
    return given if text == "-" else _unescape(given)


@click.group(
    epilog="\b\nExamples:\n  seqtree lm train novel.txt --out runs/novel --minutes 10\n"
    "  seqtree lm sample runs/novel --prompt 'It was ' --temperature 0.8\n"
    "  seqtree lm eval runs/novel other.txt\n  seqtree lm score runs/novel sentences.txt > surprisals.tsv"
)
def lm() -> None:
    """Language models over characters or words: train, evaluate, sample, score, fill blanks."""


lm.add_command(
    train_command(
        "lm",
        "Train a language model on CORPUS: text files, folders of them, or - for stdin.\n\nWrites a run folder; stop "
        "it with Ctrl-C at any time, continue with --resume. Without CORPUS it reads the embedded English sample.",
        "\b\nExamples:\n  seqtree lm train novel.txt --out runs/novel --minutes 10\n"
        "  seqtree lm train news/ --unit word --min-count 2 --preset medium --out runs/news\n"
        "  seqtree lm train names.txt --documents lines --out runs/names\n"
        "  seqtree lm train poems.tsv --condition --out runs/poems\n"
        "  seqtree lm train --out runs/first        (the embedded sample)",
    )
)


@lm.command("eval", epilog="\b\nExample:\n  seqtree lm eval runs/novel chapter1.txt chapter2.txt --json")
@click.argument("model", type=FILE)
@_TEXTS
@click.option(
    "--ngram",
    "ngram",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="Training text for an interpolated Kneser-Ney n-gram model over the same tokens, to compare with.",
)
@click.option("--ngram-order", type=click.IntRange(1, 10), default=3, help="Its order.")
@click.option(
    "--dynamic",
    is_flag=True,
    help="Measure besides how well the model does if it goes on learning from the text (dynamic evaluation).",
)
@click.option(
    "--cache",
    is_flag=True,
    help="Measure besides how well the model does with a cache of the last 2,000 tokens, for words that come again.",
)
@condition_option
@click.option("--without-condition", is_flag=True, help="Do not tell the model the classes of labelled texts.")
@columns_options
@encoding_option
@device_option
@threads_option
@json_option
def eval_(
    model: str,
    texts: tuple[str, ...],
    ngram: tuple[str, ...],
    ngram_order: int,
    dynamic: bool,
    cache: bool,
    condition: str | None,
    without_condition: bool,
    label_column: str,
    text_column: str,
    encoding: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure MODEL on TEXTS (files, folders, - for stdin), the state carried over the whole text.

    A model of --documents lines reads each line by itself, here and in the other commands. For a model with classes
    (--condition), TEXTS are labelled as in training, and are measured with the class given, unless --condition names
    one for all lines of plain texts.

    Loss is in nats per token (with the ends of lines, for words); bits are over all characters and bytes of the text,
    so that character and word models compare.
    """
    from seqtree.text.reading import check_standard_input

    if condition is not None and without_condition:
        raise click.UsageError("give --condition or --without-condition, not both")
    if was_given("ngram_order") and not ngram:
        raise click.UsageError("--ngram-order goes with --ngram")
    check_standard_input([*texts, *ngram])
    loaded = _of_classes(given_class(open_model("lm", model, threads, device), condition), model)
    stream = loaded.encode_files(texts, encoding, (label_column, text_column))
    measured = loaded.evaluate_stream(stream, not without_condition)
    record = {**measured.to_json(), **_besides(loaded, stream, ngram, ngram_order, encoding, dynamic, cache)}
    if as_json:
        print_json(record)
    else:
        _print_evaluation(measured, record)


def _of_classes(model: LanguageModel, path: str) -> LanguageModel:
    """The model. Raises UsageError if it knows no classes, and an option for texts with classes was given."""
    asked = filter(was_given, ("without_condition", "label_column", "text_column"))
    if model.classes is None and (name := next(asked, None)):
        option = f"--{name.replace('_', '-')}"
        raise click.UsageError(f"{option}: {path} knows no classes; train one that does with --condition")
    return model


def _besides(
    model: LanguageModel,
    stream: TokenStream,
    ngram: tuple[str, ...],
    order: int,
    encoding: str,
    dynamic: bool,
    cache: bool,
) -> dict[str, Any]:
    """What is measured on the same tokens besides: by n-grams of those texts, by going on learning, with a cache."""
    record = {}
    if ngram:
        from seqtree.language.ngram import compare

        record["ngram"] = compare(model, ngram, stream, order, encoding)
    if dynamic:
        from seqtree.language.dynamic import dynamic_evaluation

        record["dynamic"] = dynamic_evaluation(model, stream)
    if cache:
        from seqtree.language.cache import cache_evaluation

        record["cache"] = cache_evaluation(model, stream)
    return record


def _print_evaluation(measured: LanguageEvaluation, record: dict[str, Any]) -> None:
    for name, value in record.items():
        if name == "ngram":
            click.echo(f"{value['order']}-gram perplexity   {value['perplexity']:.4f}   (loss {value['loss']:.4f})")
        elif name in ("dynamic", "cache"):
            click.echo(f"{name + ' perplexity':<20} {value['perplexity']:.4f}   (loss {value['loss']:.4f})")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            click.echo(f"{name.replace('_', ' '):<20} {f'{value:,}' if isinstance(value, int) else f'{value:.4f}'}")
    for why in measured.reservations:
        click.echo(f"not comparable       {why}")
    if measured.by_class:
        click.echo(f"\n{'class':<20} {'loss':>8} {'perplexity':>11} {'tokens':>10} {'items':>8}")
    for label, figures in (measured.by_class or {}).items():
        loss, perplexity, tokens, items = figures.values()
        click.echo(f"{escaped(label):<20} {loss:8.4f} {perplexity:11.4f} {tokens:10,} {items:8,}")


@lm.command(
    epilog="\b\nExamples:\n  seqtree lm sample runs/novel --length 1000 --seed 1\n"
    "  seqtree lm sample runs/novel --prompt 'Once\\n' --temperature 0.7 --top-p 0.9 --count 3"
)
@click.argument("model", type=FILE)
@click.option(
    "--prompt",
    "-p",
    default="",
    callback=as_unicode,
    help="Text to continue; \\n is a line end, \\t a tab, \\\\ a backslash.",
)
@prompt_file_option
@condition_option
@settings_options(SamplingSettings())
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    help="Number of samples; the next one has the next seed.",
)
@click.option("--no-echo", is_flag=True, help="Leave the prompt out of the output.")
@click.option("--report", is_flag=True, help="Report how much is copied from the training text, and any loops.")
@click.option(
    "--training-text",
    multiple=True,
    type=FILE,
    help="Training text for --report.  [default: what the run folder names]",
)
@unknown_option
@click.option(
    "--device",
    default="auto",
    help=f"Where to compute {SIDE_BY_SIDE} samples or more: auto, cpu, cuda, cuda:1 or mps. Fewer are made on the CPU.",
)
@json_option
def sample(
    model: str,
    prompt: str,
    prompt_file: str | None,
    condition: str | None,
    count: int,
    no_echo: bool,
    report: bool,
    training_text: tuple[str, ...],
    unknown: str,
    device: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Sample text from MODEL (a run folder or a model file), streamed as it is made.

    A model of --documents lines gives whole items: each sample ends with its line.
    """
    if training_text and not report:
        raise click.UsageError("--training-text goes with --report")
    place = device if count >= SIDE_BY_SIDE or was_given("device") else "cpu"
    loaded = given_class(open_model("lm", model, device=place), condition)
    text = _prompt(prompt, prompt_file)
    settings = SamplingSettings(**{**chosen, "stop": tuple(map(_unescape, chosen["stop"]))})
    if settings.seed is None:
        settings = replace(settings, seed=secrets.randbelow(1 << 31))
    samples = _samples(loaded, text, settings, count, unknown, None if as_json else not no_echo)
    if report:
        from seqtree.language.memorisation import report_samples

        for record, facts in zip(samples, report_samples(loaded, model, samples, training_text), strict=True):
            record["report"] = facts.to_json()
            if not as_json:
                note(f"seed {record['seed']}: {facts}")
    if as_json:
        print_json({"prompt": text, "samples": samples})


def _samples(
    model: LanguageModel, prompt: str, settings: SamplingSettings, count: int, unknown: str, echo: bool | None
) -> list[dict[str, Any]]:
    """The samples, printed as they are made, with the prompt before each if ``echo``; None prints nothing."""
    samples: list[dict[str, Any]] = []
    seeds = range(settings.seed or 0, (settings.seed or 0) + count)
    texts: Iterator[Iterable[str]]
    if count < SIDE_BY_SIDE:
        texts = (model.sample_pieces(prompt, replace(settings, seed=seed), unknown) for seed in seeds)
    else:
        texts = ([text] for text in model.samples(prompt, settings, seeds, unknown))
    for seed, made in zip(seeds, texts, strict=True):  # making one checks the prompt
        if samples and echo is not None:
            click.echo("" if model.single_lines else "\n" + "-" * 20)
        if echo:
            click.echo(prompt, nl=False)
        pieces = []
        for piece in made:
            pieces.append(piece)
            if echo is not None:
                click.echo(piece, nl=False)
        samples.append({"seed": seed, "text": "".join(pieces)})
    if echo is not None:
        click.echo()
    return samples


@lm.command("next", cls=TextCommand, epilog="\b\nExample:\n  seqtree lm next runs/novel 'the cat sat on the ' -k 5")
@click.argument("model", type=FILE)
@click.argument("text", default="", callback=_as_escaped)
@click.option("-k", type=click.IntRange(min=1), default=10, help="How many tokens.")
@condition_option
@unknown_option
@json_option
def next_(model: str, text: str, k: int, condition: str | None, unknown: str, as_json: bool) -> None:
    """The most probable tokens after TEXT, with their probabilities.

    In TEXT, \\n is a line end, \\t a tab, \\\\ a backslash; - is standard input.
    """
    print_tokens(given_class(open_model("lm", model), condition).next(text, k, unknown), as_json)


@lm.command(
    cls=TextCommand, epilog="\b\nExample:\n  seqtree lm fill runs/both 'my phone broke, I want to ____ a new phone'"
)
@click.argument("model", type=FILE)
@click.argument("text", callback=_as_escaped)
@click.option("-k", type=click.IntRange(min=1), default=10, help="How many tokens.")
@click.option("--blank", default="____", help="How the blank is written.")
@click.option("--unknown", type=click.Choice(["fail", "skip", "map"]), default="map", help="Unseen tokens around it.")
@json_option
def fill(model: str, text: str, k: int, blank: str, unknown: str, as_json: bool) -> None:
    """The most probable tokens for the blank in TEXT, from both sides (a model trained with --bidirectional).

    In TEXT, \\n is a line end, \\t a tab, \\\\ a backslash; - is standard input.
    """
    print_tokens(open_model("lm", model).fill(text, k, blank, unknown), as_json)


lm.add_command(score)


lm.add_command(classify)


def _prompt(prompt: str, prompt_file: str | None) -> str:
    if prompt_file is None:
        return _unescape(prompt)
    if prompt:
        raise click.UsageError("give --prompt or --prompt-file, not both")
    from seqtree.text.lines import read_prompt

    return read_prompt(prompt_file)
