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

from seqtree.parsing.batch import make_batch
from seqtree.parsing.evaluation import evaluate
from seqtree.parsing.model import Parser
from seqtree.parsing.objectives import ObjectiveSettings, parser_loss
from seqtree.treebank.binary import BinaryTree

POOL = 16  # batches that are sorted by length together


class ParserTask:
    """Learning to parse ``trees``; validation is by labelled F1 on ``valid``.

    A step reads ``size`` sentences of like length; its loss is their sum over the words of a mean batch, so that every
    word counts the same.
    """

    items = "sentences"
    implausible_loss = 0.0  # margins may all be kept

    def __init__(self, parser: Parser, trees: Sequence[BinaryTree], valid: Sequence[Tree],
                 objective: ObjectiveSettings, size: int, seed: int) -> None:  # fmt: skip
        self.parser, self.model = parser, parser.network
        self.gold = [parser.lexicon.gold(tree) for tree in trees]
        self.valid, self.objective, self.size, self.seed = valid, objective, size, seed
        self.steps_per_epoch = math.ceil(len(trees) / size)
        self.words_per_batch = sum(map(len, self.gold)) / self.steps_per_epoch
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def identity(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        for tree in (gold.binary for gold in self.gold):
            digest.update(repr((tree.words, tree.tags, tree.merges, sorted(tree.labels.items()))).encode())
        return {"trees": digest.hexdigest(), "network": self.model.config.to_json(), "batch": self.size,
                "objective": asdict(self.objective),
                "precision": str(self.model.products or torch.float32)}  # fmt: skip

    def loss(self, epoch: int, step: int) -> tuple[Tensor, int]:
        trees = sorted((self.gold[i] for i in self._order(epoch)[step]), key=len, reverse=True)
        batch = make_batch([tree.binary.words for tree in trees], [tree.words for tree in trees], self.parser.lexicon)
        total = parser_loss(self.model, batch, trees, self.objective)
        return total / self.words_per_batch, len(trees)

    def evaluate(self) -> dict[str, float] | None:
        if not self.valid:
            return None
        scores = evaluate(self.parser, self.valid).scores
        return {"loss": 1.0 - scores.labelled.f1 / 100.0, "labelled_f1": scores.labelled.f1,
                "unlabelled_f1": scores.unlabelled.f1, "tag_accuracy": scores.tag_accuracy}  # fmt: skip

    def carried(self) -> dict[str, Tensor]:
        return {}

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        """Nothing is carried from step to step."""

    def save(self, path: Path) -> None:
        self.parser.save(path)

    def _shuffled(self, epoch: int) -> list[list[int]]:
        """The sentences of each step: shuffled, sorted by length within pools, and the batches shuffled again."""
        generator = np.random.default_rng((self.seed, epoch))
        order = generator.permutation(len(self.gold)).tolist()
        batches = []
        for first in range(0, len(order), POOL * self.size):
            pool = sorted(order[first : first + POOL * self.size], key=lambda i: len(self.gold[i]))
            batches += [pool[i : i + self.size] for i in range(0, len(pool), self.size)]
        return [batches[i] for i in generator.permutation(len(batches))]
