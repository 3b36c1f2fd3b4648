"""The optional parts of seqtree: what an extra installs is imported here, or how to get it is said in one line."""

from __future__ import annotations

import importlib
from types import ModuleType

from seqtree.errors import InputError, SeqtreeError


def install_line(extra: str) -> str:
    """The command that installs an extra: ``pip install "seqtree[plot]"``."""
    return f'pip install "seqtree[{extra}]"'


def needed(module: str, extra: str, what: str) -> ModuleType:
    """A module that an extra installs; ``what`` says what needs it.

    Raises InputError if it is not there, SeqtreeError if it is but cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:  # whatever a broken package raises
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise InputError(f"{what}: {install_line(extra)}") from None
        package, reason = module.partition(".")[0], str(error) or type(error).__name__
        raise SeqtreeError(f"{what}; {package} is installed, but cannot be imported: {reason}") from error
