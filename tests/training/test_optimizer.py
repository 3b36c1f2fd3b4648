"""The optimiser: the same numbers as PyTorch's own, and what it does not load."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from seqtree.training.optimizer import Optimizer
from seqtree.training.settings import TrainingSettings

RATES = (0.1, 0.2, 0.05)
SETTINGS = [
    {"optimizer": "adamw", "weight_decay": 0.3, "beta2": 0.97},
    {"optimizer": "sgd", "weight_decay": 0.3, "momentum": 0.9},
    {"optimizer": "sgd", "weight_decay": 0.3},
]


def _network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def _backward(network: nn.Module, step: int) -> None:
    """The second layer has no gradient in the first step."""
    layers = network if step else network[0]  # type: ignore[index]
    generator = torch.Generator().manual_seed(step)
    layers(torch.randn(5, 3, generator=generator)).square().sum().backward()


def _theirs(network: nn.Module, options: dict[str, Any]) -> torch.optim.Optimizer:
    matrices, vectors = ([p for p in network.parameters() if (p.ndim > 1) == many] for many in (True, False))
    groups = [{"params": matrices, "weight_decay": options["weight_decay"]}, {"params": vectors, "weight_decay": 0.0}]
    if options["optimizer"] == "sgd":
        return torch.optim.SGD(groups, lr=1.0, momentum=options.get("momentum", 0.0))
    return torch.optim.AdamW(groups, lr=1.0, betas=(0.9, options["beta2"]), fused=True)


@pytest.mark.parametrize("options", SETTINGS)
def test_it_moves_weights_as_the_classes_of_pytorch_do(options: dict[str, Any]) -> None:
    one = _network()
    other = copy.deepcopy(one)
    ours, theirs = Optimizer(one, TrainingSettings(**options)), _theirs(other, options)
    for step, rate in enumerate(RATES):
        ours.zero_grad()
        theirs.zero_grad()
        for network in (one, other):
            _backward(network, step)
        ours.step(rate)
        for group in theirs.param_groups:
            group["lr"] = rate
        theirs.step()
    for mine, his in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, his, rtol=0, atol=0)
    states = theirs.state_dict()["state"].items()
    expected = {f"{number}.{name}": t for number, state in states for name, t in state.items() if t is not None}
    found = ours.tensors()
    assert found.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())


@pytest.mark.parametrize("options", SETTINGS)
def test_restored_it_goes_on_exactly(options: dict[str, Any]) -> None:
    one = _network()
    first = Optimizer(one, TrainingSettings(**options))
    for step, rate in enumerate(RATES):
        if step == 2:
            other = copy.deepcopy(one)
            second = Optimizer(other, TrainingSettings(**options))
            second.restore({name: tensor.clone() for name, tensor in first.tensors().items()})
            second.zero_grad()
            _backward(other, step)
            second.step(rate)
        first.zero_grad()
        _backward(one, step)
        first.step(rate)
    for mine, his in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, his, rtol=0, atol=0)


@pytest.mark.parametrize("options", ([], ["--optimizer", "sgd"]))
def test_a_training_does_not_load_the_compiler_of_pytorch(options: list[str], tmp_path: Path) -> None:
    """A half of the time that the start of a training took, and a fifth of its memory."""
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 30)
    words = ["lm", "train", "text.txt", "--out", "run", "--epochs", "1", "--hidden", "4", "--quiet", *options]
    script = f"""
import sys
from seqtree.cli import main
try:
    main({words!r})
except SystemExit as leaving:
    print(leaving.code, "torch" in sys.modules, "torch._dynamo" in sys.modules)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "0 True False"
