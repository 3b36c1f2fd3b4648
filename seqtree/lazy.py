"""Public names that are imported on first use (PEP 562), and imports that are left out, so that importing is quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def lazy(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package; ``modules`` lists the public names in each of them.

    For type checkers, which would take any name for one that ``__getattr__`` finds, the package imports them instead.
    """
    homes = {name: f"{package}.{module}" for module, names in modules.items() for name in names.split()}

    def get(name: str) -> Any:
        if name in homes:
            return getattr(importlib.import_module(homes[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted(homes), sorted(homes)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Inside, these modules cannot be imported, unless they have been: what is imported does without them.

    NLTK, for one, imports scikit-learn and SciPy where they are installed, for parts of it that nothing here uses.
    """
    left_out = {name: None for name in names if name not in sys.modules}
    sys.modules.update(left_out)  # type: ignore[arg-type]  # None: not to be imported
    try:
        yield
    finally:
        for name in left_out:
            del sys.modules[name]
