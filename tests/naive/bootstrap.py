"""Resamples, purity and compactness as they are defined."""

from __future__ import annotations

from itertools import permutations

import numpy as np


def repeated(values, times):
    """A resample written out: each value as often as it was drawn."""
    return np.array([value for value, count in zip(values, times, strict=True) for _ in range(int(count))])


def compactness(vectors, without: int) -> float:
    """The mean cosine of the pairs of a group without one of its words: eq. 1 of Camacho-Collados & Navigli 2016."""
    rest = [vector for place, vector in enumerate(vectors) if place != without]
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in permutations(rest, 2)]
    return sum(cosines) / (len(rest) * (len(rest) - 1))


def outlier_position(vectors) -> int:
    """The place of the last word, the outlier, when words are sorted by the compactness of the group without them."""
    scores = [compactness(vectors, without) for without in range(len(vectors))]
    return sorted(range(len(vectors)), key=lambda place: scores[place]).index(len(vectors) - 1)
