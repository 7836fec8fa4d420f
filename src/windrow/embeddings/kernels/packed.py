"""Rows that travel between replicas: whole numbers from -127 to 127, and a scale per row.

A change of a row is rounded to at most 1/254 of its largest number, which is far less than what the text that the
replica happens to have adds at random; and it takes a quarter of the bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel

_STEPS = 127
_LEAST = np.float32(1e-30)  # a row without a larger number stands for zeros; the quotient could overflow


class Packed(NamedTuple):
    """Rows that stand for ``steps * scales[:, None]``."""

    steps: NDArray[np.int8]  # (rows, columns)
    scales: NDArray[np.float32]  # (rows,); NaN where a number of the row is not finite

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Packed:
        """Rows, packed."""
        packed = cls(np.empty(rows.shape, np.int8), np.empty(len(rows), np.float32))
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
def pack_rows(rows: NDArray[np.float32], steps: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
    """Round each row to steps of 1/127 of its largest number."""
    for i in range(len(rows)):
        largest, is_finite = np.float32(0), True
        for k in range(rows.shape[1]):
            size = abs(rows[i, k])
            is_finite &= size < np.inf
            largest = max(largest, size)
        scales[i] = largest / np.float32(_STEPS) if is_finite else np.float32(np.nan)
        each = np.float32(_STEPS) / largest if is_finite and largest > _LEAST else np.float32(0)
        for k in range(rows.shape[1]):
            steps[i, k] = np.int8(np.rint(rows[i, k] * each)) if is_finite else np.int8(1)


@kernel
def add_packed(total: NDArray[np.float32], steps: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
    """``total += steps * scales[:, None]``."""
    for i in range(len(total)):
        for k in range(total.shape[1]):
            total[i, k] += np.float32(steps[i, k]) * scales[i]


@kernel
def put_packed(
    table: NDArray[Any],
    before: NDArray[Any],
    rows: NDArray[np.int32],
    steps: NDArray[np.int8],
    scales: NDArray[np.float32],
) -> None:
    """``before[rows] += steps * scales[:, None]``, and the same rows into ``table``."""
    for i in range(rows.size):
        for k in range(steps.shape[1]):
            before[rows[i], k] += np.float32(steps[i, k]) * scales[i]
            table[rows[i], k] = before[rows[i], k]
