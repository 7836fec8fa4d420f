"""k-means of a few vectors, for categorization: that of whole vocabularies is scikit-learn's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STARTS = 10
_MOST_ROUNDS = 100
_SEED = 1

Points = NDArray[np.float64]  # (points, dimensions)
Labels = NDArray[np.int64]  # the cluster of each point


def k_means(points: Points, k: int) -> Labels:
    """The cluster of each point: the best of ten starts, by the sum of squared distances to the centers."""
    rng = np.random.default_rng(_SEED)
    found = [_lloyd(points, _first_centers(rng, points, k)) for _ in range(_STARTS)]
    return min(found, key=lambda one: one[1])[0]


def _first_centers(rng: np.random.Generator, points: Points, k: int) -> Points:
    """Points drawn by their squared distance to the nearest one drawn before (Arthur & Vassilvitskii 2007)."""
    centers = [points[rng.integers(len(points))]]
    distances = np.full(len(points), np.inf)
    while len(centers) < k:
        distances = np.minimum(distances, ((points - centers[-1]) ** 2).sum(axis=1))
        total = distances.sum()
        chosen = rng.choice(len(points), p=distances / total) if total > 0 else rng.integers(len(points))
        centers.append(points[chosen])
    return np.array(centers)


def _lloyd(points: Points, centers: Points) -> tuple[Labels, float]:
    """Clusters and their sum of squared distances, by Lloyd's rounds; a center without points stays where it is."""
    labels = np.full(len(points), -1)
    squares = np.empty(0)
    for _ in range(_MOST_ROUNDS):
        squares = (points**2).sum(axis=1)[:, None] - 2 * points @ centers.T + (centers**2).sum(axis=1)
        nearest = squares.argmin(axis=1)
        if (nearest == labels).all():
            break
        labels = nearest
        sizes = np.bincount(labels, minlength=len(centers))
        sums = np.zeros_like(centers)
        np.add.at(sums, labels, points)
        centers = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centers)
    return labels, float(squares.min(axis=1).sum())
