"""seqtree: sequence and tree language models to train, run and understand on your own machine.

The way of the data is one street: ``text`` and ``treebank`` -> vocabularies -> batches -> ``nn`` -> ``training`` ->
model file -> ``language``, ``masked``, ``parsing``, ``tagging``, ``classification``, ``images``, ``trees``, ``scenes``;
``reference`` stands beside it.
Public names are imported on first use, so that ``import seqtree`` is quick.
"""

import os
from typing import TYPE_CHECKING

from seqtree.drawing.notebooks import draw_trees
from seqtree.lazy import lazy

__version__ = "0.1.0"

if TYPE_CHECKING:
    from seqtree.classification.model import Classifier as Classifier
    from seqtree.images.model import ImageClassifier as ImageClassifier
    from seqtree.language.model import LanguageModel as LanguageModel
    from seqtree.masked.model import MaskedLanguageModel as MaskedLanguageModel
    from seqtree.model import Model as Model, load as load
    from seqtree.parsing.model import Parser as Parser
    from seqtree.scenes.model import SceneParser as SceneParser
    from seqtree.tagging.model import Tagger as Tagger
    from seqtree.text.vocabulary import Vocabulary as Vocabulary
    from seqtree.training.fit import train as train
    from seqtree.translation.model import Translator as Translator
    from seqtree.treebank.sources import normalised_trees as normalised_trees
    from seqtree.trees.model import TreeClassifier as TreeClassifier
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "classification.model": "Classifier",
            "images.model": "ImageClassifier",
            "language.model": "LanguageModel",
            "masked.model": "MaskedLanguageModel",
            "model": "Model load",
            "parsing.model": "Parser",
            "scenes.model": "SceneParser",
            "tagging.model": "Tagger",
            "text.vocabulary": "Vocabulary",
            "training.fit": "train",
            "translation.model": "Translator",
            "treebank.sources": "normalised_trees",
            "trees.model": "TreeClassifier",
        },
    )

draw_trees()
if os.path.expanduser("~") == "~":  # a user whom the system does not know: NLTK is not imported without a home,
    os.environ["HOME"] = ""  # but an empty one, where nothing is, will do
