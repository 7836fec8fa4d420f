"""Products into arrays: SciPy's BLAS would work on copies of arrays that are not as it wants them, and say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from windrow.numeric.blas import (
    add_product_of_columns,
    add_product_of_rows,
    add_sum_of_rows,
    set_product_of_rows,
    set_product_transposed,
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [0, 1, 2, 17])
def test_products_into_slices(rows, dtype):
    dice = np.random.default_rng(0)
    a, b, c = (dice.standard_normal(shape).astype(dtype) for shape in ((rows, 5), (9, 5), (rows, 9)))
    tolerance = {"rel": 1e-4, "abs": 1e-5} if dtype is np.float32 else {"rel": 1e-12, "abs": 1e-12}

    scores = np.full((rows + 2, 9), np.nan, dtype)
    set_product_transposed(scores[1 : rows + 1], a, b)
    product, sums = np.full((rows, 5), np.nan, dtype), np.ones(7, dtype)
    add_sum_of_rows(sums[1:6], c[:, 0].copy(), a)
    by_rows, by_columns = np.ones((rows, 5), dtype), np.ones((11, 5), dtype)
    set_product_of_rows(product, c, b)
    add_product_of_rows(by_rows, c, b)
    add_product_of_columns(by_columns[1:10], c, a)

    assert scores[1 : rows + 1] == pytest.approx(a @ b.T, **tolerance)
    assert product == pytest.approx(c @ b, **tolerance)
    assert sums[1:6] == pytest.approx(1 + c[:, 0] @ a, **tolerance)
    assert (sums[[0, 6]] == 1).all()
    assert np.isnan(scores[[0, -1]]).all()
    assert by_rows == pytest.approx(1 + c @ b, **tolerance)
    assert by_columns[1:10] == pytest.approx(1 + c.T @ a, **tolerance)
    assert (by_columns[[0, 10]] == 1).all()
