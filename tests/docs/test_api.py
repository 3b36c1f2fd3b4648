"""The page of public names has every package, and every public name can be imported and is documented."""

from __future__ import annotations

import configparser
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
OTHERS = {"seqtree.cli", "seqtree.reference", "seqtree.serve"}  # a program, the chapters' modules, a service


def test_every_package_is_on_the_page() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    modules = {"seqtree.ray"}  # which are no packages
    assert set(config["options"]["packages"].split()) - OTHERS == set(PACKAGES) - modules
    assert len(PACKAGES) == len(set(PACKAGES))


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names(package: str) -> None:
    """Each is there, is documented, and is no module: a name that is both would depend on what was imported before."""
    module = importlib.import_module(package)
    modules = {file.stem for file in Path(str(module.__file__)).parent.glob("*.py")}
    for name in module.__all__:
        value = getattr(module, name)
        assert not isinstance(value, ModuleType)
        assert name not in modules
        assert not callable(value) or inspect.getdoc(value), name
    assert set(dir(module)) >= set(module.__all__) - {"__version__"}
