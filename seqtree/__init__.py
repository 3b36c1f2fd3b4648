"""seqtree: sequence and tree language models to train, run and understand on your own machine.

The way of the data is one street: ``text``, ``treebank`` or ``images.idx`` -> ``vocabulary`` -> batches -> ``nn`` ->
``training`` -> ``modelfile`` -> ``language``, ``parsing``, ``images``; ``reference`` stands beside it. Public names are
loaded on first use, so that ``import seqtree`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqtree.images.model import ImageClassifier
    from seqtree.language.model import LanguageModel
    from seqtree.parsing.model import Parser
    from seqtree.text.vocabulary import Vocabulary

__version__ = "0.1.0"
__all__ = ["ImageClassifier", "LanguageModel", "Parser", "Vocabulary", "__version__"]

_HOMES = {
    "ImageClassifier": "seqtree.images.model",
    "LanguageModel": "seqtree.language.model",
    "Parser": "seqtree.parsing.model",
    "Vocabulary": "seqtree.text.vocabulary",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'seqtree' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
