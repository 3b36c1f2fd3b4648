"""Small texts, models and runs for the tests of the language model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from seqtree.language.model import LanguageModel
from seqtree.language.surprisals import surprisals

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
