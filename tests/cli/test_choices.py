"""Choices of options are those of the functions that they are given to: commands name them without importing these."""

from __future__ import annotations

import click
import pytest

from seqtree.cli import cli
from seqtree.cli.score_rows import TOKEN_COLUMNS, WORD_COLUMNS
from seqtree.language import prompts, reading, study
from seqtree.parsing import formats as parses
from seqtree.phrases import files, phrase, projection, vectors
from seqtree.tagging import formats as taggings
from seqtree.text import chunks
from seqtree.translation import evaluation
from seqtree.treebank import sources
from seqtree.trees import formats as labellings

CHOICES = {
    "lm sample --unknown": prompts.POLICIES,
    "lm next --unknown": prompts.POLICIES,
    "lm fill --unknown": prompts.POLICIES,
    "lm score --spaces": reading.SPACES,
    "parser train --malformed": sources.MALFORMED,
    "parser eval --malformed": sources.MALFORMED,
    "tree train --malformed": sources.MALFORMED,
    "tree eval --malformed": sources.MALFORMED,
    "parse --format": (*parses.FORMATS, "parquet"),  # Ray's
    "tree predict --format": labellings.FORMATS,
    "tag predict --format": taggings.FORMATS,
    "tag predict --scheme": tuple(scheme for scheme in chunks.SCHEMES if scheme != "bmes"),
    "phrases near --as": vectors.LEVELS,
    "phrases near --input": phrase.KINDS,
    "phrases map --method": projection.METHODS,
    "phrases export --format": files.FORMATS,
    "translate eval --bleu-tokenizer": evaluation.TOKENIZERS,
}


@pytest.mark.parametrize("option", CHOICES)
def test_the_choices_of_an_option(option: str) -> None:
    *words, flag = option.split()
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None, word
        command = found
    (kind,) = (one.type for one in command.params if flag in one.opts)
    assert isinstance(kind, click.Choice)
    assert sorted(kind.choices) == sorted(CHOICES[option])


def test_the_columns_of_scores() -> None:
    assert (TOKEN_COLUMNS, WORD_COLUMNS) == (study.DETAILS, study.COLUMNS)
