"""Rows against output vectors: their scores, and what they learn from each other, tile by tile.

Several rows and output vectors at a time share their loads, and their sums are in registers. As in simd.py each tile is
first written in NumPy: that is its definition, and what runs with NUMBA_DISABLE_JIT=1. All arrays are flat.
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
from windrow.numeric.machine_code import LANES, Vector, fma, spread, sum_each, vector_pointer, vector_type
from windrow.numeric.products import INT, load_at, store_at

# --- the definitions


def _score_tile(rows: int, outputs: int) -> Callable[..., None]:
    def score(
        hidden: NDArray[Any],
        row: int,
        gap: int,
        table: NDArray[Any],
        numbers: NDArray[np.int32],
        first: int,
        stride: int,
        scores: NDArray[Any],
        place: int,
        row_step: int,
    ) -> None:
        """``scores[place + r * row_step + o]`` = row r @ row ``numbers[first + o]`` of ``table``.

        The rows start at ``row``; the one ``gap`` rows after it is left out.
        """
        vectors = np.stack([table[n * stride : (n + 1) * stride] for n in numbers[first : first + outputs].astype(int)])
        for r, start in enumerate(_row_starts(row, gap, rows, stride)):
            scores[place + r * row_step : place + r * row_step + outputs] = vectors @ hidden[start : start + stride]

    return score


def _row_starts(row: int, gap: int, rows: int, stride: int) -> list[int]:
    """Where ``rows`` rows start, the first at ``row``, if the one ``gap`` rows after it is left out."""
    return [row + (r + (r >= gap)) * stride for r in range(rows)]


def _update_tile(rows: int) -> Callable[..., None]:
    def update(
        errors: NDArray[Any],
        error: int,
        error_step: int,
        hidden: NDArray[Any],
        gradient: NDArray[Any],
        row: int,
        gap: int,
        table: NDArray[Any],
        numbers: NDArray[np.int32],
        first: int,
        outputs: int,
        stride: int,
    ) -> None:
        """``gradient[r] += errors[r, o] * table[o]`` and ``table[o] += errors[r, o] * hidden[r]`` for all r and o.

        ``errors[r, o]`` is at ``error + r * error_step + o``; output vector o is row ``numbers[first + o]`` of
        ``table``. Gradients use the output vectors as they were before; these are distinct.
        """
        starts = _row_starts(row, gap, rows, stride)
        for o in range(outputs):
            place = int(numbers[first + o]) * stride
            output = table[place : place + stride]
            before = output.copy()
            for r, start in enumerate(starts):
                step = errors[error + r * error_step + o]
                gradient[start : start + stride] += step * before
                output += step * hidden[start : start + stride]

    return update


score_4x4 = _score_tile(4, 4)
score_2x8 = _score_tile(2, 8)
score_4x1 = _score_tile(4, 1)  # with a row_step of 1
update_2 = _update_tile(2)
update_4 = _update_tile(4)
update_6 = _update_tile(6)
update_8 = _update_tile(8)
update_10 = _update_tile(10)
update_12 = _update_tile(12)

# --- the same as machine code


def _row_start(builder: Any, number_pointer: Any, index: Any, stride: Any) -> Any:
    """Where the row with the number at ``index`` starts."""
    number = builder.load(builder.gep(number_pointer, [index]))
    return builder.mul(builder.sext(number, INT), stride)


def _compiled_row_starts(builder: Any, row: Any, gap: Any, rows: int, stride: Any) -> list[Any]:
    starts = []
    for r in range(rows):
        behind = builder.icmp_signed(">=", INT(r), gap)
        skipped = builder.select(behind, INT(r + 1), INT(r))
        starts.append(builder.add(row, builder.mul(stride, skipped)))
    return starts


def _compiled_score_tile(rows: int, outputs: int) -> Callable[..., Any]:
    def typed(
        _typing: Any, hidden: Any, _row: Any, _gap: Any, table: Any, places: Any, _first: Any, _stride: Any,
        scores: Any, _place: Any, _row_step: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            hidden, row, gap, table, numbers, first, stride, scores, place, row_step = arguments
            kinds = signature.args
            vector = vector_type(Vector(kinds[0].dtype))
            number_pointer = context.make_array(kinds[4])(context, builder, numbers).data
            row_starts = _compiled_row_starts(builder, row, gap, rows, stride)
            outputs_here = [builder.add(first, INT(o)) for o in range(outputs)]
            output_starts = [_row_start(builder, number_pointer, number, stride) for number in outputs_here]
            sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in range(rows * outputs)]
            with cgutils.for_range_slice(builder, INT(0), stride, INT(LANES)) as (k, _):

                def vectors(kind: Any, array: Any, starts: list[Any]) -> list[Any]:
                    places = [vector_pointer(context, builder, kind, array, builder.add(start, k)) for start in starts]
                    return [load_at(builder, place) for place in places]

                x, y = vectors(kinds[0], hidden, row_starts), vectors(kinds[3], table, output_starts)
                for i, total in enumerate(sums):
                    builder.store(fma(builder, x[i // outputs], y[i % outputs], builder.load(total)), total)
            totals = sum_each(builder, [builder.load(total) for total in sums])
            run = rows if outputs == 1 else outputs  # lanes that are consecutive in ``scores``
            for r in range(rows * outputs // run):
                start = builder.add(place, builder.mul(row_step, INT(r)))
                lanes = ir.Constant(ir.VectorType(ir.IntType(32), run), list(range(r * run, (r + 1) * run)))
                part = builder.shuffle_vector(totals, totals, lanes)
                pointer = vector_pointer(context, builder, kinds[7], scores, start)
                store_at(builder, part, builder.bitcast(pointer, part.type.as_pointer()))
            return context.get_dummy_value()

        i = types.int64
        return types.void(hidden, i, i, table, places, i, i, scores, i, i), generate

    return typed


def _compiled_update_tile(rows: int) -> Callable[..., Any]:
    def typed(
        _typing: Any, errors: Any, _e: Any, _s: Any, hidden: Any, gradient: Any, _r: Any, _g: Any, table: Any,
        places: Any, _f: Any, _o: Any, _stride: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            errors, error, error_step, hidden, gradient, row, gap = arguments[:7]
            table, numbers, first, outputs, stride = arguments[7:]
            kinds = signature.args
            error_pointer = context.make_array(kinds[0])(context, builder, errors).data
            number_pointer = context.make_array(kinds[8])(context, builder, numbers).data
            starts = _compiled_row_starts(builder, row, gap, rows, stride)
            with cgutils.for_range_slice(builder, INT(0), stride, INT(LANES)) as (k, _):
                columns = [builder.add(start, k) for start in starts]
                slots = [vector_pointer(context, builder, kinds[4], gradient, column) for column in columns]
                x = [load_at(builder, vector_pointer(context, builder, kinds[3], hidden, column)) for column in columns]
                sums = [cgutils.alloca_once_value(builder, load_at(builder, slot)) for slot in slots]
                with cgutils.for_range(builder, outputs) as loop:
                    place = _row_start(builder, number_pointer, builder.add(first, loop.index), stride)
                    slot = vector_pointer(context, builder, kinds[7], table, builder.add(place, k))
                    before = load_at(builder, slot)
                    # Two sums of half the rows, because each addition waits for the one before it.
                    changed = [before, ir.Constant(before.type, None)]
                    for r in range(rows):
                        column = builder.add(builder.add(error, loop.index), builder.mul(error_step, INT(r)))
                        step = spread(builder, builder.load(builder.gep(error_pointer, [column])))
                        changed[r % 2] = fma(builder, step, x[r], changed[r % 2])
                        builder.store(fma(builder, step, before, builder.load(sums[r])), sums[r])
                    store_at(builder, builder.fadd(*changed), slot)
                for slot, total in zip(slots, sums, strict=True):
                    store_at(builder, builder.load(total), slot)
            return context.get_dummy_value()

        i = types.int64
        return types.void(errors, i, i, hidden, gradient, i, i, table, places, i, i, i), generate

    return typed


if not DISABLE_JIT:
    score_4x4 = intrinsic(_compiled_score_tile(4, 4))
    score_4x1 = intrinsic(_compiled_score_tile(4, 1))
    score_2x8 = intrinsic(_compiled_score_tile(2, 8))
    update_2 = intrinsic(_compiled_update_tile(2))
    update_4 = intrinsic(_compiled_update_tile(4))
    update_6 = intrinsic(_compiled_update_tile(6))
    update_8 = intrinsic(_compiled_update_tile(8))
    update_10 = intrinsic(_compiled_update_tile(10))
    update_12 = intrinsic(_compiled_update_tile(12))

# --- loops over tiles


class TargetRows(NamedTuple):
    """The rows that predict one target: ``number`` rows from ``start`` on, the one ``gap`` places further left out."""

    hidden: NDArray[Any]
    gradient: NDArray[Any]
    start: int
    gap: int
    number: int


class Outputs(NamedTuple):
    """Output vectors: the rows ``numbers[first]`` and the following of a flat table; all distinct."""

    table: NDArray[Any]
    numbers: NDArray[np.int32]
    first: int
    number: int


@kernel(inline=True)
def score_rows(
    rows: TargetRows, outputs: Outputs, scores: NDArray[Any], score: int, row_step: int, stride: int
) -> None:
    """``scores[score + r * row_step + o]`` = row r @ output vector o.

    A ``row_step`` of 1 says that there is one output vector; a larger one leaves room for a multiple of 8 of them.
    Tiles may reach beyond both numbers, so up to 3 more rows and 7 more numbers are read and scored.
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
def update_rows(
    rows: TargetRows, outputs: Outputs, errors: NDArray[Any], error: int, row_step: int, stride: int
) -> None:
    """The gradient of each row gets its errors times the output vectors, and these get them times the rows.

    Twelve rows at a time: the next twelve see the output vectors as changed by the first. The number of rows is rounded
    up to an even one; the errors beyond the last must be 0.
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
    rows: TargetRows,
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
def _skip(rows: TargetRows, row: int, stride: int) -> Any:
    """Where the rows from number ``row`` on start, and how many of them stand before the gap."""
    if row >= rows.gap:
        return rows.start + (row + 1) * stride, rows.number
    return rows.start + row * stride, rows.gap - row
