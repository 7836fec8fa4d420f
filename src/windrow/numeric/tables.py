"""Parameter tables: rows padded with zeros to whole vectors of 16 numbers, and aligned to cache lines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.numeric.simd import LANES

_CACHE_LINE = 64


def padded_width(columns: int) -> int:
    """``columns`` rounded up to a multiple of 16."""
    return (columns + LANES - 1) // LANES * LANES


def zero_table(rows: int, columns: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """A table of zeros, shape (rows, padded_width(columns)), whose address is a multiple of 64 bytes."""
    width = padded_width(columns)
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(rows * width + _CACHE_LINE // itemsize, dtype)
    skip = -raw.ctypes.data % _CACHE_LINE // itemsize
    return raw[skip : skip + rows * width].reshape(rows, width)
