"""The highest scores of each query, kept while scores come tile by tile: the matrix of all scores is never stored.

For each query a heap is kept, its worst answer on top. Nearly all scores are lower than that one, which is compared
with 16 scores at a time. Of equal scores the one with the lower row is better. NaN and -inf never become answers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from windrow.numeric.jit import DISABLE_JIT, kernel
from windrow.numeric.simd import LANES, broadcast, load

_EPSILON = 1e-6  # keeps 3CosMul from dividing by zero (Levy & Goldberg 2014, eq. 4)


class Best(NamedTuple):
    """The best answers so far, (queries, count) each: scores, and rows of the table; -inf and -1 where none is yet."""

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]


def no_answers(queries: int, count: int) -> Best:
    """Arrays for the best ``count`` answers to each query."""
    return Best(np.full((queries, count), -np.inf, np.float32), np.full((queries, count), -1, np.int64))


def ranked(best: Best) -> Best:
    """The answers in order, the best first."""
    order = np.lexsort((best.rows, -best.scores))
    return Best(np.take_along_axis(best.scores, order, 1), np.take_along_axis(best.rows, order, 1))


@kernel(allocates=True)
def keep_best(products: NDArray[np.float32], norms: NDArray[np.float32], first_row: int, best: Best) -> None:
    """Keep the best of ``products / norms``: shapes (queries, rows) and (rows,), for the rows from ``first_row`` on."""
    scores = _score_buffer(products)
    for query in range(products.shape[0]):
        for i in range(products.shape[1]):
            scores[i] = products[query, i] / norms[i]
        _keep_if_better(scores, first_row, query, best)


@kernel(allocates=True)
def keep_best_sums(cosines: NDArray[np.float32], questions: NDArray[np.int64], first_row: int, best: Best) -> None:
    """Keep the best of ``cos b - cos a + cos c`` (3CosAdd) for each question (a, b, c): lines of ``cosines``."""
    scores = _score_buffer(cosines)
    for query in range(questions.shape[0]):
        a, b, c = questions[query, 0], questions[query, 1], questions[query, 2]
        for i in range(cosines.shape[1]):
            scores[i] = cosines[b, i] - cosines[a, i] + cosines[c, i]
        _keep_if_better(scores, first_row, query, best)


@kernel(allocates=True)
def keep_best_ratios(cosines: NDArray[np.float32], questions: NDArray[np.int64], first_row: int, best: Best) -> None:
    """Keep the best of ``cos b * cos c / (cos a + 1e-6)`` (3CosMul), of cosines shifted to 0..1."""
    epsilon = np.float32(_EPSILON)
    scores = _score_buffer(cosines)
    for query in range(questions.shape[0]):
        a, b, c = questions[query, 0], questions[query, 1], questions[query, 2]
        for i in range(cosines.shape[1]):
            scores[i] = cosines[b, i] * cosines[c, i] / (cosines[a, i] + epsilon)
        _keep_if_better(scores, first_row, query, best)


@kernel(allocates=True)
def _score_buffer(tile: NDArray[np.float32]) -> NDArray[np.float32]:
    """An array for the scores of a query, padded with -inf to whole vectors of 16."""
    return np.full((tile.shape[1] + LANES - 1) // LANES * LANES, -np.inf, np.float32)


@kernel
def _keep_if_better(scores: NDArray[np.float32], first_row: int, query: int, best: Best) -> None:
    if best.scores.shape[1] == 0:
        return
    worst = broadcast(best.scores[query, 0])
    for start in range(0, scores.size, LANES):
        if any_higher(load(scores, start), worst):
            for i in range(start, start + LANES):
                if scores[i] > best.scores[query, 0]:
                    _replace_worst(scores[i], first_row + i, query, best)
            worst = broadcast(best.scores[query, 0])


@kernel
def _replace_worst(score: float, row: int, query: int, best: Best) -> None:
    """Replace the worst answer, at the top of the heap, and move the new one down until its children are better."""
    scores, rows = best.scores[query], best.rows[query]
    place, child = 0, 1
    while child < scores.size:
        other = child + 1
        if other < scores.size and _is_worse(scores[other], rows[other], scores[child], rows[child]):
            child = other
        if not _is_worse(scores[child], rows[child], score, row):
            break
        scores[place], rows[place] = scores[child], rows[child]
        place, child = child, 2 * child + 1
    scores[place], rows[place] = score, row


@kernel
def _is_worse(score: float, row: int, other_score: float, other_row: int) -> bool:
    return score < other_score or (score == other_score and row > other_row)


# --- an operation on vectors of 16 lanes: its definition, and the same as machine code


def _any_higher(x: Any, y: Any) -> Any:
    return (x > y).any()


def _any_higher_typed(_typing: Any, x: Any, y: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = ir.IntType(LANES)
        lanes = builder.bitcast(builder.fcmp_ordered(">", *arguments), bits)
        return builder.icmp_unsigned("!=", lanes, ir.Constant(bits, 0))

    return types.boolean(x, y), generate


any_higher = _any_higher if DISABLE_JIT else intrinsic(_any_higher_typed)
