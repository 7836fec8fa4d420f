"""Matrix products into arrays that exist, all by SciPy's BLAS.

NumPy and SciPy bring a BLAS each, and each keeps threads of its own that spin for a while after a product: products
that alternate between the two would wait for each other's threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas
from threadpoolctl import ThreadpoolController

_GEMV: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.sgemv, np.dtype(np.float64): blas.dgemv}
_GEMM: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}


@contextmanager
def blas_threads(workers: int | None) -> Iterator[None]:
    """Within, SciPy's BLAS has ``workers`` threads (None: as many as before), and NumPy's, where it is another, one.

    The products of a recurrent step are too small to share: they are left to NumPy, for whose threads nothing waits.
    """
    with _libraries().limit(limits=workers), _libraries_of_numpy().limit(limits=1):
        yield


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _libraries_of_numpy() -> ThreadpoolController:
    paths = [library.filepath for library in _libraries().lib_controllers if "numpy.libs" in library.filepath]
    return _libraries().select(filepath=paths)


# BLAS counts by columns: to it our contiguous arrays are their transposes, so every product is written transposed.


def set_product_transposed(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target = a @ b.T``; target (rows, columns), a (rows, inner), b (columns, inner), all contiguous."""
    if len(a) == 1:  # twice as fast as a product of matrices, one of them a row
        _GEMV[target.dtype](1, b.T, a[0], beta=0, y=target[0], overwrite_y=True, trans=1)
    elif a.size:  # SciPy refuses empty arrays
        _GEMM[target.dtype](1, b.T, a.T, beta=0, c=target.T, trans_a=True, overwrite_c=True)


def set_product_of_rows(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target = a @ b``; target (rows, columns), a (rows, inner), b (inner, columns), all contiguous."""
    if a.size:
        _GEMM[target.dtype](1, b.T, a.T, beta=0, c=target.T, overwrite_c=True)


def add_product_of_rows(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target += a @ b``; target (rows, columns), a (rows, inner), b (inner, columns), all contiguous."""
    if a.size:  # SciPy refuses empty arrays
        _GEMM[target.dtype](1, b.T, a.T, beta=1, c=target.T, overwrite_c=True)


def add_product_of_columns(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """``target += a.T @ b``; target (inner, columns), a (rows, inner), b (rows, columns), all contiguous."""
    if a.size:  # SciPy refuses empty arrays
        _GEMM[target.dtype](1, b.T, a.T, beta=1, c=target.T, trans_b=True, overwrite_c=True)


def add_sum_of_rows(target: NDArray[Any], factors: NDArray[Any], a: NDArray[Any]) -> None:
    """``target += factors @ a``; target (columns,), factors (rows,), a (rows, columns), all contiguous."""
    if a.size:
        _GEMV[target.dtype](1, a.T, factors, beta=1, y=target, overwrite_y=True)
