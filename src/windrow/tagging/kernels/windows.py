"""The first layer of the window tagger: each distinct word is multiplied by the weights once, windows add the products.

A window of words w_1..w_n times a matrix is the sum of w_k times the k-th block of its rows. So a block of text needs
one product a distinct word instead of one a token, and no array of windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel
def add_windows(
    products: NDArray[Any], places: NDArray[np.int32], centers: NDArray[np.int32], window: int, sums: NDArray[Any]
) -> None:
    """``sums[t]`` += the products of the words in token t's window with the weights of their positions.

    ``products`` (words, window * hidden) has a block for each place in the window; ``places`` (positions,) are rows of
    it, of padded text; ``centers`` (tokens,) are positions.
    """
    hidden = sums.shape[1]
    for token in range(centers.size):
        first = centers[token] - window // 2
        for k in range(window):
            row = places[first + k]
            for unit in range(hidden):
                sums[token, unit] += products[row, k * hidden + unit]


@kernel
def scatter_windows(
    gradient: NDArray[Any], places: NDArray[np.int32], centers: NDArray[np.int32], window: int, products: NDArray[Any]
) -> None:
    """The way back of ``add_windows``: add each row of ``gradient`` (tokens, hidden) to the products it was made of."""
    hidden = gradient.shape[1]
    for token in range(centers.size):
        first = centers[token] - window // 2
        for k in range(window):
            row = places[first + k]
            for unit in range(hidden):
                products[row, k * hidden + unit] += gradient[token, unit]
