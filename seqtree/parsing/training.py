"""Training a parser from treebanks: the recipe, the pre-flight line, the run, the last measurement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nltk.tree import Tree

from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.nn.device import choose_device, choose_dtype
from seqtree.parsing.evaluation import evaluate
from seqtree.parsing.model import Parser
from seqtree.parsing.network import ParserConfig
from seqtree.parsing.objectives import ObjectiveSettings
from seqtree.parsing.presets import preset
from seqtree.parsing.start import checked_words, start_from
from seqtree.parsing.task import ParserTask
from seqtree.text.reading import check_standard_input
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder
from seqtree.training.settings import TrainingSettings, overridden
from seqtree.treebank.binary import BinaryTree, binarise
from seqtree.treebank.bracketed import Place, words_of
from seqtree.treebank.normalise import normalise
from seqtree.treebank.sources import trees

MAX_WORDS = 2000  # of a training tree; time and memory of a step grow with their square
MAX_VALIDATION = 2000  # trees


@dataclass(frozen=True)
class Recipe:
    """Everything that ``seqtree parser train`` is told."""

    trees: tuple[str, ...]
    out: Path
    network: ParserConfig
    objective: ObjectiveSettings
    batch: int
    training: TrainingSettings
    valid: tuple[str, ...] = ()
    valid_share: float = 0.1
    min_count: int = 1
    half: bool = False
    init_from: str | None = None
    encoding: str = "utf-8"
    device: str = "auto"
    precision: str = "auto"
    resume: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise InputError(f"batch {self.batch}: expected at least 1")
        if not 0.0 <= self.valid_share < 1.0:
            raise InputError(f"valid_share {self.valid_share}: expected a share from 0 to below 1")

    @classmethod
    def from_options(cls, specs: Sequence[str], options: Mapping[str, Any]) -> Recipe:
        """From the command line's options; those that are None are left to the preset."""
        chosen = preset(options["preset"] or "medium")
        if options["init_from"] and options["words"] is not None:
            raise InputError("--words: with --init-from, word vectors are as wide as the language model's")
        rest = (
            "out",
            "valid",
            "valid_share",
            "min_count",
            "half",
            "init_from",
            "encoding",
            "device",
            "precision",
            "resume",
        )
        return cls(
            trees=tuple(specs),
            network=overridden(chosen.network, options),
            objective=overridden(chosen.objective, options),
            batch=chosen.batch if options["batch"] is None else options["batch"],
            training=overridden(chosen.training, options),
            **{name: options[name] for name in rest},
        )


def train_parser(recipe: Recipe, display: Display) -> dict[str, Any]:
    """Train, and return the last evaluation with {steps, seconds, words_per_second, model, interrupted}.

    Raises InputError for trees, options or a folder that do not serve; DivergenceError; OSError.
    """
    run = RunFolder(recipe.out)
    with run.opened(recipe.resume):
        training, valid = _read(recipe, display)
        device = choose_device(recipe.device)
        gold = [binarise(tree) for tree in training]
        parser = _untrained(recipe, gold, display)
        parser.network.to(device).products = choose_dtype(recipe.precision, device)
        task = ParserTask(parser, gold, valid, recipe.objective, recipe.batch, recipe.training.seed, recipe.half)
        display.message(_preflight(task, recipe.training))
        result = Trainer(task, recipe.training, run, display).fit(recipe.resume, _config(recipe, parser.network.config))
        display.close()
        report: dict[str, Any] = {
            "steps": result.steps,
            "seconds": round(result.seconds, 3),
            "words_per_second": round(result.items_per_second, 1),
            "model": str(run.path),
            "interrupted": result.interrupted,
        }
        if result.interrupted:
            display.message(f"interrupted and saved at step {result.steps:,}; go on with --resume")
            return report
        measured = evaluate(Parser.load(run.path, recipe.precision, recipe.device), valid or training)
        where = "validation" if valid else "training trees"
        report = {**measured.to_json(), **report, "best_step": result.best_step, "measured_on": where}
        display.message(
            f"{where}: labelled F1 {measured.scores.labelled.f1:.2f}, unlabelled F1 "
            f"{measured.scores.unlabelled.f1:.2f}, tags {measured.scores.tag_accuracy:.2f} %"
        )
        return report


def read_normalised(
    specs: Sequence[str],
    encoding: str = "utf-8",
    say: Callable[[str], None] | None = None,
    most_words: float = math.inf,
) -> list[Tree]:
    """The normalised trees that TREES name. Raises InputError.

    Left out are those without a word (of traces only) and those of more than ``most_words``; ``say`` gets a line about
    them, if there are any.
    """
    kept = []
    left_out: dict[str, list[Place]] = {}
    for tree, place in trees(specs, encoding):
        normal = normalise(tree)
        if normal is None:
            left_out.setdefault("without a word", []).append(place)
        elif len(words_of(normal)) > most_words:
            left_out.setdefault(f"of more than {most_words:,} words", []).append(place)
        else:
            kept.append(normal)
    for why, places in left_out.items():
        if say is not None:
            say(f"{places[0]}: a tree {why}, left out" + (f", as are {len(places) - 1:,} more" if places[1:] else ""))
    return kept


def _read(recipe: Recipe, display: Display) -> tuple[list[Tree], list[Tree]]:
    """Training and validation trees."""
    check_standard_input((*recipe.trees, *recipe.valid))
    training = read_normalised(recipe.trees, recipe.encoding, display.warning, MAX_WORDS)
    if recipe.valid:
        valid = read_normalised(recipe.valid, recipe.encoding, display.warning)
        if not valid:
            raise InputError(f"{', '.join(recipe.valid)}: no tree with a word in it to validate on")
    else:
        cut = len(training) - min(MAX_VALIDATION, round(recipe.valid_share * len(training)))
        training, valid = training[:cut], training[cut:]
    if not training:
        raise InputError(f"{', '.join(recipe.trees)}: no tree is left to train on")
    if len(valid) > MAX_VALIDATION:
        display.warning(f"validating on the first {MAX_VALIDATION:,} of {len(valid):,} trees set apart")
        valid = valid[:MAX_VALIDATION]
    return training, valid


def _untrained(recipe: Recipe, gold: Sequence[BinaryTree], display: Display) -> Parser:
    config = replace(recipe.network, whole_trees=recipe.objective.objective == "structured")
    seed, rarest = recipe.training.seed, recipe.min_count
    if recipe.init_from is None:
        return Parser.untrained(gold, config, seed, rarest)
    model = LanguageModel.load(recipe.init_from)
    more = checked_words(model)
    parser = Parser.untrained(gold, replace(config, words=model.network.config.embedding), seed, rarest, more)
    display.message(start_from(parser, model))
    return parser


def _preflight(task: ParserTask, settings: TrainingSettings) -> str:
    lexicon, network = task.parser.lexicon, task.model
    parameters = sum(parameter.numel() for parameter in network.parameters())
    words = sum(len(tree) for tree in task.gold)
    steps = task.steps_per_epoch * settings.epochs
    budget = f"{settings.epochs:g} epochs, {steps:,.0f} steps"
    if settings.minutes is not None:
        budget = f"{settings.minutes:g} minutes"
    return (
        f"{len(task.gold):,} training trees of {words:,} words, {len(task.valid):,} validation trees; "
        f"{len(lexicon.words):,} words, {len(lexicon.labels):,} labels, {len(lexicon.tags):,} tags; encoder "
        f"{network.config.encoder}, composition {network.config.composition}, {parameters:,} parameters; "
        f"{task.objective.objective}, batch {task.size}; {budget}"
    )


def _config(recipe: Recipe, network: ParserConfig) -> dict[str, Any]:
    return {
        "command": "parser train",
        "trees": list(recipe.trees),
        "valid": list(recipe.valid),
        "valid_share": recipe.valid_share,
        "min_count": recipe.min_count,
        "init_from": recipe.init_from,
        "half": recipe.half,
        "network": network.to_json(),
        "objective": asdict(recipe.objective),
        "batch": recipe.batch,
        "training": recipe.training.to_json(),
    }
