"""Training speed of a tagger: seqtree's loop against the plain PyTorch way, each in a process of its own.

The plain way is what tutorials build: random batches, padded and packed for ``nn.LSTM``, a convolution over
the characters of every word, softmax over tags, Adam, float32. Both have the same network (100 + 100 wide words, two
bidirectional LSTM layers of 200 units), dropout, batches of 16 sentences and epochs, and are measured on the same
validation sentences. Prints one JSON object; ``SEQTREE_DATA`` is not needed, NLTK's ``treebank`` is::

    python benchmarks/tagging_speed.py --epochs 2 --threads 1
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

from seqtree.tagging.config import TaggerNetworkConfig, TaggerRecipe
from seqtree.tagging.data import TagData
from seqtree.tagging.evaluation import evaluate
from seqtree.tagging.model import Tagger
from seqtree.tagging.network import TaggerNetwork
from seqtree.tagging.task import TagTask
from seqtree.text.columns import Tagged
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder
from seqtree.training.settings import BatchSettings, TrainingSettings

TRAIN, VALID = "nltk:treebank/wsj_0001-wsj_0160", "nltk:treebank/wsj_0161-wsj_0179"
NETWORK = TaggerNetworkConfig(crf=False, hidden=200, dropout=0.35, word_dropout=0.0)
RATE, BATCH = 2.5e-3, 16


class Plain(nn.Module):
    """The network as one would write it first, with the weights of ``source``."""

    def __init__(self, source: TaggerNetwork, words: int, characters: int) -> None:
        super().__init__()
        c = source.config
        self.embedding = nn.Embedding(words, c.words)
        self.characters = nn.Embedding(characters + 1, c.character_embedding, padding_idx=characters)
        self.convolution = nn.Conv1d(c.character_embedding, c.characters, 3, padding=1)
        self.lstm = nn.LSTM(c.input_size, c.hidden, c.layers, dropout=c.dropout, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(c.dropout)
        self.output = nn.Linear(2 * c.hidden, source.output.out_features)
        for mine, theirs in self._pairs(source):
            mine.load_state_dict(theirs.state_dict())

    def _pairs(self, network: TaggerNetwork) -> list[tuple[nn.Module, Any]]:
        words = network.words
        spelling = words.spelling
        return [
            (self.embedding, words.embedding),
            (self.characters, spelling.embedding),
            (self.convolution, spelling.convolution),
            (self.lstm, words.encoder),
            (self.output, network.output),
        ]

    def give(self, network: TaggerNetwork) -> None:
        """Copy the weights into seqtree's network, for the same measurement."""
        for mine, theirs in self._pairs(network):
            theirs.load_state_dict(mine.state_dict())

    def forward(self, words: Tensor, characters: Tensor, lengths: Tensor) -> Tensor:
        batch, steps, width = characters.shape
        spelled = self.convolution(self.characters(characters.view(batch * steps, width)).transpose(1, 2))
        spelled = spelled.amax(dim=2).relu().view(batch, steps, -1)
        vectors = self.dropout(torch.cat([self.embedding(words), spelled], dim=2))
        packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        scores: Tensor = self.output(self.dropout(states))
        return scores


Row = tuple[Tensor, list[Tensor], Tensor]


def rows(tagger: Tagger, sentences: list[Tagged]) -> list[Row]:
    """Words, characters of each word, and tags, in numbers."""
    lexicon = tagger.lexicon
    return [
        (
            torch.from_numpy(lexicon.encode(one.words)),
            [torch.tensor(lexicon.spelling(word)) for word in one.words],
            torch.from_numpy(tagger.tags.encode(one.tags)),
        )
        for one in sentences
    ]


def train_plain(tagger: Tagger, data: TagData, epochs: int) -> float:
    """Seconds of training; the weights end up in ``tagger``."""
    none, pad = len(tagger.lexicon.characters), tagger.lexicon.words.end

    def collate(batch: list[Row]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        lengths = torch.tensor([len(words) for words, _, _ in batch])
        widest = max(3, *(len(word) for _, spelled, _ in batch for word in spelled))
        characters = torch.full((len(batch), int(lengths.max()), widest), none)
        for i, (_, spelled, _) in enumerate(batch):
            for j, word in enumerate(spelled):
                characters[i, j, : len(word)] = word
        words = pad_sequence([words for words, _, _ in batch], batch_first=True, padding_value=pad)
        tags = pad_sequence([tags for _, _, tags in batch], batch_first=True, padding_value=-1)
        return words, characters, tags, lengths

    plain = Plain(tagger.network, len(tagger.lexicon.words), none)
    optimizer = torch.optim.Adam(plain.parameters(), lr=RATE)
    items: Any = rows(tagger, data.training)
    loader: DataLoader[Any] = DataLoader(items, batch_size=BATCH, shuffle=True, collate_fn=collate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=epochs * len(loader))
    began = time.perf_counter()
    plain.train()
    for _ in range(epochs):
        for words, characters, tags, lengths in loader:
            optimizer.zero_grad()
            scores = plain(words, characters, lengths)
            nn.functional.cross_entropy(scores.flatten(0, 1), tags.flatten(), ignore_index=-1).backward()
            nn.utils.clip_grad_norm_(plain.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    seconds = time.perf_counter() - began
    plain.give(tagger.network)
    return seconds


def train_ours(tagger: Tagger, data: TagData, epochs: int) -> float:
    """The same by seqtree's loop, its first checkpoint counted in, without validation."""
    tagger.to(precision="auto")
    settings = TrainingSettings(
        learning_rate=RATE, clip=5.0, schedule="linear", weight_decay=0.0, epochs=epochs, averaging="none"
    )
    recipe = TaggerRecipe(network=tagger.network.config, batch=BatchSettings(BATCH), training=settings)
    task = TagTask(tagger, data._replace(valid=[]), recipe)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        with run.opened(resume=False):
            return Trainer(task, run, Display(quiet=True)).fit().seconds


def one_side(side: str, epochs: int, threads: int) -> dict[str, float]:
    """Train and measure one of the two."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    recipe = TagTask.resolve({"valid": (VALID,)})
    data = TagTask.read([TRAIN], recipe, Display(quiet=True))
    tagger = TagTask.build(data, TaggerRecipe(network=NETWORK), Display(quiet=True))
    seconds = (train_ours if side == "ours" else train_plain)(tagger, data, epochs)
    tagger.to(precision="fp32")
    measured = evaluate(tagger, data.valid, lambda message: None)
    count = epochs * sum(len(one.words) for one in data.training)
    return {"words_per_second": count / seconds, "accuracy": measured.accuracy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", choices=["ours", "plain"])
    options = parser.parse_args()
    if options.side:
        print(json.dumps(one_side(options.side, options.epochs, options.threads)))
        return
    sides = {}
    for side in ("plain", "ours"):
        command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
        sides[side] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    speeds = [sides[side]["words_per_second"] for side in ("ours", "plain")]
    print(json.dumps({"benchmark": "tagging_speed", **vars(options), **sides, "speed_ratio": speeds[0] / speeds[1]}))


if __name__ == "__main__":
    main()
