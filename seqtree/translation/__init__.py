"""Sequences to sequences: translation, spelling to sound, inflection, by an encoder and a decoder."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.translation.config import (
        PairSettings as PairSettings,
        TranslationRecipe as TranslationRecipe,
        TranslatorConfig as TranslatorConfig,
    )
    from seqtree.translation.data import Pair as Pair, read_pairs as read_pairs
    from seqtree.translation.evaluation import TranslationEvaluation as TranslationEvaluation, evaluate as evaluate
    from seqtree.translation.model import Translation as Translation, Translator as Translator
    from seqtree.translation.network import TranslatorNetwork as TranslatorNetwork
    from seqtree.translation.task import TranslationTask as TranslationTask
    from seqtree.translation.units import Units as Units
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "PairSettings TranslationRecipe TranslatorConfig",
            "data": "Pair read_pairs",
            "evaluation": "TranslationEvaluation evaluate",
            "model": "Translation Translator",
            "network": "TranslatorNetwork",
            "task": "TranslationTask",
            "units": "Units",
        },
    )
