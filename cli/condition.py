"""``seqtree lm classify``: the classes of texts by a language model that was trained with them as conditions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from seqtree.cli.options import FILE, device_option, encoding_option, json_lines_option, open_model, threads_option
from seqtree.cli.texts import (
    check_texts,
    classes_line,
    classes_shown,
    in_chunks,
    ranked,
    texts_options,
    texts_or_column,
)
from seqtree.escapes import json_line

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel


@click.command(
    epilog="\b\nExamples:\n  seqtree lm classify runs/poems '床前明月光，' -k 4\n"
    "  seqtree lm classify runs/poems --file lines.txt > classes.tsv"
)
@click.argument("model", type=FILE)
@texts_options
@encoding_option
@device_option
@threads_option
@json_lines_option
def classify(
    model: str,
    texts: tuple[str, ...],
    file: str | None,
    k: int | None,
    text_column: str | None,
    encoding: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """The class of each TEXT, or of each line of a file or of stdin, by a MODEL that was trained with --condition.

    By Bayes' rule: the class under which the model finds the text most probable, with the shares of the classes in
    training. A line of the output is a class and its probability, with -k several of both, separated by tabs; it is
    empty for a blank text. Line i of the output belongs to text i.
    """
    check_texts(texts, file, "TEXT")
    shown = classes_shown(k, as_json)
    loaded: LanguageModel = open_model("lm", model, threads, device)
    for block in texts_or_column(texts, file, encoding, text_column):
        for chunk in in_chunks(block, len):
            for found in loaded.class_probabilities(chunk):
                best = [] if found is None or loaded.classes is None else ranked(loaded.classes.labels.names, found)
                sys.stdout.write((_json(best) if as_json else classes_line(best[:shown])) + "\n")
        sys.stdout.flush()


def _json(best: list[tuple[str, float]]) -> str:
    shares = {name: round(share, 6) for name, share in best}
    label, probability = next(iter(shares.items()), (None, None))
    return json_line({"label": label, "probability": probability, "probabilities": shares})
