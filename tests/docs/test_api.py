"""The page of public names has every package, and every public name can be imported and is documented."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
import typing
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


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "seqtree.ray"])
def test_a_type_checker_sees_the_public_names_and_no_others(package: str) -> None:
    """To it a ``__getattr__`` of a module would be a name for whatever is misspelt."""
    module = importlib.import_module(package)
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    if "lazy" not in vars(module):
        return
    assert not any(name.id == "__getattr__" for node in tree.body for name in _assigned(node))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = [alias.asname for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(map(str, seen)) == module.__all__


def _assigned(node: ast.stmt) -> list[ast.Name]:
    return [one for one in ast.walk(node) if isinstance(one, ast.Name)] if isinstance(node, ast.Assign) else []


@pytest.mark.parametrize("name", ["NltkLanguageModel", "ReadingStudy", "ScoredText"])
def test_hints_can_be_read(name: str) -> None:
    value = getattr(importlib.import_module("seqtree.language"), name)
    own = [method for method in vars(value).values() if inspect.isfunction(method)]
    assert all(typing.get_type_hints(one) is not None for one in (value, *own))
