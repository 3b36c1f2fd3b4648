"""Language modelling as a task for the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqtree.language.batches import BatchShape, StreamBatches, shift_inputs
from seqtree.language.evaluation import validation_loss
from seqtree.language.model import LanguageModel
from seqtree.nn.recurrent import State
from seqtree.text.corpus import PreparedCorpus

RESET = 0.01  # how likely each row's state is forgotten after a window


class LanguageModelTask:
    """Next-token prediction over a prepared corpus, by truncated backpropagation with carried state.

    Now and then a row begins from the zero state (Melis, Dyer and Blunsom 2018): a network that has read on for a whole
    epoch may otherwise depend on what only a long text brings about, and do badly where one begins.
    A bidirectional network predicts every token of a window from its two sides instead, and carries nothing.
    """

    items = "tokens"
    implausible_loss = 1e-3
    criterion = "loss"

    def __init__(
        self, model: LanguageModel, corpus: PreparedCorpus, shape: BatchShape, seed: int, dtype: torch.dtype | None
    ) -> None:
        self.language_model, self.model = model, model.network
        self.corpus, self.shape, self.dtype = corpus, shape, dtype
        self.batches = StreamBatches(corpus.train, model.vocabulary, shape, seed)
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.device = model.network.decoder.weight.device
        self.state: State | None = None

    def identity(self) -> dict[str, Any]:
        return {
            "text": self.corpus.fingerprint,
            "network": self.model.config.to_json(),
            "vocabulary": len(self.language_model.vocabulary),
            "batch": self.shape.rows,
            "window": self.shape.window,
            "precision": str(self.dtype or torch.float32),
        }

    def loss(self, epoch: int, step: int) -> tuple[Tensor, int]:
        inputs, targets = (part.to(self.device) for part in self.batches.batch(epoch, step))
        if self.model.config.bidirectional:
            end = shift_inputs(targets[-1:], self.language_model.vocabulary)  # the window's last token is context only
            output = self.model.surrounded_states(torch.cat([inputs, end]), self.dtype)
            return self.model.output_loss(output, targets[:-1], self.dtype), targets[:-1].numel()
        if step == 0:
            self.state = None
        loss, state = self.model.loss(inputs, targets, self.state, self.dtype)
        kept = torch.rand(state[0].shape[1], 1, device=self.device) >= RESET
        self.state = tuple(part.detach() * kept for part in state)
        return loss, targets.numel()

    def evaluate(self) -> dict[str, float] | None:
        if self.corpus.valid is None:
            return None
        return {"loss": validation_loss(self.model, self.language_model.vocabulary, self.corpus.valid)}

    def carried(self) -> dict[str, Tensor]:
        return {str(index): part for index, part in enumerate(self.state or ())}

    def restore(self, carried: Mapping[str, Tensor]) -> None:
        self.state = tuple(carried[str(i)].to(self.device) for i in range(len(carried))) or None

    def save(self, path: Path) -> None:
        self.language_model.save(path)
