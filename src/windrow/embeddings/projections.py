"""Word vectors in two dimensions: principal components, t-SNE, UMAP."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, needs_package
from windrow.numeric.threads import one_blas_thread

_TSNE_PERPLEXITY = 30.0
_UMAP_NEIGHBORS = 15
_FEWEST = 4  # words that t-SNE and UMAP can place
_ONE_UMAP = Lock()  # its parallel loops end the process where two threads enter them and Numba has no OpenMP

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

    start = _start("t-SNE", vectors, seed)
    perplexity = min(_TSNE_PERPLEXITY, (len(vectors) - 1) / 3)
    model = TSNE(perplexity=perplexity, metric="cosine", init=start, random_state=seed)
    # With more threads the order of additions, and so the result, would vary.
    with one_blas_thread(), threadpool_limits(1, user_api="openmp"):
        coordinates = model.fit_transform(vectors)
    return coordinates.astype(np.float64), ("", "")


def umap(vectors: Array, seed: int) -> tuple[Array, tuple[str, str]]:
    """UMAP (McInnes, Healy & Melville 2018), (words, 2); its axes have no meaning, so their labels are empty."""
    with needs_package("UMAP needs umap-learn", "umap"):
        from umap import UMAP

    start = _start("UMAP", vectors, seed)
    neighbors = min(_UMAP_NEIGHBORS, len(vectors) - 1)
    # Of unit vectors Euclidean distance rises as the cosine falls; with it, no word is cut off from all others.
    model = UMAP(n_neighbors=neighbors, metric="euclidean", init=start, random_state=seed, n_jobs=1)
    with _ONE_UMAP, one_blas_thread():
        coordinates = model.fit_transform(vectors)
    return coordinates.astype(np.float64), ("", "")


def _start(method: str, vectors: Array, seed: int) -> NDArray[np.float32]:
    """Where an iterative method begins: at the principal components, scaled down (Kobak & Berens 2019), with noise."""
    if len(vectors) < _FEWEST:
        raise OptionError(f"{method} needs at least four words, got {len(vectors)}; use the method pca")
    start = pca(vectors, seed)[0]
    start *= 1e-4 / max(float(start.std()), np.finfo(float).tiny)
    start += np.random.default_rng(seed).normal(scale=1e-5, size=start.shape)
    return start.astype(np.float32)


METHODS: dict[str, Callable[[Array, int], tuple[Array, tuple[str, str]]]] = {"pca": pca, "tsne": tsne, "umap": umap}
NAMES = {"pca": "principal components", "tsne": "t-SNE", "umap": "UMAP"}
