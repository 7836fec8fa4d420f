"""Scores of tokens, added up line by line; and counts of what was seen lately."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import UNK
from windrow.numeric.jit import kernel


@kernel
def sum_lines(
    stream: NDArray[np.int32],
    scores: NDArray[Any],
    ends: NDArray[np.int64],
    sums: NDArray[np.float64],
    oov: NDArray[np.int64],
) -> None:
    """Add up the scores of each line, which ends before ``ends``, and count its unknown words."""
    start = 0
    for line in range(ends.size):
        total = 0.0
        unknown = 0
        for i in range(start, ends[line]):
            total += scores[i]
            unknown += stream[i] == UNK
        sums[line] = total
        oov[line] = unknown
        start = ends[line]


@kernel
def decayed_counts(
    numbers: NDArray[np.int64],
    oldest: NDArray[np.int64],
    decay: float,
    counts: NDArray[np.float64],
    latest: NDArray[np.int64],
    seen: NDArray[np.float64],
) -> None:
    """``seen[i]`` = sum of exp(-decay (i - j)) over the places j from ``oldest[i]`` to i - 1 with the number of i.

    ``oldest`` never falls. ``counts`` and ``latest``, (different numbers,), zeros: the sum of each number, as it was at
    the place ``latest``.
    """
    first = 0  # of the places that are in the sums
    for i in range(numbers.size):
        while first < min(oldest[i], i):
            gone = numbers[first]
            left = counts[gone] * math.exp(-decay * (i - latest[gone])) - math.exp(-decay * (i - first))
            counts[gone] = max(left, 0.0)
            latest[gone] = i
            first += 1
        number = numbers[i]
        seen[i] = counts[number] * math.exp(-decay * (i - latest[number]))
        counts[number] = seen[i] + 1
        latest[number] = i
