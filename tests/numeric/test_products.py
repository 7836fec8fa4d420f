from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numba import njit

from tests.naive import products as naive
from windrow.numeric import row_scores
from windrow.numeric.products import (
    Rows,
    Weights,
    multiply_panels,
    multiply_rows,
    panels_of,
    transpose,
)
from windrow.numeric.row_scores import Outputs, TargetRows

# A sum of 112 products of standard normals in another order differs by a few roundings of numbers near 10.
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-13}
UNTOUCHED = 7

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def score_rows(rows, outputs, scores, score, row_step, stride):
    row_scores.score_rows(rows, outputs, scores, score, row_step, stride)


@njit
def update_rows(rows, outputs, errors, error, row_step, stride):
    row_scores.update_rows(rows, outputs, errors, error, row_step, stride)


def random(generator: np.random.Generator, *shape: int, dtype: type[np.floating]) -> np.ndarray:
    return generator.standard_normal(shape).astype(dtype)


def in_rows(matrix: np.ndarray, every: int, pad: int) -> tuple[np.ndarray, Rows]:
    """A matrix as every so many rows of a larger flat array, of which the rest is not to be touched."""
    rows, columns = matrix.shape
    distance = every * (columns + pad)
    flat = np.full(5 + (rows + 1) * distance, UNTOUCHED, matrix.dtype)
    described = Rows(flat, 5, distance, rows)
    rows_in(described, columns)[:] = matrix
    return flat, described


def rows_in(rows: Rows, columns: int) -> np.ndarray:
    """The matrix that ``in_rows`` has laid, as a view."""
    within = rows.data[rows.start : rows.start + rows.number * rows.distance]
    return within.reshape(rows.number, rows.distance)[:, :columns]


def as_weights(matrix: np.ndarray, by_columns: bool) -> Weights:
    rows, terms = matrix.shape
    flat = np.concatenate([[np.nan], (matrix.T if by_columns else matrix).ravel()]).astype(matrix.dtype)
    return Weights(flat, 1, 1, rows) if by_columns else Weights(flat, 1, terms, 1)


@every_type
@pytest.mark.parametrize("rows", [4, 8, 12, 20, 36])
@pytest.mark.parametrize("columns", [16, 32, 48, 112])
@pytest.mark.parametrize("number", [0, 1, 5])
def test_multiply_rows(dtype, rows, columns, number):
    generator = np.random.default_rng(rows * columns + number)
    matrix, terms = random(generator, rows, number, dtype=dtype), random(generator, number, columns, dtype=dtype)
    start = random(generator, rows, columns, dtype=dtype)
    product = naive.multiply_rows(matrix, terms)
    for by_columns in (False, True):
        for accumulate in (False, True):
            for every, pad in ((1, 0), (3, 16)):
                flat, target = in_rows(start, every, pad)
                weights, (source, term_rows) = as_weights(matrix, by_columns), in_rows(terms, every, pad)
                sources_before = source.copy()

                multiply_rows(weights, term_rows, target, columns, accumulate)

                result = rows_in(target, columns)
                expected = start + product if accumulate else product
                np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE[dtype])
                result[:] = UNTOUCHED
                assert (flat == UNTOUCHED).all()  # rows in between and beyond
                np.testing.assert_array_equal(source, sources_before)


@every_type
def test_multiply_rows_with_many_terms(dtype):
    generator = np.random.default_rng(112)
    matrix, terms = random(generator, 8, 112, dtype=dtype), random(generator, 112, 48, dtype=dtype)
    _, target = in_rows(np.zeros((8, 48), dtype), 4, 0)

    multiply_rows(as_weights(matrix, False), in_rows(terms, 1, 0)[1], target, 48, False)

    expected = naive.multiply_rows(matrix, terms)
    np.testing.assert_allclose(rows_in(target, 48), expected, rtol=0, atol=TOLERANCE[dtype])


@every_type
@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (16, 48), (32, 16), (48, 112)])
@pytest.mark.parametrize("every", [1, 2])
def test_transpose(dtype, rows, columns, every):
    matrix = np.arange(rows * columns, dtype=dtype).reshape(rows, columns)
    target = np.full(rows * columns + 3, UNTOUCHED, dtype)

    transpose(in_rows(matrix, every, 0)[1], columns, target)

    np.testing.assert_array_equal(target[:-3].reshape(columns, rows), matrix.T)
    assert (target[-3:] == UNTOUCHED).all()


ROOM = 6  # rows beyond the last that may be read, the one left out among them
START = 2
WORDS = 30


@dataclass
class Pairs:
    """Rows and output vectors that meet, and the naive view of the same."""

    rows: TargetRows
    outputs: Outputs
    hidden: np.ndarray  # (rows, stride)
    gradient: np.ndarray  # (rows, stride)
    table: np.ndarray  # (words, stride)
    row_numbers: list[int]
    words: list[int]


def random_pairs(dtype: type[np.floating], number: int, gap: int, outputs: int, stride: int) -> Pairs:
    generator = np.random.default_rng(1000 * number + 10 * outputs + gap)
    hidden, gradient = (random(generator, START + number + ROOM, stride, dtype=dtype) for _ in range(2))
    table = random(generator, WORDS, stride, dtype=dtype)
    words = generator.permutation(WORDS)[: outputs + 7]  # up to 7 more are scored
    numbers = np.array([-1, *words], np.int32)
    return Pairs(
        TargetRows(hidden.reshape(-1), gradient.reshape(-1), START * stride, gap, number),
        Outputs(table.reshape(-1), numbers, 1, outputs),
        hidden,
        gradient,
        table,
        naive.paired_rows(START, gap, number),
        words[:outputs].tolist(),
    )


def gaps(number: int) -> list[int]:
    """Before the first row, behind it, inside, before the last, behind the last and far behind."""
    return sorted({0, 1, number // 2, number - 1, number, number + 40})


def sizes(number: int) -> list[tuple[int, int, int]]:
    """(outputs, row step, stride): one output vector in a row of scores, and several in wider rows."""
    several = {1 + number, 21 - number, 16}
    return [(1, 1, 32), (1, 16, 16), *((outputs, 32, 16 if outputs % 2 else 48) for outputs in sorted(several))]


def scratch(rows: int, row_step: int, dtype: type[np.floating]) -> tuple[np.ndarray, np.ndarray]:
    """Scores or errors, flat with 3 numbers before them, and a view of so many rows."""
    flat = np.full(3 + rows * row_step + 32, UNTOUCHED, dtype)
    return flat, flat[3 : 3 + rows * row_step].reshape(rows, row_step)


@every_type
@pytest.mark.parametrize("number", range(1, 14))
def test_score_pairs(dtype, number):
    for outputs, row_step, stride in sizes(number):
        for gap in gaps(number):
            pairs = random_pairs(dtype, number, gap, outputs, stride)
            flat, scores = scratch(number + 3, row_step, dtype)
            before = [array.copy() for array in (pairs.hidden, pairs.gradient, pairs.table)]

            score_rows(pairs.rows, pairs.outputs, flat, 3, row_step, stride)

            expected = naive.score_rows(pairs.hidden, pairs.row_numbers, pairs.table, pairs.words)
            np.testing.assert_allclose(scores[:number, :outputs], expected, rtol=0, atol=TOLERANCE[dtype])
            scores[:, : outputs + 7] = UNTOUCHED  # 3 more rows and 7 more numbers are scratch
            assert (flat == UNTOUCHED).all()
            for array, old in zip((pairs.hidden, pairs.gradient, pairs.table), before, strict=True):
                np.testing.assert_array_equal(array, old)


@every_type
@pytest.mark.parametrize("number", [*range(1, 14), 25])
def test_update_pairs(dtype, number):
    for outputs, row_step, stride in sizes(min(number, 13)):
        for gap in gaps(number):
            pairs = random_pairs(dtype, number, gap, outputs, stride)
            flat, errors = scratch(number + 1, row_step, dtype)
            errors[:] = 0
            errors[:number, :outputs] = random(np.random.default_rng(gap), number, outputs, dtype=dtype) / 4
            hidden, gradient, table = (
                array.astype(np.float64) for array in (pairs.hidden, pairs.gradient, pairs.table)
            )
            before = pairs.gradient.copy(), pairs.table.copy(), flat.copy()

            update_rows(pairs.rows, pairs.outputs, flat, 3, row_step, stride)

            naive.update_rows(hidden, gradient, pairs.row_numbers, table, pairs.words, errors)
            np.testing.assert_allclose(pairs.gradient, gradient, rtol=0, atol=TOLERANCE[dtype])
            np.testing.assert_allclose(pairs.table, table, rtol=0, atol=TOLERANCE[dtype])
            np.testing.assert_array_equal(pairs.hidden, hidden)
            other_rows = np.setdiff1d(np.arange(len(hidden)), pairs.row_numbers)
            np.testing.assert_array_equal(pairs.gradient[other_rows], before[0][other_rows])
            other_words = np.setdiff1d(np.arange(WORDS), pairs.words)
            np.testing.assert_array_equal(pairs.table[other_words], before[1][other_words])
            np.testing.assert_array_equal(flat, before[2])


@every_type
def test_the_thirteenth_row_sees_what_the_first_twelve_have_taught(dtype):
    """And none of the twelve sees what another one has: all in numbers without rounding."""
    hidden, gradient = np.ones(14 * 16, dtype), np.zeros(14 * 16, dtype)
    table, errors = np.full(16, 2, dtype), np.full(14, 0.5, dtype)
    errors[13] = 0

    rows, output = TargetRows(hidden, gradient, 0, 99, 13), Outputs(table, np.zeros(1, np.int32), 0, 1)
    update_rows(rows, output, errors, 0, 1, 16)

    assert gradient.reshape(14, 16)[:, 5].tolist() == [1.0] * 12 + [(2 + 12 * 0.5) * 0.5, 0]
    assert (table == 2 + 13 * 0.5).all()


@every_type
@pytest.mark.parametrize("rows", [4, 5, 8, 11, 16, 22])
@pytest.mark.parametrize(("inner", "columns"), [(1, 1), (7, 32), (20, 33), (16, 100)])
def test_multiply_panels(dtype, rows, inner, columns):
    generator = np.random.default_rng(rows)
    x, matrix = random(generator, rows, inner, dtype=dtype), random(generator, inner, columns, dtype=dtype)
    panels = panels_of(matrix)
    target = np.full((rows, 32 * len(panels)), np.nan, dtype)

    multiply_panels(x.reshape(-1), panels.reshape(-1), rows, len(panels), target.reshape(-1))

    expected = x.astype(np.float64) @ matrix
    np.testing.assert_allclose(target[:, :columns], expected, rtol=TOLERANCE[dtype], atol=10 * TOLERANCE[dtype])
    assert (target[:, columns:] == 0).all()
