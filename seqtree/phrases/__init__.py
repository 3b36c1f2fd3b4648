"""Vectors of words, phrases and sentences, learned from text or from any model: neighbours, similarity, maps, files."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.phrases.ambiguity import Reading as Reading, readings as readings
    from seqtree.phrases.files import export as export
    from seqtree.phrases.learning import LearnedVectors as LearnedVectors, learn_vectors as learn_vectors
    from seqtree.phrases.neighbours import Neighbour as Neighbour, nearest as nearest
    from seqtree.phrases.phrase import Phrase as Phrase, constituents as constituents
    from seqtree.phrases.projection import project as project
    from seqtree.phrases.similarity import (
        SimilarityEvaluation as SimilarityEvaluation,
        cosine as cosine,
        evaluate as evaluate,
        spearman as spearman,
    )
    from seqtree.phrases.vectors import PhraseVectors as PhraseVectors
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "ambiguity": "Reading readings",
            "files": "export",
            "learning": "LearnedVectors learn_vectors",
            "neighbours": "Neighbour nearest",
            "phrase": "Phrase constituents",
            "projection": "project",
            "similarity": "SimilarityEvaluation cosine evaluate spearman",
            "vectors": "PhraseVectors",
        },
    )
