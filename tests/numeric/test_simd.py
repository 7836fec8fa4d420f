"""The functions on vectors of 16, as compiled, against NumPy in float64."""

from __future__ import annotations

import os
from types import FunctionType

import numpy as np
import pytest
from numba import njit

from windrow.numeric import simd
from windrow.numeric.jit import DISABLE_JIT
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    exp,
    first_lanes,
    largest,
    load,
    load_int8,
    log,
    logistic,
    maximum,
    multiply,
    multiply_add,
    prefetch,
    store,
    subtract,
    tanh,
    total,
    totals,
    zero,
)

POINTS = 64_000 if DISABLE_JIT else 2_000_000
ROOT_HALF, ROOT_TWO = 0x3F3504F3, 0x3FB504F3  # as the bits of float32

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def _exp_of(values, results):
    for start in range(0, values.size, LANES):
        store(results, start, exp(load(values, start)))


@njit
def _logistic_of(values, results):
    for start in range(0, values.size, LANES):
        store(results, start, logistic(load(values, start)))


@njit
def _tanh_of(values, results):
    for start in range(0, values.size, LANES):
        store(results, start, tanh(load(values, start)))


@njit
def _log_of(values, results):
    for start in range(0, values.size, LANES):
        store(results, start, log(load(values, start)))


@njit
def _arithmetic(x, y, z, results, sums):
    a, b, c = load(x, 0), load(y, 0), load(z, 0)
    store(results, 0, add(a, b))
    store(results, 16, multiply(a, b))
    store(results, 32, multiply_add(a, b, c))
    store(results, 48, zero(x))
    store(results, 64, broadcast(x[3]))
    store(results, 81, load(x, 1))  # neither place is aligned
    sums[0] = total(a)


@njit
def _comparisons(x, y, number, results):
    a, b = load(x, 0), load(y, 0)
    store(results, 0, subtract(a, b))
    store(results, 16, maximum(a, b))
    store(results, 32, first_lanes(a, number))


@njit
def _totals_of(vectors, results):
    store(results, 0, totals(load(vectors, 0), load(vectors, 16), load(vectors, 32), load(vectors, 48)))


@njit
def _largest_of(vectors, results):
    for i in range(results.size):
        results[i] = largest(load(vectors, 16 * i))


@njit
def _prefetch_all(array):
    for start in range(array.size):
        prefetch(array, start)


@njit
def _int8_of(codes, results):
    store(results, 0, load_int8(codes, 3))


def test_load_int8():
    codes = np.array([5, 5, 5, -128, 127, 0, -1, *range(40, 52), 5], np.int8)
    results = np.empty(16, np.float32)

    _int8_of(codes, results)

    assert results.tolist() == [-128, 127, 0, -1, *range(40, 52)]


@every_type
def test_arithmetic(dtype):
    generator = np.random.default_rng(3)
    x = generator.standard_normal(17).astype(dtype)
    y, z = (generator.standard_normal(16).astype(dtype) for _ in range(2))
    results, sums = np.full(98, 5, dtype), np.zeros(1, dtype)

    _arithmetic(x, y, z, results, sums)

    head = x[:16].astype(np.float64)
    expected = [head + y, head * y, head * y + z, 0 * head, 0 * head + x[3], [5, *x[1:16]]]
    rounding = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(results[:96].reshape(6, 16), expected, rtol=2 * rounding, atol=2 * rounding)
    assert results[96] == x[16]
    assert results[97] == 5
    assert sums[0] == pytest.approx(head.sum(), abs=16 * rounding)


@every_type
def test_subtract_and_maximum(dtype):
    generator = np.random.default_rng(5)
    x, y = (generator.integers(-9, 9, 16).astype(dtype) for _ in range(2))
    x[[0, 2]], y[[1, 2]] = np.nan, np.nan
    x[3], y[4], y[5] = np.inf, np.inf, -np.inf
    results = np.empty(48, dtype)

    _comparisons(x, y, 16, results)

    np.testing.assert_array_equal(results[:16], x - y)
    assert results[16] == y[0]  # y where either is NaN
    assert np.isnan(results[17:19]).all()
    assert results[19:35].tolist()[:13] == [max(pair) for pair in zip(x[3:].tolist(), y[3:].tolist(), strict=True)]


@every_type
@pytest.mark.parametrize("number", [-8, 0, 1, 7, 15, 16, 40])
def test_first_lanes(dtype, number):
    """The other lanes are zero, whatever was in them."""
    x = np.arange(1, 17).astype(dtype)
    x[max(number, 0) :] = np.nan
    results = np.empty(48, dtype)

    _comparisons(x, x, number, results)

    assert results[32:].tolist() == [lane + 1 if lane < number else 0 for lane in range(16)]


@every_type
def test_largest(dtype):
    vectors = np.random.default_rng(6).standard_normal((16, 16)).astype(dtype) - 5
    np.fill_diagonal(vectors, 5)  # the largest in each lane once
    vectors[0, 0], vectors[1, 2], results = np.inf, -np.inf, np.empty(16, dtype)

    _largest_of(vectors.reshape(-1), results)

    assert results.tolist() == [np.inf, *[5] * 15]


@every_type
def test_totals(dtype):
    vectors = np.random.default_rng(6).standard_normal(64).astype(dtype)
    results = np.empty(16, dtype)

    _totals_of(vectors, results)

    expected = vectors.astype(np.float64).reshape(4, 16).sum(axis=1)
    np.testing.assert_allclose(results, np.tile(expected, 4), rtol=0, atol=16 * float(np.finfo(dtype).eps))


@every_type
def test_prefetch_changes_nothing(dtype):
    array = np.random.default_rng(7).standard_normal(50).astype(dtype)
    before = array.copy()

    _prefetch_all(array)

    np.testing.assert_array_equal(array, before)


@every_type
def test_exp(dtype):
    values = np.concatenate([np.linspace(-80, 80, POINTS), np.linspace(-2, 2, POINTS)]).astype(dtype)
    results = np.empty_like(values)

    _exp_of(values, results)

    exact_values = values.astype(np.float64)
    errors = np.abs(results / np.exp(exact_values) - 1) / np.maximum(1, np.abs(exact_values))
    assert errors.max() < (2e-7 if dtype is np.float32 else 4e-16)
    assert results[-POINTS] < results[-1]


@every_type
def test_exp_is_clamped(dtype):
    values = np.array([81, 1e30, np.inf, 80] * 4 + [-81, -1e30, -np.inf, -80] * 4 + [np.nan] * 16, dtype)
    results = np.empty_like(values)

    _exp_of(values, results)

    assert len(set(results[:16])) == len(set(results[16:32])) == 1
    assert results[0] == pytest.approx(np.exp(80.0), rel=1e-5)
    assert results[16] == pytest.approx(np.exp(-80.0), rel=1e-5)
    assert np.isnan(results[32:]).all()  # so that a diverged training shows


@every_type
def test_logistic(dtype):
    values = np.linspace(-32, 32, POINTS).astype(dtype)
    results = np.empty_like(values)

    _logistic_of(values, results)

    exact = 1 / (1 + np.exp(-np.clip(values.astype(np.float64), -30, 30)))
    rounding = float(np.finfo(dtype).eps)
    errors = np.abs(results - exact)
    assert errors.max() <= rounding
    # exp(-x) is a power of 2 whose exponent, up to 43, is rounded.
    assert (errors / exact / np.maximum(1, np.abs(values))).max() < 2 * rounding
    assert results.max() <= 1
    assert (results[values <= -30] == results[0]).all()
    assert results[0] > 0


@every_type
def test_tanh(dtype):
    """Near 0 the error is one of the rounding of 1, not of the result."""
    values = np.linspace(-15, 15, POINTS).astype(dtype)
    results = np.empty_like(values)

    _tanh_of(values, results)

    np.testing.assert_allclose(results, np.tanh(values.astype(np.float64)), rtol=0, atol=3 * np.finfo(dtype).eps)
    assert np.abs(results).max() <= 1


@every_type
def test_logistic_and_log_of_nan(dtype):
    values, results = np.full(16, np.nan, dtype), np.zeros(16, dtype)

    _logistic_of(values, results)
    assert np.isnan(results).all()

    results[:] = 0
    _log_of(values, results)
    assert np.isnan(results).all()


@every_type
def test_logistic_of_huge_numbers_is_clamped(dtype):
    values = np.array([1e30, np.inf, 30, 31] * 4 + [-1e30, -np.inf, -30, -31] * 4, dtype)
    results = np.empty_like(values)

    _logistic_of(values, results)

    assert len(set(results[:16])) == len(set(results[16:])) == 1
    assert results[0] == pytest.approx(1, abs=1e-6)
    assert results[16] == pytest.approx(np.exp(-30.0), rel=1e-6)


@every_type
def test_log(dtype):
    limits = np.finfo(dtype)
    spread = np.exp(np.linspace(np.log(float(limits.tiny)) + 0.01, np.log(float(limits.max)) - 0.01, POINTS))
    values = np.concatenate([np.linspace(0.5, 2, POINTS), np.linspace(1e-3, 0.5, POINTS), spread]).astype(dtype)
    results = np.empty_like(values)

    _log_of(values, results)

    exact = np.log(values.astype(np.float64))
    np.testing.assert_allclose(results, exact, rtol=2.6e-7 if dtype is np.float32 else 1e-15)


def test_log_of_all_float32_near_one():
    """Where the polynomial alone decides; the logarithms of other numbers differ by a multiple of log 2."""
    bits = np.arange(ROOT_HALF, ROOT_TWO, 149 if DISABLE_JIT else 1, np.uint32)
    values = np.concatenate([np.ones(16, np.float32), bits[: bits.size // LANES * LANES].view(np.float32)])
    results = np.empty_like(values)

    _log_of(values, results)

    exact = np.log(values.astype(np.float64))
    np.testing.assert_allclose(results, exact, rtol=2.6e-7)
    assert (results[:16] == 0).all()


def test_without_the_compiler_the_names_are_the_definitions_and_else_machine_code():
    without = os.environ.get("NUMBA_DISABLE_JIT") == "1"
    for function in (simd.load, simd.total):
        assert (type(function) is FunctionType) is without
