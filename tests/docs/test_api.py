"""The list of public names is what the docstrings say, and every name of it can be imported."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _maker()


def test_the_page_is_made_from_the_docstrings() -> None:
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == MAKER.page(), "run: python docs/make_api.py"


@pytest.mark.parametrize("package", MAKER.PACKAGES)
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
