"""Small matrix products in register tiles, over flat arrays of rows.

For the shapes of a training block (tens of rows, 16 to 64 columns or noise words) these beat BLAS, whose cost of a
call exceeds the work. Rows are ``stride`` numbers long, a multiple of 16; row counts are multiples of 4.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.simd import LANES, broadcast, load, multiply_add, store, zero


@kernel
def multiply_rows(
    a: NDArray[Any], rows: int, b_transposed: NDArray[Any], columns: int, product: NDArray[Any], stride: int
) -> None:
    """``product = a @ b_transposed``: (rows, stride) by (stride, columns), columns a multiple of 16."""
    for row in range(0, rows, 4):
        a0 = row * stride
        a1, a2, a3 = a0 + stride, a0 + 2 * stride, a0 + 3 * stride
        for column in range(0, columns, LANES):
            x0 = zero(a)
            x1 = zero(a)
            x2 = zero(a)
            x3 = zero(a)
            for k in range(stride):
                b = load(b_transposed, k * columns + column)
                x0 = multiply_add(broadcast(a[a0 + k]), b, x0)
                x1 = multiply_add(broadcast(a[a1 + k]), b, x1)
                x2 = multiply_add(broadcast(a[a2 + k]), b, x2)
                x3 = multiply_add(broadcast(a[a3 + k]), b, x3)
            start = row * columns + column
            store(product, start, x0)
            store(product, start + columns, x1)
            store(product, start + 2 * columns, x2)
            store(product, start + 3 * columns, x3)


@kernel
def add_product(
    target: NDArray[Any],
    rows: int,
    weights: NDArray[Any],
    row_step: int,
    term_step: int,
    vectors: NDArray[Any],
    terms: int,
    stride: int,
) -> None:
    """``target[r] += sum_t weights[r * row_step + t * term_step] * vectors[t]`` for all rows r.

    With the steps (terms, 1) this is ``target += G @ vectors`` for a row-major G, with (1, rows) ``G.T @ vectors``.
    """
    for row in range(0, rows, 4):
        for k in range(0, stride, LANES):
            place = row * stride + k
            x0 = load(target, place)
            x1 = load(target, place + stride)
            x2 = load(target, place + 2 * stride)
            x3 = load(target, place + 3 * stride)
            for term in range(terms):
                vector = load(vectors, term * stride + k)
                w = row * row_step + term * term_step
                x0 = multiply_add(broadcast(weights[w]), vector, x0)
                x1 = multiply_add(broadcast(weights[w + row_step]), vector, x1)
                x2 = multiply_add(broadcast(weights[w + 2 * row_step]), vector, x2)
                x3 = multiply_add(broadcast(weights[w + 3 * row_step]), vector, x3)
            store(target, place, x0)
            store(target, place + stride, x1)
            store(target, place + 2 * stride, x2)
            store(target, place + 3 * stride, x3)
