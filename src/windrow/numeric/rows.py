"""Rows of a table that are named by ids: numbering ids by first sight, adding to rows, summing those of equal ids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel(inline=True)
def give_slot(row: int, slots: NDArray[np.int32], distinct: NDArray[np.int32], known: int) -> int:
    """Give an id that is seen for the first time the next slot, ``known``; returns how many ids have one then.

    ``slots[row]`` is the slot of an id, -1 before it is seen; ``distinct[slot]`` is the id that has this slot.
    """
    if slots[row] < 0:
        slots[row] = known
        distinct[known] = row
        return known + 1
    return known


def number_by_first_sight(ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The number of each id, in the order in which they come; and the distinct ids in that order.

    For ids of any size, where slots for all that there could be would be too many.
    """
    keys = ids.astype(np.int64) << 32 | np.arange(len(ids))
    keys.sort()  # much faster than np.unique, which must sort the places beside the ids
    places = keys & 0xFFFFFFFF
    is_first = np.diff(keys >> 32, prepend=-1) > 0
    order = np.argsort(places[is_first])
    numbers_of_sorted = np.empty(len(order), np.int32)
    numbers_of_sorted[order] = np.arange(len(order), dtype=np.int32)
    numbers = np.empty(len(ids), np.int32)
    numbers[places] = numbers_of_sorted[np.cumsum(is_first) - 1]
    return numbers, ids[places[is_first][order]]


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
        before = known
        known = give_slot(ids[i], slots, distinct, known)
        slot = slots[ids[i]]
        if known > before:
            for k in range(rows.shape[1]):
                sums[slot, k] = rows[i, k]
        else:
            for k in range(rows.shape[1]):
                sums[slot, k] += rows[i, k]
    for slot in range(known):
        slots[distinct[slot]] = -1
    return known
