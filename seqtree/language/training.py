"""Training a language model from text files: the recipe, the pre-flight line, the run, the last measurement."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from seqtree.errors import InputError
from seqtree.language.batches import BatchShape
from seqtree.language.evaluation import evaluate
from seqtree.language.growth import grown
from seqtree.language.model import LanguageModel
from seqtree.language.network import TRAINING_ONLY, NetworkConfig, RecurrentLanguageModel
from seqtree.language.presets import preset
from seqtree.language.task import LanguageModelTask
from seqtree.nn.device import choose_device, choose_dtype
from seqtree.text.corpus import PreparedCorpus, TextSettings, prepare
from seqtree.text.reading import sources
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display, clock
from seqtree.training.run_folder import RunFolder
from seqtree.training.settings import TrainingSettings, overridden

MIN_STEPS, MAX_EPOCHS = 2000, 40  # by default a small text is read until it has had so many steps
MAX_VALIDATION = 250_000  # tokens


@dataclass(frozen=True)
class Recipe:
    """Everything that ``seqtree lm train`` is told."""

    corpus: tuple[str, ...]
    out: Path
    text: TextSettings
    network: NetworkConfig
    shape: BatchShape
    training: TrainingSettings
    valid: tuple[str, ...] = ()
    valid_share: float = 0.1
    init_from: str | None = None
    device: str = "auto"
    precision: str = "auto"
    resume: bool = False
    epochs_given: bool = True

    @classmethod
    def from_options(cls, corpus: Sequence[str], options: Mapping[str, Any]) -> Recipe:
        """From the command line's options; those that are None are left to the preset."""
        start = LanguageModel.load(options["init_from"]) if options["init_from"] else None
        given = {**options, "unit": start.settings.unit if start else options["unit"] or "char"}
        chosen = preset(options["preset"] or "small", given["unit"])
        if options["dropout"] is not None:
            for name in ("dropout_input", "dropout_hidden", "dropout_output"):
                given[name] = given[name] if given[name] is not None else options["dropout"]
        return cls(
            corpus=tuple(corpus),
            out=options["out"],
            text=overridden(TextSettings(), given),
            network=_inherited(start.network.config, options, given) if start else _network(chosen.network, given),
            shape=overridden(chosen.shape, options),
            training=overridden(chosen.training, options),
            epochs_given=options["epochs"] is not None,
            **{k: options[k] for k in ("valid", "valid_share", "init_from", "device", "precision", "resume")},
        )


def _inherited(config: NetworkConfig, options: Mapping[str, Any], given: Mapping[str, Any]) -> NetworkConfig:
    """The network of the model to start from, with other dropout if asked; InputError for what would not fit it."""
    dropouts = {name: given[name] for name in TRAINING_ONLY if given.get(name) is not None}
    fixed = {**config.to_json(), "unit": given["unit"]}
    others = [name for name in sorted(fixed.keys() - dropouts.keys()) if options.get(name) not in (None, fixed[name])]
    if others:
        facts = ", ".join(f"--{name.replace('_', '-')} {options[name]} (it has {fixed[name]})" for name in others)
        raise InputError(f"{facts}: the model of --init-from cannot be changed in this")
    return replace(config, **dropouts)


def _network(base: NetworkConfig, options: Mapping[str, Any]) -> NetworkConfig:
    """The preset's network with the options given; what rules out its tied output or follows from it is adapted."""
    given = {k: v for k, v in options.items() if k in NetworkConfig.__dataclass_fields__ and v is not None}
    untied = given.get("one_hot") or given.get("bidirectional")
    if base.tied and "tied" not in given:
        if untied or given.get("embedding", given.get("hidden")) != given.get("hidden", given.get("embedding")):
            given["tied"] = False
        elif "hidden" in given or "embedding" in given:
            width = given.get("hidden", given.get("embedding"))
            given["hidden"] = given["embedding"] = width
    elif given.get("tied") and "embedding" not in given:
        given["embedding"] = given.get("hidden", base.hidden)
    return replace(base, **given)


def train_language_model(recipe: Recipe, display: Display) -> dict[str, Any]:
    """Train, and return the last evaluation with {steps, seconds, tokens_per_second, model, interrupted}.

    Raises InputError for text, options or a folder that do not serve; DivergenceError; OSError.
    """
    run = RunFolder(recipe.out)
    with run.opened(recipe.resume), _read_once(recipe) as paths:
        start = LanguageModel.load(recipe.init_from) if recipe.init_from else None
        text = recipe.text
        if start:
            text = replace(text, unit=start.settings.unit, tokenizer=start.settings.tokenizer)
        corpus = prepare(paths, text, recipe.valid or None, recipe.valid_share, None, display.warning)
        if start:
            vocabulary = start.vocabulary.extended(_counts(corpus), text.min_count, text.max_vocabulary)
            corpus = prepare(paths, text, recipe.valid or None, recipe.valid_share, vocabulary, display.warning)
        corpus = _capped(corpus, display)
        task, settings = _task(recipe, corpus, text, start, display)
        display.message(_preflight(task, settings))
        result = Trainer(task, settings, run, display).fit(recipe.resume, _config(recipe, task, settings))
        display.close()
        report: dict[str, Any] = {
            "steps": result.steps,
            "seconds": round(result.seconds, 3),
            "tokens_per_second": round(result.items_per_second, 1),
            "model": str(run.path),
            "interrupted": result.interrupted,
        }
        if result.interrupted:
            display.message(f"interrupted and saved at step {result.steps:,}; go on with --resume")
            return report
        best = LanguageModel.load(run.path)
        measured = evaluate(best.network, best.vocabulary, corpus.valid or corpus.train)
        report = {
            **measured.to_json(),
            **report,
            "best_step": result.best_step,
            "measured_on": "validation" if corpus.valid else "training text",
        }
        display.message(
            f"{report['measured_on']}: loss {measured.loss:.4f} nats per token, perplexity "
            f"{measured.perplexity:.2f}, {measured.bits_per_character:.4f} bits per character"
        )
        return report


@contextmanager
def _read_once(recipe: Recipe) -> Iterator[list[str]]:
    """The paths of the corpus; where a model grows, and so reads its text twice, standard input copied to a file."""
    with ExitStack() as stack:
        yield [
            str(stack.enter_context(sources([path]))[0][0].path) if path == "-" and recipe.init_from else path
            for path in recipe.corpus
        ]


def _counts(corpus: PreparedCorpus) -> dict[str, int]:
    """Tokens of the training text with a count each above any limit: the corpus' own vocabulary has applied them."""
    tokens = corpus.vocabulary.tokens
    return {token: len(tokens) + 1_000_000 - i for i, token in enumerate(tokens)}


def _capped(corpus: PreparedCorpus, display: Display) -> PreparedCorpus:
    """At most ``MAX_VALIDATION`` validation tokens; the length of their text is taken in proportion."""
    valid = corpus.valid
    if valid is None or len(valid) <= MAX_VALIDATION:
        return corpus
    display.warning(f"validating on the first {MAX_VALIDATION:,} of {len(valid):,} tokens set apart")
    share = MAX_VALIDATION / len(valid)
    ids = valid.ids[:MAX_VALIDATION]
    unknown = int((ids == corpus.vocabulary.unknown).sum())
    first = TokenStream(ids, round(valid.characters * share), round(valid.bytes * share), unknown)
    return replace(corpus, valid=first)


def _task(
    recipe: Recipe, corpus: PreparedCorpus, text: TextSettings, start: LanguageModel | None, display: Display
) -> tuple[LanguageModelTask, TrainingSettings]:
    device = choose_device(recipe.device)
    if start:
        dropouts = {name: getattr(recipe.network, name) for name in TRAINING_ONLY}
        model = grown(start, corpus.vocabulary, replace(start.network.config, **dropouts), recipe.training.seed)
        display.message(
            f"starting from {recipe.init_from}: {len(start.vocabulary):,} tokens known, "
            f"{len(model.vocabulary) - len(start.vocabulary):,} new"
        )
    else:
        model = _untrained(corpus.vocabulary, text, recipe.network, recipe.training.seed)
    model.network.to(device)
    least = 3 if model.network.config.bidirectional else 1
    shape = recipe.shape.fitted(len(corpus.train), display.warning)
    shape = replace(shape, window=max(shape.window, least))
    dtype = choose_dtype(recipe.precision, device)
    task = LanguageModelTask(model, corpus, shape, recipe.training.seed, dtype)
    settings = recipe.training
    if not recipe.epochs_given and settings.minutes is None:
        epochs = min(MAX_EPOCHS, max(settings.epochs, math.ceil(MIN_STEPS / task.steps_per_epoch)))
        settings = replace(settings, epochs=float(epochs))
    return task, settings


def _untrained(vocabulary: Vocabulary, text: TextSettings, network: NetworkConfig, seed: int) -> LanguageModel:
    with torch.random.fork_rng(devices=[]):  # without asking for a GPU
        torch.manual_seed(seed)
        return LanguageModel(vocabulary, text, RecurrentLanguageModel(len(vocabulary), network))


def _seconds_per_step(task: LanguageModelTask) -> float:
    """The time of the first step's loss and gradient, tried three times; nothing is changed."""
    times = []
    with torch.random.fork_rng(devices=[]):  # without asking for a GPU; every step seeds its own
        for _ in range(3):
            began = time.perf_counter()
            task.model.train()
            task.loss(0, 0)[0].backward()
            task.model.zero_grad(set_to_none=True)
            times.append(time.perf_counter() - began)
    return min(times)


def _preflight(task: LanguageModelTask, settings: TrainingSettings) -> str:
    """Tokens, vocabulary, parameters, memory and time, before anything is spent."""
    corpus, network = task.corpus, task.model
    parameters = sum(p.numel() for p in network.parameters())
    copies = 3 + (settings.optimizer == "adamw") + (settings.averaging != "none")
    tokens = task.shape.rows * task.shape.window
    activations = tokens * (len(corpus.vocabulary) * 2 + 10 * network.config.hidden * network.config.layers) * 4
    megabytes = (parameters * 4 * copies + activations) / 1e6
    valid = f"{len(corpus.valid):,}" if corpus.valid else "no"
    steps = task.steps_per_epoch * settings.epochs
    if settings.minutes is not None:
        budget = f"{settings.minutes:g} minutes"
    else:
        expected = clock(1.2 * steps * _seconds_per_step(task))  # a fifth for the update and the evaluations
        budget = f"{settings.epochs:g} epochs, {steps:,.0f} steps, about {expected}"
    return (
        f"{len(corpus.train):,} training and {valid} validation tokens, vocabulary {len(corpus.vocabulary):,}; "
        f"{network.config.cell} {network.config.layers}x{network.config.hidden}, {parameters:,} parameters, about "
        f"{megabytes:,.0f} MB; batch {task.shape.rows}x{task.shape.window}; {budget}"
    )


def _config(recipe: Recipe, task: LanguageModelTask, settings: TrainingSettings) -> dict[str, Any]:
    return {
        "command": "lm train",
        "corpus": [path if path == "-" else str(Path(path).resolve()) for path in recipe.corpus],
        "valid": [str(Path(path).resolve()) for path in recipe.valid],
        "valid_share": recipe.valid_share,
        "text": asdict(task.language_model.settings),
        "network": task.model.config.to_json(),
        "batch": task.shape.rows,
        "window": task.shape.window,
        "training": settings.to_json(),
        "fingerprint": task.corpus.fingerprint,
    }
