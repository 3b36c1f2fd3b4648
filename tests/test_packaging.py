"""The wheel: everything seqtree needs is in it, and nothing else."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOMES = {"seqtree": "seqtree", "seqtree.cli": "cli", "seqtree.corpora": "corpora"}  # package -> its folder


def _packages_on_disk() -> set[str]:
    """Every folder with an ``__init__.py``, as the package it is installed as."""
    found = set()
    for package, folder in HOMES.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join([package, *init.parent.relative_to(ROOT / folder).parts]))
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from a copy of the source."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    for folder in (*HOMES.values(), "tests", "benchmarks", "docs"):  # the last three are there to be left out
        if (ROOT / folder).exists():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--wheel-dir", str(out), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_only_one_package_at_the_top(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    (metadata,) = (top for top in tops if top.endswith(".dist-info"))
    assert tops == {"seqtree", metadata}
    assert metadata.startswith("seqtree-")


def test_every_package_is_listed() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    assert set(config["options"]["packages"].split()) == _packages_on_disk()


def test_every_module_is_in_the_wheel(wheel: set[str]) -> None:
    modules = {
        "/".join([*package.split("."), *file.relative_to(ROOT / folder).parts])
        for package, folder in HOMES.items()
        for file in (ROOT / folder).rglob("*.py")
    }
    assert modules == {name for name in wheel if name.endswith(".py")}


def test_data_and_type_marker_are_in_the_wheel(wheel: set[str]) -> None:
    data = {f"seqtree/corpora/data/{file.name}" for file in (ROOT / "corpora" / "data").iterdir()}
    assert len(data) >= 4
    models = {f"seqtree/models/{file.name}" for file in (ROOT / "seqtree" / "models").iterdir()}
    assert {"seqtree/models/default.json", "seqtree/models/default.safetensors"} <= models
    assert data | models | {"seqtree/py.typed"} <= wheel


def test_licence_and_command_are_in_the_wheel(wheel: set[str]) -> None:
    assert any(name.endswith("LICENSE") for name in wheel)
    assert any(name.endswith("entry_points.txt") for name in wheel)
