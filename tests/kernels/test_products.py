from __future__ import annotations

import numpy as np
import pytest

from windrow.kernels.products import add_product, multiply_rows

# A sum of 112 products of standard normals in another order differs by a few roundings of numbers near 10.
TOLERANCE = {np.float32: 1e-4, np.float64: 1e-12}

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_shape = pytest.mark.parametrize(
    ("rows", "columns", "stride"), [(4, 16, 16), (8, 32, 112), (68, 16, 64), (12, 48, 16)]
)


def random(generator: np.random.Generator, *shape: int, dtype: type[np.floating]) -> np.ndarray:
    return generator.standard_normal(shape).astype(dtype)


@every_type
@every_shape
def test_multiply_rows(dtype, rows, columns, stride):
    generator = np.random.default_rng(rows)
    a, b = random(generator, rows, stride, dtype=dtype), random(generator, columns, stride, dtype=dtype)
    product = np.full((rows + 1, columns), 7, dtype)

    multiply_rows(a.reshape(-1), rows, np.ascontiguousarray(b.T).reshape(-1), columns, product.reshape(-1), stride)

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

    add_product(gradient.reshape(-1), rows, errors.reshape(-1), columns, 1, noise.reshape(-1), columns, stride)

    np.testing.assert_allclose(gradient[:rows], start[:rows] + errors @ noise, rtol=0, atol=TOLERANCE[dtype])
    np.testing.assert_array_equal(gradient[rows], start[rows])

    start = random(generator, columns + 1, stride, dtype=dtype)
    gradient = start.copy()

    add_product(gradient.reshape(-1), columns, errors.reshape(-1), 1, columns, hidden.reshape(-1), rows, stride)

    np.testing.assert_allclose(gradient[:columns], start[:columns] + errors.T @ hidden, rtol=0, atol=TOLERANCE[dtype])
    np.testing.assert_array_equal(gradient[columns], start[columns])
