"""Word vectors in two dimensions: principal components, t-SNE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, needs_package
from windrow.numeric.threads import one_blas_thread

_TSNE_PERPLEXITY = 30.0

Array = NDArray[np.float64]


def unit_rows(vectors: NDArray[np.float32]) -> Array:
    """The vectors (words, dimensions) scaled to length 1, in double precision; zero vectors stay zero."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def pca(vectors: Array, seed: int) -> tuple[Array, tuple[str, str]]:
    """The first two principal components, (words, 2), and for each a label with its explained variance.

    ``seed`` is not used. Signs, which have no meaning, are chosen so that the largest coordinate is positive.
    """
    centered = vectors - vectors.mean(axis=0)
    words, dimensions = vectors.shape
    if words > dimensions:  # far faster than all of an SVD
        variances, directions = np.linalg.eigh(centered.T @ centered)
        variances, points = np.maximum(variances[::-1], 0), centered @ directions[:, ::-1][:, :2]
    else:
        left, values, _ = np.linalg.svd(centered, full_matrices=False)
        variances, points = values**2, (left * values)[:, :2]
    coordinates, explained = np.zeros((words, 2)), np.zeros(2)
    coordinates[:, : points.shape[1]] = points
    explained[: len(variances)] = variances[:2] / max(variances.sum(), np.finfo(float).tiny)
    extremes = coordinates[np.abs(coordinates).argmax(axis=0), [0, 1]]
    coordinates *= np.where(extremes < 0, -1, 1)
    first, second = (f"component {n}: {part:.1%} of the variance" for n, part in enumerate(explained, 1))
    return coordinates, (first, second)


def tsne(vectors: Array, seed: int) -> tuple[Array, tuple[str, str]]:
    """t-SNE with cosine distances, (words, 2); its axes have no meaning, so their labels are empty."""
    with needs_package("t-SNE needs scikit-learn", "viz"):
        from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    words = len(vectors)
    if words < 4:
        raise OptionError(f"t-SNE needs at least four words, got {words}; use the method pca")
    # Kobak & Berens 2019: start from PCA, scaled down; the seed decides the noise.
    start = pca(vectors, seed)[0]
    start *= 1e-4 / max(float(start.std()), np.finfo(float).tiny)
    start += np.random.default_rng(seed).normal(scale=1e-5, size=start.shape)
    perplexity = min(_TSNE_PERPLEXITY, (words - 1) / 3)
    model = TSNE(perplexity=perplexity, metric="cosine", init=start.astype(np.float32), random_state=seed)
    # With more threads the order of additions, and so the result, would vary.
    with one_blas_thread(), threadpool_limits(1, user_api="openmp"):
        coordinates = model.fit_transform(vectors)
    return coordinates.astype(np.float64), ("", "")


METHODS: dict[str, Callable[[Array, int], tuple[Array, tuple[str, str]]]] = {"pca": pca, "tsne": tsne}
