"""Products into arrays: SciPy's BLAS would work on copies of arrays that are not as it wants them, and say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg.blas

from windrow.numeric import blas
from windrow.numeric.blas import add_product, add_scaled, add_weighted_sum, set_product

DICE = np.random.default_rng(0)
LARGE = (300, 70, 90)  # rows, inner, columns: more than a small product has


def factors(rows: int, inner: int, columns: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    return DICE.standard_normal((rows, inner)).astype(dtype), DICE.standard_normal((inner, columns)).astype(dtype)


def within(array: np.ndarray) -> np.ndarray:
    """The same numbers as a run of columns of a larger array."""
    larger = np.full((len(array), array.shape[1] + 3), np.nan, array.dtype)
    larger[:, 1 : 1 + array.shape[1]] = array
    return larger[:, 1 : 1 + array.shape[1]]


LAYOUTS = {
    "rows": lambda array: array,
    "columns": lambda array: array.T.copy().T,
    "a run of columns": within,
    "a run of rows of a transposed array": lambda array: within(array.T).T,
    "neither": lambda array: np.repeat(np.repeat(array, 2, axis=0), 2, axis=1)[::2, ::2],
    "backwards": lambda array: array[::-1].copy()[::-1],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(0, 5, 9), (3, 0, 4), (3, 4, 0), (1, 5, 9), (2, 5, 1), (17, 1, 9), LARGE])
@pytest.mark.parametrize("a_layout", LAYOUTS)
@pytest.mark.parametrize("b_layout", LAYOUTS)
def test_products_into_slices(sizes, dtype, a_layout, b_layout):
    a, b = factors(*sizes, dtype)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    tolerance = {"rtol": 1e-4, "atol": 1e-3} if dtype is np.float32 else {"rtol": 1e-12, "atol": 1e-11}
    set_in, added_to = (np.full((len(a) + 2, b.shape[1]), fill, dtype) for fill in (np.nan, 1))

    set_product(set_in[1:-1], LAYOUTS[a_layout](a), LAYOUTS[b_layout](b))
    add_product(added_to[1:-1], LAYOUTS[a_layout](a), LAYOUTS[b_layout](b))

    np.testing.assert_allclose(set_in[1:-1], expected, **tolerance)
    np.testing.assert_allclose(added_to[1:-1], 1 + expected, **tolerance)
    assert np.isnan(set_in[[0, -1]]).all()
    assert (added_to[[0, -1]] == 1).all()


def test_small_and_large_products_are_the_same(monkeypatch):
    a, b = factors(40, 30, 20, np.float32)
    targets = [np.ones((40, 20), np.float32) for _ in range(2)]
    for target, small in zip(targets, (2**20, 0), strict=True):
        monkeypatch.setattr(blas, "_SMALL", small)
        add_product(target, a, b)
    np.testing.assert_allclose(*targets, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "gemm"), [(np.float32, scipy.linalg.blas.sgemm), (np.float64, scipy.linalg.blas.dgemm)]
)
@pytest.mark.parametrize("sizes", [(1, 200, 30), (30, 200, 1), (1, 200, 1), (8, 200, 30)])
def test_a_product_of_any_shape_is_of_the_same_routine(sizes, dtype, gemm):
    """Last bits depend on the routine: a cluster with one row, or one dimension, must not have others than before."""
    a, b = factors(*sizes, dtype)
    target = np.ones((len(a), b.shape[1]), dtype)
    expected = gemm(1, b.T, a.T, beta=1, c=target.T).T

    add_product(target, a, b)
    assert target.tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(0, 5), (4, 0), (1, 5), (300, 7)])
def test_weighted_sums_are_added_in_place(sizes, dtype):
    rows, weights = DICE.standard_normal(sizes).astype(dtype), DICE.standard_normal(sizes[0]).astype(dtype)
    target = np.ones(sizes[1] + 2, dtype)
    add_weighted_sum(target[1:-1], weights, rows)
    np.testing.assert_allclose(target[1:-1], 1 + weights.astype(np.float64) @ rows, rtol=1e-4, atol=1e-4)
    assert target[0] == target[-1] == 1


@pytest.mark.parametrize("product", [set_product, add_product])
def test_arrays_that_do_not_fit_are_refused(product):
    a, b = factors(3, 4, 5, np.float32)
    for shape in ((3, 6), (2, 5)):
        with pytest.raises(ValueError):
            product(np.zeros(shape, np.float32), a, b)
    with pytest.raises(ValueError):
        product(np.zeros((3, 5), np.float32), a, b[:3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(0,), (7,), (3, 4)])
def test_scaled_arrays_are_added(dtype, shape):
    target, source = np.ones(shape, dtype), DICE.standard_normal(shape).astype(dtype)
    add_scaled(target, 0.5, source)
    np.testing.assert_allclose(target, 1 + 0.5 * source, rtol=1e-6)
