"""The words before a position of a stream of sentences: what a window language model sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel
def gather_contexts(
    stream: NDArray[np.int32], positions: NDArray[np.int64], first_symbol: int, contexts: NDArray[np.int32]
) -> None:
    """``contexts[i]`` (rows, window) = the words before ``positions[i]``, the nearest last, within its sentence.

    ``first_symbol`` begins every sentence; it also fills what would lie before it.
    """
    rows, window = contexts.shape
    for row in range(rows):
        place = positions[row] - 1
        for k in range(window - 1, -1, -1):
            contexts[row, k] = first_symbol if place < 0 else stream[place]
            if place >= 0 and stream[place] != first_symbol:
                place -= 1
