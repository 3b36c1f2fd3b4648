"""The parser: a greedy recursive network over words, its training, and its use through NLTK."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.parsing.config import (
        ObjectiveSettings as ObjectiveSettings,
        ParserNetworkConfig as ParserNetworkConfig,
        ParserRecipe as ParserRecipe,
    )
    from seqtree.parsing.evaluation import ParserEvaluation as ParserEvaluation, evaluate as evaluate
    from seqtree.parsing.formats import format_parse as format_parse
    from seqtree.parsing.model import Parser as Parser
    from seqtree.parsing.network import ParserNetwork as ParserNetwork
    from seqtree.parsing.parse import Parse as Parse
    from seqtree.parsing.task import ParserTask as ParserTask
    from seqtree.parsing.word_counts import WordCounts as WordCounts
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "ObjectiveSettings ParserNetworkConfig ParserRecipe",
            "evaluation": "ParserEvaluation evaluate",
            "formats": "format_parse",
            "model": "Parser",
            "network": "ParserNetwork",
            "parse": "Parse",
            "task": "ParserTask",
            "word_counts": "WordCounts",
        },
    )
