"""Vectors as points of a plane, for a map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.extras import needed
from seqtree.phrases.readers import Vector
from seqtree.phrases.vectors import of_length_1

METHODS = ("pca", "umap")
Points = npt.NDArray[np.float64]


def project(vectors: Vector, method: str = "pca", seed: int = 0) -> tuple[Points, float | None]:
    """Vectors (N, D) as points (N, 2), and the share of their variance that the points keep, for ``pca``.

    Each vector is brought to length 1 first, so that what is near by cosine is near on the map. pca: the two principal
    components, by a singular value decomposition, each with its largest part positive. umap: needs umap-learn. Raises
    InputError for fewer than three vectors, or if umap-learn is not installed.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}: expected one of {', '.join(METHODS)}")
    if len(vectors) < 3:
        raise InputError(f"{len(vectors)} phrases are too few for a map; expected at least 3")
    rows = of_length_1(np.asarray(vectors, dtype=np.float64))
    return (_umap(rows, seed), None) if method == "umap" else _pca(rows)


def _pca(rows: Points) -> tuple[Points, float]:
    """The first two principal components (N, 2), and their share of the variance."""
    rows = rows - rows.mean(axis=0)
    left, values, right = np.linalg.svd(rows, full_matrices=False)
    count = min(2, len(values))
    signs = np.sign(right[np.arange(count), np.abs(right[:count]).argmax(axis=1)])
    points = np.zeros((len(rows), 2))
    points[:, :count] = left[:, :count] * values[:count] * signs
    total = float((values**2).sum())
    return points, float((values[:2] ** 2).sum()) / total if total else 1.0


def _umap(rows: Points, seed: int) -> Points:
    umap = needed("umap", "umap", "--method umap needs umap-learn")
    neighbours = min(15, len(rows) - 1)
    learner = umap.UMAP(n_neighbors=neighbours, metric="cosine", random_state=seed, n_jobs=1, init="pca")
    made = learner.fit_transform(rows)
    return np.asarray(made, dtype=np.float64)
