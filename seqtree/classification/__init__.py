"""Texts to classes: the network with its n-grams, training, measuring, a linear floor, classifying."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.classification.config import (
        ClassifierNetworkConfig as ClassifierNetworkConfig,
        ClassifierRecipe as ClassifierRecipe,
    )
    from seqtree.classification.evaluation import ClassEvaluation as ClassEvaluation, evaluate as evaluate
    from seqtree.classification.model import Classification as Classification, Classifier as Classifier
    from seqtree.classification.task import ClassifyTask as ClassifyTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "ClassifierNetworkConfig ClassifierRecipe",
            "evaluation": "ClassEvaluation evaluate",
            "model": "Classification Classifier",
            "task": "ClassifyTask",
        },
    )
