"""Rows that travel between replicas: whole numbers from -7 to 7, two in a byte, and a scale per row.

The changes of a row are rounded to 1/14 of the largest of them. That is little beside what the text that a replica
happens to have adds at random; and it takes an eighth of the bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel

_STEPS = 7
_ZERO = 8  # what stands for 0 in four bits
_LEAST = np.float32(1e-30)  # a row without a larger number stands for zeros; the quotient could overflow


class Packed(NamedTuple):
    """Rows of whole numbers, each to be multiplied by its scale.

    The low four bits of byte j are column j, the high ones column j of the second half.
    """

    steps: NDArray[np.uint8]  # (rows, columns / 2)
    scales: NDArray[np.float32]  # (rows,); NaN where a number of the row is not finite

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Packed:
        """Rows, packed."""
        packed = cls(np.empty((len(rows), (rows.shape[1] + 1) // 2), np.uint8), np.empty(len(rows), np.float32))
        pack_rows(rows, packed.steps, packed.scales)
        for part in packed:
            part.setflags(write=False)  # as it is where it arrives, so that kernels are compiled for one type
        return packed

    def parts(self, number: int) -> list[Packed]:
        """The rows in so many parts, one after the other."""
        return [Packed(*part) for part in zip(*(np.array_split(each, number) for each in self), strict=True)]

    @classmethod
    def joined(cls, parts: list[Packed]) -> Packed:
        """What ``parts`` has split."""
        joined = cls(*(np.concatenate(each) for each in zip(*parts, strict=True)))
        for part in joined:
            part.setflags(write=False)
        return joined


@kernel
def take_changes(
    table: NDArray[Any], before: NDArray[Any], rows: NDArray[np.int32], changes: NDArray[np.float32]
) -> None:
    """``changes = table[rows] - before[rows]``; a table may have more columns than its changes."""
    for i in range(rows.size):
        for k in range(changes.shape[1]):
            changes[i, k] = table[rows[i], k] - before[rows[i], k]


@kernel
def pack_rows(rows: NDArray[np.float32], steps: NDArray[np.uint8], scales: NDArray[np.float32]) -> None:
    """Round each row to steps of 1/7 of its largest number."""
    columns, half = rows.shape[1], steps.shape[1]
    for i in range(len(rows)):
        largest, is_finite = np.float32(0), True
        for k in range(columns):
            size = abs(rows[i, k])
            is_finite &= size < np.inf
            largest = max(largest, size)
        scales[i] = largest / np.float32(_STEPS) if is_finite else np.float32(np.nan)
        each = np.float32(_STEPS) / largest if is_finite and largest > _LEAST else np.float32(0)
        for k in range(half):
            low = high = _ZERO
            if is_finite:
                low += int(np.rint(rows[i, k] * each))
                if k + half < columns:
                    high += int(np.rint(rows[i, k + half] * each))
            steps[i, k] = low | high << 4


@kernel
def add_packed(total: NDArray[np.float32], steps: NDArray[np.uint8], scales: NDArray[np.float32]) -> None:
    """``total += rows``, those that are packed."""
    columns, half = total.shape[1], steps.shape[1]
    for i in range(len(total)):
        for k in range(half):
            total[i, k] += (np.float32(steps[i, k] & 15) - np.float32(_ZERO)) * scales[i]
        for k in range(half, columns):
            total[i, k] += (np.float32(steps[i, k - half] >> 4) - np.float32(_ZERO)) * scales[i]


@kernel
def put_packed(
    table: NDArray[Any],
    before: NDArray[Any],
    rows: NDArray[np.int32],
    steps: NDArray[np.uint8],
    scales: NDArray[np.float32],
) -> None:
    """``before[rows] += rows``, those that are packed, and the same into ``table``."""
    columns, half = before.shape[1], steps.shape[1]
    for i in range(rows.size):
        for k in range(half):
            before[rows[i], k] += (np.float32(steps[i, k] & 15) - np.float32(_ZERO)) * scales[i]
        for k in range(half, columns):
            before[rows[i], k] += (np.float32(steps[i, k - half] >> 4) - np.float32(_ZERO)) * scales[i]
        for k in range(columns):
            table[rows[i], k] = before[rows[i], k]
