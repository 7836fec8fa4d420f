"""Small matrix products over rows in flat arrays, tile by tile: loops over tiles, and the tiles as machine code.

For the shapes of a training block (tens of rows, 16 to 64 noise words) these beat BLAS, whose cost of a call exceeds
the work. Rows are ``stride`` numbers long, a multiple of 16; the number of rows of a result is a multiple of 4.

A tile of 8 rows x 2 vectors keeps 16 sums in registers and needs 10 loads for 16 multiply-adds, so that the multipliers
and not the loads are the limit. As in simd.py each tile is first written in NumPy: that is its definition, and what
runs with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from windrow.numeric.jit import DISABLE_JIT, kernel
from windrow.numeric.machine_code import LANES, Vector, fma, shuffle, spread, vector_pointer, vector_type

# --- the definitions


def _vectors(array: NDArray[Any], start: int, distance: int, rows: int, columns: int = LANES) -> NDArray[Any]:
    """The tile of ``rows`` rows, ``distance`` apart, as a view."""
    size, bytes_ = array.itemsize, array[start:]
    return np.lib.stride_tricks.as_strided(bytes_, (rows, columns), (distance * size, size))


def transpose_tile(
    source: NDArray[Any], start: int, distance: int, target: NDArray[Any], place: int, step: int
) -> None:
    """Write the 16 x 16 numbers of ``source`` transposed to ``target``; rows lie ``distance`` and ``step`` apart."""
    _vectors(target, place, step, LANES)[:] = _vectors(source, start, distance, LANES).T.copy()


def _product_tile(rows: int, vectors: int) -> Callable[..., None]:
    def multiply(
        weights: NDArray[Any],
        weight: int,
        row_step: int,
        term_step: int,
        terms: NDArray[Any],
        term: int,
        term_distance: int,
        number: int,
        target: NDArray[Any],
        place: int,
        row_distance: int,
        accumulate: bool,
    ) -> None:
        """``target[r] (+)= sum over the ``number`` terms t of weights[r, t] * terms[t]``, for one tile.

        ``weights[r, t]`` stands at ``weight + r * row_step + t * term_step``; terms and target rows are
        ``16 * vectors`` columns of rows that lie ``term_distance`` and ``row_distance`` apart.
        """
        factors = np.array(
            [[weights[weight + r * row_step + t * term_step] for t in range(number)] for r in range(rows)]
        )
        result = _vectors(target, place, row_distance, rows, LANES * vectors)
        product = factors.reshape(rows, number) @ _vectors(terms, term, term_distance, number, LANES * vectors)
        result[:] = result + product if accumulate else product

    return multiply


tile_8x2 = _product_tile(8, 2)
tile_8x1 = _product_tile(8, 1)
tile_4x2 = _product_tile(4, 2)
tile_4x1 = _product_tile(4, 1)

# --- the same as machine code

INT = ir.IntType(64)


def load_at(builder: Any, pointer: Any) -> Any:
    """The vector at a pointer, aligned as any number is."""
    return builder.load(pointer, align=4)


def store_at(builder: Any, vector: Any, pointer: Any) -> None:
    """Write a vector where a pointer says."""
    builder.store(vector, pointer, align=4)


def _transpose_tile(
    _typing: Any, source: Any, _start: Any, _distance: Any, target: Any, _place: Any, _step: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, distance, target, place, step = arguments

        def row(kind: Any, array: Any, first: Any, apart: Any, i: int) -> Any:
            return vector_pointer(context, builder, kind, array, builder.add(first, builder.mul(apart, INT(i))))

        rows = [load_at(builder, row(signature.args[0], source, start, distance, i)) for i in range(LANES)]
        span = 1
        while span < LANES:  # swap the off-diagonal quarters of every square of 2 * span
            for i in range(LANES):
                if not i & span:
                    x, y = rows[i], rows[i + span]
                    upper = [lane if not lane & span else LANES + lane - span for lane in range(LANES)]
                    lower = [lane + span if not lane & span else LANES + lane for lane in range(LANES)]
                    rows[i], rows[i + span] = shuffle(builder, x, y, upper), shuffle(builder, x, y, lower)
            span *= 2
        for i in range(LANES):
            store_at(builder, rows[i], row(signature.args[3], target, place, step, i))
        return context.get_dummy_value()

    i = types.int64
    return types.void(source, i, i, target, i, i), generate


def _compiled_product_tile(rows: int, vectors: int) -> Callable[..., Any]:
    def typed(
        _typing: Any, weights: Any, _w: Any, _r: Any, _s: Any, terms: Any, _t: Any, _d: Any, _n: Any, target: Any,
        _p: Any, _a: Any, accumulate: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            weights, weight, row_step, term_step, terms, term, term_distance, number = arguments[:8]
            target, place, row_distance, accumulate = arguments[8:]
            weight_pointer = context.make_array(signature.args[0])(context, builder, weights).data
            vector = vector_type(Vector(signature.args[0].dtype))

            def at(kind: Any, array: Any, start: Any, row: Any, distance: Any, v: int) -> Any:
                column = builder.add(start, INT(LANES * v))
                return vector_pointer(context, builder, kind, array, builder.add(column, builder.mul(row, distance)))

            cells = [(r, v) for r in range(rows) for v in range(vectors)]
            results = [at(signature.args[8], target, place, INT(r), row_distance, v) for r, v in cells]
            sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in cells]
            with builder.if_then(accumulate):
                for result, total in zip(results, sums, strict=True):
                    builder.store(load_at(builder, result), total)
            with cgutils.for_range(builder, number) as loop:
                x = [
                    load_at(builder, at(signature.args[4], terms, term, loop.index, term_distance, v))
                    for v in range(vectors)
                ]
                first = builder.add(weight, builder.mul(loop.index, term_step))
                for r in range(rows):
                    pointer = builder.gep(weight_pointer, [builder.add(first, builder.mul(row_step, INT(r)))])
                    factor = spread(builder, builder.load(pointer))
                    for v in range(vectors):
                        total = sums[r * vectors + v]
                        builder.store(fma(builder, factor, x[v], builder.load(total)), total)
            for result, total in zip(results, sums, strict=True):
                store_at(builder, builder.load(total), result)
            return context.get_dummy_value()

        i = types.int64
        return types.void(weights, i, i, i, terms, i, i, i, target, i, i, types.boolean), generate

    return typed


if not DISABLE_JIT:
    transpose_tile = intrinsic(_transpose_tile)
    tile_8x2 = intrinsic(_compiled_product_tile(8, 2))
    tile_8x1 = intrinsic(_compiled_product_tile(8, 1))
    tile_4x2 = intrinsic(_compiled_product_tile(4, 2))
    tile_4x1 = intrinsic(_compiled_product_tile(4, 1))

# --- loops over tiles


class Rows(NamedTuple):
    """``number`` rows of a flat array: row r starts at ``start + r * distance``."""

    data: NDArray[Any]
    start: int
    distance: int
    number: int


class Weights(NamedTuple):
    """A matrix in a flat array, by rows or columns: element (r, t) is at ``start + r * row_step + t * term_step``."""

    data: NDArray[Any]
    start: int
    row_step: int
    term_step: int


@kernel
def multiply_rows(weights: Weights, terms: Rows, target: Rows, columns: int, accumulate: bool) -> None:
    """``target = weights @ terms``, or with ``accumulate`` ``target += weights @ terms``: (rows, columns).

    ``target.number`` is a multiple of 4, ``columns`` of 16; ``terms.number`` may be any number.
    """
    row = 0
    while row + 8 <= target.number:
        _multiply_strip(weights, terms, target, row, columns, accumulate, tile_8x2, tile_8x1)
        row += 8
    if row < target.number:
        _multiply_strip(weights, terms, target, row, columns, accumulate, tile_4x2, tile_4x1)


@kernel(inline=True)
def _multiply_strip(
    weights: Weights,
    terms: Rows,
    target: Rows,
    row: int,
    columns: int,
    accumulate: bool,
    wide_tile: Callable[..., None],
    narrow_tile: Callable[..., None],
) -> None:
    """The rows from ``row`` on that fit into one tile, over all columns: two vectors at a time, then one."""
    w, t, x = weights, terms, target
    weight, place, column = w.start + row * w.row_step, x.start + row * x.distance, 0
    while column + 2 * LANES <= columns:
        wide_tile(
            w.data, weight, w.row_step, w.term_step, t.data, t.start + column, t.distance, t.number,
            x.data, place + column, x.distance, accumulate,
        )  # fmt: skip
        column += 2 * LANES
    if column < columns:
        narrow_tile(
            w.data, weight, w.row_step, w.term_step, t.data, t.start + column, t.distance, t.number,
            x.data, place + column, x.distance, accumulate,
        )  # fmt: skip


PANEL = 2 * LANES  # columns per panel
LEAST_ROWS = 4  # the fewest rows of multiply_panels


def panels_of(matrix: NDArray[Any]) -> NDArray[Any]:
    """``matrix`` (inner, columns) as panels of 32 columns, (panels, inner, 32); zeros fill up the last one.

    A panel is contiguous, so that it stays in the first-level cache while it is multiplied.
    """
    inner, columns = matrix.shape
    panels = np.zeros((-(-columns // PANEL), inner, PANEL), matrix.dtype)
    whole = columns // PANEL
    panels[:whole] = matrix[:, : whole * PANEL].reshape(inner, whole, PANEL).transpose(1, 0, 2)
    if whole < len(panels):
        panels[whole, :, : columns - whole * PANEL] = matrix[:, whole * PANEL :]
    return panels


@kernel
def multiply_panels(x: NDArray[Any], panels: NDArray[Any], rows: int, panel_count: int, target: NDArray[Any]) -> None:
    """``target = x @ matrix``: target (rows, 32 * panels), x (rows, inner), ``panels_of`` the matrix; all flat.

    There are at least 4 rows. BLAS would copy the matrix into panels at every call.
    """
    inner, distance = x.size // rows, panel_count * PANEL
    fours = rows // LEAST_ROWS * LEAST_ROWS
    for panel in range(panel_count):
        terms = Rows(panels, panel * inner * PANEL, PANEL, inner)
        multiply_rows(Weights(x, 0, inner, 1), terms, Rows(target, panel * PANEL, distance, fours), PANEL, False)
        if fours < rows:  # the last 4 rows, some of which are done already
            first = rows - LEAST_ROWS
            last_rows = Rows(target, first * distance + panel * PANEL, distance, LEAST_ROWS)
            multiply_rows(Weights(x, first * inner, inner, 1), terms, last_rows, PANEL, False)


@kernel
def transpose(rows: Rows, columns: int, target: NDArray[Any]) -> None:
    """``target[k * rows + r] = rows[r, k]``; rows and columns are multiples of 16."""
    for row in range(0, rows.number, LANES):
        for column in range(0, columns, LANES):
            start = rows.start + row * rows.distance + column
            transpose_tile(rows.data, start, rows.distance, target, column * rows.number + row, rows.number)
