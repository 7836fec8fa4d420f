"""Rows of a table that are named by ids: adding to them, summing those of equal ids, numbering ids by first sight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel
def add_to_rows(table: NDArray[Any], numbers: NDArray[np.int32], rows: NDArray[Any], factor: float) -> None:
    """``table[numbers[i]] += factor * rows[i]``; numbers may repeat."""
    step = table.dtype.type(factor)
    for i in range(numbers.size):
        number = numbers[i]
        for k in range(table.shape[1]):
            table[number, k] += step * rows[i, k]


@kernel
def sum_equal_rows(
    ids: NDArray[np.int32],
    rows: NDArray[Any],
    slots: NDArray[np.int32],
    distinct: NDArray[np.int32],
    sums: NDArray[Any],
) -> int:
    """Sum the rows (n, dim) that belong to the same id; returns the number of distinct ids.

    They are the first of ``distinct`` (n,), in the order in which they come, their sums the first of ``sums`` (n, dim).
    ``slots``, a number for every id there is, is -1 everywhere before and after.
    """
    known = 0
    for i in range(ids.size):
        slot = slots[ids[i]]
        if slot < 0:
            slot = slots[ids[i]] = known
            distinct[known] = ids[i]
            known += 1
            for k in range(rows.shape[1]):
                sums[slot, k] = rows[i, k]
        else:
            for k in range(rows.shape[1]):
                sums[slot, k] += rows[i, k]
    for slot in range(known):
        slots[distinct[slot]] = -1
    return known
