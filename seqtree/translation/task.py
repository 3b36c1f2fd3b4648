"""Translating as a task: learning from pairs of texts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.text.config import SPECIALS
from seqtree.text.reading import check_standard_input
from seqtree.text.spaces import UNSPACED, unspaced
from seqtree.training.batches import Ids, SentenceTask
from seqtree.training.copying import grow
from seqtree.training.progress import Display
from seqtree.training.start import taken_over
from seqtree.training.task import Batch, Counted, Inputs
from seqtree.translation.config import OPTIONS, PairSettings, TranslationRecipe
from seqtree.translation.data import MAX_VALIDATION, Pair, letters_apart, read_pairs, set_apart
from seqtree.translation.evaluation import evaluate
from seqtree.translation.model import Translator, padded
from seqtree.translation.units import Units
from seqtree.wording import counted

SHAPE = ("cell", "embedding", "hidden", "layers", "decoder_layers", "bidirectional", "context", "attention", "tied")


class PairData(NamedTuple):
    """Training pairs, and pairs to validate on."""

    training: list[Pair]
    valid: list[Pair]


class _Numbered(NamedTuple):
    """Sources and targets in numbers."""

    sources: list[Ids]
    targets: list[Ids]


class TranslationTask(SentenceTask[TranslationRecipe, Translator, PairData]):
    """Learning to translate; the best model is the one with the lowest loss.

    The length of a row is that of its source and its target. The loss is the mean of its target tokens', ends included.
    """

    options = OPTIONS
    items = "tokens"

    def __init__(self, model: Translator, data: PairData, recipe: TranslationRecipe) -> None:
        self.training, self.valid = (_numbered(model, pairs) for pairs in data)
        super().__init__(model, data, recipe, _lengths(self.training))

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> TranslationRecipe:
        recipe = OPTIONS.resolved(options)
        if recipe.run.init_from:
            start = Translator.load(recipe.run.init_from)
            shape = {name: getattr(start.network.config, name) for name in SHAPE}
            recipe = taken_over(recipe, start, options, {"network": shape, "pairs": {"unit": start.source.unit}})
        if recipe.pairs.min_count is None:
            recipe = replace(recipe, pairs=replace(recipe.pairs, min_count=1 + (recipe.pairs.unit == "word")))
        return recipe

    @classmethod
    def read(cls, sources: Sequence[str], recipe: TranslationRecipe, display: Display) -> PairData:
        how, held = recipe.pairs, recipe.validation
        check_standard_input((*sources, *how.target, *held.valid, *how.valid_target))
        pairs = read_pairs(sources, how.target, how.swap, how.encoding)
        if held.valid:
            training, valid = pairs, read_pairs(held.valid, how.valid_target, how.swap, how.encoding)
            if len(valid) > MAX_VALIDATION:
                _, chosen = set_apart(valid, MAX_VALIDATION / len(valid))
                display.warning(f"validating on {len(chosen):,} of {len(valid):,} pairs set apart")
                valid = chosen
        else:
            training, valid = set_apart(pairs, held.valid_share)
        if not training:
            raise InputError(f"{', '.join(sources)}: no pair is left to train on")
        if how.target and 2 * sum("\t" in pair.source for pair in training) > len(training):
            display.warning("most sources have a tab, which is read as a space: with --target, FILES hold sources only")
        if how.unit == "char" and any(letters_apart(pair[side] for pair in training) for side in (0, 1)):
            display.warning(
                "letters stand by themselves, and the spaces between them are read, too; --unit word reads letters only"
            )
        for side, name in enumerate(("sources", "targets")):
            if how.unit == "word" and unspaced([pair[side] for pair in training]):
                display.warning(f"{name}: {UNSPACED}: expected --unit char or --unit bpe")
        return PairData(training, valid)

    @classmethod
    def build(cls, data: PairData, recipe: TranslationRecipe, display: Display) -> Translator:
        how, start = recipe.pairs, recipe.start
        source, target = (_units(data.training, side, recipe) for side in (0, 1))
        for name, units in (("source", source), ("target", target)):
            if len(units) == len(SPECIALS["word"]):
                raise InputError(
                    f"min_count {how.min_count}: no token of a {name} occurs so often, and nothing is left to learn"
                )
            if how.unit == "bpe" and len(units) > how.pieces and not start:
                display.warning(f"{len(units):,} {name} pieces, more than asked for: every character is one")
        for pair in (*data.training, *data.valid):
            _check_length(pair, source, target, how)
        made = Translator.over(source, target, data.training, recipe.network, recipe.training.seed)
        if start:
            made.growth = max(made.growth, start.growth)
            unknown = start.source.vocabulary.unknown
            grow(made.network, start.network, unknown, "output.bias")
            known, new = (len(one.source) + len(one.target) for one in (start, made))
            display.message(f"starting from {recipe.run.init_from}: {known:,} tokens known, {new - known:,} new")
        return made

    def counted(self) -> Counted:
        network, (sources, targets) = self.model.network, self.training
        return {"sources": (network.source.weight, sources), "targets": (network.target.weight, targets)}

    def inputs(self) -> Inputs:
        training, valid = self.data
        return (pair.source for pair in training), (pair.source for pair in valid)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for part in self.data:
            for pair in part:
                digest.update(f"{pair.source}\t{pair.target}\n".encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        how = self.recipe.pairs
        known = {"unit": how.unit, "source": len(self.model.source), "target": len(self.model.target)}
        return {**super().identity(), "known": known}

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        return self._loss(self.training, batch)

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float] | None:
        if not self.data.valid:
            return None
        self.model.network.eval()
        lengths = _lengths(self.valid)
        steps = math.ceil(len(lengths) / self.recipe.batch.batch)
        batches = np.array_split(np.argsort(lengths, kind="stable"), steps)
        parts = self.share(self._measured, batches)
        return {"loss": sum(loss * count for loss, count in parts) / sum(count for _, count in parts)}

    def _measured(self, batches: Sequence[Batch]) -> list[tuple[float, int]]:
        """The mean loss and the items of each batch of validation pairs."""
        parts = (self._loss(self.valid, rows) for rows in batches)
        return [(loss.item(), count) for loss, count in parts]

    def measure(self, model: Translator) -> tuple[dict[str, Any], str]:
        measured = evaluate(model, self.data.valid or self.data.training[:MAX_VALIDATION])
        bleu = "" if measured.bleu is None else f", BLEU {measured.bleu:.2f}"
        summary = (
            f"exact match {100 * measured.exact_match:.2f} %, token error rate {100 * measured.token_error_rate:.2f} %"
            f"{bleu}, loss {measured.loss:.4f}"
        )
        return measured.to_json(), summary

    def describe(self) -> str:
        c, model = self.model.network.config, self.model
        context = f"{c.attention} attention" if c.attends else f"context {c.context}"
        return (
            f"{counted(len(self.data.training), 'training pair')}, {counted(len(self.data.valid), 'validation pair')}; "
            f"{len(model.source):,} source tokens, {len(model.target):,} target tokens ({model.target.unit}); {c.cell} "
            f"{c.layers}x{c.hidden} to {c.decoder_layers}x{c.hidden}, {context}; batch {self.recipe.batch.batch}"
        )

    def _loss(self, pairs: _Numbered, rows: Ids) -> tuple[Tensor, int]:
        """The mean loss of these pairs, and their target tokens, ends included."""
        network, device = self.model.network, self.model.device
        sources, targets = [pairs.sources[i] for i in rows], [pairs.targets[i] for i in rows]
        lengths = torch.tensor([len(row) for row in sources], device=device)
        ends = torch.tensor([len(row) + 1 for row in targets], device=device)
        memory = network.encode(padded(sources).to(device), lengths)
        return network.loss(memory, padded(targets, end=True).to(device), ends), int(ends.sum())


def _units(pairs: Sequence[Pair], side: int, recipe: TranslationRecipe) -> Units:
    """The units of the sources or the targets: what the pairs have, after those of the start."""
    texts, how, least = (pair[side] for pair in pairs), recipe.pairs, recipe.pairs.min_count or 1
    start: Translator | None = recipe.start
    if start:
        return (start.source, start.target)[side].extended(texts, least)
    return Units.learned(texts, how.unit, how.pieces, least)


def _numbered(model: Translator, pairs: Sequence[Pair]) -> _Numbered:
    source, target = model.source, model.target
    return _Numbered(
        [source.encode(source.tokens(pair.source)) for pair in pairs],
        [target.encode(target.tokens(pair.target)) for pair in pairs],
    )


def _lengths(pairs: _Numbered) -> Ids:
    """The tokens of each pair, the target's end counted."""
    both = zip(pairs.sources, pairs.targets, strict=True)
    return np.array([len(source) + len(target) + 1 for source, target in both], dtype=np.int64)


def _check_length(pair: Pair, source: Units, target: Units, how: PairSettings) -> None:
    """Raises InputError for a text with more tokens than allowed."""
    for name, units, text in (("source", source, pair.source), ("target", target, pair.target)):
        if (count := len(units.tokens(text))) > how.max_tokens:
            raise InputError(
                f"{pair.where}: a {name} of {count:,} tokens; expected at most {how.max_tokens:,} (--max-tokens)"
            )
