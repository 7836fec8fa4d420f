"""Small matrix products in register tiles, over rows in flat arrays.

For the shapes of a training block (tens of rows, 16 to 64 columns or noise words) these beat BLAS, whose cost of a
call exceeds the work. Rows are ``stride`` numbers long, a multiple of 16; targets have a multiple of 4 rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.simd import LANES, broadcast, load, multiply_add, store, zero


class Rows(NamedTuple):
    """Every so many rows of a flat array: row r starts at ``start + r * distance``."""

    data: NDArray[Any]
    start: int
    distance: int
    number: int


@kernel
def multiply_rows(rows: Rows, columns_first: NDArray[Any], columns: int, product: NDArray[Any], stride: int) -> None:
    """``product = rows @ columns_first``: (rows, stride) by (stride, columns), columns a multiple of 16."""
    a = rows.data
    for row in range(0, rows.number, 4):
        a0 = rows.start + row * rows.distance
        a1, a2, a3 = a0 + rows.distance, a0 + 2 * rows.distance, a0 + 3 * rows.distance
        for column in range(0, columns, LANES):
            x0 = zero(a)
            x1 = zero(a)
            x2 = zero(a)
            x3 = zero(a)
            for k in range(stride):
                b = load(columns_first, k * columns + column)
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
def add_product(target: Rows, weights: NDArray[Any], row_step: int, term_step: int, terms: Rows, stride: int) -> None:
    """``target[r] += sum_t weights[r * row_step + t * term_step] * terms[t]`` for all rows r.

    With the steps (terms, 1) this is ``target += G @ terms`` for a row-major G, with (1, rows) ``G.T @ terms``.
    """
    for row in range(0, target.number, 4):
        for k in range(0, stride, LANES):
            p0 = target.start + row * target.distance + k
            p1, p2, p3 = p0 + target.distance, p0 + 2 * target.distance, p0 + 3 * target.distance
            x0 = load(target.data, p0)
            x1 = load(target.data, p1)
            x2 = load(target.data, p2)
            x3 = load(target.data, p3)
            for term in range(terms.number):
                vector = load(terms.data, terms.start + term * terms.distance + k)
                w = row * row_step + term * term_step
                x0 = multiply_add(broadcast(weights[w]), vector, x0)
                x1 = multiply_add(broadcast(weights[w + row_step]), vector, x1)
                x2 = multiply_add(broadcast(weights[w + 2 * row_step]), vector, x2)
                x3 = multiply_add(broadcast(weights[w + 3 * row_step]), vector, x3)
            store(target.data, p0, x0)
            store(target.data, p1, x1)
            store(target.data, p2, x2)
            store(target.data, p3, x3)
