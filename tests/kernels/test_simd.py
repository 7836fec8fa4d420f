"""The functions on vectors of 16, as compiled, against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from windrow.kernels import simd
from windrow.kernels._jit import DISABLE_JIT
from windrow.kernels.simd import LANES, add, broadcast, load, log, logistic, multiply, multiply_add, store, total, zero

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def _logistic_of(values, results):
    for start in range(0, values.size, LANES):
        store(results, start, logistic(load(values, start)))


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
def test_logistic(dtype):
    values = np.linspace(-32, 32, 64_000).astype(dtype)
    results = np.empty_like(values)

    _logistic_of(values, results)

    exact = 1 / (1 + np.exp(-np.clip(values.astype(np.float64), -30, 30)))
    rounding = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(results, exact, rtol=0, atol=2 * rounding)
    # exp(-x) is a power of 2 whose exponent, up to 43, is rounded.
    np.testing.assert_allclose(results, exact, rtol=43 * rounding)
    assert results[0] == results[1000] > 0  # -32 and -31 stand for -30


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
    near_one = 1 + np.linspace(-0.4, 0.4, 16_000)
    spread = np.exp(np.linspace(np.log(float(limits.tiny)) + 0.01, np.log(float(limits.max)) - 0.01, 16_000))
    values = np.concatenate([near_one, spread]).astype(dtype)
    results = np.empty_like(values)

    _log_of(values, results)

    exact = np.log(values.astype(np.float64))
    np.testing.assert_allclose(results, exact, rtol=2.5e-7 if dtype is np.float32 else 1e-15)


@pytest.mark.skipif(not DISABLE_JIT, reason="with the compiler the names stand for machine code")
def test_definitions_are_used_without_the_compiler():
    assert simd.load.__module__ == simd.total.__module__ == "windrow.kernels.simd"
    assert isinstance(simd.load(np.arange(20.0), 2), np.ndarray)
