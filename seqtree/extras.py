"""The optional parts of seqtree: what an extra installs is imported here, or how to get it is said in one line."""

from __future__ import annotations

import importlib
from types import ModuleType

from seqtree.errors import InputError


def install_line(extra: str) -> str:
    """The command that installs an extra: ``pip install "seqtree[plot]"``."""
    return f'pip install "seqtree[{extra}]"'


def needed(module: str, extra: str, what: str) -> ModuleType:
    """A module that an extra installs. Raises InputError if it is not there; ``what`` says what needs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(f"{what}: {install_line(extra)}") from None
