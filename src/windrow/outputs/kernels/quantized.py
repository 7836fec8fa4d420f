"""Products with a table of 8-bit numbers: a quarter of the bytes of float32, which are what a single row waits for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES, load, load_int8, multiply_add, prefetch, store, totals, zero

AT_ONCE = 4  # rows of the table
_LINE = 64
_AHEAD = 2048  # bytes: what is read next is under way long before it is needed


@kernel
def score_codes(
    hidden: NDArray[np.float32],
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    biases: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> None:
    """``scores[w]`` = ``scales[w]`` * (row w of ``codes`` @ ``hidden``) + ``biases[w]``.

    hidden (stride,), a multiple of 16; codes flat, (words * stride,); scales and biases (words,), a multiple of 16;
    scores has room for 16 more.
    """
    stride = hidden.size
    for word in range(0, scales.size, LANES):
        for first in range(word, word + LANES, AT_ONCE):
            x0 = zero(scores)
            x1 = zero(scores)
            x2 = zero(scores)
            x3 = zero(scores)
            start = first * stride
            for ahead in range(0, AT_ONCE * stride, _LINE):
                prefetch(codes, start + ahead + _AHEAD)
            for k in range(0, stride, LANES):
                x = load(hidden, k)
                x0 = multiply_add(load_int8(codes, start + k), x, x0)
                x1 = multiply_add(load_int8(codes, start + stride + k), x, x1)
                x2 = multiply_add(load_int8(codes, start + 2 * stride + k), x, x2)
                x3 = multiply_add(load_int8(codes, start + 3 * stride + k), x, x3)
            store(scores, first, totals(x0, x1, x2, x3))  # the lanes after the fourth are written over
        scaled = multiply_add(load(scores, word), load(scales, word), load(biases, word))
        store(scores, word, scaled)
