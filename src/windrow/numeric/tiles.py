"""The innermost matrix products and transpositions, on tiles that fit into registers, as machine code.

A tile of 8 rows x 2 vectors has 16 sums in registers and needs 10 loads for 16 multiply-adds, so that speed is limited
by the multipliers and not by the loads. The loops over tiles are in products.py. As in simd.py each operation is first
written in NumPy: this is its definition, and what runs with NUMBA_DISABLE_JIT=1. All arrays are flat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from windrow.numeric.jit import DISABLE_JIT
from windrow.numeric.simd import LANES, Vector, fma, shuffle, spread, sum_each, vector_pointer, vector_type

# --- the definitions


def _vectors(array: NDArray[Any], start: int, distance: int, rows: int, columns: int = LANES) -> NDArray[Any]:
    """The tile whose rows start at ``start``, ``start + distance``, and so on, as a view."""
    size = array.itemsize
    return np.lib.stride_tricks.as_strided(array[start:], (rows, columns), (distance * size, size))


def transpose_tile(
    source: NDArray[Any], start: int, distance: int, target: NDArray[Any], place: int, step: int
) -> None:
    """Transpose 16 x 16 numbers: row r is at ``start + r * distance`` in source, at ``place + r * step`` in target."""
    _vectors(target, place, step, LANES)[:] = _vectors(source, start, distance, LANES).T.copy()


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

        ``weights[r, t]`` is at ``weight + r * row_step + t * term_step``, term t at ``term + t * term_distance``,
        target row r at ``place + r * row_distance``; terms and target rows have ``16 * vectors`` numbers.
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

_INT = ir.IntType(64)


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(pointer, align=4)


def _store(builder: Any, vector: Any, pointer: Any) -> None:
    builder.store(vector, pointer, align=4)


def _transpose_tile(
    _typing: Any, source: Any, _start: Any, _distance: Any, target: Any, _place: Any, _step: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, distance, target, place, step = arguments

        def row(kind: Any, array: Any, first: Any, distance: Any, i: int) -> Any:
            return vector_pointer(context, builder, kind, array, builder.add(first, builder.mul(distance, _INT(i))))

        rows = [_load(builder, row(signature.args[0], source, start, distance, i)) for i in range(LANES)]
        span = 1
        while span < LANES:  # swap the off-diagonal quarters of every square of 2 * span rows and columns
            for i in range(LANES):
                if not i & span:
                    x, y = rows[i], rows[i + span]
                    upper = [lane if not lane & span else LANES + lane - span for lane in range(LANES)]
                    lower = [lane + span if not lane & span else LANES + lane for lane in range(LANES)]
                    rows[i], rows[i + span] = shuffle(builder, x, y, upper), shuffle(builder, x, y, lower)
            span *= 2
        for i in range(LANES):
            _store(builder, rows[i], row(signature.args[3], target, place, step, i))
        return context.get_dummy_value()

    i = types.int64
    return types.void(source, i, i, target, i, i), generate


def _row_start(builder: Any, number_pointer: Any, index: Any, stride: Any) -> Any:
    """Where the row with the number at ``index`` starts."""
    number = builder.load(builder.gep(number_pointer, [index]))
    return builder.mul(builder.sext(number, _INT), stride)


def _compiled_row_starts(builder: Any, row: Any, gap: Any, rows: int, stride: Any) -> list[Any]:
    starts = []
    for r in range(rows):
        behind = builder.icmp_signed(">=", _INT(r), gap)
        skipped = builder.select(behind, _INT(r + 1), _INT(r))
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
            outputs_here = [builder.add(first, _INT(o)) for o in range(outputs)]
            output_starts = [_row_start(builder, number_pointer, number, stride) for number in outputs_here]
            sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in range(rows * outputs)]
            with cgutils.for_range_slice(builder, _INT(0), stride, _INT(LANES)) as (k, _):

                def vectors(kind: Any, array: Any, starts: list[Any]) -> list[Any]:
                    places = [vector_pointer(context, builder, kind, array, builder.add(start, k)) for start in starts]
                    return [_load(builder, place) for place in places]

                x, y = vectors(kinds[0], hidden, row_starts), vectors(kinds[3], table, output_starts)
                for i, total in enumerate(sums):
                    builder.store(fma(builder, x[i // outputs], y[i % outputs], builder.load(total)), total)
            totals = sum_each(builder, [builder.load(total) for total in sums])
            run = rows if outputs == 1 else outputs  # lanes that are consecutive in ``scores``
            for r in range(rows * outputs // run):
                start = builder.add(place, builder.mul(row_step, _INT(r)))
                lanes = ir.Constant(ir.VectorType(ir.IntType(32), run), list(range(r * run, (r + 1) * run)))
                part = builder.shuffle_vector(totals, totals, lanes)
                pointer = vector_pointer(context, builder, kinds[7], scores, start)
                _store(builder, part, builder.bitcast(pointer, part.type.as_pointer()))
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
            with cgutils.for_range_slice(builder, _INT(0), stride, _INT(LANES)) as (k, _):
                columns = [builder.add(start, k) for start in starts]
                slots = [vector_pointer(context, builder, kinds[4], gradient, column) for column in columns]
                x = [_load(builder, vector_pointer(context, builder, kinds[3], hidden, column)) for column in columns]
                sums = [cgutils.alloca_once_value(builder, _load(builder, slot)) for slot in slots]
                with cgutils.for_range(builder, outputs) as loop:
                    place = _row_start(builder, number_pointer, builder.add(first, loop.index), stride)
                    slot = vector_pointer(context, builder, kinds[7], table, builder.add(place, k))
                    before = _load(builder, slot)
                    # Two sums of half the rows each, because each addition waits for the one before it.
                    changed = [before, ir.Constant(before.type, None)]
                    for r in range(rows):
                        column = builder.add(builder.add(error, loop.index), builder.mul(error_step, _INT(r)))
                        step = spread(builder, builder.load(builder.gep(error_pointer, [column])))
                        changed[r % 2] = fma(builder, step, x[r], changed[r % 2])
                        builder.store(fma(builder, step, before, builder.load(sums[r])), sums[r])
                    _store(builder, builder.fadd(*changed), slot)
                for slot, total in zip(slots, sums, strict=True):
                    _store(builder, builder.load(total), slot)
            return context.get_dummy_value()

        i = types.int64
        return types.void(errors, i, i, hidden, gradient, i, i, table, places, i, i, i), generate

    return typed


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
                column = builder.add(start, _INT(LANES * v))
                return vector_pointer(context, builder, kind, array, builder.add(column, builder.mul(row, distance)))

            cells = [(r, v) for r in range(rows) for v in range(vectors)]
            results = [at(signature.args[8], target, place, _INT(r), row_distance, v) for r, v in cells]
            sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in cells]
            with builder.if_then(accumulate):
                for result, total in zip(results, sums, strict=True):
                    builder.store(_load(builder, result), total)
            with cgutils.for_range(builder, number) as loop:
                x = [
                    _load(builder, at(signature.args[4], terms, term, loop.index, term_distance, v))
                    for v in range(vectors)
                ]
                first = builder.add(weight, builder.mul(loop.index, term_step))
                for r in range(rows):
                    pointer = builder.gep(weight_pointer, [builder.add(first, builder.mul(row_step, _INT(r)))])
                    factor = spread(builder, builder.load(pointer))
                    for v in range(vectors):
                        total = sums[r * vectors + v]
                        builder.store(fma(builder, factor, x[v], builder.load(total)), total)
            for result, total in zip(results, sums, strict=True):
                _store(builder, builder.load(total), result)
            return context.get_dummy_value()

        i = types.int64
        return types.void(weights, i, i, i, terms, i, i, i, target, i, i, types.boolean), generate

    return typed


if not DISABLE_JIT:
    transpose_tile = intrinsic(_transpose_tile)
    score_4x4 = intrinsic(_compiled_score_tile(4, 4))
    score_4x1 = intrinsic(_compiled_score_tile(4, 1))
    score_2x8 = intrinsic(_compiled_score_tile(2, 8))
    update_2 = intrinsic(_compiled_update_tile(2))
    update_4 = intrinsic(_compiled_update_tile(4))
    update_6 = intrinsic(_compiled_update_tile(6))
    update_8 = intrinsic(_compiled_update_tile(8))
    update_10 = intrinsic(_compiled_update_tile(10))
    update_12 = intrinsic(_compiled_update_tile(12))
    tile_8x2 = intrinsic(_compiled_product_tile(8, 2))
    tile_8x1 = intrinsic(_compiled_product_tile(8, 1))
    tile_4x2 = intrinsic(_compiled_product_tile(4, 2))
    tile_4x1 = intrinsic(_compiled_product_tile(4, 1))
