"""Each tile as compiled (or, without the compiler, as it is defined) against sums written out here."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from windrow.numeric import products, row_scores
from windrow.numeric.jit import DISABLE_JIT
from windrow.numeric.products import transpose_tile

# A sum of 48 products of standard normals in another order differs by a few roundings of numbers near 10.
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-13}
UNTOUCHED = 7

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def transpose(source, start, distance, target, place, step):
    transpose_tile(source, start, distance, target, place, step)


def multiplying(tile):
    @njit
    def multiply(weights, weight, row_step, term_step, terms, term, distance, number, target, place, apart, accumulate):
        tile(weights, weight, row_step, term_step, terms, term, distance, number, target, place, apart, accumulate)

    return multiply


def scoring(tile):
    @njit
    def score(hidden, row, gap, table, numbers, first, stride, scores, place, row_step):
        tile(hidden, row, gap, table, numbers, first, stride, scores, place, row_step)

    return score


def updating(tile):
    @njit
    def update(errors, error, error_step, hidden, gradient, row, gap, table, numbers, first, outputs, stride):
        tile(errors, error, error_step, hidden, gradient, row, gap, table, numbers, first, outputs, stride)

    return update


def random(generator: np.random.Generator, size: int, dtype: type[np.floating]) -> np.ndarray:
    return generator.standard_normal(size).astype(dtype)


def dot(x: np.ndarray, y: np.ndarray) -> float:
    return float(sum(x.astype(np.float64) * y.astype(np.float64)))


def row_starts(row: int, gap: int, rows: int, stride: int) -> list[int]:
    numbers = [number for number in range(rows + 1) if number != gap][:rows]
    return [row + number * stride for number in numbers]


@every_type
def test_transpose_tile(dtype):
    source = np.arange(5 + 16 * 19, dtype=dtype)
    target = np.full(3 + 16 * 17 + 2, UNTOUCHED, dtype)

    transpose(source, 5, 19, target, 3, 17)

    written = target[3 : 3 + 16 * 17].reshape(16, 17)
    assert [[source[5 + column * 19 + row] for column in range(16)] for row in range(16)] == written[:, :16].tolist()
    written[:, :16] = UNTOUCHED
    assert (target == UNTOUCHED).all()


@every_type
@pytest.mark.parametrize(("rows", "vectors"), [(8, 2), (8, 1), (4, 2), (4, 1)])
def test_product_tile(dtype, rows, vectors):
    multiply, columns = multiplying(getattr(products, f"tile_{rows}x{vectors}")), 16 * vectors
    generator, distance, apart = np.random.default_rng(rows + vectors), columns + 3, columns + 5
    for number in (0, 1, 6):
        weights, terms = random(generator, 2 + 11 * 9, dtype), random(generator, 4 + 7 * distance, dtype)
        start = random(generator, 6 + rows * apart, dtype)
        for row_step, term_step in ((9, 1), (1, 11)):
            for accumulate in (False, True):
                target, expected = start.copy(), start.astype(np.float64)

                multiply(
                    weights, 2, row_step, term_step, terms, 4, distance, number, target, 6, apart, accumulate
                )  # fmt: skip

                for r in range(rows):
                    for column in range(columns):
                        x = weights[[2 + r * row_step + t * term_step for t in range(number)]]
                        y = terms[[4 + t * distance + column for t in range(number)]]
                        place = 6 + r * apart + column
                        expected[place] = dot(x, y) + (start[place] if accumulate else 0)
                np.testing.assert_allclose(target, expected, rtol=0, atol=TOLERANCE[dtype])


@every_type
@pytest.mark.parametrize("stride", [16, 48])
@pytest.mark.parametrize(("rows", "outputs"), [(4, 4), (2, 8), (4, 1)])
def test_score_tile(dtype, stride, rows, outputs):
    score = scoring(getattr(row_scores, f"score_{rows}x{outputs}"))
    generator, row_step = np.random.default_rng(stride), 1 if outputs == 1 else outputs + 3
    hidden, table = random(generator, 3 + (rows + 1) * stride, dtype), random(generator, 12 * stride, dtype)
    numbers = generator.permutation(12)[: outputs + 2].astype(np.int32)
    for gap in (0, 1, rows - 1, rows, 99):
        scores = np.full(5 + rows * row_step + 4, UNTOUCHED, dtype)
        expected = scores.astype(np.float64)

        score(hidden, 3, gap, table, numbers, 2, stride, scores, 5, row_step)

        for r, start in enumerate(row_starts(3, gap, rows, stride)):
            for o in range(outputs):
                output = table.reshape(-1, stride)[numbers[2 + o]]
                expected[5 + r * row_step + o] = dot(hidden[start : start + stride], output)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=TOLERANCE[dtype])


@every_type
@pytest.mark.parametrize("rows", [2, 4, 6, 8, 10, 12])
def test_update_tile(dtype, rows):
    update, stride = updating(getattr(row_scores, f"update_{rows}")), 32
    generator = np.random.default_rng(rows)
    hidden = random(generator, 3 + (rows + 2) * stride, dtype)
    for outputs in (0, 1, 5):
        for gap in (0, 1, rows - 1, rows, 99):
            numbers = generator.permutation(8)[: outputs + 1].astype(np.int32)
            gradient, table = random(generator, hidden.size, dtype), random(generator, 8 * stride, dtype)
            errors = random(generator, 2 + rows * 6, dtype)
            expected_gradient, before = gradient.astype(np.float64), table.astype(np.float64)
            expected_table = before.copy()

            update(errors, 2, 6, hidden, gradient, 3, gap, table, numbers, 1, outputs, stride)

            for r, start in enumerate(row_starts(3, gap, rows, stride)):
                for o in range(outputs):
                    for k in range(stride):
                        error, place = float(errors[2 + r * 6 + o]), numbers[1 + o] * stride + k
                        expected_gradient[start + k] += error * before[place]
                        expected_table[place] += error * float(hidden[start + k])
            np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=TOLERANCE[dtype])
            np.testing.assert_allclose(table, expected_table, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["transpose_tile", "tile_8x2", "score_4x4", "score_2x8", "score_4x1", "update_12"])
def test_tiles_are_machine_code_unless_the_compiler_is_off(name):
    """Else these tests would compare a definition with itself."""
    module = row_scores if hasattr(row_scores, name) else products
    assert isinstance(getattr(module, name), type(lambda: 0)) == DISABLE_JIT
