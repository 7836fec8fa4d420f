"""Which rows replicas exchange and what becomes of their changes, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.naive.shares import learned


def rows_exchanged(number: int, rounds: int, rows: int, first: int) -> int:
    """The hottest after round ``number``, from 1: twice as many for each time that 2 divides it, all at the end."""
    if number == rounds:
        return rows
    count = first
    while number % 2 == 0:
        number, count = number // 2, 2 * count
    return min(count, rows)


def rounds_since(number: int, rounds: int, rows: int, first: int) -> list[int]:
    """For each row, the rounds up to ``number`` in which it was not exchanged, this one included."""
    last = [0] * rows
    for earlier in range(1, number):
        for row in range(rows_exchanged(earlier, rounds, rows, first)):
            last[row] = earlier
    return [number - when for when in last]


def share(updates: float, replicas: int, memory: float) -> float:
    """Of the sum of all replicas' changes of a row: what one that made all of the updates would have learned."""
    return learned(replicas * updates, memory) / (replicas * learned(updates, memory))


def combined(changes: Sequence[NDArray[np.floating]], shares: Sequence[float]) -> NDArray[np.floating]:
    """The change of each row, from those of all replicas."""
    return np.array([sum(one[row] for one in changes) * share for row, share in enumerate(shares)])
