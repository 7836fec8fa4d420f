"""Percentile bootstrap: how far a score would move on other questions of the same kind (Efron 1979).

A resample draws as many items as there are, with replacement; all that a score needs of it is how often each item was
drawn. So a score is a function of ``weights`` (resamples, items), and products with these replace loops over resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
Weights = NDArray[np.float64]  # (resamples, items): how often each item was drawn
Statistic = Callable[[Weights], NDArray[np.float64]]  # a score for each resample

CONFIDENCE = 0.95
RESAMPLES = 1000
_SEED = 1
_MOST_WEIGHTS = 1 << 22  # 32 MB


def resampled(statistic: Statistic, items: int, *, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """The scores of resamples of ``items`` things; of each number of things the same resamples every time."""
    rng = np.random.default_rng(_SEED)
    some = max(1, _MOST_WEIGHTS // items)
    scores = [statistic(_draw(rng, min(some, resamples - start), items)) for start in range(0, resamples, some)]
    return np.concatenate(scores)


def _draw(rng: np.random.Generator, resamples: int, items: int) -> Weights:
    drawn = rng.integers(0, items, (resamples, items))
    drawn += items * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)


def interval_of(scores: NDArray[np.float64]) -> Interval | None:
    """The middle 95 % of scores; those that are not defined are left out. None where none is."""
    defined = scores[np.isfinite(scores)]
    if not len(defined):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    return float(low), float(high)


def as_list(interval: Interval | None) -> list[float] | None:
    """An interval as JSON has it."""
    return None if interval is None else list(interval)


def means_of_groups(values: Sequence[float], groups: Sequence[Hashable]) -> tuple[Statistic, int]:
    """The mean of values as a statistic, and of how many items: what is of one group is drawn together.

    Questions that ask for the same word are right or wrong together more often than others; were each drawn by itself,
    intervals would be too narrow.
    """
    numbers = dict(zip(dict.fromkeys(groups), range(len(groups)), strict=False))
    place = np.fromiter((numbers[group] for group in groups), np.int64, len(groups))
    sums = np.bincount(place, values)  # (groups,)
    sizes = np.bincount(place).astype(np.float64)
    return lambda weights: (weights @ sums) / (weights @ sizes), len(sizes)


def mean_interval(values: Sequence[float], groups: Sequence[Hashable]) -> Interval | None:
    """The interval of a mean of values that are drawn by groups; None without values."""
    return interval_of(resampled(*means_of_groups(values, groups))) if len(values) else None


def pearson_of(first: NDArray[np.float64], second: NDArray[np.float64]) -> Statistic:
    """Pearson's correlation of two columns as a statistic; NaN for a resample in which a column is constant."""
    columns = [_scaled(first), _scaled(second)]
    return lambda weights: _correlation(weights, *(np.broadcast_to(one, weights.shape) for one in columns))


def spearman_of(first: NDArray[np.float64], second: NDArray[np.float64]) -> Statistic:
    """Spearman's correlation of two columns, each resample with ranks of its own, ties by mean rank."""
    ranks = [_ranks_of(first), _ranks_of(second)]
    return lambda weights: _correlation(weights, *(rank(weights) for rank in ranks))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Around 0, and at most 1: by a power of two first, so that nothing overflows."""
    values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])
    values = values - values.mean()
    return values / (np.abs(values).max() or 1.0)


def _ranks_of(values: NDArray[np.float64]) -> Statistic:
    """The rank of each value in each resample, (resamples, items).

    The copies of equal values share the mean of their places: those before them, and half of what they are themselves.
    """
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    starts = np.cumsum(sizes) - sizes

    def rank(weights: Weights) -> NDArray[np.float64]:
        drawn = np.add.reduceat(weights[:, order], starts, axis=1)  # (resamples, distinct values)
        places: NDArray[np.float64] = (np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, group]
        return places

    return rank


def _correlation(weights: Weights, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of weighted items, row by row; NaN where a side is constant."""
    total = weights.sum(axis=1, keepdims=True)
    first = first - np.einsum("ri,ri->r", weights, first)[:, None] / total
    second = second - np.einsum("ri,ri->r", weights, second)[:, None] / total
    weighted = weights * first
    square, other = np.einsum("ri,ri->r", weighted, first), np.einsum("ri,ri,ri->r", weights, second, second)
    product = np.einsum("ri,ri->r", weighted, second)
    least = 1e-24 * total[:, 0]  # what rounding leaves of a side that is constant
    is_defined = (square > least) & (other > least)
    length = np.sqrt(np.where(is_defined, square * other, 1))
    return np.where(is_defined, np.clip(product / length, -1, 1), np.nan)
