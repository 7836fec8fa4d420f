"""Sums added in place: the two BLAS calls that NumPy lacks, ``target += a.T @ b`` and ``target += scale * source``.

NumPy would make ``a.T @ b`` first, a fresh array as large as the weights, and add it then; at a batch of ten examples
that costs as much again as the product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

_GEMM: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
_AXPY: dict[np.dtype[Any], Any] = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


def add_product(target: NDArray[Any], a: NDArray[Any], b: NDArray[Any], *, to_zero: bool = False) -> None:
    """``target += a.T @ b``, or ``target = a.T @ b`` whatever is in it when it is to be added ``to_zero``.

    target (inputs, outputs) contiguous, a (rows, inputs), b (rows, outputs).
    """
    # BLAS counts by columns: to it our arrays are their transposes, so it gets target.T += b.T @ a.
    _GEMM[target.dtype](1, b.T, a.T, beta=not to_zero, c=target.T, trans_b=True, overwrite_c=True)


def add_scaled(target: NDArray[Any], scale: float, source: NDArray[Any]) -> None:
    """``target += scale * source``, both contiguous and of one shape."""
    if target.size:  # SciPy refuses empty arrays
        _AXPY[target.dtype](source.reshape(-1), target.reshape(-1), a=scale)
