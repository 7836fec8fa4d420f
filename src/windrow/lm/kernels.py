"""Scores of tokens, added up line by line."""

from __future__ import annotations

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
