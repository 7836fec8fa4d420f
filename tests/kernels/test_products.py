from __future__ import annotations

import numpy as np
import pytest

from windrow.kernels.products import Rows, add_product, multiply_rows

# A sum of 112 products of standard normals in another order differs by a few roundings of numbers near 10.
TOLERANCE = {np.float32: 1e-4, np.float64: 1e-12}

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_shape = pytest.mark.parametrize(
    ("rows", "columns", "stride"), [(4, 16, 16), (8, 32, 112), (68, 16, 64), (12, 48, 16)]
)


def random(generator: np.random.Generator, *shape: int, dtype: type[np.floating]) -> np.ndarray:
    return generator.standard_normal(shape).astype(dtype)


def rows_of(table: np.ndarray, count: int, every: int = 1) -> Rows:
    """``count`` rows of a table, every so many; with several, those in between are not to be touched."""
    stride = table.shape[1]
    return Rows(table.reshape(-1), (every - 1) * stride, every * stride, count)


@every_type
@every_shape
def test_multiply_rows(dtype, rows, columns, stride):
    generator = np.random.default_rng(rows)
    a, b = random(generator, rows, stride, dtype=dtype), random(generator, columns, stride, dtype=dtype)
    product = np.full((rows + 1, columns), 7, dtype)

    multiply_rows(rows_of(a, rows), np.ascontiguousarray(b.T).reshape(-1), columns, product.reshape(-1), stride)

    expected = [[sum(a[i].astype(np.float64) * b[j]) for j in range(columns)] for i in range(rows)]
    np.testing.assert_allclose(product[:rows], expected, rtol=0, atol=TOLERANCE[dtype])
    assert (product[rows] == 7).all()


@every_type
@every_shape
def test_add_product_by_rows_and_by_columns(dtype, rows, columns, stride):
    generator = np.random.default_rng(rows + 1)
    errors = random(generator, rows, columns, dtype=dtype)
    noise, hidden = random(generator, columns, stride, dtype=dtype), random(generator, rows, stride, dtype=dtype)
    start = random(generator, rows + 1, stride, dtype=dtype)
    gradient = start.copy()

    add_product(rows_of(gradient, rows), errors.reshape(-1), columns, 1, rows_of(noise, columns), stride)

    np.testing.assert_allclose(gradient[:rows], start[:rows] + errors @ noise, rtol=0, atol=TOLERANCE[dtype])
    np.testing.assert_array_equal(gradient[rows], start[rows])

    start = random(generator, columns + 1, stride, dtype=dtype)
    gradient = start.copy()

    add_product(rows_of(gradient, columns), errors.reshape(-1), 1, columns, rows_of(hidden, rows), stride)

    np.testing.assert_allclose(gradient[:columns], start[:columns] + errors.T @ hidden, rtol=0, atol=TOLERANCE[dtype])
    np.testing.assert_array_equal(gradient[columns], start[columns])


@every_type
def test_every_third_row(dtype):
    generator = np.random.default_rng(9)
    stride, columns = 32, 16
    hidden, noise = random(generator, 24, stride, dtype=dtype), random(generator, columns, stride, dtype=dtype)
    product, gradient = np.zeros((8, columns), dtype), np.zeros((24, stride), dtype)
    noise_gradient = np.zeros((columns, stride), dtype)
    third = rows_of(hidden, 8, every=3)

    multiply_rows(third, np.ascontiguousarray(noise.T).reshape(-1), columns, product.reshape(-1), stride)
    add_product(rows_of(gradient, 8, every=3), product.reshape(-1), columns, 1, rows_of(noise, columns), stride)
    add_product(rows_of(noise_gradient, columns), product.reshape(-1), 1, columns, third, stride)

    np.testing.assert_allclose(product, hidden[2::3] @ noise.T, rtol=0, atol=TOLERANCE[dtype])
    np.testing.assert_allclose(gradient[2::3], product @ noise, rtol=1e-4, atol=1e-4)
    assert (gradient[0::3] == 0).all()
    assert (gradient[1::3] == 0).all()
    np.testing.assert_allclose(noise_gradient, product.T @ hidden[2::3], rtol=1e-4, atol=1e-4)
