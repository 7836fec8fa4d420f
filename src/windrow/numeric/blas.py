"""Matrix products into arrays that exist, shared by the threads of a crew (see threads.py).

There is one family: ``set_product`` (``set_row_product`` for a single row) and ``add_product``. Factors may be
transposed views (``x.T``) or runs of rows: BLAS reads them where they are. Other threads run while a product is large.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CFUNCTYPE, PYFUNCTYPE, byref, c_char_p, c_double, c_float, c_int, c_void_p, py_object, pythonapi
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, cython_blas

from windrow.numeric.threads import share

LEAST_TERMS = 5_000_000  # multiply-adds per thread, some 100 microseconds: less is not worth a message to it
_SMALL = 2**20  # multiply-adds, some 30 microseconds, of which to call BLAS by its address would cost a third


def set_product(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target = a @ b``, whatever ``target`` holds.

    target (rows, columns) is contiguous; a (rows, inner) and b (inner, columns) are contiguous, transposed, or runs of
    rows of such arrays. All are of one type, float32 or float64.
    """
    if a.size * target.shape[1] < LEAST_TERMS or len(target) < 2 * (least := _rows_a_thread(target, a)):
        np.dot(a, b, out=target)
    else:
        share(len(target), lambda first, last: np.dot(a[first:last], b, out=target[first:last]), least)


def set_row_product(target: NDArray[Any], row: NDArray[Any], b: NDArray[Any]) -> None:
    """``target = row @ b.T``, whatever ``target`` holds: target (columns,), row (inner,), b (columns, inner)."""

    def multiply(first: int, last: int) -> None:
        np.dot(row[None], b[first:last].T, out=target[None, first:last])

    share(len(b), multiply, least=1 + LEAST_TERMS // max(1, len(row)))


def add_product(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target += a @ b``; arrays as those of ``set_product``."""
    if target.shape != (len(a), b.shape[1]) or a.shape[1] != len(b):
        raise ValueError(f"{a.shape} @ {b.shape} does not fit {target.shape}: BLAS would write where it should not")
    assert target.dtype == a.dtype == b.dtype
    assert target.flags.c_contiguous
    if a.size == 0 or target.size == 0:  # which BLAS refuses
        return
    if a.size * target.shape[1] <= _SMALL:
        _add_small(target, a, b)
    elif len(target) < 2 * (least := _rows_a_thread(target, a)):
        _add_large(target, a, b)
    else:
        share(len(target), lambda first, last: _add_large(target[first:last], a[first:last], b), least)


def add_weighted_sum(target: NDArray[Any], weights: NDArray[Any], rows: NDArray[Any]) -> None:
    """``target += weights @ rows``: twice as fast as ``add_product`` of matrices of one row.

    target (columns,), weights (number of rows,), rows (number of rows, columns), all contiguous.
    """
    if rows.size:  # SciPy refuses empty arrays
        _routines(target.dtype).gemv(1, rows.T, weights, beta=1, y=target, overwrite_y=True)


def add_scaled(target: NDArray[Any], scale: float, source: NDArray[Any]) -> None:
    """``target += scale * source``, both contiguous and of one shape."""
    if target.size:  # which SciPy refuses
        _routines(target.dtype).axpy(source.reshape(-1), target.reshape(-1), a=scale)


def _rows_a_thread(target: NDArray[Any], a: NDArray[Any]) -> int:
    """How many rows of the target are worth a thread."""
    least: int = max(1, len(target) * LEAST_TERMS // max(1, a.size * target.shape[1]))
    return least


# SciPy's BLAS adds. It counts by columns: to it our arrays are their transposes, so it gets target.T += b.T @ a.T.


def _add_small(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """By SciPy's function: quick to call, but other threads wait, and an array that BLAS cannot read is copied."""
    a_is_turned, b_is_turned = not a.flags.c_contiguous, not b.flags.c_contiguous
    routines, b = _routines(target.dtype), b if b_is_turned else b.T
    routines.gemm(1, b, a if a_is_turned else a.T, 1, target.T, b_is_turned, a_is_turned, True)


def _add_large(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """By the address of the same routine, so that other threads run meanwhile."""
    routines = _routines(target.dtype)
    (a, a_order, a_distance), (b, b_order, b_distance) = _readable(a), _readable(b)
    rows, columns, inner, one = c_int(len(target)), c_int(target.shape[1]), c_int(len(b)), routines.number(1)
    routines.gemm_address(
        b_order, a_order, byref(columns), byref(rows), byref(inner), byref(one), _address(b), byref(c_int(b_distance)),
        _address(a), byref(c_int(a_distance)), byref(one), _address(target), byref(columns),
    )  # fmt: skip


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _readable(array: NDArray[Any]) -> tuple[NDArray[Any], bytes, int]:
    """The array as BLAS can read it, by rows (``b"N"``) or columns (``b"T"``), and the numbers from one to the next.

    An array of which neither rows nor columns are contiguous is copied.
    """
    size, (rows, columns), (row_step, column_step) = array.itemsize, array.shape, array.strides
    if (column_step == size or columns == 1) and (row_step >= columns * size or rows == 1):
        return array, b"N", (row_step // size if rows > 1 else columns)
    if (row_step == size or rows == 1) and (column_step >= rows * size or columns == 1):
        return array, b"T", (column_step // size if columns > 1 else rows)
    return np.ascontiguousarray(array), b"N", columns


class _Routines(NamedTuple):
    """SciPy's BLAS for one type of number."""

    axpy: Any
    gemv: Any
    gemm: Any
    gemm_address: Callable[..., None]
    number: type[Any]


@cache
def _routines(dtype: np.dtype[Any]) -> _Routines:
    letter, number = {"float32": ("s", c_float), "float64": ("d", c_double)}[dtype.name]
    axpy, gemv, gemm = (getattr(blas, letter + name) for name in ("axpy", "gemv", "gemm"))
    # SciPy hands the addresses of its routines to Cython in capsules, whose names are their signatures.
    capsule = py_object(cython_blas.__pyx_capi__["sgemm" if letter == "s" else "dgemm"])
    name_of = PYFUNCTYPE(c_char_p, py_object)(("PyCapsule_GetName", pythonapi))
    address_of = PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", pythonapi))
    address = address_of(capsule, name_of(capsule))
    return _Routines(axpy, gemv, gemm, CFUNCTYPE(None, *[c_void_p] * 13)(address), number)
