"""Language modelling as a task: predicting the next token of a text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError, SettingError
from seqtree.language.batches import (
    PADDING,
    LineBatches,
    apart,
    batches_of,
    inputs_and_targets,
    shift_inputs,
    surrounded_lines,
)
from seqtree.language.concerns import class_concerns, concerns, sentence_concerns
from seqtree.language.condition import STORED, Classes
from seqtree.language.config import BY_DROPOUT, DROPOUTS, OPTIONS, TRAINING_ONLY, LanguageNetworkConfig, LanguageRecipe
from seqtree.language.memorisation import MIN_COPY
from seqtree.language.model import LanguageModel
from seqtree.language.pieces import ROWS, validation_window
from seqtree.language.surprisals import MAX_LOGITS
from seqtree.language.validation import seconds_per_token, validation_loss
from seqtree.nn.losses import most_scored
from seqtree.nn.network import check_tensors
from seqtree.nn.recurrent import State
from seqtree.settings import overridden
from seqtree.text.config import SPECIALS
from seqtree.text.corpus import PreparedCorpus, beginning, prepare
from seqtree.text.documents import long_lines
from seqtree.text.items import held_out_items, prepare_items
from seqtree.text.labelled import Labelled, read_labelled
from seqtree.text.lexicon import LabelSet
from seqtree.text.reading import STANDARD_INPUT, check_standard_input
from seqtree.training.copying import grow, start_vectors
from seqtree.training.progress import Display
from seqtree.training.start import vector_width
from seqtree.training.task import Batch, Counted, Inputs, Task
from seqtree.wording import counted

RESET = 0.01  # how likely each row's state is forgotten after a window
MAX_VALIDATION = 250_000  # tokens
MIN_VALIDATION = 1024
MAX_COMPARED = 20_000_000  # training tokens whose lines are compared with those to validate on
MAX_MEASURING = 0.15  # of a budget in minutes, for the last validation and the report
BYTES_PER_WORD = 300  # of a vocabulary and the counting of it


class LanguageModelTask(Task[LanguageRecipe, LanguageModel, PreparedCorpus]):
    """Next-token prediction over a corpus, by truncated backpropagation with carried state.

    Now and then a row starts from the zero state (Melis, Dyer and Blunsom 2018): a network that has read on for a whole
    epoch may otherwise depend on what only a long text brings about, and do badly at the start of a text.
    A bidirectional network predicts every token of a window from both sides instead, and carries nothing. Lines that
    are items of their own each start from the zero state; see ``LineBatches``.
    """

    options = OPTIONS
    items = "tokens"
    implausible_loss = 1e-3

    def __init__(self, model: LanguageModel, data: PreparedCorpus, recipe: LanguageRecipe) -> None:
        super().__init__(model, data, recipe)
        self.batches = batches_of(data.train, model.vocabulary, recipe)
        self.state: State | None = None
        self._speed: tuple[float, float] | None = None

    @classmethod
    def over(cls, data: PreparedCorpus, recipe: LanguageRecipe, display: Display) -> Self:
        """Also cuts what is validated on to what a budget in minutes leaves time for, to a power of two."""
        task, valid = super().over(data, recipe, display), None
        minutes = recipe.training.minutes
        if minutes is not None and (valid := task.data.valid) is not None:
            affordable = 60 * minutes * MAX_MEASURING / (sum(task.measuring_seconds()) / len(valid))
            if affordable < len(valid):
                count = min(len(valid), max(MIN_VALIDATION, 1 << max(0, int(math.log2(affordable)))))
                display.warning(f"validating on the first {count:,} of {len(valid):,} tokens, for lack of time")
                task.data = replace(task.data, valid=beginning(valid, count, task.model.vocabulary))
        return task

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> LanguageRecipe:
        given = {name: value for name, value in options.items() if value is not None}
        if (dropout := given.pop("dropout", None)) is not None:
            given = {**dict.fromkeys(BY_DROPOUT, dropout), **given}
        width = vector_width(given, "embedding") if "vectors" in given else None
        start = LanguageModel.load(given["init_from"]) if "init_from" in given else None
        if given.setdefault("condition", bool(start and start.classes)):
            given.setdefault("documents", "lines")
        lines = given.setdefault("documents", start.settings.documents if start else "text") == "lines"
        if lines and not given.get("valid"):
            given = {"valid_from": "lines", **given}
        unit = start.settings.unit if start else given.get("unit", "char")
        if unit == "char" and (name := next((one for one in ("tokenizer", "word_dropout") if one in given), None)):
            raise SettingError(name, "only with --unit word")
        if start:
            return _started(start, given)
        base = OPTIONS.variant(unit, given.get("preset")).recipe.network
        if width is not None:
            given = _as_wide(given, width, base)
        recipe = OPTIONS.resolved({**given, **widths(given, base)}, unit)
        return replace(recipe, fits_dropout=recipe.fits_dropout and not given.keys() & {*DROPOUTS})

    @classmethod
    def read(cls, sources: Sequence[str], recipe: LanguageRecipe, display: Display) -> PreparedCorpus:
        held_out, grown = recipe.validation, recipe.start and recipe.start.vocabulary
        if recipe.condition.condition:
            corpus = _read_items(sources, recipe)
        else:
            corpus = prepare(
                sources,
                recipe.text,
                held_out.valid,
                held_out.valid_share,
                grown=grown,
                warn=display.warning,
                valid_from=held_out.valid_from,
            )
        if len(corpus.vocabulary) == len(SPECIALS[recipe.text.unit]):
            empty = (corpus.train.ids == corpus.vocabulary.end).all()
            read = ", ".join(STANDARD_INPUT if source == "-" else source for source in sources)
            raise InputError(
                "nothing is left to learn: the vocabulary holds only "
                f"{', '.join(map(ascii, corpus.vocabulary.tokens))}; "
                + (f"the lines of {read} are all empty" if empty else "lower --min-count")
            )
        for concern in chain(
            concerns(corpus, not held_out.valid, held_out.valid_from, recipe.text.lines),
            class_concerns(corpus),
            sentence_concerns(corpus) if recipe.text.tokenizer == "treebank" else (),
        ):
            display.warning(concern)
        if corpus.valid is None or len(corpus.valid) <= MAX_VALIDATION:
            return corpus
        display.warning(f"validating on the first {MAX_VALIDATION:,} of {len(corpus.valid):,} tokens set apart")
        return replace(corpus, valid=beginning(corpus.valid, MAX_VALIDATION, corpus.vocabulary))

    @classmethod
    def going_on(cls, recipe: LanguageRecipe, begun: Mapping[str, Any]) -> LanguageRecipe:
        """With the dropout that the run began with, also if it is to read its text more often now."""
        recipe, network = super().going_on(recipe, begun), begun.get("network")
        if not recipe.fits_dropout or not isinstance(network, dict):
            return recipe
        dropouts = {name: network.get(name) for name in DROPOUTS}
        return replace(recipe, network=overridden(recipe.network, dropouts), fits_dropout=False)

    @classmethod
    def fitted(cls, data: PreparedCorpus, recipe: LanguageRecipe, display: Display) -> LanguageRecipe:
        shape = recipe.batch.fitted(len(data.train), display.warning)
        shape = replace(shape, window=max(shape.window, 3 if recipe.network.bidirectional else 1))
        recipe = replace(recipe, batch=shape)
        if recipe.fits_epochs:
            steps = batches_of(data.train, data.vocabulary, recipe).steps_per_epoch
            recipe = recipe.with_enough_epochs(steps, display.message)
        if not recipe.fits_dropout:
            return recipe
        network = recipe.network.with_dropout_for(len(data.train), recipe.training.epochs)
        if (more := network.dropout_output) > (few := recipe.network.dropout_output):
            display.message(f"small corpus ({len(data.train):,} tokens): dropout {few:g} -> {more:g}")
        return replace(recipe, network=network)

    @classmethod
    def build(cls, data: PreparedCorpus, recipe: LanguageRecipe, display: Display) -> LanguageModel:
        classes = None
        if data.train.labels is not None:
            counts = np.bincount(data.train.labels, minlength=len(data.classes))
            if start := recipe.start and recipe.start.classes:
                counts[: len(start.counts)] += start.counts
            classes = Classes(LabelSet(data.classes), tuple(counts.tolist()), recipe.condition)
        model = LanguageModel.over(data.vocabulary, recipe.text, recipe.network, recipe.training.seed, classes)
        if start := recipe.start:
            grow(model.network, start.network, start.vocabulary.unknown, "decoder.bias")
            known = len(start.vocabulary)
            new = len(data.vocabulary) - known
            display.message(f"starting from {recipe.run.init_from}: {known:,} tokens known, {new:,} new")
        elif recipe.run.vectors is not None:
            display.message(start_vectors(model.network.embedding.weight, data.vocabulary, recipe.run.vectors))
        return model

    def counted(self) -> Counted:
        network = self.model.network
        return {} if network.config.one_hot else {"tokens": (network.embedding.weight, [self.data.train.ids])}

    @property
    def steps_per_epoch(self) -> int:
        return self.batches.steps_per_epoch

    def inputs(self) -> Inputs:
        """Lines; of whole texts the long ones, for short ones come again in any text. Nothing of very large texts."""
        train, valid, text = self.data.train.ids, self.data.valid, self.recipe.text
        if valid is None or len(train) > MAX_COMPARED:
            return (), ()
        end, least = self.model.vocabulary.end, 1 if text.lines else MIN_COPY[text.unit]
        return long_lines(train, end, least), long_lines(valid.ids, end, least)

    def fingerprint(self) -> str:
        return self.data.fingerprint

    def identity(self) -> dict[str, Any]:
        same = {**super().identity(), "vocabulary": len(self.model.vocabulary)}
        if classes := self.model.classes:
            same |= {"classes": classes.to_json(), "condition_dropout": self.recipe.condition.condition_dropout}
        return same

    def batch(self, epoch: int, step: int) -> Batch:
        return self.batches.batch(epoch, step)

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        network, vocabulary, lines = self.model.network, self.model.vocabulary, self.recipe.text.lines
        if network.config.bidirectional:
            return self._surrounded_loss(batch)
        classes, rows = apart(batch, self.model.classes is not None, self.model.device)
        loss, state = network.loss(*inputs_and_targets(rows, vocabulary, self.model.device), self.state, classes)
        if lines:
            going = rows[0, -1] not in (vocabulary.end, PADDING)  # as are all of its lines, or none
            self.state = tuple(part.detach() for part in state) if going else None
        else:
            kept = torch.rand(state[0].shape[1], 1, device=loss.device) >= RESET
            self.state = tuple(part.detach() * kept for part in state)
        return loss, int(np.count_nonzero(rows[:, 1:] != PADDING))

    def _surrounded_loss(self, batch: Batch) -> tuple[Tensor, int]:
        network, vocabulary, device = self.model.network, self.model.vocabulary, self.model.device
        if self.recipe.text.lines:
            context, lengths, targets = surrounded_lines(batch, vocabulary, device)
            output = network.surrounded_states(context, lengths)
            return network.output_loss(output, targets), int(lengths.sum())
        inputs, targets = inputs_and_targets(batch, vocabulary, device)
        end = shift_inputs(targets[-1:], vocabulary)  # the window's last token is context only
        output = network.surrounded_states(torch.cat([inputs, end]))
        return network.output_loss(output, targets[:-1]), targets[:-1].numel()

    @property
    def validation_items(self) -> int:
        return len(self.data.valid or ())

    def evaluate(self) -> dict[str, float] | None:
        if self.data.valid is None:
            return None
        network, vocabulary, lines = self.model.network, self.model.vocabulary, self.recipe.text.lines
        return {"loss": validation_loss(network, vocabulary, self.data.valid, lines=lines, share=self.share)}

    def measure(self, model: LanguageModel) -> tuple[dict[str, Any], str]:
        measured = model.evaluate_stream(self.data.valid or self.data.train)
        summary = (
            f"loss {measured.loss:.4f} nats per token, perplexity {measured.perplexity:.2f}, "
            f"{measured.bits_per_character:.4f} bits per character"
        )
        if measured.by_class:
            summary += ", the classes given"
        return measured.to_json(), "; ".join([summary, *(f"not comparable: {why}" for why in measured.reservations)])

    def measuring_seconds(self) -> tuple[float, float]:
        stream = self.data.valid or self.data.train
        lines = self.recipe.text.lines
        self._speed = self._speed or seconds_per_token(self.model.network, self.model.vocabulary, stream, lines)
        evaluation, report = self._speed
        return evaluation * len(self.data.valid or ()), report * len(stream)

    def describe(self) -> str:
        config, shape = self.model.network.config, self.recipe.batch
        valid = f"{len(self.data.valid):,}" if self.data.valid else "no"
        data = self.data
        read = f"{counted(data.files, 'file')} read, {len(data.skipped):,} skipped; "
        files = read if data.files > 1 or data.skipped else ""
        lines = f"{counted(len(self.batches), 'line')}, " if isinstance(self.batches, LineBatches) else ""
        lines += f"{counted(len(data.classes), 'class')}, " if data.classes else ""
        unknown = f" ({data.train.unknown / len(data.train):.1%} unknown)" if data.train.unknown else ""
        last = "" if config.output_size == config.hidden else f" (the last {config.output_size})"
        return (
            f"{files}{lines}{len(self.data.train):,} training{unknown} and {valid} validation tokens, vocabulary "
            f"{len(self.model.vocabulary):,}; {config.cell} {config.layers}x{config.hidden}{last}, batch "
            f"{shape.batch}x{shape.window}"
        )

    def activations(self) -> int:
        """The logits of a step have eight arrays at once, of which bfloat16 halves the size; measured on CPUs."""
        config, shape, words = self.model.network.config, self.recipe.batch, len(self.model.vocabulary)
        size = 2 if self.model.network.products == torch.bfloat16 else 4
        items = shape.batch * shape.window
        scored = most_scored(words, items) if self.model.network.samples_softmax else words
        step = items * (8 * size * scored + 40 * config.hidden * config.layers)
        rows = ROWS * validation_window(config)
        evaluation = 8 * min(MAX_LOGITS, rows * words) + 24 * rows * config.hidden
        return max(step, evaluation) + BYTES_PER_WORD * words

    def start_epoch(self) -> None:
        self.state = None

    def carried(self) -> dict[str, Tensor]:
        return {str(index): part.transpose(0, 1) for index, part in enumerate(self.state or ())}

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        network, rows = self.model.network, len(next(iter(carried.values()), ()))
        zero = network.recurrent.zero_state(rows, network.decoder.weight) if carried else ()
        check_tensors(carried, {str(index): part.transpose(0, 1) for index, part in enumerate(zero)})
        parts = (carried[str(index)].transpose(0, 1).contiguous() for index in range(len(carried)))
        self.state = tuple(part.to(self.model.device) for part in parts) or None


def _started(start: LanguageModel, given: Mapping[str, Any]) -> LanguageRecipe:
    """The recipe that continues from a model, which keeps its shape; InputError for options that would change it."""
    config, unit = start.network.config, start.settings.unit
    fixed = {name: value for name, value in config.to_json().items() if name not in TRAINING_ONLY}
    fixed |= {"unit": unit, "tokenizer": start.settings.tokenizer}
    if start.classes:
        fixed |= {"condition": True} | {name: getattr(start.classes.settings, name) for name in STORED}
    others = [name for name in sorted(fixed) if given.get(name, fixed[name]) != fixed[name]]
    if others:
        facts = ", ".join(f"--{name.replace('_', '-')} {given[name]} (it has {fixed[name]})" for name in others)
        raise InputError(f"{facts}: the model of --init-from cannot be changed in this")
    free = {name: value for name, value in given.items() if name not in fixed}
    recipe = OPTIONS.resolved({**free, **{name: fixed[name] for name in ("condition", *STORED) if name in fixed}}, unit)
    changed = {name: given[name] for name in TRAINING_ONLY if name in given}
    text = replace(recipe.text, unit=unit, tokenizer=start.settings.tokenizer)
    return replace(recipe, start=start, network=replace(config, **changed), text=text, fits_dropout=False)


def _read_items(sources: Sequence[str], recipe: LanguageRecipe) -> PreparedCorpus:
    """Texts with their classes. Raises InputError, among others for a single class, which would tell nothing."""
    held_out, settings, start = recipe.validation, recipe.condition, recipe.start

    def read(specs: Sequence[str]) -> list[Labelled]:
        return read_labelled(specs, recipe.text.encoding, settings.label_column, settings.text_column)

    check_standard_input((*sources, *held_out.valid))
    training, valid = read(sources), read(held_out.valid) if held_out.valid else []
    if not valid:
        training, valid = held_out_items(training, held_out.valid_share, held_out.valid_from)
    known = start.classes.labels.names if start and start.classes else ()
    if len({item.label for item in training} | set(known)) < 2:
        raise InputError(f"{', '.join(sources)}: every text is {training[0].label!r}; expected two classes or more")
    return prepare_items(training, valid, recipe.text, start and start.vocabulary, known)


def _as_wide(given: Mapping[str, Any], width: int, base: LanguageNetworkConfig) -> dict[str, Any]:
    """The given options with embeddings of that width, the units as in the preset; InputError if it cannot have them.

    With the output tied by request, the network has as many units.
    """
    if given.get("unit", "char") != "word" or given.get("one_hot"):
        what = "a one-hot input has no vectors" if given.get("one_hot") else "they are vectors of words"
        raise InputError(f"--vectors: {what}; expected --unit word and no --one-hot")
    return {"hidden": width if given.get("tied") else base.hidden, **given, "embedding": width}


def widths(given: Mapping[str, Any], base: LanguageNetworkConfig) -> dict[str, Any]:
    """What follows from the given options for a preset's tied output: its other width, or that it is given up.

    Where only one of the widths is given, the other stays as in a preset whose embedding is narrower, and is otherwise
    the same.
    """
    hidden, embedding = given.get("hidden"), given.get("embedding")
    if given.get("tied") and embedding is None:
        return {"embedding": hidden or base.hidden}
    if not base.tied or "tied" in given:
        return {}
    several = given.get("layers", base.layers) > 1
    if several and base.embedding < base.hidden:
        hidden = hidden or max(base.hidden, embedding or 0)
        embedding = embedding or min(base.embedding, hidden)
    else:
        width = hidden or embedding or base.hidden
        hidden, embedding = hidden or width, embedding or width
    fits = embedding <= hidden if several else embedding == hidden
    if given.get("one_hot") or given.get("bidirectional") or not fits:
        return {"tied": False}
    return {"hidden": hidden, "embedding": embedding}
