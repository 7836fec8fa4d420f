"""Small matrix products over rows in flat arrays, tile by tile.

For a block of training (tens of rows, 16 to 64 noise words) these are faster than BLAS, where a call costs more than
the work. Rows are ``stride`` numbers long, a multiple of 16; a result has a multiple of 4 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES
from windrow.numeric.tiles import (
    score_2x8,
    score_4x1,
    score_4x4,
    tile_4x1,
    tile_4x2,
    tile_8x1,
    tile_8x2,
    transpose_tile,
    update_2,
    update_4,
    update_6,
    update_8,
    update_10,
    update_12,
)


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


class PairRows(NamedTuple):
    """The rows that predict one target: ``number`` rows from ``start`` on, without the one ``gap`` rows after it."""

    hidden: NDArray[Any]
    gradient: NDArray[Any]
    start: int
    gap: int
    number: int


class Outputs(NamedTuple):
    """Output vectors: the rows ``numbers[first : first + number]`` of a flat table; all distinct."""

    table: NDArray[Any]
    numbers: NDArray[np.int32]
    first: int
    number: int


@kernel(inline=True)
def score_pairs(rows: PairRows, outputs: Outputs, scores: NDArray[Any], score: int, row_step: int, stride: int) -> None:
    """``scores[score + r * row_step + o]`` = row r @ output vector o.

    With a ``row_step`` of 1 there is one output vector; a larger one is at least the number of them rounded up to a
    multiple of 8. Tiles may reach further, so up to 3 more rows and 7 more numbers are read and scored.
    """
    x, y = rows, outputs
    for row in range(0, x.number, 4):
        start, gap = _skip(rows, row, stride)
        place = score + row * row_step
        if row_step == 1:
            score_4x1(x.hidden, start, gap, y.table, y.numbers, y.first, stride, scores, place, 1)
        elif x.number - row > 2:
            for o in range(0, y.number, 4):
                score_4x4(x.hidden, start, gap, y.table, y.numbers, y.first + o, stride, scores, place + o, row_step)
        else:
            for o in range(0, y.number, 8):
                score_2x8(x.hidden, start, gap, y.table, y.numbers, y.first + o, stride, scores, place + o, row_step)


@kernel(inline=True)
def update_pairs(
    rows: PairRows, outputs: Outputs, errors: NDArray[Any], error: int, row_step: int, stride: int
) -> None:
    """``gradient[r] += errors[r, o] * output o`` and ``output o += errors[r, o] * row r`` for all r and o.

    Twelve rows at a time: the next twelve use the output vectors as the first twelve have changed them. The number of
    rows is rounded up to an even one; the errors of the additional row must be 0.
    """
    for row in range(0, rows.number, 12):
        e = error + row * row_step
        start, gap = _skip(rows, row, stride)
        number = rows.number - row
        if number > 10:
            _update(rows, outputs, errors, e, row_step, start, gap, stride, update_12)
        elif number > 8:
            _update(rows, outputs, errors, e, row_step, start, gap, stride, update_10)
        elif number > 6:
            _update(rows, outputs, errors, e, row_step, start, gap, stride, update_8)
        elif number > 4:
            _update(rows, outputs, errors, e, row_step, start, gap, stride, update_6)
        elif number > 2:
            _update(rows, outputs, errors, e, row_step, start, gap, stride, update_4)
        else:
            _update(rows, outputs, errors, e, row_step, start, gap, stride, update_2)


@kernel(inline=True)
def _update(
    rows: PairRows,
    outputs: Outputs,
    errors: NDArray[Any],
    error: int,
    row_step: int,
    start: int,
    gap: int,
    stride: int,
    tile: Callable[..., None],
) -> None:
    y = outputs
    tile(errors, error, row_step, rows.hidden, rows.gradient, start, gap, y.table, y.numbers, y.first, y.number, stride)


@kernel(inline=True)
def _skip(rows: PairRows, row: int, stride: int) -> Any:
    """Where the rows from number ``row`` on start, and how many of them are before the gap."""
    if row >= rows.gap:
        return rows.start + (row + 1) * stride, rows.number
    return rows.start + row * stride, rows.gap - row
