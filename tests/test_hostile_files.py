"""Files with a valid checksum whose contents are of wrong types, sizes or ranges are refused, never computed with.

Of all the places of a file, and all the values that may be wrong there, a fixed random choice is tried.
"""

from __future__ import annotations

import copy
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import Tensor

import seqtree
from seqtree import ImageClassifier, LanguageModel, Parser, modelfile
from seqtree.errors import InputError, ModelFileError

EARLIER = Path(__file__).resolve().parent / "data" / "earlier"
TRIES = 120  # of each file
WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    1e400,
    float("nan"),
    "x",
    "",
    [],
    {},
    [1],
    {"a": 1},
    10**12,
    -(10**30),
    3.5,
    [[]],
]
DROPPED = object()

Edit = tuple[dict[str, Any], dict[str, Tensor]]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in the JSON something may be replaced: the first three entries stand for all of a list."""
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _places(below, (*place, key))


def _replaced(contents: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(contents)
    at: Any = made
    for key in place[:-1]:
        at = at[key]
    if value is DROPPED:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return made


def _other_tensors(tensor: Tensor) -> list[Tensor]:
    numbers = torch.float if tensor.is_floating_point() else torch.bool
    return [
        torch.full(tensor.shape, float("nan")),
        torch.full(tensor.shape, float("inf")),
        torch.zeros(0),
        torch.zeros((3, *tensor.shape)),
        torch.ones(tensor.shape, dtype=torch.int64 if numbers == torch.float else torch.float),
        torch.ones(tensor.shape, dtype=torch.complex64),
        torch.full(tensor.shape, 0x7F, dtype=torch.uint8).view(torch.float8_e4m3fn),  # nan in eight bits
    ]


def _edits(file: Path, tries: int) -> Iterator[Edit]:
    """Contents and tensors of a file with one thing wrong."""
    _, contents, tensors = modelfile.load(file)
    edits: list[Callable[[], Edit]] = []
    for place in _places(contents):
        edits += [
            lambda place=place, value=value: (_replaced(contents, place, value), tensors) for value in [*WRONG, DROPPED]
        ]
    for name, tensor in tensors.items():
        edits.append(lambda name=name: (contents, {k: v for k, v in tensors.items() if k != name}))
        edits += [
            lambda name=name, other=other: (contents, {**tensors, name: other}) for other in _other_tensors(tensor)
        ]
    edits.append(lambda: (contents, {**tensors, "another": torch.zeros(2)}))
    for edit in random.Random(3).sample(edits, min(tries, len(edits))):
        yield edit()


def _use(path: Path) -> None:
    model = seqtree.load(path)
    if isinstance(model, LanguageModel):
        assert np.isfinite(model.perplexity("the cat sat\n"))
    elif isinstance(model, Parser):
        assert model.parse_one(["the", "cat", "sat"]) is not None
    elif isinstance(model, ImageClassifier):
        assert np.isfinite(model.probabilities(np.zeros((1, *model.size), np.uint8))).all()


@pytest.mark.parametrize("name", ["lm-free", "lm-tied", "parser", "image"])
def test_models(tmp_path: Path, name: str) -> None:
    """Whatever opens can be used; most do not open."""
    kind, refused = modelfile.load(EARLIER / f"{name}.safetensors")[0], 0
    for contents, tensors in _edits(EARLIER / f"{name}.safetensors", TRIES):
        modelfile.save(tmp_path / "model", kind, contents, tensors)
        try:
            _use(tmp_path / "model")
        except InputError:
            refused += 1
    assert refused > TRIES / 2


def test_checkpoints(tmp_path: Path) -> None:
    text, run, whole = tmp_path / "text.txt", tmp_path / "run", tmp_path / "whole"
    text.write_text("the cat sat on the mat\n" * 40, encoding="utf-8")
    options: dict[str, Any] = {"preset": "tiny", "hidden": 4, "embedding": 4, "device": "cpu", "precision": "fp32"}
    options |= {"out": str(run), "evaluations": 1, "threads": 1, "progress": False, "averaging": "ema"}
    seqtree.train("lm", text, epochs=1, **options)
    shutil.copytree(run, whole)
    refused = 0
    for contents, tensors in _edits(whole / "checkpoint.safetensors", TRIES // 3):
        shutil.copytree(whole, run, dirs_exist_ok=True)
        modelfile.save(run / "checkpoint.safetensors", "checkpoint", contents, tensors)
        try:
            seqtree.train("lm", text, epochs=2, resume=True, **options)
        except InputError:
            refused += 1
    assert refused > TRIES / 6


@pytest.mark.parametrize("hidden", [60_000, 10**15])
def test_a_small_file_does_not_take_much_memory(tmp_path: Path, hidden: int) -> None:
    """Sizes are compared with the tensors before anything is made of them."""
    _, contents, tensors = modelfile.load(EARLIER / "lm-free.safetensors")
    large = _replaced(contents, ("network", "hidden"), hidden)
    modelfile.save(tmp_path / "model", "language-model", large, tensors)
    began = time.process_time()
    with pytest.raises(ModelFileError, match=r"hidden|tensor"):
        seqtree.load(tmp_path / "model")
    assert time.process_time() - began < 20  # 10 GB would take longer to fill


def test_devices_are_no_model_files() -> None:
    with pytest.raises(InputError, match="a device or pipe"):
        seqtree.load("/dev/null")


def test_a_header_larger_than_its_file(tmp_path: Path) -> None:
    whole = save({"weight": torch.zeros(2)})
    (tmp_path / "model").write_bytes((1 << 62).to_bytes(8, "little") + whole[8:])
    with pytest.raises(ModelFileError, match="damaged or not a safetensors file"):
        modelfile.load(tmp_path / "model")
