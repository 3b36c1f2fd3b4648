"""Training speed on PTB words: seqtree's loop against the plain PyTorch way, each in a process of its own.

The plain way is embedding, nn.LSTM, Linear, log-softmax, NLL and SGD in float32, as in PyTorch's word_language_model.
Both start from the same weights, read the same windows with the same learning rate, clipping and dropout shares (over
``--share`` of an epoch), and are measured on the same validation text in float32. seqtree's side learns by sampled
softmax, as ``seqtree lm train`` does with such a vocabulary, or with ``--exact`` by the plain way's. Prints one JSON
object::

    python benchmarks/training_speed.py --hidden 200 --share 0.05 --threads 1
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqtree.language.batches import StreamBatches, inputs_and_targets
from seqtree.language.config import LanguageNetworkConfig, LanguageRecipe, StreamBatchSettings
from seqtree.language.model import LanguageModel
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.task import LanguageModelTask
from seqtree.language.validation import validation_loss
from seqtree.text.config import TextSettings
from seqtree.text.corpus import PreparedCorpus, prepare
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder
from seqtree.training.settings import TrainingSettings

RATE, CLIP, SHAPE = 20.0, 0.25, StreamBatchSettings(20, 35)


class Plain(nn.Module):
    """The network as one would write it first."""

    def __init__(self, source: RecurrentLanguageModel, dropout: float) -> None:
        super().__init__()
        c = source.config
        self.dropout = nn.Dropout(dropout)
        self.embedding = nn.Embedding(source.vocabulary_size, c.embedding)
        self.rnn = nn.LSTM(c.embedding, c.hidden, c.layers, dropout=dropout)
        self.decoder = nn.Linear(c.hidden, source.vocabulary_size)
        if c.tied:
            self.decoder.weight = self.embedding.weight
        self.embedding.load_state_dict(source.embedding.state_dict())
        self.rnn.load_state_dict(source.recurrent.state_dict())
        self.decoder.load_state_dict(source.decoder.state_dict())

    def forward(self, ids: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        output, state = self.rnn(self.dropout(self.embedding(ids)), state)
        logits = self.decoder(self.dropout(output))
        return torch.log_softmax(logits.view(-1, logits.shape[-1]), dim=1), state


def train_plain(model: LanguageModel, corpus: PreparedCorpus, steps: int, dropout: float) -> float:
    """Seconds for ``steps`` steps; the weights end up in ``model``."""
    plain = Plain(model.network, dropout)
    batches = StreamBatches(corpus.train, corpus.vocabulary, SHAPE, seed=0)
    state = None
    began = time.perf_counter()
    for step in range(steps):
        inputs, targets = inputs_and_targets(batches.batch(0, step), corpus.vocabulary, model.device)
        plain.zero_grad()
        log_p, state = plain(inputs, state)
        state = tuple(part.detach() for part in state)
        nn.functional.nll_loss(log_p, targets.reshape(-1)).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), CLIP)
        for parameter in plain.parameters():
            assert parameter.grad is not None
            parameter.data.add_(parameter.grad, alpha=-RATE)
    seconds = time.perf_counter() - began
    model.network.embedding.load_state_dict(plain.embedding.state_dict())
    model.network.recurrent.load_state_dict(plain.rnn.state_dict())
    model.network.decoder.load_state_dict(plain.decoder.state_dict())
    return seconds


def train_ours(model: LanguageModel, corpus: PreparedCorpus, steps: int) -> float:
    """The same by seqtree's loop, its first checkpoint and last evaluation counted in."""
    training_only = PreparedCorpus(corpus.train, None, corpus.vocabulary, corpus.fingerprint)
    model.to(precision="auto")
    settings = TrainingSettings(
        epochs=steps / StreamBatches(corpus.train, corpus.vocabulary, SHAPE, seed=0).steps_per_epoch,
        optimizer="sgd",
        learning_rate=RATE,
        clip=CLIP,
        weight_decay=0.0,
        schedule="constant",
        warmup=0.0,
        averaging="none",
        evaluations=1,
    )
    recipe = LanguageRecipe(network=model.network.config, batch=SHAPE, training=settings)
    task = LanguageModelTask(model, training_only, recipe)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        with run.opened(resume=False):
            return Trainer(task, run, Display(quiet=True)).fit().seconds


def one_side(side: str, data: Path, hidden: int, share: float, threads: int, exact: bool) -> dict[str, float]:
    """Train and measure one of the two."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    corpus = prepare([data / "ptb.train.txt"], TextSettings(unit="word"), [data / "ptb.valid.txt"])
    assert corpus.valid is not None
    dropout = 0.5 if hidden >= 650 else 0.0
    config = LanguageNetworkConfig(
        layers=2,
        hidden=hidden,
        embedding=hidden,
        tied=hidden >= 650,
        dropout_input=dropout,
        dropout_hidden=dropout,
        dropout_output=dropout,
        dropout_locked=False,
        sampled_softmax=False if exact else None,
    )
    network = RecurrentLanguageModel(len(corpus.vocabulary), config)
    model = LanguageModel(corpus.vocabulary, TextSettings(unit="word"), network)
    steps = max(1, round(share * (len(corpus.train) // SHAPE.batch // SHAPE.window)))
    train = train_ours(model, corpus, steps) if side == "ours" else train_plain(model, corpus, steps, dropout)
    loss = validation_loss(model.network, corpus.vocabulary, corpus.valid)
    return {"tokens_per_second": steps * SHAPE.batch * SHAPE.window / train, "perplexity": math.exp(loss)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=200, help="2x200 free, or 2x650 tied with dropout .5")
    parser.add_argument("--share", type=float, default=0.05, help="of an epoch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--exact", action="store_true", help="no sampled softmax")
    parser.add_argument("--side", choices=["ours", "plain"])
    options = parser.parse_args()
    if options.side:
        data = Path(os.environ["SEQTREE_DATA"]) / "ptb"
        done = one_side(options.side, data, options.hidden, options.share, options.threads, options.exact)
        print(json.dumps(done))
        return
    sides = {}
    for side in ("plain", "ours"):
        command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
        sides[side] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    speeds = [sides[side]["tokens_per_second"] for side in ("ours", "plain")]
    perplexities = [sides[side]["perplexity"] for side in ("ours", "plain")]
    print(
        json.dumps(
            {
                "benchmark": "training_speed",
                **vars(options),
                **sides,
                "speed_ratio": speeds[0] / speeds[1],
                "perplexity_ratio": perplexities[0] / perplexities[1],
            }
        )
    )


if __name__ == "__main__":
    main()
