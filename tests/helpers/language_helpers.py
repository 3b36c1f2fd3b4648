"""Small texts, models and runs for the tests of the language model."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqtree.language.batches import BatchShape
from seqtree.language.evaluation import surprisals
from seqtree.language.model import LanguageModel
from seqtree.language.network import NetworkConfig
from seqtree.language.training import Recipe
from seqtree.text.corpus import TextSettings
from seqtree.training.progress import Display
from seqtree.training.settings import TrainingSettings

TEXT = "the cat sat on the mat\na dog ran to the man\nthe man sat on a mat, and a cat ran\n" * 8
CHINESE = "花园里有一棵树。\n树上有三只鸟。\n鸟在唱歌。\n" * 8


def model(text: str = TEXT, unit: str = "char", seed: int = 0, **shape: Any) -> LanguageModel:
    """An untrained model with noise on its weights, so that its probabilities are far from even."""
    made = LanguageModel.untrained(text, unit=unit, seed=seed, **{"hidden": 8, "embedding": 5, **shape})
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
        if made.network.config.nonlinearity == "relu":  # which would explode
            for layer in range(made.network.config.layers):
                getattr(made.network.recurrent, f"weight_hh_l{layer}").mul_(0.4)
    return made


def recipe(
    out: Path,
    corpus: Path,
    *,
    unit: str = "char",
    resume: bool = False,
    seed: int = 0,
    network: dict[str, Any] | None = None,
    rows: int = 4,
    window: int = 8,
    precision: str = "fp32",
    valid_share: float = 0.1,
    init_from: str | None = None,
    **training: Any,
) -> Recipe:
    settings = {"epochs": 2, "evaluations": 4, "warmup": 0.0, "seed": seed, **training}
    return Recipe(
        corpus=(str(corpus),),
        out=out,
        text=TextSettings(unit=unit),
        device="cpu",
        precision=precision,
        resume=resume,
        network=replace(NetworkConfig(hidden=8, embedding=5), **(network or {})),
        shape=BatchShape(rows, window),
        training=replace(TrainingSettings(), **settings),
        valid_share=valid_share,
        init_from=init_from,
    )


class Messages(Display):
    """A display that keeps what it is told in ``lines``."""

    def __init__(self, items: str = "tokens") -> None:
        super().__init__(items, stream=io.StringIO())
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(f"warning: {text}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def metrics(run: Path) -> list[dict[str, Any]]:
    """The evaluations of a run without what depends on the clock."""
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{k: v for k, v in r.items() if k != "seconds" and not k.endswith("_per_second")} for r in records]


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def nats(model: LanguageModel, ids: np.ndarray) -> np.ndarray:
    """Surprisals of ids (N,), as the model computes them."""
    return torch.cat(list(surprisals(model.network, model.vocabulary, ids))).numpy()
