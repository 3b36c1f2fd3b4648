"""What the contract tests need to know of each task: a new task is one row here."""

from __future__ import annotations

import atexit
import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from scene_helpers import SMALL, need_extra, scene_folder

from seqtree import corpora
from seqtree.cli import cli
from seqtree.corpora import pairs
from seqtree.model import Model
from seqtree.tasks import TASKS, named
from seqtree.training.task import Task

ROOT = Path(__file__).resolve().parents[2]
TEXT = "the cat sat on the mat\na dog ran to the man\nthe man sat on a mat, and a cat ran\n" * 8
EXACT = ("--device", "cpu", "--precision", "fp32", "--threads", "1")


@dataclass(frozen=True)
class Row:
    """One task: its name, a source, and options that make it small; ``variant``: of several rows of a task, which.

    ``epochs`` are as many as take a second or two. ``figures`` are keys of its report besides those of every task.
    ``splits`` are options of networks whose batches are to be split, without dropout or other randomness.
    """

    task: str
    source: Callable[[Path], Sequence[object]]
    small: tuple[str, ...]
    epochs: int
    figures: tuple[str, ...]
    splits: tuple[Mapping[str, Any], ...] = ({},)
    toy: bool = field(default=False)
    variant: str = ""

    @property
    def name(self) -> str:
        """What the row is called."""
        return self.task + self.variant

    @property
    def kind(self) -> type[Task[Any, Any, Any]]:
        """Its task class."""
        found: type[Task[Any, Any, Any]] = toy().BigramTask if self.toy else named(TASKS[self.task].task)
        return found

    @property
    def model(self) -> type[Model[Any]]:
        """Its model class."""
        found: type[Model[Any]] = toy().Bigram if self.toy else named(TASKS[self.task].model)
        return found

    @property
    def options(self) -> dict[str, Any]:
        """``small`` as the options of Python: numbers as numbers, and an option without a value as a flag."""
        return {
            name[2:].replace("-", "_"): True if word.startswith("--") else _value(word)
            for name, word in zip(self.small, [*self.small[1:], "--"], strict=True)
            if name.startswith("--")
        }

    @property
    def process(self) -> list[str]:
        """What of Python trains it in a process of its own."""
        return [str(toy_file())] if self.toy else ["-m", "seqtree", self.task, "train"]

    @property
    def command(self) -> tuple[Any, list[str]]:
        """The click command, and the words that lead to its training."""
        if not self.toy:
            return cli, [self.task, "train"]
        from seqtree.cli.train import train_command

        return train_command(self.kind, "Train a bigram model of characters on TEXT."), []


def _value(word: str) -> Any:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _text(folder: Path) -> list[Path]:
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    return [folder / "text.txt"]


def _pairs(folder: Path) -> list[Path]:
    lines = [f"{source}\t{target}\n" for source, target in pairs.generate("dates", 200)]
    (folder / "dates.tsv").write_text("".join(lines), encoding="utf-8")
    return [folder / "dates.tsv"]


def _labelled(folder: Path) -> list[Path]:
    lines = (f"{'ab'[i % 2]}\t{line}\n" for i, line in enumerate(TEXT.splitlines()))
    (folder / "texts.tsv").write_text("".join(lines), encoding="utf-8")
    return [folder / "texts.tsv"]


def _scenes(folder: Path) -> list[Path]:
    need_extra()
    place = folder / "scenes"
    return [place if place.exists() else scene_folder(place)]


_LM = ("--preset", "tiny", "--hidden", "12", "--embedding", "6", "--batch", "4", "--window", "8")
_LINES = {"preset": "tiny", "hidden": 7, "batch": 6, "documents": "lines"}
_CLASSES = {"preset": "tiny", "hidden": 7, "batch": 6, "condition": True, "condition_dropout": 0.3}
_VECTORS = ("--hidden", "8", "--vector", "8", "--scorer", "8", "--words", "6", "--characters", "6")
_PARSER = ("--preset", "tiny", *_VECTORS, "--dropout", "0.2")
_IMAGE = ("--plan", "conv 3x3 norm, pool 4, full 6 drop 0.2", "--valid-share", "0.5")
_WORDS = ("--preset", "tiny", "--hidden", "8", "--words", "6", "--characters", "6")
_CALM = {"preset": "tiny", "dropout": 0.0, "word_dropout": 0.0, "hidden": 8, "words": 6, "characters": 5}
_MASKED = {**_CALM, "min_count": 1, "batch": 8, "valid_share": 0.2}
_TRANSLATE = ("--preset", "tiny", "--hidden", "12", "--embedding", "8", "--batch", "20")
_NO_CHANCE = {"preset": "tiny", "dropout": 0.0, "hidden": 8, "embedding": 6, "batch": 12}
_NO_DROPOUT = dict.fromkeys(("dropout", "word_dropout", "input_dropout", "update_dropout", "output_dropout"), 0.0)
_BARE = {**_NO_DROPOUT, "preset": "tiny", "words": 6, "vector": 6}
_STILL_SCENES = {**SMALL, "preset": "tiny", "dropout": 0.0, "explore": 0.0, "pair_epochs": 0}
_STILL = {"preset": "tiny", "dropout": 0.0, "word_dropout": 0.0, "explore": 0.0, "hidden": 8, "vector": 6, "scorer": 7}

ROWS = {
    row.name: row
    for row in (
        Row(
            "lm",
            _text,
            (*_LM, "--dropout", "0.2"),
            30,
            ("loss", "perplexity", "bits_per_character", "tokens"),
            (
                {"preset": "tiny", "hidden": 7, "batch": 6},
                {"preset": "tiny", "hidden": 7, "batch": 6, "cell": "gru", "layers": 2, "one_hot": True},
                {"preset": "tiny", "hidden": 7, "batch": 6, "bidirectional": True},
                {"preset": "tiny", "hidden": 7, "batch": 6, "unit": "word"},
            ),
        ),
        Row(
            "lm",
            _text,
            (*_LM, "--documents", "lines", "--dropout", "0.2"),
            30,
            ("loss", "perplexity", "bits_per_character", "tokens"),
            (
                {**_LINES, "window": 8},
                {**_LINES, "cell": "gru", "layers": 2, "one_hot": True},
                {**_LINES, "bidirectional": True},
                {**_LINES, "unit": "word"},
            ),
            variant="-lines",
        ),
        Row(
            "lm",
            _labelled,
            (*_LM, "--condition", "--condition-size", "3", "--dropout", "0.2"),
            30,
            ("loss", "perplexity", "bits_per_character", "tokens", "by_class"),
            (
                {**_CLASSES, "window": 8},
                {**_CLASSES, "condition_in": "first", "cell": "gru", "layers": 2, "one_hot": True},
                {**_CLASSES, "condition_in": "every", "unit": "word"},
            ),
            variant="-classes",
        ),
        Row(
            "parser",
            lambda folder: [corpora.path("toy")],
            _PARSER,
            4,
            ("labelled", "unlabelled", "exact_match", "tag_accuracy", "sentences"),
            (
                _STILL,
                {**_STILL, "objective": "softmax"},
                {**_STILL, "objective": "structured"},
                {**_STILL, "hidden": None, "encoder": "none", "composition": "tanh"},
                {**_STILL, "encoder": "gru", "composition": "lstm", "layers": 2},
            ),
        ),
        Row(
            "words",
            _text,
            (*_WORDS, "--dropout", "0.2", "--mask", "0.4", "--min-count", "1", "--valid-share", "0.2", "--batch", "8"),
            6,
            ("loss", "perplexity", "accuracy", "coverage", "guesses"),
            (
                _MASKED,
                {**_MASKED, "encoder": "cnn", "layers": 3, "subwords": 5},
                {**_MASKED, "encoder": "gru", "characters": 0, "targets": 5, "mask": 0.5},
            ),
        ),
        Row(
            "image",
            lambda folder: [],
            _IMAGE,
            10,
            ("accuracy", "error", "loss", "brier", "images", "classes", "confusion"),
            (
                {"plan": "conv 2x3, pool 4, full 5", "batch": 30, "shift": 0, "turn": 0.0, "stretch": 0.0},
                {"preset": "lstm", "hidden": 5, "dropout": 0.0, "batch": 30, "shift": 0, "turn": 0.0, "stretch": 0.0},
            ),
        ),
        Row(
            "tag",
            lambda folder: [corpora.path("toy_chunks")],
            (*_WORDS, "--subwords", "4", "--dropout", "0.2"),
            4,
            ("accuracy", "sentence_accuracy", "chunk", "intent_accuracy", "tokens", "sentences", "unknown_tokens"),
            (
                _CALM,
                {**_CALM, "crf": False},
                {**_CALM, "tag_column": 2, "subwords": 5},
                {**_CALM, "encoder": "cnn", "layers": 3},
                {**_CALM, "hidden": None, "encoder": "none"},
            ),
        ),
        Row(
            "classify",
            lambda folder: [corpora.path("requests")],
            (*_WORDS, "--dropout", "0.2", "--max-ngrams", "64"),
            8,
            ("accuracy", "macro_f1", "loss", "items", "rejected", "confusion"),
            (
                {**_CALM, "output_dropout": 0.0},
                {**_CALM, "output_dropout": 0.0, "pooling": "attention", "window": 3, "class_weights": "balanced"},
                {**_CALM, "output_dropout": 0.0, "pooling": "last", "bidirectional": False, "encoder": "gru"},
                {**_CALM, "output_dropout": 0.0, "encoder": "cnn", "unit": "char", "ngrams": 0, "character_ngrams": 0},
            ),
        ),
        Row(
            "tree",
            lambda folder: [corpora.path("opinions")],
            ("--preset", "tiny", "--words", "6", "--vector", "8"),
            10,
            ("root", "all", "loss", "trees", "nodes"),
            (
                _BARE,
                {**_BARE, "composition": "rntn"},
                {**_BARE, "composition": "tanh", "characters": 5},
                {**_BARE, "composition": "max", "encoder": "gru", "hidden": 8},
                {**_BARE, "composition": "relu", "encoder": "lstm", "hidden": 8, "layers": 2},
            ),
        ),
        Row(
            "scene",
            _scenes,
            ("--preset", "tiny", "--textons", "4", "--colours", "4", "--min-size", "8"),
            6,
            ("pixel_accuracy", "class_accuracy", "segments", "images", "by_class"),
            (
                _STILL_SCENES,
                {**_STILL_SCENES, "pair_epochs": 9},
                {**_STILL_SCENES, "leaves_only": True},
                {**_STILL_SCENES, "objective": "stepwise"},
                {**_STILL_SCENES, "objective": "softmax", "composition": "lstm", "rarity": 0.5},
            ),
        ),
        Row(
            "translate",
            _pairs,
            _TRANSLATE,
            4,
            ("bleu", "chrf", "exact_match", "token_error_rate", "loss", "items"),
            (
                _NO_CHANCE,
                {**_NO_CHANCE, "attention": "additive", "decoder_layers": 2, "cell": "lstm", "tied": True},
                {**_NO_CHANCE, "context": "every", "cell": "rnn", "layers": 2, "bidirectional": False},
                {**_NO_CHANCE, "context": "first", "unit": "word", "smoothing": 0.1},
                {**_NO_CHANCE, "unit": "bpe", "pieces": 30},
            ),
        ),
        Row("bigram", _text, ("--batch", "16"), 20, ("parameters",), ({"batch": 12},), toy=True),
    )
}


@cache
def toy_file() -> Path:
    """The task of CONTRIBUTING.md in a file of its own."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    folder = Path(tempfile.mkdtemp(prefix="seqtree-toy-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "bigram.py"
    file.write_text(code, encoding="utf-8")
    return file


@cache
def toy() -> Any:
    """Its module."""
    spec = importlib.util.spec_from_file_location("bigram", toy_file())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bigram"] = module
    spec.loader.exec_module(module)
    return module
