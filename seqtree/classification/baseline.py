"""The linear floor: a support vector machine over n-grams of words and characters, by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

from seqtree.extras import needed
from seqtree.text.labelled import Labelled


def check_baseline() -> None:
    """Raises InputError if scikit-learn is not installed, SeqtreeError if it cannot be imported."""
    needed("sklearn.svm", "baseline", "the baseline needs scikit-learn")


def linear_accuracy(training: Sequence[Labelled], measured: Sequence[Labelled]) -> float:
    """The accuracy, a share of 1, on ``measured`` of a linear SVM trained on ``training``.

    Its features are tf-idf of 1- and 2-grams of words and of 2- to 5-grams of characters inside words. Raises as
    ``check_baseline``.
    """
    check_baseline()
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]"),
        TfidfVectorizer(ngram_range=(2, 5), sublinear_tf=True, analyzer="char_wb"),
    )
    model = make_pipeline(features, LinearSVC(random_state=0))
    model.fit([item.text for item in training], [item.label for item in training])
    said = model.predict([item.text for item in measured])
    return sum(bool(a == item.label) for a, item in zip(said, measured, strict=True)) / len(measured)
