"""Masked language models: networks that guess hidden words of plain text, for others to start from."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.masked.config import MaskedNetworkConfig as MaskedNetworkConfig, MaskedRecipe as MaskedRecipe
    from seqtree.masked.evaluation import MaskedEvaluation as MaskedEvaluation, evaluate as evaluate
    from seqtree.masked.model import MaskedLanguageModel as MaskedLanguageModel
    from seqtree.masked.task import MaskedTask as MaskedTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "MaskedNetworkConfig MaskedRecipe",
            "evaluation": "MaskedEvaluation evaluate",
            "model": "MaskedLanguageModel",
            "task": "MaskedTask",
        },
    )
