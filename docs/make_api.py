"""Writes ``docs/api.md``, the list of public names, from their docstrings: ``python docs/make_api.py``."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent / "api.md"
PACKAGES = (
    "seqtree",
    "seqtree.language",
    "seqtree.parsing",
    "seqtree.tagging",
    "seqtree.classification",
    "seqtree.trees",
    "seqtree.phrases",
    "seqtree.images",
    "seqtree.scenes",
    "seqtree.translation",
    "seqtree.ray",
    "seqtree.spacy",
    "seqtree.training",
    "seqtree.text",
    "seqtree.treebank",
    "seqtree.drawing",
    "seqtree.nn",
    "seqtree.corpora",
)
HEAD = """# Public names

Everything public is importable from `seqtree` or one level below. This page is made from the docstrings by
`python docs/make_api.py`; a test compares the two.
"""


def page() -> str:
    """The whole page."""
    shown: dict[int, str] = {}
    return HEAD + "".join(_package(name, shown) for name in PACKAGES)


def _package(name: str, shown: dict[int, str]) -> str:
    """The part of one package; ``shown`` are the objects that the page has already, by where."""
    package = importlib.import_module(name)
    parts = [f"\n## {name}\n\n{_summary(package)}\n"]
    for public in sorted(package.__all__, key=str.lower):
        value = getattr(package, public)
        if public.startswith("__") or not callable(value):
            continue
        if id(value) in shown:
            parts.append(f"\n### {public}\n\nThe same as in `{shown[id(value)]}`.\n")
            continue
        shown[id(value)] = name
        parts.append(f"\n### {public}{_signature(value)}\n\n{_summary(value)}\n")
        if inspect.isclass(value):
            parts += _methods(value)
    return "".join(parts)


def _methods(kind: type[Any]) -> list[str]:
    """A line for each public method and property of a class, also of those it inherits from seqtree's own."""
    lines = []
    for name in dir(kind):
        value = inspect.getattr_static(kind, name)
        owner = next(base for base in kind.__mro__ if name in vars(base))
        if name.startswith("_") or not owner.__module__.startswith("seqtree"):
            continue
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if inspect.isfunction(function) and inspect.getdoc(function):
            call = "" if isinstance(value, property) else _signature(getattr(kind, name))
            lines.append(f"- `{name}{call}`: {_first_sentence(inspect.getdoc(function) or '')}\n")
    return ["\n", *lines] if lines else []


def _signature(value: Any) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    kept = [p.replace(annotation=p.empty) for name, p in signature.parameters.items() if name != "self"]
    if dataclasses.is_dataclass(value) and len(kept) > 8:
        return "(...)"
    shown = str(signature.replace(parameters=kept, return_annotation=signature.empty))
    return re.sub(r"<.*? at 0x[0-9a-f]+>", "...", shown)


def _summary(value: Any) -> str:
    """The docstring without its examples."""
    text = (inspect.getdoc(value) or "").split(">>>")[0].strip()
    return text.replace("``", "`")


def _first_sentence(text: str) -> str:
    first = " ".join(text.split("\n\n")[0].split())
    return first.replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
