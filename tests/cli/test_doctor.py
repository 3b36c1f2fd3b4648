"""``seqtree doctor``: what is here, how to get the rest, and what counts as broken."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import nltk
import pytest
import torch
from command_helpers import Run, caller

import seqtree
from seqtree import shipped
from seqtree.nn.device import choose_device, choose_dtype

BASE = {"click", "nltk", "numpy", "regex", "rich", "safetensors", "torch"}
EXTRAS = set(metadata.metadata("seqtree").get_all("Provides-Extra", [])) - {"dev", "docs", "test"}


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "cache"))
    return caller(capsys, tmp_path, monkeypatch, "doctor")


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Versions of packages that differ from what is installed; None: not there."""
    others: dict[str, str | None] = {}
    real: Callable[[str], str] = metadata.version

    def version(name: str) -> str:
        if name not in others:
            return real(name)
        found = others[name]
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, "version", version)
    return others


def _record(result: tuple[int, str, str]) -> dict[str, Any]:
    found = json.loads(result[1])
    assert isinstance(found, dict)
    assert result[0] == (1 if found["troubles"] else 0)
    return found


def _rows(result: tuple[int, str, str]) -> dict[str, str]:
    return {line[:20].strip(): line[20:].strip() for line in result[1].splitlines()}


def _broken(result: tuple[int, str, str], *said: str) -> None:
    """Exit code 1, the whole report, and one line that says all this."""
    code, out, err = result
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("seqtree: error: ")
    for part in said:
        assert part in err
    assert "processor" in out


def test_all_is_well(doctor: Run) -> None:
    found = _record(doctor("--json"))
    assert found["troubles"] == []
    assert found["seqtree"]["version"] == seqtree.__version__
    assert found["packages"].keys() == BASE and found["extras"].keys() == EXTRAS
    assert found["packages"]["torch"]["version"] == metadata.version("torch")
    assert found["computing"]["threads"] == torch.get_num_threads()
    device = choose_device("auto")
    assert found["computing"]["device"] == device.type
    assert found["computing"]["precision"] == ("fp32" if choose_dtype("auto", device) is None else "bf16")
    assert [one["name"] for one in found["models"]] == list(shipped.cards())
    code, out, err = doctor()
    assert (code, err) == (0, "")
    rows = _rows((code, out, err))
    assert {f"extra {name}" for name in EXTRAS} | BASE <= rows.keys()
    assert rows["Python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert rows["models"].startswith("default (parser, ")


@pytest.mark.parametrize(("fast", "said"), [(True, "bfloat16 for the larger"), (False, "float32: no fast bfloat16")])
def test_what_precision_auto_is(doctor: Run, monkeypatch: pytest.MonkeyPatch, fast: bool, said: str) -> None:
    monkeypatch.setattr("seqtree.nn.device._fast_bfloat16", lambda device: fast)
    assert _rows(doctor())["--precision auto"].startswith(said)


def test_gpus(doctor: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"card {number}")
    rows = _rows(doctor())
    assert (rows["GPUs"], rows["--device auto"]) == ("card 0, card 1", "cuda")
    assert rows["--precision auto"].startswith("bfloat16")


def test_the_cache(doctor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "ab.tokens").write_bytes(b"x" * 3_000_000)
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", "0.5")
    assert _rows(doctor())["cache"] == f"3.0 MB of at most 500 MB, 1 file, in {tmp_path / 'cache'}"
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "file" / "cache"))
    assert _rows(doctor())["cache"].endswith("(cannot be written to)")
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", "much")
    _broken(doctor(), "SEQTREE_CACHE_LIMIT is 'much'")
    assert "of at most ? MB" in _rows(doctor())["cache"]


def test_a_cache_folder_that_cannot_be_read(doctor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = os.listdir

    def listdir(path: Any = ".") -> list[str]:
        if str(path) == str(tmp_path / "cache"):
            raise PermissionError("not yours")
        return plain(path)

    monkeypatch.setattr(os, "listdir", listdir)
    result = doctor()
    assert (result[0], result[2]) == (0, "")
    rows = _rows(result)
    assert rows["cache"] == f"{tmp_path / 'cache'}  (cannot be read: SEQTREE_CACHE names another one)"
    assert {name.removeprefix("extra ") for name in rows} >= EXTRAS
    found = _record(doctor("--json"))["cache"]
    assert (found["readable"], found["writable"], found["files"]) == (False, False, None)


def test_no_home_folder(doctor: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtree.doctor.cache_folder", lambda: None)
    result = doctor()
    assert result[0] == 0 and "SEQTREE_CACHE names one" in _rows(result)["cache"]


def test_extras_that_are_not_there(doctor: Run, versions: dict[str, str | None]) -> None:
    versions |= {"matplotlib": "3.10.1", "uvicorn": None, "pillow": "9.5.0"}
    result = doctor()
    rows = _rows(result)
    assert result[0] == 0
    assert rows["extra plot"] == "matplotlib 3.10.1"
    assert rows["extra serve"].endswith('uvicorn not installed: pip install "seqtree[serve]"')
    assert rows["extra images"] == 'pillow 9.5.0, too old: pip install "seqtree[images]"'
    found = _record(doctor("--json"))["extras"]
    assert (found["plot"]["installed"], found["serve"]["installed"], found["images"]["installed"]) == (
        True,
        False,
        False,
    )
    assert found["serve"]["packages"]["uvicorn"]["version"] is None


def test_packages_that_are_missing_or_too_old(doctor: Run, versions: dict[str, str | None]) -> None:
    versions["rich"] = None
    _broken(doctor(), "rich is not installed: pip install 'rich>=13.0'")
    assert _rows(doctor())["rich"].startswith("not installed")
    versions |= {"rich": "13.0.0", "torch": "2.5.1+cpu"}
    result = doctor()
    _broken(result, "torch 2.5.1+cpu is too old, expected 2.6 or later")
    assert "threads" not in _rows(result) and "rich" not in result[2]
    found = _record(doctor("--json"))
    assert found["packages"]["torch"] == {"version": "2.5.1+cpu", "needed": "2.6", "works": False}
    versions["torch"] = "2.10.0"  # later than 2.6
    assert doctor()[0] == 0


def test_a_package_that_cannot_be_imported(doctor: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    _broken(
        doctor(), "safetensors", "cannot be imported (ModuleNotFoundError", "pip install --force-reinstall safetensors"
    )
    found = _record(doctor("--json"))
    assert not found["packages"]["safetensors"]["works"] and found["packages"]["torch"]["works"]


def test_packages_that_do_not_go_together(doctor: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def from_numpy(array: Any) -> None:
        raise RuntimeError("Numpy is not available\nmore")

    monkeypatch.setattr(torch, "from_numpy", from_numpy)
    _broken(doctor(), "torch and NumPy do not compute here (RuntimeError: Numpy is not available)")


def test_models_that_are_damaged_or_gone(doctor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(shipped, "FOLDER", folder)
    _broken(doctor(), "the models that come with seqtree cannot be opened", "no parser is shipped")
    card = {"kind": "parser", "licence": "free", "parameters": 1, "f1": {}}
    (folder / "default.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "default.safetensors").write_bytes(b"damaged")
    result = doctor()
    _broken(result, "cannot be opened (ModelFileError: ", "default.safetensors")
    assert _rows(result)["models"] == "default (parser, 0.0 MB)"
    (folder / "default.json").write_text("{", encoding="utf-8")
    _broken(doctor(), "cannot be opened (JSONDecodeError")


def test_nltk_data(doctor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "none")])
    rows = _rows(doctor())
    assert rows["NLTK data"] == "no folder of it is there"
    assert rows["NLTK's treebank"] == "not found: python -m nltk.downloader treebank"
    (tmp_path / "data" / "corpora" / "treebank").mkdir(parents=True)
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "data")])
    monkeypatch.setattr(nltk.data, "_resource_cache", {})
    rows = _rows(doctor())
    assert rows["NLTK data"] == str(tmp_path / "data")
    assert rows["NLTK's treebank"] == str(tmp_path / "data" / "corpora" / "treebank")
    monkeypatch.setitem(sys.modules, "nltk", None)
    assert "nltk" in doctor()[2]


def test_a_seqtree_that_is_not_installed(doctor: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    _broken(doctor(), "seqtree is not installed as a package")
