"""Small texts to be counted, and matrices as plain arrays."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, chain, pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.naive import cooccurrence as naive
from windrow.embeddings.counting.matrix import CountMatrix
from windrow.embeddings.counting.parts import Plan, whole_weights
from windrow.embeddings.kernels.cooccurrence import Rows

FRACTIONS = {
    "none": lambda window, distance: Fraction(1),
    "linear": lambda window, distance: Fraction(window + 1 - distance, window),
    "harmonic": lambda window, distance: Fraction(1, distance),
}


def as_text(sentences: list[list[int]]) -> Any:
    """What counting reads of a Corpus."""
    ids = np.array(list(chain(*sentences)), np.int32)
    starts = np.array([0, *accumulate(map(len, sentences))], np.int64)
    ids.setflags(write=False)
    return SimpleNamespace(ids=ids, starts=starts, tokens=len(ids))


def plan_of(
    thresholds: list[int], contexts: int, weighting: str, window: int, seed: int = 5, block: int = 1 << 16
) -> Plan:
    return Plan(np.array(thresholds, np.uint32), contexts, *whole_weights(weighting, window), seed, block)


def expected(sentences: list[list[int]], plan: Plan, weighting: str) -> NDArray[np.float64]:
    """The matrix by its definition."""
    of_distance = FRACTIONS[weighting]
    weights = [Fraction(0), *(of_distance(plan.window, distance) for distance in range(1, plan.window + 1))]
    kept = naive.keep(sentences, plan.thresholds.tolist(), plan.seed)
    return naive.counts(kept, weights, len(plan.thresholds), plan.contexts)


def dense_rows(blocks: list[Rows], plan: Plan) -> NDArray[np.float64]:
    """Rows as an array; contexts of a row must rise."""
    found = []
    for rows in blocks:
        for first, last in pairwise(rows.starts):
            assert (np.diff(rows.columns[first:last]) > 0).all()
            found.append(np.zeros(plan.contexts))
            found[-1][rows.columns[first:last]] = rows.counts[first:last] / plan.unit
    return np.array(found)


def dense(matrix: CountMatrix) -> NDArray[np.float64]:
    rows = []
    for block in matrix.blocks:
        for first, last in pairwise(block.starts):
            rows.append(np.zeros(matrix.contexts))
            rows[-1][block.columns[first:last]] = np.exp(block.logs[first:last].astype(np.float64))
    return np.array(rows)


def parts_of(matrix: CountMatrix) -> list[NDArray[Any]]:
    """All that a matrix holds, as whole arrays, however it is cut into blocks."""
    sizes = np.concatenate([np.diff(block.starts) for block in matrix.blocks])
    columns = np.concatenate([block.columns for block in matrix.blocks])
    return [sizes, columns, np.concatenate([block.logs for block in matrix.blocks]), matrix.row_sums]
