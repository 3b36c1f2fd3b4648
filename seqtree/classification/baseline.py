"""The linear floor: a support vector machine over n-grams of words and characters, by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

from seqtree.errors import InputError
from seqtree.text.labelled import Labelled


def linear_accuracy(training: Sequence[Labelled], measured: Sequence[Labelled]) -> float:
    """The accuracy, a share of 1, on ``measured`` of a linear SVM trained on ``training``.

    Its features are tf-idf of 1- and 2-grams of words and of 2- to 5-grams of characters inside words. Raises
    InputError if scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline, make_union
        from sklearn.svm import LinearSVC
    except ImportError:
        raise InputError("the baseline needs scikit-learn: pip install 'seqtree[baseline]'") from None
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]"),
        TfidfVectorizer(ngram_range=(2, 5), sublinear_tf=True, analyzer="char_wb"),
    )
    model = make_pipeline(features, LinearSVC(random_state=0))
    model.fit([item.text for item in training], [item.label for item in training])
    said = model.predict([item.text for item in measured])
    return sum(bool(a == item.label) for a, item in zip(said, measured, strict=True)) / len(measured)
