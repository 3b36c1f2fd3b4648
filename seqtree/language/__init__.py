"""Language models: the network, its training, sampling, scoring, and an adapter for NLTK."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.language.config import (
        LanguageNetworkConfig as LanguageNetworkConfig,
        LanguageRecipe as LanguageRecipe,
        SamplingSettings as SamplingSettings,
    )
    from seqtree.language.evaluation import LanguageEvaluation as LanguageEvaluation
    from seqtree.language.memorisation import SampleReport as SampleReport
    from seqtree.language.model import LanguageModel as LanguageModel
    from seqtree.language.network import RecurrentLanguageModel as RecurrentLanguageModel
    from seqtree.language.ngram import KneserNey as KneserNey
    from seqtree.language.nltk_adapter import NltkLanguageModel as NltkLanguageModel
    from seqtree.language.pictures import ScoredText as ScoredText
    from seqtree.language.reading import WordScore as WordScore
    from seqtree.language.scoring import TokenScore as TokenScore
    from seqtree.language.study import ReadingStudy as ReadingStudy
    from seqtree.language.task import LanguageModelTask as LanguageModelTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "LanguageNetworkConfig LanguageRecipe SamplingSettings",
            "evaluation": "LanguageEvaluation",
            "memorisation": "SampleReport",
            "model": "LanguageModel",
            "network": "RecurrentLanguageModel",
            "ngram": "KneserNey",
            "nltk_adapter": "NltkLanguageModel",
            "pictures": "ScoredText",
            "reading": "WordScore",
            "scoring": "TokenScore",
            "study": "ReadingStudy",
            "task": "LanguageModelTask",
        },
    )
