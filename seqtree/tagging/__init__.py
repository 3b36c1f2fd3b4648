"""Tags for the words of sentences: reading columns, the network, training, measuring, tagging."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.tagging.config import TaggerNetworkConfig as TaggerNetworkConfig, TaggerRecipe as TaggerRecipe
    from seqtree.tagging.evaluation import TagEvaluation as TagEvaluation, evaluate as evaluate
    from seqtree.tagging.model import Chunker as Chunker, Tagger as Tagger
    from seqtree.tagging.tagging import Tagging as Tagging
    from seqtree.tagging.task import TagTask as TagTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "TaggerNetworkConfig TaggerRecipe",
            "evaluation": "TagEvaluation evaluate",
            "model": "Chunker Tagger",
            "tagging": "Tagging",
            "task": "TagTask",
        },
    )
