"""Model files: whole, equal for equal models, and never opened when anything in them is wrong."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as plain_save
from torch import Tensor

import seqtree
from seqtree import LanguageModel, modelfile
from seqtree.errors import InputError, ModelFileError

KIND = "demonstration"
CONTENTS = {"words": ["a", "é", "\n"], "share": 0.1, "nothing": None}


def _tensors() -> dict[str, Tensor]:
    return {
        "weight": torch.arange(4, dtype=torch.float32).reshape(2, 2) / 3,
        "half": torch.tensor([0.5, -2.0], dtype=torch.bfloat16),
        "step": torch.tensor(7.0, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
        "ids": torch.tensor([1, -5]),
    }


def _same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        tensor.dtype == second[name].dtype and torch.equal(tensor, second[name]) for name, tensor in first.items()
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    modelfile.save(path, KIND, CONTENTS, _tensors())
    return path


def _with_header(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """The file once more, its own header changed and everything else as it was."""
    with safe_open(path, framework="pt") as opened:
        header = json.loads(opened.metadata()["seqtree"])
        tensors = {name: opened.get_tensor(name).clone() for name in _tensors()}
    path.write_bytes(plain_save(tensors, metadata={"seqtree": json.dumps(change(header))}))


def test_round_trip(file: Path) -> None:
    contents, tensors = modelfile.load(file)[1:]
    assert contents == CONTENTS
    assert _same(tensors, _tensors())
    assert all(tensor.device.type == "cpu" for tensor in tensors.values())


def test_equal_models_give_equal_bytes_in_any_order(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    modelfile.save(other, KIND, dict(reversed(CONTENTS.items())), dict(reversed(_tensors().items())))
    assert other.read_bytes() == file.read_bytes()
    changed = _tensors()
    changed["weight"][0, 0] = 1e-30
    modelfile.save(other, KIND, CONTENTS, changed)
    assert other.read_bytes() != file.read_bytes()


def test_not_contiguous_tensors_are_saved_by_value(tmp_path: Path) -> None:
    square = torch.arange(6.0).reshape(2, 3)
    modelfile.save(tmp_path / "a", KIND, {}, {"w": square.t()})
    assert torch.equal(modelfile.load(tmp_path / "a")[2]["w"], square.t())


def test_loaded_tensors_outlive_the_file(file: Path) -> None:
    """A checkpoint is replaced while what was read from the one before is still in use."""
    _, tensors = modelfile.load(file)[1:]
    with file.open("r+b") as opened:
        opened.write(b"\xff" * file.stat().st_size)
    assert _same(tensors, _tensors())


@pytest.mark.parametrize("pattern", [0x01, 0x20, 0x80, 0xFF])
def test_every_flipped_byte_is_noticed_or_harmless(file: Path, pattern: int) -> None:
    whole = file.read_bytes()
    harmless = 0
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= pattern
        file.write_bytes(broken)
        try:
            contents, tensors = modelfile.load(file)[1:]
        except InputError as error:
            assert str(file) in str(error)
            assert "\n" not in str(error)
        else:
            assert contents == CONTENTS
            assert _same(tensors, _tensors())
            harmless += 1
    assert harmless < 12  # spaces of the header


def test_every_truncation_is_noticed(file: Path) -> None:
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            modelfile.load(file)[1:]


def test_bytes_after_the_end_are_noticed(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(ModelFileError):
        modelfile.load(file)[1:]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "newer than this seqtree reads"),
        ({"version": 0}, "unknown format version 0"),
        ({"version": -1}, "unknown format version -1"),
        ({"version": "1"}, "no version"),
        ({"version": None}, "no version"),
        ({"checksum": "0" * 64}, "checksum"),
        ({"checksum": None}, "checksum"),
        ({"kind": "other"}, "checksum"),
        ({"contents": {"share": 0.2}}, "checksum"),
    ],
)
def test_changed_headers(file: Path, changes: dict[str, Any], said: str) -> None:
    _with_header(file, lambda header: {**header, **changes})
    with pytest.raises(ModelFileError, match=said):
        modelfile.load(file)[1:]


def test_a_header_rewritten_without_change_is_read(file: Path) -> None:
    """Otherwise the test above would pass whatever it changed."""
    _with_header(file, lambda header: header)
    assert modelfile.load(file)[1] == CONTENTS


@pytest.mark.parametrize("header", [[1], "text", 3, None])
def test_a_header_that_is_no_object(file: Path, header: Any) -> None:
    _with_header(file, lambda _: header)
    with pytest.raises(ModelFileError):
        modelfile.load(file)[1:]


@pytest.mark.parametrize("contents", [[1, 2], "ab", None, 3])
def test_contents_that_are_no_object(tmp_path: Path, contents: Any) -> None:
    """Even with a checksum that fits."""
    modelfile.save(tmp_path / "a", KIND, contents, {"w": torch.zeros(1)})
    with pytest.raises(ModelFileError, match="not a JSON object"):
        modelfile.load(tmp_path / "a")[1:]


def test_a_header_that_is_deeper_than_any_reader(file: Path) -> None:
    file.write_bytes(plain_save({"w": torch.zeros(1)}, metadata={"seqtree": "[" * 100_000}))
    with pytest.raises(ModelFileError, match="not JSON"):
        modelfile.load(file)[1:]


def test_wrong_kind(file: Path) -> None:
    with pytest.raises(ModelFileError, match="holds a demonstration, expected a language-model"):
        LanguageModel.load(file)
    with pytest.raises(ModelFileError, match="holds a demonstration, expected a model"):
        seqtree.load(file)


def test_not_ours(tmp_path: Path) -> None:
    plain = tmp_path / "plain.safetensors"
    for metadata in (None, {"format": "pt"}):
        plain.write_bytes(plain_save({"w": torch.zeros(2)}, metadata=metadata))
        with pytest.raises(ModelFileError, match="not one written by seqtree"):
            modelfile.load(plain)[1:]


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 64, b"a text file\n" * 10, b"PK\x03\x04" * 30])
def test_other_files(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    said = "a text; expected a model" if b"text" in data else "damaged or not a safetensors file"
    with pytest.raises(ModelFileError, match=f"^{re.escape(str(path))}: {said}"):
        modelfile.load(path)[1:]


class _Trap:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, writer: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / "model.safetensors"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(_Trap(trace)))
    else:
        torch.save({"trap": _Trap(trace)}, path)
    with pytest.raises(ModelFileError):
        modelfile.load(path)[1:]
    assert not trace.exists()


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such model file"):
        modelfile.load(tmp_path / "none")[1:]
    with pytest.raises(InputError, match="a folder"):
        modelfile.load(tmp_path)[1:]


def test_saving_replaces_and_leaves_nothing_beside(file: Path) -> None:
    modelfile.save(file, KIND, {"second": True}, {})
    assert modelfile.load(file)[1:] == ({"second": True}, {})
    assert [path.name for path in file.parent.iterdir()] == [file.name]
