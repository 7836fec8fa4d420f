"""Matrix products into arrays that exist, shared by a crew of threads (see crew.py), all by SciPy's BLAS.

They are called by their addresses, because SciPy's own functions hold the lock of the interpreter, and threads would
wait for one another.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from windrow.numeric.threads import share

_AXPY: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}
_SMALL_GEMM: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
_GEMV: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.sgemv, np.dtype(np.float64): blas.dgemv}
_GEMM = {np.dtype(np.float32): ("sgemm", ctypes.c_float), np.dtype(np.float64): ("dgemm", ctypes.c_double)}
LEAST_TERMS = 5_000_000  # multiply-adds a thread, some 100 microseconds: less is not worth a message to it

_ORDERS = ctypes.create_string_buffer(b"NT")
_AS_IT_IS, _TRANSPOSED = ctypes.addressof(_ORDERS), ctypes.addressof(_ORDERS) + 1
_INT = ctypes.sizeof(ctypes.c_int)


def set_product_transposed(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target = a @ b.T``; target (rows, columns), a (rows, inner), b (columns, inner), all contiguous."""
    if len(a) == 1:  # twice as fast as a product of matrices, one of them a row
        _GEMV[target.dtype](1, b.T, a[0], beta=0, y=target[0], overwrite_y=True, trans=1)
    else:
        _by_rows(target, a.size * len(b), lambda rows: _multiply(target[rows], a[rows], b.T, add=False))


def set_product_of_rows(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target = a @ b``; target (rows, columns), a (rows, inner), b (inner, columns), all contiguous."""
    _by_rows(target, a.size * target.shape[1], lambda rows: _multiply(target[rows], a[rows], b, add=False))


def add_product_of_rows(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target += a @ b``; target (rows, columns), a (rows, inner), b (inner, columns), all contiguous."""
    _by_rows(target, a.size * target.shape[1], lambda rows: _multiply(target[rows], a[rows], b, add=True))


def add_product_of_columns(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target += a.T @ b``; target (inner, columns), a (rows, inner), b (rows, columns), all contiguous."""
    _by_rows(target, a.size * target.shape[1], lambda rows: _multiply(target[rows], a.T[rows], b, add=True))


def add_sum_of_rows(target: NDArray[Any], factors: NDArray[Any], a: NDArray[Any]) -> None:
    """``target += factors @ a``; target (columns,), factors (rows,), a (rows, columns), all contiguous."""
    if a.size:  # SciPy refuses empty arrays
        _GEMV[target.dtype](1, a.T, factors, beta=1, y=target, overwrite_y=True)


def add_product(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any], *, to_zero: bool = False) -> None:
    """``target += a.T @ b``, or ``target = a.T @ b`` whatever is in it when it is to be added ``to_zero``.

    target (inputs, outputs) contiguous, a (rows, inputs), b (rows, outputs).
    """
    # BLAS counts by columns: to it our arrays are their transposes, so it gets target.T += b.T @ a.
    _SMALL_GEMM[target.dtype](1, b.T, a.T, beta=not to_zero, c=target.T, trans_b=True, overwrite_c=True)


def add_scaled(target: NDArray[Any], scale: float, source: NDArray[Any]) -> None:
    """``target += scale * source``, both contiguous and of one shape."""
    if target.size:  # SciPy refuses empty arrays
        _AXPY[target.dtype](source.reshape(-1), target.reshape(-1), a=scale)


def _by_rows(target: NDArray[Any], terms: int, multiply: Callable[[slice], None]) -> None:
    """Give each thread rows of the target, where there are enough multiply-adds to share."""
    least = max(1, len(target) * LEAST_TERMS // max(terms, 1))
    share(len(target), lambda first, last: multiply(slice(first, last)), least)


def _multiply(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any], *, add: bool) -> None:
    """``target = a @ b``, or ``target += a @ b``; a and b by rows or, as views ``x.T``, by columns."""
    assert target.dtype == a.dtype == b.dtype
    assert target.shape == (len(a), b.shape[1]), "BLAS would write where it should not"
    assert a.shape[1] == len(b)
    if target.size == 0 or len(b) == 0:  # for which BLAS has no distances
        if not add:
            target.fill(0)
        return
    function, number = _gemm(target.dtype)
    # BLAS counts by columns: to it our arrays are their transposes, so it gets target.T = b.T @ a.T.
    (b_order, b_distance), (a_order, a_distance), (order, distance) = _layout(b), _layout(a), _layout(target)
    assert order == _AS_IT_IS
    sizes = (ctypes.c_int * 6)(target.shape[1], len(target), len(b), b_distance, a_distance, distance)
    factors = (number * 2)(1, add)
    columns, one = ctypes.addressof(sizes), ctypes.addressof(factors)
    rows, inner, b_step, a_step, step = range(columns + _INT, columns + 6 * _INT, _INT)
    keep = one + ctypes.sizeof(number)
    function(
        b_order, a_order, columns, rows, inner, one, _address(b), b_step, _address(a), a_step, keep,
        _address(target), step,
    )  # fmt: skip


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _layout(array: NDArray[Any]) -> tuple[int, int]:
    """How BLAS is to read an array, and how far apart its rows are, or the columns of one that is transposed."""
    size, (row_step, column_step) = array.itemsize, array.strides
    rows, columns = array.shape
    if (column_step == size or columns == 1) and (row_step >= columns * size or rows == 1):
        return _AS_IT_IS, (row_step // size if rows > 1 else columns)
    is_transposed = (row_step == size or rows == 1) and (column_step >= rows * size or columns == 1)
    assert is_transposed, "an array of which neither rows nor columns are contiguous"
    return _TRANSPOSED, (column_step // size if columns > 1 else rows)


@cache
def _gemm(dtype: np.dtype[Any]) -> tuple[Callable[..., None], type[Any]]:
    """BLAS's product of matrices as a function that lets other threads run, and its type of number."""
    from numba.extending import get_cython_function_address  # small networks do without Numba

    name, number = _GEMM[dtype]
    address = get_cython_function_address("scipy.linalg.cython_blas", name)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(address), number
