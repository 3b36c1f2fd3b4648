"""Parsing as a task for the training loop."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nltk.tree import Tree
from torch import Tensor

from seqtree.parsing.evaluation import evaluate
from seqtree.parsing.model import Parser
from seqtree.parsing.objectives import ObjectiveSettings, parser_loss
from seqtree.text.batches import make_batch
from seqtree.treebank.binary import BinaryTree
from seqtree.treebank.bracketed import write_tree

UNEVEN = 0.2  # how much longer or shorter than it is a sentence may be taken for when batches are made


class ParserTask:
    """Learning to parse ``trees``; validation is by labelled F1 on ``valid``.

    A batch has sentences of like length and about as many words as any other: those of ``size`` sentences of mean
    length. Its loss is the mean per word. ``half``: the model file is to have 16 bits a weight.
    """

    items = "words"
    implausible_loss = 0.0  # margins may all be kept
    criterion = "loss"

    def __init__(
        self,
        parser: Parser,
        trees: Sequence[BinaryTree],
        valid: Sequence[Tree],
        objective: ObjectiveSettings,
        size: int,
        seed: int,
        half: bool = False,
    ) -> None:
        self.parser, self.model = parser, parser.network
        self.gold = [parser.lexicon.gold(tree) for tree in trees]
        self.valid, self.objective, self.size, self.seed = valid, objective, size, seed
        self.half = half
        self.steps_per_epoch = math.ceil(len(trees) / size)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def identity(self) -> dict[str, Any]:
        training, validation = hashlib.sha256(), hashlib.sha256()
        for tree in (gold.binary for gold in self.gold):
            training.update(repr((tree.words, tree.tags, tree.merges, sorted(tree.labels.items()))).encode())
        for gold in self.valid:
            validation.update(write_tree(gold).encode())
        return {
            "trees": training.hexdigest(),
            "validation": validation.hexdigest(),
            "network": self.model.config.to_json(),
            "batch": self.size,
            "objective": asdict(self.objective),
            "lexicon": self.parser.lexicon.sizes,
            "precision": str(self.model.products or torch.float32),
            "half": self.half,
        }

    def loss(self, epoch: int, step: int) -> tuple[Tensor, int]:
        trees = sorted((self.gold[i] for i in self._order(epoch)[step]), key=len, reverse=True)
        batch = make_batch([tree.binary.words for tree in trees], [tree.words for tree in trees], self.parser.lexicon)
        words = int(batch.lengths.sum())
        return parser_loss(self.model, batch, trees, self.objective) / words, words

    def evaluate(self) -> dict[str, float] | None:
        if not self.valid:
            return None
        scores = evaluate(self.parser, self.valid).scores
        return {
            "loss": 1.0 - scores.labelled.f1 / 100.0,
            "labelled_f1": scores.labelled.f1,
            "unlabelled_f1": scores.unlabelled.f1,
            "tag_accuracy": scores.tag_accuracy,
        }

    def carried(self) -> dict[str, Tensor]:
        return {}

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        """Nothing is carried from step to step."""

    def save(self, path: Path) -> None:
        self.parser.save(path, self.half)

    def _shuffled(self, epoch: int) -> list[list[int]]:
        """The sentences of each step: sorted by length, not quite exactly, cut into equal shares of words, shuffled."""
        generator = np.random.default_rng((self.seed, epoch))
        lengths = np.array([len(tree) for tree in self.gold])
        order = np.argsort(lengths * generator.uniform(1.0 - UNEVEN, 1.0 + UNEVEN, len(lengths)), kind="stable")
        step = np.arange(1, self.steps_per_epoch)
        cuts = np.searchsorted(np.cumsum(lengths[order]), step * lengths.sum() / self.steps_per_epoch)
        cuts = np.maximum.accumulate(np.maximum(cuts, 1) - step) + step  # one sentence at least in each
        batches = np.split(order, np.minimum(cuts, len(order) - self.steps_per_epoch + step))
        return [batches[i].tolist() for i in generator.permutation(len(batches))]
