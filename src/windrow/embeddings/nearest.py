"""The highest scores: of few queries by NumPy, of many by products of tiles, of which only the best are kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Ranked = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows of the table and their scores, best first

_FEW_SCORES = 1 << 24  # 64 MB; NumPy ranks them in less time than it takes to load Numba
# Scores of one tile: 8 MB, small enough for a cache, and enough work for BLAS to share among its threads. With fewer
# queries a tile has more rows of the table.
_TILE_SCORES = 1 << 21
_TILE_QUERIES = 1024
_GROUPED = 64  # scores per group, of which best_rows looks at the highest first


def nearest(
    units: NDArray[np.float32], vectors: NDArray[np.float32], norms: NDArray[np.float32], count: int
) -> Iterator[Ranked]:
    """For each query the ``count`` rows of highest cosine, best first.

    ``units`` (queries, dimensions) have length 1; ``vectors`` are (words, dimensions), ``norms`` (words,) without
    zeros. Equal scores are in the order of rows; NaN and -inf are left out. ``vectors`` are read once and not copied.
    """
    if len(units) * len(vectors) <= _FEW_SCORES:
        return _at_once(units, vectors, norms, count)
    return _by_tiles(units, vectors, norms, count)


def compile_batches() -> None:
    """Compile the kernels for large batches of queries, by a small batch."""
    list(_by_tiles(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), np.ones(1, np.float32), 1))


def best_rows(scores: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The rows of the ``count`` highest scores, best first, equal ones by row; NaN and -inf are left out."""
    least = np.finfo(np.float32).min
    groups = len(scores) // _GROUPED
    if 0 < count <= groups:
        # ``count`` groups have a score of at least the count-th highest maximum, so no lower score is an answer.
        highest = np.fmax.reduce(scores[: groups * _GROUPED].reshape(_GROUPED, groups), axis=0)
        highest[np.isnan(highest)] = -np.inf
        least = max(least, np.partition(highest, -count)[-count])
    rows = np.flatnonzero(scores >= least)
    return rows[np.argsort(-scores[rows], kind="stable")[:count]]


def _at_once(
    units: NDArray[np.float32], vectors: NDArray[np.float32], norms: NDArray[np.float32], count: int
) -> Iterator[Ranked]:
    scores = units @ vectors.T  # (queries, words)
    scores /= norms
    for one in scores:
        rows = best_rows(one, count)
        yield rows, one[rows]


def _by_tiles(
    units: NDArray[np.float32], vectors: NDArray[np.float32], norms: NDArray[np.float32], count: int
) -> Iterator[Ranked]:
    from windrow.evaluation.kernels.neighbors import Best, keep_best, no_answers, ranked

    best = no_answers(len(units), min(count, len(vectors)))
    height = max(1, _TILE_SCORES // min(_TILE_QUERIES, len(units)))
    for row in range(0, len(vectors), height):
        tile, tile_norms = vectors[row : row + height].T, norms[row : row + height]
        for query in range(0, len(units), _TILE_QUERIES):
            queries = slice(query, query + _TILE_QUERIES)
            keep_best(units[queries] @ tile, tile_norms, row, Best(best.scores[queries], best.rows[queries]))
    for scores, rows in zip(*ranked(best), strict=True):
        found = np.count_nonzero(rows >= 0)
        yield rows[:found], scores[:found]
