"""Products of rows, one number at a time in float64; a table is a list of rows here, not a flat array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.floating]  # (rows, columns)
ROWS_TOGETHER = 12


def dot(x: Sequence[float], y: Sequence[float]) -> float:
    return sum(float(a) * float(b) for a, b in zip(x, y, strict=True))


def multiply_rows(weights: Table, terms: Table) -> Table:
    """Row r of the result is the sum over t of ``weights[r, t] * terms[t]``; without terms it is zero."""
    return np.array([[dot(weights[r], column) for column in terms.T] for r in range(len(weights))])


def paired_rows(start: int, gap: int, number: int) -> list[int]:
    """``number`` row numbers from ``start`` on; the one ``gap`` places further is left out."""
    return [start + place for place in range(number + 1) if place != gap][:number]


def score_rows(hidden: Table, rows: Sequence[int], table: Table, words: Sequence[int]) -> Table:
    return np.array([[dot(hidden[row], table[word]) for word in words] for row in rows])


def update_rows(
    hidden: Table, gradient: Table, rows: Sequence[int], table: Table, words: Sequence[int], errors: Table
) -> None:
    """Twelve rows at a time meet the output vectors, and see them as they were before the twelve."""
    for first in range(0, len(rows), ROWS_TOGETHER):
        before = table.copy()
        for r, row in list(enumerate(rows))[first : first + ROWS_TOGETHER]:
            for o, word in enumerate(words):
                for k in range(hidden.shape[1]):
                    gradient[row, k] += errors[r, o] * before[word, k]
                    table[word, k] += errors[r, o] * hidden[row, k]
