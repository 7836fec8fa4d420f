"""gensim's noise distribution, drawn as gensim draws it: for the ``pair`` kernel, whose vectors equal gensim's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rng import State, linear_congruential
from windrow.outputs.noise import noise_weights

_CUMULATIVE_END = 2**31 - 1  # gensim's scale of its cumulative table


def cumulative_table(counts: NDArray[np.int64], exponent: float) -> NDArray[np.uint32]:
    """gensim's table: the cumulative noise distribution scaled to 2**31 - 1, summed word by word; shape (words,)."""
    weights = noise_weights(counts, exponent)
    # Sums in gensim's order, one word at a time, so that the rounded entries are the same.
    cumulative = np.cumsum(weights)
    table: NDArray[np.uint32] = np.round(cumulative / cumulative[-1] * _CUMULATIVE_END).astype(np.uint32)
    return table


@kernel
def draw_cumulative(table: NDArray[np.uint32], state: State) -> Any:
    """One noise word as gensim draws it: the first whose cumulative count reaches 32 random bits, modulo the end."""
    sought = np.uint32(linear_congruential(state) % np.uint64(table[-1]))
    low, high = 0, table.size
    while low < high:
        middle = (low + high) // 2
        if table[middle] < sought:
            low = middle + 1
        else:
            high = middle
    return low
