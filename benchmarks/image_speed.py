"""Training speed on images: seqtree's loop against the plain PyTorch way, each in a process of its own.

The plain way is a Dataset, a DataLoader, nn.Conv2d, nn.ReLU and nn.MaxPool2d in float32, Adam, and nothing averaged.
Both train the same network from the same weights on the same images, moved at random in the same way, in batches of one
size. Images per second are those of the whole loop, seqtree's first checkpoint and last evaluation included; the sides
take turns ``--repeat`` times, and the median of each counts. Prints one JSON object::

    python benchmarks/image_speed.py $SEQTREE_DATA/mnist --threads 1
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from seqtree.images.config import PRESETS, ImageNetworkConfig
from seqtree.images.data import ImageSet
from seqtree.images.evaluation import evaluate
from seqtree.images.generated import read_part
from seqtree.images.model import ImageClassifier
from seqtree.images.task import ImageData, ImageTask
from seqtree.training.loop import Trainer
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder

PLAN = "conv 32x3, pool, conv 64x3, pool, conv 64x3, full 64"


class PlainImages(Dataset[tuple[torch.Tensor, int]]):
    """One image at a time, moved and normalised."""

    def __init__(self, data: ImageSet, shift: int, mean: float, deviation: float) -> None:
        self.images = nn.functional.pad(torch.from_numpy(data.images), (shift,) * 4)
        self.labels, self.shift, (self.height, self.width) = data.labels.tolist(), shift, data.size
        self.mean, self.deviation = mean, deviation

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        top, left = torch.randint(2 * self.shift + 1, (2,)).tolist()
        image = self.images[number, top : top + self.height, left : left + self.width]
        return (image.float()[None] - self.mean) / self.deviation, self.labels[number]


def train_plain(model: ImageClassifier, data: ImageSet, epochs: int, batch: int, shift: int, rate: float) -> float:
    """Seconds for so many epochs; the weights end up in ``model``."""
    frame, convolutions, linears = model.network.frame, ((1, 32), (32, 64), (64, 64)), ((576, 64), (64, 10))
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(convolutions):
        layers += [nn.Conv2d(inputs, outputs, 3), nn.ReLU()] + ([nn.MaxPool2d(2)] if number < 2 else [])
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(*linears[0]), nn.ReLU(), nn.Linear(*linears[1]))
    ours = dict(zip(network.state_dict(), model.network.state_dict().items(), strict=True))
    network.load_state_dict({name: tensor for name, (_, tensor) in ours.items()})
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    loader = DataLoader(PlainImages(data, shift, frame.mean, frame.deviation), batch, shuffle=True)
    began = time.perf_counter()
    for _ in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
    seconds = time.perf_counter() - began
    model.network.load_state_dict({ours[name][0]: tensor for name, tensor in network.state_dict().items()})
    return seconds


def train_ours(model: ImageClassifier, data: ImageSet, epochs: int, batch: int, shift: int, rate: float) -> float:
    """The same by seqtree's loop."""
    chosen = PRESETS["cnn"].recipe
    options = {"shift": shift, "batch": batch, "epochs": float(epochs), "learning_rate": rate, "evaluations": 1}
    recipe = replace(chosen.overridden(options), network=model.network.config)
    task = ImageTask(model.to(precision="auto"), ImageData(data, None, model.classes), recipe)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        with run.opened(resume=False):
            return Trainer(task, run, Display(quiet=True)).fit().seconds


def one_side(side: str, options: argparse.Namespace) -> dict[str, float]:
    """Train and measure one of the two."""
    torch.set_num_threads(options.threads)
    train = read_part(options.data, "train")[: options.images]
    model = ImageClassifier.over(train, "0123456789", ImageNetworkConfig(PLAN))
    run = train_ours if side == "ours" else train_plain
    seconds = run(model, train, options.epochs, options.batch, options.shift, 1e-3)
    model.network.products = None
    measured = evaluate(model, read_part(options.data, "test"))
    rate = options.epochs * len(train) / seconds
    return {"images": len(train), "images_per_second": rate, "accuracy": measured.accuracy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", help="a folder with MNIST; generated digits without it")
    parser.add_argument("--images", type=int, default=20_000, help="the first so many")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--shift", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--side", choices=["ours", "plain"], help="run only this side, once")
    options = parser.parse_args()
    if options.side:
        print(json.dumps(one_side(options.side, options)))
        return
    results: dict[str, list[dict[str, float]]] = {"plain": [], "ours": []}
    for _ in range(options.repeat):
        for side, found in results.items():
            command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
            found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
    sides = {
        side: {name: statistics.median(result[name] for result in found) for name in found[0]}
        for side, found in results.items()
    }
    ratio = sides["ours"]["images_per_second"] / sides["plain"]["images_per_second"]
    settings = {name: value for name, value in vars(options).items() if name not in ("data", "images", "side")}
    print(json.dumps({"benchmark": "image_speed", "plan": PLAN, **settings, **sides, "speed_ratio": ratio}))


if __name__ == "__main__":
    main()
